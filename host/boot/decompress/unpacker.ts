// unpack.wasm (assembly/unpack/): the decoders of what kernels are packed with, over a memory that lives as long as what
// came out of it is wanted.
import { UNPACK_WASM } from "../../../assembly/generated/unpack-module.ts";
import { DATA, SLACK } from "../../../assembly/unpack/memory.ts";
import { DecompressError } from "./error.ts";
import { describeFailure } from "./failures.ts";

const PAGE = 0x10000;

/** A decoder's name among the module's exports. */
export type Decoder = "unpackLz4" | "unpackXz" | "unpackZstd";

type Exports = Record<Decoder, (input: number, length: number, output: number, size: number) => number> & {
  readonly failure: WebAssembly.Global;
};

/** What came out, in memory that `release` gives back: the bytes are gone then. */
export interface UnpackedBytes {
  readonly bytes: Uint8Array;
  readonly release: () => void;
}

/** null: this host has no WebAssembly, or lets nobody compile. */
let compiled: WebAssembly.Module | null | undefined;

function decoders(): WebAssembly.Module | null {
  if (compiled !== undefined) return compiled;
  try {
    compiled = new WebAssembly.Module(Uint8Array.from(atob(UNPACK_WASM), (character) => character.charCodeAt(0)));
  } catch {
    compiled = null;
  }
  return compiled;
}

/** How many memories decoders have worked in: each is garbage once what came out of it is released. */
export let memoriesMade = 0;

/** Whether the decoders can be used on this host. */
export function hasDecoders(): boolean {
  return decoders() !== null;
}

/**
 * Unpacks `packed`.
 * @param size length of the result in bytes, known from elsewhere
 * @throws DecompressError when the data is damaged or uses what is not supported, or does not have that length.
 */
export function unpackWith(decoder: Decoder, packed: Uint8Array, size: number): UnpackedBytes {
  const module = decoders();
  if (module === null) throw new DecompressError("this host does not allow WebAssembly");
  const output = Math.ceil((DATA + packed.length + SLACK) / PAGE) * PAGE;
  memoriesMade += 1;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((output + size + SLACK) / PAGE) });
  new Uint8Array(memory.buffer, DATA, packed.length).set(packed);
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports;
  let length: number;
  try {
    length = exports[decoder](DATA, packed.length, output, size);
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    throw new DecompressError(describeFailure(exports.failure.value));
  }
  if (length !== size) throw new DecompressError(`${length} bytes come out where ${size} are announced`);
  // A memory cannot be given back at once; growing it by nothing lets go of every view of it.
  return { bytes: new Uint8Array(memory.buffer, output, size), release: () => void memory.grow(0) };
}
