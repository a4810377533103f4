// What V8 has optimised of the core, from one process to the next (docs/decisions/0032).
import { createHash } from "node:crypto";
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { cachedDataVersionTag } from "node:v8";
import { VCPU_BASE, VCPU_SIZE } from "../../assembly/layout.ts";
import { type CoreExports, instantiate, makeMemory } from "../kvm/core.ts";
import { machineCodeOf, moduleWithCode } from "./machine-code.ts";
import { writeWhole } from "./write-whole.ts";

/** Of the files' names: one for each core, engine and set of the engine's flags. */
const PREFIX = "core-";
/** Files that are kept: as many builds and engines as somebody works with. */
const MOST_FILES = 8;
/** A file is written again once there is this much more. */
const GROWTH = 1.01;
/** Less is not worth a file: a machine of which nothing became hot. */
const WORTH_BYTES = 32 << 10;
const HASH_BYTES = 32;

/**
 * A cache in `folder`, for processes that have V8's flags as they are when the core is compiled. It is only a cache: where it cannot be
 * read, written or used, the core is compiled as without one.
 */
export class CodeCache {
  #core:
    | { readonly module: WebAssembly.Module; readonly bytes: Uint8Array; readonly path: string; readonly tag: number }
    | undefined;
  #keptBytes = 0;

  constructor(private readonly folder: string) {}

  /** Whether the core's code came from an earlier process. */
  get isRecalled(): boolean {
    return this.#keptBytes > 0;
  }

  /** As WebAssembly.compile() of a core's bytes, with what V8 made of them before. */
  async compile(source: BufferSource): Promise<WebAssembly.Module> {
    const bytes = bytesOf(source);
    const tag = cachedDataVersionTag();
    const name = `${PREFIX}${hashOf(bytes).toString("hex").slice(0, 16)}-${tag.toString(16)}.code`;
    const path = join(this.folder, name);
    const code = readCode(path, bytes);
    const recalled = code && moduleWithCode(bytes, code);
    if (recalled) this.#keptBytes = code.length;
    const module = recalled ?? (await WebAssembly.compile(source));
    this.#core = { module, bytes, path, tag };
    return module;
  }

  /** Keeps what has been optimised until now, if that is more than was recalled. V8's flags have to be what they were in compile(). */
  keep(): void {
    if (!this.#core) return;
    const { module, bytes, path, tag } = this.#core;
    // Under other flags V8 would not take it back.
    if (cachedDataVersionTag() !== tag) return;
    const code = machineCodeOf(module, instanceOf(module).kvmClockGet);
    if (!code || code.length < Math.max(WORTH_BYTES, this.#keptBytes * GROWTH)) return;
    this.#keptBytes = code.length;
    this.#write(path, Buffer.concat([hashOf(bytes, code), code]));
  }

  /** With no more files than MOST_FILES behind it. A folder that cannot be written has no cache. */
  #write(path: string, content: Uint8Array): void {
    try {
      mkdirSync(this.folder, { recursive: true });
      writeWhole(path, content, 0o600);
      for (const old of filesByAge(this.folder).slice(MOST_FILES)) rmSync(old, { force: true });
    } catch {
      // The next process compiles as this one did.
    }
  }
}

/** For a function of the module's: what V8 makes of them, all instances share. */
function instanceOf(module: WebAssembly.Module): CoreExports {
  const nothing = (): void => {};
  const imports = { nowNs: () => 0, doorbell: nothing, trace: nothing };
  return instantiate(module, makeMemory(module, VCPU_BASE + VCPU_SIZE), imports);
}

function hashOf(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function bytesOf(source: BufferSource): Uint8Array {
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
}

/** The code in a file, if it is this user's, nobody else can have written it, and it is whole and of these bytes: the processor will execute it. */
function readCode(path: string, bytes: Uint8Array): Uint8Array | undefined {
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
  const code = content.subarray(HASH_BYTES);
  return hashOf(bytes, code).equals(content.subarray(0, HASH_BYTES)) ? code : undefined;
}

/** The cache's files, the newest first, with those that somebody did not finish. */
function filesByAge(folder: string): string[] {
  const files = readdirSync(folder).filter((name) => name.startsWith(PREFIX));
  const paths = files.map((name) => join(folder, name));
  const age = new Map(paths.map((path) => [path, statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0]));
  return paths.sort((a, b) => age.get(b)! - age.get(a)!);
}
