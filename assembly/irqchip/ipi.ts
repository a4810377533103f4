// Interrupt messages: which local APICs one is for (SDM volume 3, 11.6.2), and its delivery.
import { VM_VCPU_COUNT } from "../layout";
import { accept } from "./lapic";
import {
  APIC_DFR, APIC_LDR, apicId, hardwareEnabled, MODE_FIXED, MODE_LOWEST, reg, softwareEnabled, x2apicMode,
} from "./lapic-state";
import { vcpuAt } from "./wake";

// Destination shorthands: bits 18-19 of the ICR.
export const SHORTHAND_NONE: u32 = 0;
export const SHORTHAND_SELF: u32 = 1;
export const SHORTHAND_ALL: u32 = 2;
export const SHORTHAND_OTHERS: u32 = 3;

const BROADCAST_X2APIC: u32 = 0xffffffff;
const BROADCAST_XAPIC: u32 = 0xff;
const DFR_FLAT: u32 = 0xf;

/** Whether the logical address `destination` names the APIC of the vCPU at `base`. */
function matchesLogical(base: usize, destination: u32): bool {
  const ldr = reg(base, APIC_LDR);
  if (x2apicMode(base)) return ldr >> 16 == destination >> 16 && (ldr & destination & 0xffff) != 0;
  const own = ldr >> 24;
  if (reg(base, APIC_DFR) >> 28 == DFR_FLAT) return (own & destination & 0xff) != 0;
  return own >> 4 == (destination >> 4 & 0xf) && (own & destination & 0xf) != 0;
}

/** Whether a message is for the APIC of the vCPU at `base`. `source` is the sending vCPU's address,
 * or 0 for the IOAPIC and devices, whose eight destination bits broadcast in either mode. */
function matches(base: usize, source: usize, shorthand: u32, destination: u32, logical: bool): bool {
  if (!hardwareEnabled(base)) return false;
  switch (shorthand) {
    case SHORTHAND_SELF: return base == source;
    case SHORTHAND_ALL: return true;
    case SHORTHAND_OTHERS: return base != source;
  }
  if (destination == BROADCAST_X2APIC) return true;
  if (destination == BROADCAST_XAPIC && (source == 0 || !x2apicMode(base))) return true;
  return logical ? matchesLogical(base, destination) : apicId(base) == destination;
}

/** Sends a message. `mode` is a delivery mode, `level` the trigger mode, `assert` the level bit,
 * `lowest` asks for one receiver of several. Returns how many APICs took it as something new, or -1
 * where it reached none. Any thread may call. */
export function deliver(
  source: usize, shorthand: u32, destination: u32, logical: bool, mode: u32, vector: u32, level: bool, assert: bool,
  lowest: bool,
): i32 {
  const count = load<u32>(VM_VCPU_COUNT);
  if (lowest && (mode == MODE_FIXED || mode == MODE_LOWEST)) {
    return deliverLowest(source, shorthand, destination, logical, vector, level);
  }
  let result = -1;
  for (let i: u32 = 0; i < count; i++) {
    const base = vcpuAt(i);
    if (!matches(base, source, shorthand, destination, logical)) continue;
    result = max(result, 0) + accept(base, mode, vector, level, assert);
  }
  return result;
}

/** Lowest priority: processors leave the choice to the chipset; by vector it is even and stable,
 * which keeps a device's interrupt on one vCPU, as KVM does. */
function deliverLowest(
  source: usize, shorthand: u32, destination: u32, logical: bool, vector: u32, level: bool,
): i32 {
  const count = load<u32>(VM_VCPU_COUNT);
  let candidates: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const base = vcpuAt(i);
    if (softwareEnabled(base) && matches(base, source, shorthand, destination, logical)) candidates |= 1 << i;
  }
  if (!candidates) return -1;
  for (let skip = vector % <u32>popcnt(candidates); skip; skip--) candidates &= candidates - 1;
  return accept(vcpuAt(ctz(candidates)), MODE_LOWEST, vector, level, true);
}
