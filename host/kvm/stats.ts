// getStats(): the counters that the core keeps for each vCPU.

import {
  CPU_FUEL,
  CPU_RETIRED,
  CPU_SLICE,
  CPU_STATS,
  STAT_CODE_WRITES,
  STAT_CR_WRITES,
  STAT_DOORBELLS,
  STAT_ENTRIES_VERIFIED,
  STAT_EXCEPTIONS,
  STAT_HALTS,
  STAT_HYPERCALLS,
  STAT_INSTRUCTIONS_VERIFIED,
  STAT_INTERRUPTS,
  STAT_LIGHT_MMIO,
  STAT_LIGHT_PIO,
  STAT_MODULES_EVICTED,
  STAT_MODULES_LIVE,
  STAT_MSR_ACCESSES,
  STAT_PAGE_FAULTS,
  STAT_REGION_ENTRIES,
  STAT_REGION_INSTRUCTIONS,
  STAT_REGION_MISSES,
  STAT_REGION_MODULES,
  STAT_REGIONS_BUILT,
  STAT_REGIONS_DROPPED,
  STAT_REGIONS_EVICTED,
  STAT_REGIONS_REFUSED,
  STAT_REGIONS_VERIFIED,
  STAT_TLB_FLUSHES,
  STAT_TLB_MISSES,
  STAT_TRACE_FLUSHES,
  STAT_TRACE_SWEEPS,
  STAT_TRACES_BUILT,
  STAT_TRACES_DROPPED,
  STAT_UNIMPLEMENTED,
  VCPU_BASE,
  VCPU_SIZE,
} from "../../assembly/layout.ts";
import { exitName } from "./exits.ts";
import type { VmMemory } from "./memory.ts";
import type { VcpuState } from "./vcpu-state.ts";

/** Names of the counters, and their places in CPU_STATS. */
const COUNTERS = {
  lightPio: STAT_LIGHT_PIO,
  lightMmio: STAT_LIGHT_MMIO,
  doorbells: STAT_DOORBELLS,
  interrupts: STAT_INTERRUPTS,
  exceptions: STAT_EXCEPTIONS,
  halts: STAT_HALTS,
  hypercalls: STAT_HYPERCALLS,
  controlRegisterWrites: STAT_CR_WRITES,
  msrAccesses: STAT_MSR_ACCESSES,
  tlbMisses: STAT_TLB_MISSES,
  tlbFlushes: STAT_TLB_FLUSHES,
  pageFaults: STAT_PAGE_FAULTS,
  tracesBuilt: STAT_TRACES_BUILT,
  tracesDropped: STAT_TRACES_DROPPED,
  traceFlushes: STAT_TRACE_FLUSHES,
  traceSweeps: STAT_TRACE_SWEEPS,
  codeWrites: STAT_CODE_WRITES,
  unimplemented: STAT_UNIMPLEMENTED,
  regionsBuilt: STAT_REGIONS_BUILT,
  regionsDropped: STAT_REGIONS_DROPPED,
  regionsRefused: STAT_REGIONS_REFUSED,
  regionModules: STAT_REGION_MODULES,
  regionEntries: STAT_REGION_ENTRIES,
  regionMisses: STAT_REGION_MISSES,
  regionInstructions: STAT_REGION_INSTRUCTIONS,
  modulesLive: STAT_MODULES_LIVE,
  modulesEvicted: STAT_MODULES_EVICTED,
  regionsEvicted: STAT_REGIONS_EVICTED,
  regionsVerified: STAT_REGIONS_VERIFIED,
  entriesVerified: STAT_ENTRIES_VERIFIED,
  instructionsVerified: STAT_INSTRUCTIONS_VERIFIED,
} as const;

/** A counter's name. */
export type CounterName = keyof typeof COUNTERS | "instructions";

/** What a vCPU, or a VM, has done so far. */
export interface VcpuStats {
  /** Returns of run() by reason, named as `exitName()` has it; reasons that did not occur are missing. */
  readonly exits: Readonly<Record<string, number>>;
  /** Events that the core handled without an exit. */
  readonly counters: Readonly<Record<CounterName, number>>;
}

/** Exit reasons have the first 64 places of CPU_STATS. */
const EXIT_REASONS = 64;

/** The counters of one vCPU. */
export function readVcpuStats(state: VcpuState): VcpuStats {
  return statsAt(state.memory, state.index);
}

/** The counters of vCPU `index`, from any thread. */
export function statsAt(memory: VmMemory, index: number): VcpuStats {
  const base = VCPU_BASE + index * VCPU_SIZE;
  const stat = (number: number) => Number(memory.u64(base + CPU_STATS + 8 * number));
  const exits: Record<string, number> = {};
  for (let reason = 0; reason < EXIT_REASONS; reason++) {
    const times = stat(reason);
    if (times > 0) exits[exitName(reason)] = times;
  }
  const slice = memory.u32(base + CPU_SLICE) - memory.view.getInt32(base + CPU_FUEL, true);
  const counters = { instructions: Number(memory.u64(base + CPU_RETIRED)) + slice } as Record<CounterName, number>;
  for (const [name, number] of Object.entries(COUNTERS)) counters[name as CounterName] = stat(number);
  return { exits, counters };
}

/** The sum over several vCPUs. */
export function addStats(all: readonly VcpuStats[]): VcpuStats {
  const exits: Record<string, number> = {};
  const counters = { instructions: 0 } as Record<CounterName, number>;
  for (const name of Object.keys(COUNTERS)) counters[name as CounterName] = 0;
  for (const stats of all) {
    for (const [name, times] of Object.entries(stats.exits)) exits[name] = (exits[name] ?? 0) + times;
    for (const [name, times] of Object.entries(stats.counters)) counters[name as CounterName] += times;
  }
  return { exits, counters };
}
