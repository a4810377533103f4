// What printed TypeScript cases stand on in the test: the core's memory through typed arrays, its fault state, and the
// upper half of a 64-bit result. Helpers that every tier shares are calls of the core itself.
import { VCPU_BASE } from "../../../assembly/layout.ts";

type Helper = (...values: (number | bigint)[]) => number | bigint | undefined;

/** Address of the vCPU. */
export const c = VCPU_BASE;
export let U8 = new Uint8Array(0);
export let U16 = new Uint16Array(0);
export let I32 = new Int32Array(0);
export let view = new DataView(new ArrayBuffer(0));
/** The upper half of the last 64-bit result. */
export let high = 0;
/** FAULT_*, as after the last call that may fault. */
export let fault = 0;

let exported: Record<string, unknown> = {};

/** Binds the runtime to an instance of the gate core and its memory. */
export function attach(exports: Record<string, unknown>, buffer: ArrayBufferLike): void {
  exported = exports;
  U8 = new Uint8Array(buffer as ArrayBuffer);
  U16 = new Uint16Array(buffer as ArrayBuffer);
  I32 = new Int32Array(buffer as ArrayBuffer);
  view = new DataView(buffer as ArrayBuffer);
}

/** Notes the upper half of a 64-bit result and returns the lower one. */
export function wide(low: number, upper: number): number {
  high = upper | 0;
  return low | 0;
}

/** A 64-bit value from its halves. */
export function join(low: number, upper: number): bigint {
  return (BigInt(upper) << 32n) | BigInt(low >>> 0);
}

/** A 64-bit value into its halves: returns the lower one. */
export function split(value: bigint): number {
  return wide(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
}

/** Calls the core's helper of that export name, and looks whether it faulted. */
export function call(name: string, ...values: (number | bigint)[]): number | bigint | undefined {
  const result = (exported[name] as Helper)(...values);
  fault = (exported["cpu_fault"] as WebAssembly.Global).value as number;
  return result;
}

/** An instruction begins: nothing has faulted. */
export function begin(): void {
  fault = 0;
}

/** Value of one of the core's globals. */
export function global(name: string): number {
  return (exported[name] as WebAssembly.Global).value as number;
}

/** Raises an exception, with an error code unless that is -1. */
export function raise(vector: number, error: number): void {
  if (error < 0) call("cpu_raise", vector);
  else call("cpu_raiseError", vector, error);
}
