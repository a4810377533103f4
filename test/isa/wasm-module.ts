// Writes a WebAssembly module of one function. WebAssembly core specification 2.0, section 5.5.
import { signedLeb, unsignedLeb } from "../../assembly/isa/wasm-opcodes.ts";

export type WasmType = "i32" | "i64" | "v128";
const TYPE: Record<WasmType, number> = { i32: 0x7f, i64: 0x7e, v128: 0x7b };

/** A function of the core that the module calls. */
export interface Imported {
  name: string;
  parameters: readonly WasmType[];
  result: WasmType | undefined;
}

const vector = (items: readonly (readonly number[])[]): number[] => [...unsignedLeb(items.length), ...items.flat()];
const section = (id: number, content: readonly number[]): number[] => [id, ...unsignedLeb(content.length), ...content];
const text = (name: string): number[] => [...unsignedLeb(name.length), ...Buffer.from(name)];

/** i32.const */
export const i32 = (value: number): number[] => [0x41, ...signedLeb(BigInt(value | 0))];
/** i64.const */
export const i64 = (value: bigint): number[] => [0x42, ...signedLeb(BigInt.asIntN(64, value))];
export const getLocal = (index: number): number[] => [0x20, ...unsignedLeb(index)];
export const setLocal = (index: number): number[] => [0x21, ...unsignedLeb(index)];
export const getGlobal = (index: number): number[] => [0x23, ...unsignedLeb(index)];
/** A load or store with its alignment given as log2, and a constant offset. */
export const memory = (opcode: number, offset: number): number[] => [opcode, 0, ...unsignedLeb(offset)];

/** Imports, locals and types of the one function being written: (record: i32) -> i32. */
export class FunctionWriter {
  readonly imports: Imported[] = [];
  private readonly locals: WasmType[] = [];

  /** A new local variable. */
  local(type: WasmType): number {
    return this.locals.push(type);
  }

  /** A call of a function of the core. */
  call(name: string, parameters: readonly WasmType[], result: WasmType | undefined): number[] {
    let index = this.imports.findIndex((i) => i.name === name);
    if (index < 0) index = this.imports.push({ name, parameters, result }) - 1;
    return [0x10, ...unsignedLeb(index)];
  }

  /** The module's bytes. Globals 0 and 1 are the core's `fault` and `tlb`. */
  module(code: readonly number[]): Uint8Array<ArrayBuffer> {
    const signature = (parameters: readonly WasmType[], result: WasmType | undefined): number[] => [
      0x60,
      ...vector(parameters.map((p) => [TYPE[p]])),
      ...vector(result ? [[TYPE[result]]] : []),
    ];
    const types = [signature(["i32"], "i32"), ...this.imports.map((i) => signature(i.parameters, i.result))];
    const functions = this.imports.map(({ name }, i) => [...text("core"), ...text(name), 0x00, ...unsignedLeb(i + 1)]);
    const globals = ["cpu_fault", "mmu_tlb_tlb"].map((name) => [...text("core"), ...text(name), 0x03, TYPE.i32, 0x01]);
    const shared = [...text("env"), ...text("memory"), 0x02, 0x03, ...unsignedLeb(0), ...unsignedLeb(65536)];
    const declared = this.locals.map((type) => [1, TYPE[type]]);
    const body = [...vector(declared), ...code, 0x0b];
    return Uint8Array.from([
      0,
      0x61,
      0x73,
      0x6d,
      1,
      0,
      0,
      0,
      ...section(1, vector(types)),
      ...section(2, vector([...functions, ...globals, shared])),
      ...section(3, vector([[0]])),
      ...section(7, vector([[...text("run"), 0x00, ...unsignedLeb(this.imports.length)]])),
      ...section(10, vector([[...unsignedLeb(body.length), ...body]])),
    ]);
  }
}
