// Which bytes of linear memory the host writes directly, which both cores must agree on, and what they are called.

import * as layout from "../../../assembly/layout.ts";

export interface Span {
  readonly start: number;
  readonly end: number;
}

const span = (start: number, length: number): Span => ({ start, end: start + length });

/** The areas that are compared after every call, and into which the host may have written before one. */
export function sharedSpans(vcpus: number): Span[] {
  return [
    span(layout.VM_BASE, 0x2000),
    span(layout.VM_IRQCHIP, 0x10000),
    span(layout.VM_DOORBELLS, 0x10000),
    span(layout.VM_COALESCED_RING, 0x2000),
    ...Array.from({ length: vcpus }, (_, i) => span(layout.VCPU_BASE + i * layout.VCPU_SIZE, 0x8000)),
  ];
}

/** Lazy status flags: what they stand for is compared, not how they are kept. */
export const FLAGS_SPAN: Span = { start: layout.CPU_CC_OP, end: layout.CPU_CPL };
export const FLAG_OPERANDS_SPAN: Span = { start: layout.CPU_CC_DST, end: layout.CPU_EFLAGS };

/** Offsets in a vCPU of what is no state: counters, what an instruction leaves lying about, and what a run() leaves of
 * its bounds and of the requests to look at something. */
const LEFTOVERS: readonly Span[] = [
  span(layout.CPU_TRACE_RIP, 8),
  span(layout.CPU_SCRATCH, layout.CPU_RUN - layout.CPU_SCRATCH),
  span(layout.CPU_FUEL, 8),
  span(layout.CPU_SLICE, 8),
  span(layout.RUN_LIMIT, 8),
  span(layout.CPU_STATS, layout.CPU_FIELDS_END - layout.CPU_STATS),
];

/** True for an address in the VM's area whose eight bytes each core has as its own: how it translates, and the clock
 * as it last looked at it, which only keeps time from going backwards. */
export function isSideOwn(address: number): boolean {
  const own = [layout.VM_JIT_THRESHOLD & ~7, layout.VM_JIT_VERIFY & ~7, layout.VM_CLOCK_LAST];
  return own.includes(address);
}

/** True for an offset in a vCPU's area that says nothing about the guest. */
export function isLeftover(offset: number): boolean {
  return LEFTOVERS.some(({ start, end }) => offset >= start && offset < end);
}

const named = (prefix: RegExp, base: number): [number, string][] =>
  Object.entries(layout)
    .filter((entry): entry is [string, number] => prefix.test(entry[0]) && typeof entry[1] === "number")
    .map(([name, at]): [number, string] => [at - base, name])
    .sort(([a], [b]) => a - b);

const VCPU_NAMES = named(/^(CPU|RUN)_/, 0).filter(([at]) => at < 0x8000);
const VM_NAMES = named(/^VM_/, layout.VM_BASE).filter(([at, name]) => at >= 0 && !/_(SIZE|BASE|MAX_SLOTS)$/.test(name));
const REGISTERS = "RAX RCX RDX RBX RSP RBP RSI RDI R8 R9 R10 R11 R12 R13 R14 R15".split(" ");

/** What lies at an address of linear memory. */
export function nameOf(address: number): string {
  const inVcpu = address - layout.VCPU_BASE;
  if (inVcpu < 0) return within(VM_NAMES, address - layout.VM_BASE);
  const offset = inVcpu % layout.VCPU_SIZE;
  if (offset < 128) return REGISTERS[offset >> 3] as string;
  return within(VCPU_NAMES, offset);
}

function within(names: readonly [number, string][], offset: number): string {
  let best: [number, string] = [0, "start"];
  for (const entry of names) if (entry[0] <= offset) best = entry;
  return offset === best[0] ? best[1] : `${best[1]} + 0x${(offset - best[0]).toString(16)}`;
}
