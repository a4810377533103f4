// Damaged or unsupported data ends the call by a trap; what was wrong stands in a global that the host looks at.
import { FAIL_NONE } from "./codes";

/** FAIL_* of the last call that trapped; FAIL_NONE where it was an access behind the end of the memory. */
export let failure: i32 = FAIL_NONE;

/** Before a call. */
export function beginUnpacking(): void {
  failure = FAIL_NONE;
}

/** Ends the call. */
export function fail(code: i32): void {
  failure = code;
  unreachable();
}
