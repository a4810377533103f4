// Files of machine code in the user's cache folder. The processor will execute what is in them, so one is used only if it is this user's, nobody
// else can have written it, and the SHA-256 in front is that of what it is for and of what follows.
import { createHash } from "node:crypto";
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeWhole } from "../write-whole.ts";

/** Files of a kind that are kept: as many builds, engines and guests as somebody works with. */
const MOST_FILES = 8;
const HASH_BYTES = 32;

/** What a file keeps for `what`; undefined where that cannot be trusted. */
export function readKept(path: string, what: Uint8Array): Uint8Array | undefined {
  let content: Buffer;
  try {
    const file = openSync(path, "r");
    try {
      const { uid, mode } = fstatSync(file);
      if (uid !== (process.getuid?.() ?? uid) || mode & 0o022) return undefined;
      content = readFileSync(file);
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
  const kept = content.subarray(HASH_BYTES);
  return hashOf(what, kept).equals(content.subarray(0, HASH_BYTES)) ? kept : undefined;
}

/** Keeps something for `what`, and of files that begin with `prefix` no more than MOST_FILES. A folder that cannot be written keeps nothing. */
export function writeKept(path: string, prefix: string, what: Uint8Array, kept: Uint8Array): void {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true });
    writeWhole(path, Buffer.concat([hashOf(what, kept), kept]), 0o600);
    for (const old of filesByAge(folder, prefix).slice(MOST_FILES)) rmSync(old, { force: true });
  } catch {
    // The next process does without, as this one did.
  }
}

/** The SHA-256 of parts one after the other. */
export function hashOf(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** The files of a kind, the newest first, with those that somebody did not finish. */
function filesByAge(folder: string, prefix: string): string[] {
  const files = readdirSync(folder).filter((name) => name.startsWith(prefix));
  const paths = files.map((name) => join(folder, name));
  const age = new Map(paths.map((path) => [path, statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0]));
  return paths.sort((a, b) => age.get(b)! - age.get(a)!);
}
