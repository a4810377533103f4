// The user's cache folder. A folder in it appears whole or not at all.
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** `wkvm` under XDG_CACHE_HOME (XDG Base Directory Specification), or under ~/.cache. */
export function cacheFolder(): string {
  const configured = process.env["XDG_CACHE_HOME"];
  // The specification has relative paths ignored.
  const base = configured?.startsWith("/") ? configured : join(homedir(), ".cache");
  return join(base, "wkvm");
}

/**
 * The cached folder `name`; where it is missing, `fill` makes it in a temporary place, from which it is moved.
 * Two processes may do that at once: the first one's result stays.
 */
export async function cached(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const target = join(cacheFolder(), name);
  if (existsSync(target)) return target;
  mkdirSync(cacheFolder(), { recursive: true });
  const work = mkdtempSync(join(cacheFolder(), "new-"));
  // Nothing of an unfinished folder stays, whichever way this process ends.
  const clean = (): void => rmSync(work, { recursive: true, force: true });
  process.on("exit", clean);
  try {
    await fill(work);
    move(work, target);
  } finally {
    process.off("exit", clean);
    clean();
  }
  return target;
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}
