// MOV to and from debug registers (SDM volume 3, 18.2).
import { CR4_DE, GP, UD, cpu, raise, raiseError } from "../cpu";
import { CPU_CR4, CPU_DR } from "../layout";
import { tlbFlushAll } from "../mmu/contexts";
import { DR6_ONES, DR7_GD, DR7_ONES, dataBreakpointsArmed, raiseDebugAccess } from "./debug";
import { requireCpl0 } from "./privilege";

/** Bits of DR6 that can be written: B0..B3, BD, BS, BT. */
const DR6_WRITABLE: u64 = 0xe00f;
/** Bits of DR7 that can be written: enables, LE, GE, GD and the breakpoint conditions. */
const DR7_WRITABLE: u64 = 0xffff23ff;

/** The register that `n` names, or -1 with a fault raised: DR4 and DR5 are DR6 and DR7, or #UD under CR4.DE. */
function checkAccess(n: i32): i32 {
  if (n > 7 || ((n & 6) == 4 && (load<u64>(cpu, CPU_CR4) & CR4_DE) != 0)) {
    raise(UD);
    return -1;
  }
  if (!requireCpl0()) return -1;
  if (load<u64>(cpu, CPU_DR + 56) & DR7_GD) {
    raiseDebugAccess();
    return -1;
  }
  return n < 4 ? n : n | 2;
}

/** MOV from DRn. */
export function readDr(n: i32): u64 {
  const register = checkAccess(n);
  return register < 0 ? 0 : load<u64>(cpu + (<usize>register << 3), CPU_DR);
}

/** MOV to DRn: #GP(0) for upper halves of DR6 and DR7. */
export function writeDr(n: i32, value: u64): void {
  const register = checkAccess(n);
  if (register < 0) return;
  if (register >= 6 && value >> 32 != 0) {
    raiseError(GP, 0);
    return;
  }
  storeDr(register, value);
}

/** Stores a debug register with its fixed bits. Pages under a data breakpoint lose their TLB entries, which
 * are made again as ones that every access looks at. */
export function storeDr(register: i32, value: u64): void {
  const watched = dataBreakpointsArmed();
  if (register == 6) value = (value & DR6_WRITABLE) | DR6_ONES;
  else if (register == 7) value = (value & DR7_WRITABLE) | DR7_ONES;
  store<u64>(cpu + (<usize>register << 3), value, CPU_DR);
  if (watched || dataBreakpointsArmed()) tlbFlushAll();
}
