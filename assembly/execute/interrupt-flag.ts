// CLI and STI: small enough for translated code to call them by themselves.
import { CR4_PVI, CR4_VME, cpu, FLAG_IF, FLAG_VIF, FLAG_VIP, GP, raiseError } from "../cpu";
import { CPU_CPL, CPU_CR4, CPU_EFLAGS, CPU_MODE, MODE_VM86 } from "../layout";
import { beginShadow, interruptsEnabled, SHADOW_STI } from "./request";

/** 0: IF may change; 1: VIF changes in its stead; 2: #GP was raised. SDM volume 2, CLI, table 3-7. */
function interruptFlagRule(): i32 {
  const flags = load<u32>(cpu, CPU_EFLAGS);
  const cpl = load<u32>(cpu, CPU_CPL);
  const iopl = (flags >> 12) & 3;
  const vm86 = (load<u32>(cpu, CPU_MODE) & MODE_VM86) != 0;
  if (vm86 ? iopl == 3 : cpl <= iopl) return 0;
  const virtual = load<u64>(cpu, CPU_CR4) & (vm86 ? CR4_VME : CR4_PVI);
  if (virtual && cpl == 3) return 1;
  raiseError(GP, 0);
  return 2;
}
export function cli(): void {
  const rule = interruptFlagRule();
  if (rule == 2) return;
  store<u32>(cpu, load<u32>(cpu, CPU_EFLAGS) & ~(rule == 0 ? FLAG_IF : FLAG_VIF), CPU_EFLAGS);
}

/** The STI executed last set IF, which had been clear. */
let opened: bool = false;

export function sti(): void {
  const rule = interruptFlagRule();
  const flags = load<u32>(cpu, CPU_EFLAGS);
  opened = rule == 0 && (flags & FLAG_IF) == 0;
  if (rule == 2) return;
  if (rule == 1) {
    if (flags & FLAG_VIP) return raiseError(GP, 0);
    store<u32>(cpu, flags | FLAG_VIF, CPU_EFLAGS);
    return;
  }
  store<u32>(cpu, flags | FLAG_IF, CPU_EFLAGS);
  interruptsEnabled();
}

/** Behind an STI that is executed by itself: interrupts that it has let in wait for one more instruction (SDM volume 2, STI). */
export function castShadow(): void {
  if (opened) beginShadow(SHADOW_STI);
}
