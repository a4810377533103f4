// Files that appear whole or not at all.
import { renameSync, rmSync, writeFileSync } from "node:fs";

/** Writes a file in place of what `path` names, though others may do the same. Throws what node:fs throws, with nothing left behind.
 * `mode`: its permissions, as far as the umask allows. */
export function writeWhole(path: string, content: Uint8Array, mode = 0o666): void {
  const unfinished = `${path}.${process.pid}`;
  try {
    writeFileSync(unfinished, content, { flag: "wx", mode });
    renameSync(unfinished, path);
  } catch (error) {
    removeIfThere(unfinished);
    throw error;
  }
}

function removeIfThere(path: string): void {
  try {
    rmSync(path);
  } catch {
    // What kept it from being written keeps it from being removed, or it never came to be.
  }
}
