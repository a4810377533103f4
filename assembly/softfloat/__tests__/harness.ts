// What test/differential/float.test.ts calls: the floating-point parts alone, without decoder and MMU. Not part of the core.
export * from "../../execute/float/index";
export { clearFault, cpu, fault, faultVector } from "../../cpu";
export { getFlags, setFlags } from "../../execute/flags";
export * from "../../execute/x87/arithmetic";
export * from "../../execute/x87/compare";
export * from "../../execute/x87/load";
export * from "../../execute/x87/stack";
export * from "../../execute/x87/state";
export * from "../../execute/x87/store";
export * from "../../execute/x87/unary";
export * from "../../execute/x87/transcendental";
import { packHalves } from "../../execute/float/packed-convert";

/** VCVTPS2PH into memory: a vector is nothing that JavaScript can be given. */
export function vectorF32ToF16(dst: usize, src: usize, immediate: i32, bytes: i32): void {
  v128.store(dst, packHalves(src, immediate, bytes));
}
