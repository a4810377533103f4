// What the mode word says about the code of a region: its size, that of its stack, and whether its segments are flat. All
// of it is in the key of the traces that enter the region, so that it is as certain as the code itself.
import { MODE_CODE16, MODE_CODE64, MODE_CODE_MASK, MODE_FLAT, MODE_STACK32 } from "../layout";

/** 64-bit code: no limits, and no bases but those of FS and GS. */
export let code64: bool = true;
/** 16-bit code. */
export let code16: bool = false;
/** CS, DS, ES and SS have base 0 and 4 GiB. */
export let flat: bool = true;
/** Pushes and pops use all of ESP, not SP alone. */
export let stack32: bool = false;

/** Sets out on a region of traces with mode word `mode`. */
export function beginMode(mode: u32): void {
  const size = mode & MODE_CODE_MASK;
  code64 = size == MODE_CODE64;
  code16 = size == MODE_CODE16;
  flat = (mode & MODE_FLAT) != 0;
  stack32 = (mode & MODE_STACK32) != 0;
}

/** Whether code of a mode lies in a segment, at the end of which addresses wrap or fault. */
// @ts-ignore: decorator
@inline export function isBounded(mode: u32): bool {
  return (mode & MODE_CODE_MASK) != MODE_CODE64;
}
