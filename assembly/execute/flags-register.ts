// PUSHF and POPF: RFLAGS as the running program may see and change it. SDM volume 2, PUSHF, POPF.
import {
  CR4_VME, cpu, FLAG_AC, FLAG_IF, FLAG_IOPL, FLAG_RF, FLAG_TF, FLAG_VIF, FLAG_VIP, FLAG_VM, FLAGS_STATUS, GP, raiseError,
} from "../cpu";
import { CPU_CPL, CPU_CR4, CPU_EFLAGS, CPU_MODE, MODE_VM86 } from "../layout";
import { updateAccessClass } from "../mmu/contexts";
import { getFlags, setFlags } from "./flags";

function iopl(): u32 {
  return (load<u32>(cpu, CPU_EFLAGS) >> 12) & 3;
}

function inVm86(): bool {
  return (load<u32>(cpu, CPU_MODE) & MODE_VM86) != 0;
}

/** What PUSHF stores; #GP(0) in virtual-8086 mode with IOPL < 3, unless VME virtualises it. */
export function pushedFlags(size: u32): u32 {
  const flags = getFlags();
  if (inVm86() && iopl() < 3) {
    if (size == 2 && load<u64>(cpu, CPU_CR4) & CR4_VME) {
      return (flags & ~FLAG_IF) | FLAG_IOPL | (flags & FLAG_VIF ? FLAG_IF : 0);
    }
    raiseError(GP, 0);
    return 0;
  }
  return flags & ~(FLAG_RF | FLAG_VM);
}

/** POPF: which flags change depends on CPL, IOPL and mode. */
export function popFlags(size: u32, value: u32): void {
  const old = getFlags();
  const cpl = load<u32>(cpu, CPU_CPL);
  // VM, VIF, VIP, RF do not come from the stack; VIP and VIF are cleared only through IRET and friends.
  let mask: u32 = FLAGS_STATUS | FLAG_TF | 0x400 | 0x4000;
  if (size != 2) mask |= FLAG_AC | 0x200000;
  if (inVm86()) {
    if (iopl() == 3) mask |= FLAG_IF;
    else if (size == 2 && load<u64>(cpu, CPU_CR4) & CR4_VME) {
      if (value & FLAG_TF || (value & FLAG_IF && old & FLAG_VIP)) {
        raiseError(GP, 0);
        return;
      }
      value = value & FLAG_IF ? value | FLAG_VIF : value & ~FLAG_VIF;
      mask |= FLAG_VIF;
    } else {
      raiseError(GP, 0);
      return;
    }
  } else {
    if (cpl == 0) mask |= FLAG_IOPL;
    if (cpl <= iopl()) mask |= FLAG_IF;
  }
  const clear = size == 2 ? 0 : FLAG_RF;
  setFlags(((old & ~mask) | (value & mask)) & ~clear);
  if ((old ^ value) & mask & FLAG_AC) updateAccessClass();
}
