// IA32_APIC_BASE and the modes of a local APIC (SDM volume 3, 11.4.3, 11.12.1 and figure 11-27).
import { cpu, GP, raiseError } from "../cpu";
import { FEAT_X2APIC } from "../features";
import { CPU_APIC_BASE, CPU_INDEX } from "../layout";
import { MMU_RESERVED } from "../mmu/state";
import { lapicTimerCancel } from "./lapic-timer";
import {
  APIC_ID, APIC_LDR, APIC_VERSION, APIC_VERSION_VALUE, BASE_ENABLE, BASE_X2APIC, lapicExists, setReg, vcpuHas,
  x2apicMode,
} from "./lapic-state";
import { LAPIC_BASE_IN_FORCE } from "./layout";
import { wakeSelf } from "./wake";

const MODE_BITS: u64 = BASE_ENABLE | BASE_X2APIC;
/** Bits 0-7 and 9. */
const BASE_RESERVED: u64 = 0x2ff;
/** The page; `gpa`s have no bits above it. */
const BASE_ADDRESS: u64 = 0xfffffffffffff000;

/** Whether `value` names a mode that exists and sets no reserved bit. */
function validBase(value: u64): bool {
  if (value & (BASE_RESERVED | load<u64>(cpu, MMU_RESERVED)) || value >> 52) return false;
  if (!(value & BASE_X2APIC)) return true;
  return (value & BASE_ENABLE) != 0 && vcpuHas(cpu, FEAT_X2APIC);
}

/** Writes IA32_APIC_BASE as WRMSR does; raises #GP(0) for a reserved bit, x2APIC without xAPIC or
 * without the CPUID bit, x2APIC to xAPIC, and disabled to x2APIC. */
export function writeApicBase(value: u64): void {
  const from = load<u64>(cpu, CPU_APIC_BASE) & MODE_BITS;
  const to = value & MODE_BITS;
  const illegal = (from == MODE_BITS && to == BASE_ENABLE) || (from == 0 && to == MODE_BITS);
  if (illegal || !validBase(value)) {
    raiseError(GP, 0);
    return;
  }
  enterBase(value);
}

/** Sets IA32_APIC_BASE for the host (KVM_SET_SREGS, KVM_SET_MSRS), from any mode to any valid one; the host may
 * have stored it in CPU_APIC_BASE already. 0, or -22 (EINVAL), with the old value there. */
export function hostWriteApicBase(value: u64): i32 {
  if (!validBase(value)) {
    store<u64>(cpu, load<u64>(cpu, LAPIC_BASE_IN_FORCE), CPU_APIC_BASE);
    return -22;
  }
  enterBase(value);
  return 0;
}

function enterBase(value: u64): void {
  const changed = (load<u64>(cpu, LAPIC_BASE_IN_FORCE) ^ value) & MODE_BITS;
  store<u64>(cpu, value, CPU_APIC_BASE);
  store<u64>(cpu, value, LAPIC_BASE_IN_FORCE);
  if (!changed || !lapicExists()) return;
  const index = load<u32>(cpu, CPU_INDEX);
  if (!(value & BASE_ENABLE)) {
    lapicTimerCancel(cpu);
  } else if (value & BASE_X2APIC) {
    setX2apicId(index);
  } else {
    setReg(cpu, APIC_ID, index << 24);
    setReg(cpu, APIC_LDR, 0);
  }
  // With the APIC off, the 8259 pair's INT reaches the processor.
  wakeSelf();
}

/** In x2APIC mode ID and LDR are fixed; the LDR is 16 IDs to a cluster (SDM volume 3, 11.12.10.2). */
function setX2apicId(index: u32): void {
  setReg(cpu, APIC_ID, index);
  setReg(cpu, APIC_LDR, ((index >> 4) << 16) | (1 << (index & 15)));
}

/** After the register page was set from outside: what software cannot choose is put right. */
export function lapicIdLoaded(): void {
  setReg(cpu, APIC_VERSION, APIC_VERSION_VALUE);
  if (x2apicMode(cpu)) setX2apicId(load<u32>(cpu, CPU_INDEX));
  wakeSelf();
}

/** Whether `gpa` lies in the running vCPU's APIC page. */
// @ts-ignore: decorator
@inline export function lapicOwns(gpa: u64): bool {
  return ((gpa ^ load<u64>(cpu, CPU_APIC_BASE)) & BASE_ADDRESS) == 0;
}
