// The 8254's three counters (Intel 8254 data sheet), computed from guest time: counts, outputs and
// gates. The ports are in pit-ports.ts, channel 0's interrupts in pit-timer.ts.
//
// The state is KVM's struct kvm_pit_state2. As in KVM a new count takes effect at once in all
// modes that count without a trigger. Called with the chips locked.
import { guestNs } from "./clock";
import {
  PIT_ARMED, PIT_BCD, PIT_CHANNEL_SIZE, PIT_COUNT, PIT_EXTRA, PIT_EXTRA_SIZE, PIT_FROZEN, PIT_GATE, PIT_LOAD_TIME,
  PIT_MODE, PIT_NULL_COUNT, PIT_REINJECT, PIT_STATE, PIT_STATE2_SIZE,
} from "./layout";
import { pitRestart, pitResume } from "./pit-timer";

/** The crystal of the PC: 105/88 MHz. */
const PIT_HZ: u64 = 1193182;
const NS_PER_SECOND: u64 = 1000000000;
const RUNNING: i64 = -1;
/** Mode of a channel that was never programmed, as KVM has it. */
const MODE_NONE: u8 = 0xff;

export function channelAt(index: u32): usize {
  return <usize>index * PIT_CHANNEL_SIZE + PIT_STATE;
}

/** What is known of a channel beyond the uapi structure. */
export function extraOf(channel: usize): usize {
  return ((channel - PIT_STATE) / PIT_CHANNEL_SIZE) * PIT_EXTRA_SIZE + PIT_EXTRA;
}

/** Guest time in whole nanoseconds. */
export function pitNow(): i64 {
  return <i64>guestNs();
}

/** Counter clocks in `ns`, rounded down. */
export function nsToClocks(ns: i64): u64 {
  const time = <u64>max<i64>(ns, 0);
  return (time / NS_PER_SECOND) * PIT_HZ + ((time % NS_PER_SECOND) * PIT_HZ) / NS_PER_SECOND;
}

/** The least time in which `clocks` have passed. */
export function clocksToNs(clocks: u64): i64 {
  return <i64>((clocks / PIT_HZ) * NS_PER_SECOND + ((clocks % PIT_HZ) * NS_PER_SECOND + PIT_HZ - 1) / PIT_HZ);
}

/** Power-up state. Channel 2's gate hangs on port 0x61; the others are tied high. */
export function pitReset(): void {
  memory.fill(PIT_STATE, 0, PIT_STATE2_SIZE);
  memory.fill(PIT_EXTRA, 0, 3 * PIT_EXTRA_SIZE);
  const now = pitNow();
  for (let i: u32 = 0; i < 3; i++) {
    const channel = channelAt(i);
    store<u8>(channel, MODE_NONE, PIT_MODE);
    store<u8>(channel, i != 2 ? 1 : 0, PIT_GATE);
    store<u32>(channel, 0x10000, PIT_COUNT);
    store<i64>(channel, now, PIT_LOAD_TIME);
    store<i64>(extraOf(channel), i != 2 ? RUNNING : 0, PIT_FROZEN);
  }
  store<u32>(PIT_REINJECT, 1);
  pitRestart();
}

/** Derives what the host cannot set, after it wrote the state (KVM_SET_PIT2). */
export function pitLoaded(): void {
  const now = pitNow();
  for (let i: u32 = 0; i < 3; i++) {
    const channel = channelAt(i);
    const extra = extraOf(channel);
    // A load time from another clock would count from a time that has not come.
    if (load<i64>(channel, PIT_LOAD_TIME) > now) store<i64>(channel, now, PIT_LOAD_TIME);
    const gate = load<u8>(channel, PIT_GATE) != 0;
    store<i64>(extra, gate ? RUNNING : now - load<i64>(channel, PIT_LOAD_TIME), PIT_FROZEN);
    store<u32>(extra, <u32>(load<u8>(channel, PIT_MODE) != MODE_NONE), PIT_ARMED);
    store<u32>(extra, 0, PIT_NULL_COUNT);
  }
  pitResume();
}

/** The count in clocks that a period or a delay lasts: 1..65536. */
export function countOf(channel: usize): u64 {
  const count = load<u32>(channel, PIT_COUNT);
  return count ? <u64>count : 0x10000;
}

/** Clocks counted so far. */
export function elapsed(channel: usize): u64 {
  const frozen = load<i64>(extraOf(channel), PIT_FROZEN);
  return nsToClocks(frozen == RUNNING ? pitNow() - load<i64>(channel, PIT_LOAD_TIME) : frozen);
}

/** The counting element as software reads it, in BCD where the channel counts so. */
export function readCount(channel: usize): u32 {
  const count = countOf(channel);
  const bcd = load<u8>(channel, PIT_BCD) != 0;
  let value = count;
  if (load<u32>(extraOf(channel), PIT_ARMED)) {
    const clocks = elapsed(channel);
    switch (load<u8>(channel, PIT_MODE)) {
      case 2:
        value = count - (clocks % count);
        break;
      case 3:
        // Counted down twice in a period, by two.
        value = count - ((2 * clocks) % count);
        break;
      default: {
        // Counting goes on below zero.
        const range: u64 = bcd ? 10000 : 0x10000;
        value = (count + range - (clocks % range)) % range;
      }
    }
  }
  return bcd ? toBcd(<u32>(value % 10000)) : <u32>value & 0xffff;
}

function toBcd(value: u32): u32 {
  return (value / 1000) << 12 | ((value / 100) % 10) << 8 | ((value / 10) % 10) << 4 | value % 10;
}

function fromBcd(value: u32): u32 {
  return (value >> 12) * 1000 + (value >> 8 & 15) * 100 + (value >> 4 & 15) * 10 + (value & 15);
}

/** The channel's OUT pin. */
export function readOut(channel: usize): bool {
  const mode = load<u8>(channel, PIT_MODE);
  const extra = extraOf(channel);
  if (!load<u32>(extra, PIT_ARMED)) return mode != 0;
  const clocks = elapsed(channel);
  const count = countOf(channel);
  switch (mode) {
    case 0:
    case 1:
      return clocks >= count;
    case 2:
      // Low for the last clock of each period; an open gate's absence forces it high.
      return load<i64>(extra, PIT_FROZEN) != RUNNING || clocks % count != count - 1;
    case 3:
      return load<i64>(extra, PIT_FROZEN) != RUNNING || clocks % count < (count + 1) >> 1;
    default:
      // Strobes are low for one clock when the count has run out.
      return clocks != count;
  }
}

/** A complete count was written. */
export function loadCount(channel: usize, value: u32): void {
  const extra = extraOf(channel);
  const bcd = load<u8>(channel, PIT_BCD) != 0;
  const count = bcd ? fromBcd(value) : value;
  store<u32>(channel, count ? count : bcd ? 10000 : 0x10000, PIT_COUNT);
  store<u32>(extra, 0, PIT_NULL_COUNT);
  const mode = load<u8>(channel, PIT_MODE);
  // Modes 1 and 5 begin with a rising edge of the gate.
  if (mode == 1 || mode == 5) return;
  store<u32>(extra, 1, PIT_ARMED);
  store<i64>(channel, pitNow(), PIT_LOAD_TIME);
  store<i64>(extra, load<u8>(channel, PIT_GATE) ? RUNNING : 0, PIT_FROZEN);
  if (channel == PIT_STATE) pitRestart();
}

/** Counting stops until a count is loaded: a control word came, or half a count in mode 0. */
export function disarm(channel: usize): void {
  const extra = extraOf(channel);
  store<u32>(extra, 0, PIT_ARMED);
  store<u32>(extra, 1, PIT_NULL_COUNT);
  if (channel == PIT_STATE) pitRestart();
}

/** Drives the channel's GATE pin. Its level lets modes 0 and 4 count, its rising edge triggers modes
 * 1 and 5, and modes 2 and 3 know both. */
export function setGate(channel: usize, gate: bool): void {
  if (gate == (load<u8>(channel, PIT_GATE) != 0)) return;
  store<u8>(channel, <u8>gate, PIT_GATE);
  const extra = extraOf(channel);
  const mode = load<u8>(channel, PIT_MODE);
  const triggered = mode == 1 || mode == 5;
  const now = pitNow();
  if (!gate) {
    if (!triggered) store<i64>(extra, now - load<i64>(channel, PIT_LOAD_TIME), PIT_FROZEN);
    return;
  }
  const counted = load<i64>(extra, PIT_FROZEN);
  const restarts = mode != 0 && mode != 4;
  store<i64>(channel, restarts || counted == RUNNING ? now : now - counted, PIT_LOAD_TIME);
  store<i64>(extra, RUNNING, PIT_FROZEN);
  if (triggered && !load<u32>(extra, PIT_NULL_COUNT)) store<u32>(extra, 1, PIT_ARMED);
}
