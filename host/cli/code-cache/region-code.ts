// What V8 has optimised of regions, by the SHA-256 of their modules: what is executed is the code of exactly the WebAssembly that the
// translator has just written.
import { hashOf } from "./kept-file.ts";
import { moduleWithCode, optimizedCodeOf } from "./machine-code.ts";

interface Kept {
  readonly code: Uint8Array;
  /** Runs since a module had it. */
  age: number;
}

/** A module of this run, as long as it is in use. */
interface Live {
  readonly module: WeakRef<WebAssembly.Module>;
  readonly region: WeakRef<WebAssembly.ExportValue & object>;
}

/** Runs that code is kept for though no module has it. */
const OLDEST = 8;
/** Bytes that are kept at most; what was not used for longest goes. */
const MOST_BYTES = 32 << 20;
/** The same while a guest runs, which may make new code without end. */
const MOST_HELD_BYTES = 2 * MOST_BYTES;

// An entry: SHA-256 of the module, u32 age, u32 length, code.
const HASH_BYTES = 32;
const AGE_AT = HASH_BYTES;
const LENGTH_AT = HASH_BYTES + 4;
const ENTRY_HEADER = HASH_BYTES + 8;

export class RegionCode {
  readonly #kept = new Map<string, Kept>();
  readonly #live = new Map<string, Live>();
  #heldBytes = 0;
  /** Modules that have had kept code. */
  recalled = 0;

  /** Recalls what collect() returned in an earlier process. */
  load(earlier: Uint8Array): void {
    const view = new DataView(earlier.buffer, earlier.byteOffset, earlier.byteLength);
    for (let at = 0; at < earlier.length; ) {
      const code = earlier.subarray(at + ENTRY_HEADER, at + ENTRY_HEADER + view.getUint32(at + LENGTH_AT, true));
      const hash = Buffer.from(earlier.subarray(at, at + HASH_BYTES)).toString("latin1");
      this.#hold(hash, { code, age: view.getUint32(at + AGE_AT, true) + 1 });
      at += ENTRY_HEADER + code.length;
    }
  }

  /** The module of these bytes with the code that is kept for it, if there is some. */
  recall(bytes: Uint8Array): WebAssembly.Module | undefined {
    const kept = this.#kept.get(nameOf(bytes));
    const module = kept && moduleWithCode(bytes, kept.code);
    if (!module) return undefined;
    kept.age = 0;
    this.recalled++;
    return module;
  }

  /** Notes a module that the engine has compiled, and the only function that it exports. */
  note(bytes: Uint8Array, module: WebAssembly.Module, region: WebAssembly.ExportValue & object): void {
    this.#live.set(nameOf(bytes), { module: new WeakRef(module), region: new WeakRef(region) });
  }

  /** Takes the code of the modules that the engine has optimised by now. */
  gather(): void {
    for (const [name, { module, region }] of this.#live) {
      const [whole, one] = [module.deref(), region.deref()];
      const code = whole && one && optimizedCodeOf(whole, one);
      if (code) this.#hold(name, { code, age: 0 });
      if (code || !one) this.#live.delete(name);
    }
  }

  #hold(name: string, kept: Kept): void {
    const held = this.#heldBytes - (this.#kept.get(name)?.code.length ?? 0) + kept.code.length;
    if (held > MOST_HELD_BYTES) return;
    this.#heldBytes = held;
    this.#kept.set(name, kept);
  }

  /** What is worth keeping, in bytes, with what gather() takes. */
  collect(): Uint8Array {
    this.gather();
    const parts: Uint8Array[] = [];
    let room = MOST_BYTES;
    for (const [name, { code, age }] of [...this.#kept].sort(([, a], [, b]) => a.age - b.age)) {
      room -= ENTRY_HEADER + code.length;
      if (age > OLDEST || room < 0) break;
      const header = Buffer.alloc(ENTRY_HEADER);
      header.write(name, "latin1");
      header.writeUInt32LE(age, AGE_AT);
      header.writeUInt32LE(code.length, LENGTH_AT);
      parts.push(header, code);
    }
    return Buffer.concat(parts);
  }
}

function nameOf(module: Uint8Array): string {
  return hashOf(module).toString("latin1");
}
