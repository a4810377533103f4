// KVM's hypercalls (Linux Documentation/virt/kvm/x86/hypercalls.rst): number in RAX, arguments in RBX,
// RCX, RDX and RSI, result in RAX.
import { count, cpu, gpr, RAX, RBX, RCX, RDX, RSI, setGpr } from "../cpu";
import {
  CPU_CPL, CPU_MODE, CPU_TSC_OFFSET, MODE_CODE64, MODE_CODE_MASK, REQ_EVENT, STAT_HYPERCALLS, VM_VCPU_COUNT,
} from "../layout";
import { physWrite } from "../mmu/physical";
import { orShared } from "./atomics";
import { guestWallNs, vmTsc } from "./clock";
import { deliver, SHORTHAND_NONE } from "./ipi";
import { apicId, lapicExists, MODE_LOWEST, MODE_REMOTE_READ } from "./lapic-state";
import { EVENT_UNHALT, LAPIC_EVENTS } from "./layout";
import { vcpuAt, wakeAt, wakeSelf } from "./wake";

const KVM_HC_VAPIC_POLL_IRQ: u64 = 1;
const KVM_HC_KICK_CPU: u64 = 5;
const KVM_HC_CLOCK_PAIRING: u64 = 9;
const KVM_HC_SEND_IPI: u64 = 10;

const KVM_EPERM: i64 = 1;
const KVM_EFAULT: i64 = 14;
const KVM_EINVAL: i64 = 22;
const KVM_EOPNOTSUPP: i64 = 95;
const KVM_ENOSYS: i64 = 1000;

const CLOCK_PAIRING_WALLCLOCK: u64 = 0;
const NS_PER_SECOND: u64 = 1000000000;

const IPI_SHORTHAND_OR_LOGICAL: u64 = 0xc0800;

/** VMCALL and VMMCALL. Unknown numbers give -KVM_ENOSYS, callers outside of ring 0 -KVM_EPERM; nothing faults. */
export function hypercall(): void {
  count(STAT_HYPERCALLS);
  const wide = (load<u32>(cpu, CPU_MODE) & MODE_CODE_MASK) == MODE_CODE64;
  const mask: u64 = wide ? u64.MAX_VALUE : 0xffffffff;
  const result = load<u32>(cpu, CPU_CPL)
    ? -KVM_EPERM
    : perform(gpr(RAX) & mask, gpr(RBX) & mask, gpr(RCX) & mask, gpr(RDX) & mask, gpr(RSI) & mask, wide);
  setGpr(RAX, <u64>result & mask);
}

function perform(number: u64, a0: u64, a1: u64, a2: u64, a3: u64, wide: bool): i64 {
  switch (number) {
    // The exit itself is what the caller wants: pending interrupts are looked at.
    case KVM_HC_VAPIC_POLL_IRQ:
      wakeSelf();
      return 0;
    case KVM_HC_KICK_CPU:
      kick(<u32>a1);
      return 0;
    case KVM_HC_CLOCK_PAIRING:
      return pairClocks(a0, a1);
    case KVM_HC_SEND_IPI:
      return sendIpis(a0, a1, <u32>a2, a3, wide);
    default:
      return -KVM_ENOSYS;
  }
}

/** Makes the vCPU with that APIC ID leave HLT, or not enter it the next time. */
function kick(id: u32): void {
  const vcpus = load<u32>(VM_VCPU_COUNT);
  for (let i: u32 = 0; i < vcpus; i++) {
    const base = vcpuAt(i);
    if (apicId(base) != id) continue;
    orShared(base + LAPIC_EVENTS, EVENT_UNHALT);
    wakeAt(base, REQ_EVENT);
    return;
  }
}

/** Stores struct kvm_clock_pairing {i64 sec, nsec; u64 tsc; u32 flags; u32 pad[9]} at `gpa`. */
function pairClocks(gpa: u64, type: u64): i64 {
  if (type != CLOCK_PAIRING_WALLCLOCK) return -KVM_EOPNOTSUPP;
  const tsc = vmTsc() + load<u64>(cpu, CPU_TSC_OFFSET);
  const wall = <u64>guestWallNs();
  for (let offset: u64 = 24; offset < 64; offset += 8) {
    if (!physWrite(gpa + offset, 0, 8)) return -KVM_EFAULT;
  }
  if (!physWrite(gpa, wall / NS_PER_SECOND, 8)) return -KVM_EFAULT;
  if (!physWrite(gpa + 8, wall % NS_PER_SECOND, 8)) return -KVM_EFAULT;
  return physWrite(gpa + 16, tsc, 8) ? 0 : -KVM_EFAULT;
}

/** Sends the interrupt that `icr` describes to the APIC IDs from `first` on whose bits are set; returns
 * how many took it. */
function sendIpis(low: u64, high: u64, first: u32, icr: u64, wide: bool): i64 {
  const mode = <u32>(icr >> 8) & 7;
  if (icr & IPI_SHORTHAND_OR_LOGICAL || mode == MODE_REMOTE_READ) return -KVM_EINVAL;
  if (!lapicExists()) return -KVM_ENOSYS;
  const bits: u32 = wide ? 64 : 32;
  let sent: i64 = 0;
  for (let half: u32 = 0; half < 2; half++) {
    for (let set = half ? high : low; set; set &= set - 1) {
      const id = first + half * bits + <u32>ctz(set);
      const taken = deliver(
        cpu, SHORTHAND_NONE, id, false, mode, <u32>icr & 0xff, (icr & 0x8000) != 0, (icr & 0x4000) != 0,
        mode == MODE_LOWEST,
      );
      if (taken > 0) sent += taken;
    }
  }
  return sent;
}
