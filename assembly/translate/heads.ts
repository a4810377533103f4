// Heads in the middle of loops. What is executed most often becomes a head first: of a function's loops a block of the innermost, and not
// its header. Were the region entered there, neither that loop nor those around it would be WebAssembly's: each turn would go
// by way of the dispatcher. Where the region has other entries that lead to such a head, it is entered at those alone, and the interpreter
// goes on from the head to one of them: in loops, once.
import { T_FLAGS, TRACE_ENTERED, TRACE_PASSED } from "../decode/record";
import { B_FLAGS, B_TRACE, BLOCK_CALLED, BLOCK_RETURN, blockAt, isPart } from "./blocks";
import { decide } from "./decisions";
import { isForced } from "./heat";
import { looksFurther } from "./unmapped";

/** Whether the region need not be entered at its head, if its other entries lead there. A part is, that is what it is for; so is
 * what jumps, calls and returns go to, what leaves other regions for more than the interpreter's case, and what became a head once more. */
export function mayPassHead(): bool {
  if (isPart || isForced() || load<u32>(blockAt(0), B_FLAGS) & (BLOCK_RETURN | BLOCK_CALLED)) return false;
  const trace = <usize>load<u32>(blockAt(0), B_TRACE);
  return decide(!(load<u16>(trace, T_FLAGS) & (TRACE_ENTERED | TRACE_PASSED)) && !looksFurther(trace));
}
