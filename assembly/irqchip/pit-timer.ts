// Channel 0 of the 8254 as the system timer: its rising edges drive GSI 0.
//
// A tick that comes while the last one is not acknowledged is kept and raised afterwards (KVM's
// reinject mode), so that a guest that counts ticks keeps time on a slow host. Kept ticks are spaced
// by a quarter of the period and bounded to a second's worth: the guest gets on with its work
// meanwhile, and a long stop does not end in a storm. Called with the chips locked.
import { REQ_EVENT, VM_CHIPS, VM_NEXT_TIMER, VM_VCPU_COUNT } from "../layout";
import { guestNs } from "./clock";
import { localDeliver } from "./lapic";
import { APIC_LVT_LINT0, MODE_NMI, reg } from "./lapic-state";
import {
  CHIPS_PIT, PIT_ACKED, PIT_ARMED, PIT_EDGES, PIT_EXTRA, PIT_FLAG_HPET_LEGACY, PIT_FLAGS, PIT_LAST_TICK, PIT_LOAD_TIME,
  PIT_MODE, PIT_NEXT_EDGE, PIT_PENDING, PIT_REINJECT, PIT_REINJECT_AT, PIT_STATE, SOURCE_PIT,
} from "./layout";
import { clocksToNs, countOf, elapsed } from "./pit";
import { routesTo, setGsi } from "./routing";
import { vcpuAt, wake } from "./wake";

const PIT_GSI: u32 = 0;
/** Periods under 200 microseconds are lengthened, as KVM does, or the guest could do nothing else. */
const MIN_PERIOD_CLOCKS: u64 = 239;

function periodic(): bool {
  const mode = load<u8>(PIT_STATE, PIT_MODE);
  return mode == 2 || mode == 3;
}

function periodClocks(): u64 {
  return max<u64>(countOf(PIT_STATE), MIN_PERIOD_CLOCKS);
}

/** Clocks from the loading of the count to the next rising edge of the output; 0: there is none.
 * Channel 0's gate is tied high, so modes 1 and 5 are never triggered. */
function nextEdgeClocks(): u64 {
  if (!load<u32>(PIT_EXTRA, PIT_ARMED) || load<u32>(PIT_FLAGS) & PIT_FLAG_HPET_LEGACY) return 0;
  const edges = load<u64>(PIT_EDGES);
  if (periodic()) return (edges + 1) * periodClocks();
  if (edges) return 0;
  switch (load<u8>(PIT_STATE, PIT_MODE)) {
    case 0: return countOf(PIT_STATE);
    case 4: return countOf(PIT_STATE) + 1;
    default: return 0;
  }
}

/** Computes the next edge and the VM's next deadline; vCPU 0, which runs the PIT, hears of it. */
function schedule(): void {
  const clocks = nextEdgeClocks();
  const edge = clocks ? <f64>(load<i64>(PIT_STATE, PIT_LOAD_TIME) + clocksToNs(clocks)) : 0;
  store<f64>(PIT_NEXT_EDGE, edge);
  const reinjectAt = load<f64>(PIT_REINJECT_AT);
  let next: f64 = edge > 0 ? edge : Infinity;
  if (reinjectAt > 0) next = min(next, reinjectAt);
  if (next == load<f64>(VM_NEXT_TIMER)) return;
  store<f64>(VM_NEXT_TIMER, next);
  wake(0, REQ_EVENT);
}

/** Channel 0 was programmed: edges are counted from its load time, and old ticks are forgotten. */
export function pitRestart(): void {
  store<u64>(PIT_EDGES, 0);
  forgetTicks();
  schedule();
}

/** The state was set from outside: edges that lie in the past have been delivered. */
export function pitResume(): void {
  forgetTicks();
  const clocks = elapsed(PIT_STATE);
  if (periodic()) store<u64>(PIT_EDGES, clocks / periodClocks());
  else store<u64>(PIT_EDGES, clocks >= countOf(PIT_STATE) ? 1 : 0);
  schedule();
}

function forgetTicks(): void {
  store<u32>(PIT_PENDING, 0);
  store<u32>(PIT_ACKED, 1);
  store<f64>(PIT_REINJECT_AT, 0);
}

/** Raises what is due at guest time `now` (ns). */
export function runPit(now: f64): void {
  const edge = load<f64>(PIT_NEXT_EDGE);
  if (edge > 0 && now >= edge) {
    let passed: u64 = 1;
    if (periodic()) passed = max<u64>(elapsed(PIT_STATE) / periodClocks() - load<u64>(PIT_EDGES), 1);
    store<u64>(PIT_EDGES, load<u64>(PIT_EDGES) + passed);
    tick(passed, now);
  }
  const reinjectAt = load<f64>(PIT_REINJECT_AT);
  if (reinjectAt > 0 && now >= reinjectAt) {
    store<f64>(PIT_REINJECT_AT, 0);
    if (load<u32>(PIT_ACKED) && load<u32>(PIT_PENDING)) raiseTick(now);
  }
  schedule();
}

function tick(passed: u64, now: f64): void {
  if (!load<u32>(PIT_REINJECT)) {
    raiseTick(now);
    return;
  }
  const most = periodic() ? max<u64>(1000000000 / clocksToNs(periodClocks()), 1) : 1;
  store<u32>(PIT_PENDING, <u32>min<u64>(load<u32>(PIT_PENDING) + passed, most));
  if (load<u32>(PIT_ACKED)) raiseTick(now);
}

function raiseTick(now: f64): void {
  store<f64>(PIT_LAST_TICK, now);
  store<f64>(PIT_REINJECT_AT, 0);
  store<u32>(PIT_ACKED, 0);
  const taken = setGsi(SOURCE_PIT, PIT_GSI, 1);
  setGsi(SOURCE_PIT, PIT_GSI, 0);
  // Masked everywhere: there will be no acknowledgement, and nobody counts these ticks.
  if (taken < 0) forgetTicks();
  tickWatchdogs();
}

/** Linux's old NMI watchdog sets LINT0 to NMI and expects the timer's signal there. */
function tickWatchdogs(): void {
  const count = load<u32>(VM_VCPU_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const base = vcpuAt(i);
    if (((reg(base, APIC_LVT_LINT0) >> 8) & 7) == MODE_NMI) localDeliver(base, APIC_LVT_LINT0);
  }
}

/** The guest ended a tick: a missed one may follow. */
export function pitAcknowledged(): void {
  if (!(load<u32>(VM_CHIPS) & CHIPS_PIT) || load<u32>(PIT_ACKED)) return;
  store<u32>(PIT_ACKED, 1);
  const pending = load<u32>(PIT_PENDING);
  if (!pending) return;
  store<u32>(PIT_PENDING, pending - 1);
  if (pending == 1) return;
  const spacing = <f64>clocksToNs(periodClocks()) / 4;
  store<f64>(PIT_REINJECT_AT, max(guestNs(), load<f64>(PIT_LAST_TICK) + spacing));
  schedule();
}

/** A pin was unmasked: if ticks arrive there, those that it missed do not count. */
export function pitUnmasked(chip: u32, pin: u32): void {
  if (!(load<u32>(VM_CHIPS) & CHIPS_PIT) || !routesTo(PIT_GSI, chip, pin)) return;
  forgetTicks();
  schedule();
}
