// Instructions whose accesses the TLB keeps lacking: there, a region has what it lacks put in by a call that comes back. Elsewhere
// it leaves for the interpreter, which does that as well: V8's optimising compiler takes twice as long for code in which each
// access has a call behind it (docs/decisions/0017).
import { T_REGION, T_UNMAPPED, T_VALID } from "../decode/record";
import { traceBeginningAt } from "./blocks";
import { decide } from "./decisions";
import { displacementHere } from "./leave";
import { dropRegion } from "./regions";
import { isAlive, markWanted } from "./slots";
import { hasStraddled } from "./straddles";
import { HOT, isForced } from "./heat";

/** How often regions leave before an instruction until there is one that begins with it and does not. */
const OFTEN: u32 = 16384;
/** Where they have left so often, a region that is made anyway does not. */
const REPEATEDLY: u32 = 2048;

/** A region has left before the first instruction of a trace as the TLB did not have what that accesses, or the span of it. */
export function noteUnmapped(trace: usize): void {
  if (hasStraddled()) return;
  const n = load<u32>(trace, T_UNMAPPED) + 1;
  store<u32>(trace, n, T_UNMAPPED);
  if (n != OFTEN) return;
  const slot = load<u32>(trace, T_REGION);
  if (slot && isAlive(slot)) {
    markWanted(slot);
    dropRegion(slot);
  }
  store<u32>(trace, HOT, T_VALID);
}

/** Whether the region of a trace looks for what the TLB does not have: it is entered again where it left for that. */
export function looksFurther(trace: usize): bool {
  return load<u32>(trace, T_UNMAPPED) >= OFTEN;
}

/** Whether the running instruction is to look for what the TLB does not have. Where regions are forced, each is. */
export function isToLookFurther(): bool {
  if (isForced()) return true;
  const trace = traceBeginningAt(displacementHere());
  return decide(trace != 0 && load<u32>(trace, T_UNMAPPED) >= REPEATEDLY);
}
