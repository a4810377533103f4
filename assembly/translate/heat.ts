// How often a trace is entered until it is looked at: its heat, which the interpreter counts down.
import { VM_JIT_THRESHOLD } from "../layout";
import { T_VALID } from "../decode/record";

/** Heat that nothing uses up: the trace is not looked at again for that. */
export const COLD: u32 = 0xffffffff;
/** Heat at which a trace is looked at when it is entered. */
export const HOT: u32 = 1;

/** Heat of a trace of which nothing is known: how often it is entered before it is translated. At threshold 1 regions are forced:
 * a trace is translated when it is entered first, and its module is made at once, unless regions are gathered (waiting.ts). */
export function initialHeat(): u32 {
  const threshold = load<u32>(VM_JIT_THRESHOLD);
  return threshold ? threshold : COLD;
}

/** Whether everything is to be executed in regions that can be. */
export function isForced(): bool {
  return load<u32>(VM_JIT_THRESHOLD) == HOT;
}

/** How many times as often as the threshold says a trace is entered that other regions have. */
const COOLED: u32 = 8;
/** Has a trace wait that much longer. */
export function waitLonger(trace: usize): void {
  store<u32>(trace, load<u32>(VM_JIT_THRESHOLD) * COOLED, T_VALID);
}
