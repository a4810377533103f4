// The I/O APIC: 24 pins, as the 82093AA data sheet has it, with KVM's version 0x11 (no EOI register:
// level interrupts end by the local APICs' broadcast).
//
// All functions are called with the chips locked, except ioapicHandles().
import { ackPin } from "./routing";
import { deliver } from "./ipi";
import { MODE_LOWEST } from "./lapic-state";
import {
  CHIP_IOAPIC, IOAPIC_BASE, IOAPIC_DEFAULT_BASE, IOAPIC_ID, IOAPIC_IRR, IOAPIC_LINES, IOAPIC_PINS, IOAPIC_SELECT,
  IOAPIC_STATE, IOAPIC_STATE_SIZE, IOAPIC_TABLE, IOAPIC_VECTORS,
} from "./layout";
import { pitUnmasked } from "./pit-timer";

const PINS: u32 = IOAPIC_PINS;
const ENTRY_LOGICAL: u64 = 1 << 11;
const ENTRY_STATUS: u64 = 1 << 12;
const ENTRY_REMOTE_IRR: u64 = 1 << 14;
const ENTRY_LEVEL: u64 = 1 << 15;
const ENTRY_MASKED: u64 = 1 << 16;
/** What software may store: all that is defined but delivery status and remote IRR. */
const ENTRY_WRITABLE: u64 = 0xff0000000001afff;

const REGISTER_ID: u32 = 0;
const REGISTER_VERSION: u32 = 1;
const REGISTER_ARBITRATION: u32 = 2;
const REGISTER_TABLE: u32 = 0x10;
const VERSION: u32 = 0x11;

// @ts-ignore: decorator
@inline function entryOf(pin: u32): u64 { return load<u64>(<usize>pin << 3, IOAPIC_TABLE); }
// @ts-ignore: decorator
@inline function setEntry(pin: u32, value: u64): void { store<u64>(<usize>pin << 3, value, IOAPIC_TABLE); }

export function ioapicReset(): void {
  memory.fill(IOAPIC_STATE, 0, IOAPIC_STATE_SIZE + 4 * IOAPIC_PINS);
  store<u64>(IOAPIC_BASE, IOAPIC_DEFAULT_BASE);
  for (let pin: u32 = 0; pin < PINS; pin++) setEntry(pin, ENTRY_MASKED);
  ioapicIndexVectors();
}

/** Recomputes which vectors the table names. */
export function ioapicIndexVectors(): void {
  memory.fill(IOAPIC_VECTORS, 0, 32);
  for (let pin: u32 = 0; pin < PINS; pin++) {
    const vector = <u32>entryOf(pin) & 0xff;
    const word = (<usize>vector >> 5) << 2;
    store<u32>(word, load<u32>(word, IOAPIC_VECTORS) | (1 << (vector & 31)), IOAPIC_VECTORS);
  }
}

/** Whether the EOI of `vector` may concern a pin. Needs no lock: one word is read, and a table
 * written at the same moment could be seen before or after anyway. */
export function ioapicHandles(vector: u32): bool {
  return ((load<u32>((<usize>vector >> 5) << 2, IOAPIC_VECTORS) >> (vector & 31)) & 1) != 0;
}

/** Changes what `source` (a bit number) drives on a pin. Returns as irqLine() does. */
export function ioapicSetLine(pin: u32, source: u32, level: i32): i32 {
  const line = <usize>pin << 2;
  const old = load<u32>(line, IOAPIC_LINES);
  const now = level ? old | (1 << source) : old & ~(1 << source);
  store<u32>(line, now, IOAPIC_LINES);
  const irr = load<u32>(IOAPIC_IRR);
  const bit: u32 = 1 << pin;
  if (!now) {
    store<u32>(IOAPIC_IRR, irr & ~bit);
    return 1;
  }
  store<u32>(IOAPIC_IRR, irr | bit);
  // An edge pin that is high already gives no new edge.
  if (irr & bit && !(entryOf(pin) & ENTRY_LEVEL)) return 0;
  return service(pin);
}

/** Sends the pin's message. Returns how many local APICs took it; 0: coalesced; -1: masked or for no one. */
function service(pin: u32): i32 {
  const entry = entryOf(pin);
  if (entry & ENTRY_MASKED) return -1;
  const level = (entry & ENTRY_LEVEL) != 0;
  if (level && entry & ENTRY_REMOTE_IRR) return 0;
  const mode = <u32>(entry >> 8) & 7;
  const result = deliver(
    0, 0, <u32>(entry >> 56), (entry & ENTRY_LOGICAL) != 0, mode, <u32>entry & 0xff, level, true, mode == MODE_LOWEST,
  );
  // Remote IRR follows the acceptance by a local APIC; modes without EOI never set it.
  if (level && result >= 0 && mode <= MODE_LOWEST) setEntry(pin, entry | ENTRY_REMOTE_IRR);
  return result;
}

/** Level pins that are high interrupt, if they may; after the state was set from outside. */
export function ioapicServiceAll(): void {
  const irr = load<u32>(IOAPIC_IRR);
  for (let pin: u32 = 0; pin < PINS; pin++) {
    if ((irr >> pin) & 1 && entryOf(pin) & ENTRY_LEVEL) service(pin);
  }
}

/** A local APIC ended `vector`: pins that still are high interrupt again. */
export function ioapicEoi(vector: u32, level: bool): void {
  for (let pin: u32 = 0; pin < PINS; pin++) {
    if ((<u32>entryOf(pin) & 0xff) != vector) continue;
    // A resampling device takes its line down here, before the pin is looked at again.
    ackPin(CHIP_IOAPIC, pin);
    const entry = entryOf(pin);
    if (!level || !(entry & ENTRY_LEVEL)) continue;
    setEntry(pin, entry & ~ENTRY_REMOTE_IRR);
    if ((load<u32>(IOAPIC_IRR) >> pin) & 1) service(pin);
  }
}

/** Whether `gpa` lies in the register window. */
export function ioapicOwns(gpa: u64): bool {
  return gpa - load<u64>(IOAPIC_BASE) < 0x100;
}

/** Reads at an offset in the window: the select register at 0, the selected one at 0x10. */
export function ioapicRead(offset: u32): u32 {
  if (offset == 0) return load<u32>(IOAPIC_SELECT);
  return offset == 0x10 ? readSelected() : 0;
}

/** Writes at an offset in the window. */
export function ioapicWrite(offset: u32, value: u32): void {
  if (offset == 0) store<u32>(IOAPIC_SELECT, value & 0xff);
  else if (offset == 0x10) writeSelected(value);
}

function readSelected(): u32 {
  const select = load<u32>(IOAPIC_SELECT);
  switch (select) {
    case REGISTER_VERSION: return ((PINS - 1) << 16) | VERSION;
    case REGISTER_ID:
    case REGISTER_ARBITRATION: return (load<u32>(IOAPIC_ID) & 0xf) << 24;
  }
  const pin = (select - REGISTER_TABLE) >> 1;
  if (pin >= PINS) return 0xffffffff;
  return <u32>(select & 1 ? entryOf(pin) >> 32 : entryOf(pin));
}

function writeSelected(value: u32): void {
  const select = load<u32>(IOAPIC_SELECT);
  if (select == REGISTER_ID) {
    store<u32>(IOAPIC_ID, (value >> 24) & 0xf);
    return;
  }
  const pin = (select - REGISTER_TABLE) >> 1;
  if (pin >= PINS) return;
  const old = entryOf(pin);
  let entry = select & 1
    ? (old & 0xffffffff) | (<u64>value << 32)
    : (old & 0xffffffff00000000) | value;
  entry = (entry & ENTRY_WRITABLE) | (old & (ENTRY_REMOTE_IRR | ENTRY_STATUS));
  // Operating systems rely on a switch to edge and back to drop a stuck remote IRR.
  if (!(entry & ENTRY_LEVEL)) entry &= ~ENTRY_REMOTE_IRR;
  setEntry(pin, entry);
  ioapicIndexVectors();
  if (old & ENTRY_MASKED && !(entry & ENTRY_MASKED)) pitUnmasked(CHIP_IOAPIC, pin);
  // A level pin that is high interrupts as soon as it may; an edge that came while masked is lost.
  if (entry & ENTRY_LEVEL && (load<u32>(IOAPIC_IRR) >> pin) & 1) service(pin);
}
