// The TypeScript core: what core.wasm is, as a function. The generated module beside the library is loaded when a
// program first asks for it: it is large, and most programs never do.

/** What the kernel side asks of the host (assembly/host.ts); 64-bit values come as two int32 halves, low first. */
export interface CoreHost {
  nowNs(): number;
  wallNs(): number;
  randomU32(): number;
  doorbell(index: number): void;
  trace(kind: number, aLow: number, aHigh: number, bLow: number, bHigh: number, cLow: number, cHigh: number): void;
}

/** Makes a core over a memory that is laid out as assembly/layout.ts says. `Exports`: those of assembly/index.ts. */
export type MakeCore<Exports> = (memory: ArrayBufferLike, host: CoreHost) => Exports;

/** The halves of a 64-bit value as a bigint, unsigned. */
export function joinHalves(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}
