// Has neighbours in a trace executed by one case of the interpreter where there is one for both.
import { JOINT_CASES, JOINT_FIRST, JOINT_HEADS, JOINT_HEADS_COUNT } from "../generated/opcodes";
import { R_OP, R_SUB, RECORD_SIZE } from "./record";

/** Joins what can be joined of `count` records from `rec` on. The first of two keeps its own case in R_SUB. */
export function joinPairs(rec: usize, count: u32): void {
  const last = rec + (<usize>count - 1) * RECORD_SIZE;
  while (rec < last) {
    const op = <u32>load<u16>(rec, R_OP);
    const joint = jointCase(op, load<u16>(rec + RECORD_SIZE, R_OP));
    if (joint) {
      store<u16>(rec, <u16>op, R_SUB);
      store<u16>(rec, <u16>joint, R_OP);
      rec += RECORD_SIZE;
    }
    rec += RECORD_SIZE;
  }
}

/** The case of two that follow each other; 0: none. */
function jointCase(first: u32, second: u32): u32 {
  if (first - JOINT_FIRST >= JOINT_HEADS_COUNT) return 0;
  let at = <usize>load<u16>(JOINT_HEADS + ((first - JOINT_FIRST) << 1));
  for (const end = <usize>load<u16>(JOINT_HEADS + ((first - JOINT_FIRST) << 1), 2); at < end; at++) {
    if (load<u16>(JOINT_CASES + (at << 2)) == second) return load<u16>(JOINT_CASES + (at << 2), 2);
  }
  return 0;
}
