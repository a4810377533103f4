// What -d and -trace can log.
import { UsageError } from "./usage-error.ts";

/** Items of -d, with the help that -d help prints. */
export const LOG_ITEMS = {
  in_asm: "each translated instruction, when it is decoded for the first time",
  op: "the guest code of each region, in the order in which it is translated",
  out_asm: "the WebAssembly of each region, as text",
  int: "interrupts and exceptions, as they are delivered",
  cpu: "registers before each trace (a lot)",
  mmu: "page faults and TLB flushes",
  exec: "the address of each trace before it runs (a lot)",
  unimp: "what the guest asks for and is not implemented",
} as const;

export type LogItem = keyof typeof LOG_ITEMS;

/** Events of -trace, with their help; a pattern may hold "*". */
export const TRACE_EVENTS = {
  kvm_exit: "each return of the processor to the user side, with its reason",
  kvm_io: "each port access that reaches the user side",
  kvm_mmio: "each memory-mapped access that reaches the user side",
} as const;

export type TraceEvent = keyof typeof TRACE_EVENTS;

const REFUSED_ITEMS = [
  "op_opt",
  "op_ind",
  "op_plugin",
  "fpu",
  "pcall",
  "cpu_reset",
  "guest_errors",
  "page",
  "nochain",
  "plugin",
  "strace",
  "tid",
  "vpu",
  "invalid_mem",
];

/** The text of -d help. */
export function logHelp(): string {
  const lines = Object.entries(LOG_ITEMS).map(([name, help]) => `${name.padEnd(15)} ${help}`);
  return `Log items (comma separated):\n${lines.join("\n")}\ntrace:PATTERN   events, as -trace takes them\n`;
}

/** The text of -trace help: names alone, as in QEMU. */
export function traceHelp(): string {
  return `${Object.keys(TRACE_EVENTS).join("\n")}\n`;
}

/** Adds the items of one -d argument. */
export function addLogItems(text: string, items: Set<LogItem>, events: Set<TraceEvent>): void {
  for (const name of text.split(",")) {
    if (name === "all") for (const item of Object.keys(LOG_ITEMS)) items.add(item as LogItem);
    else if (name.startsWith("trace:")) addTraceEvents(name.slice("trace:".length), events);
    else if (name in LOG_ITEMS) items.add(name as LogItem);
    else if (REFUSED_ITEMS.includes(name))
      throw new UsageError(`'${name}': not implemented yet (-d help lists what is)`);
    else throw new UsageError(`'${name}' is not a log item\n${logHelp().trimEnd()}`);
  }
}

/** Adds the events that a pattern of -trace names. */
export function addTraceEvents(pattern: string, events: Set<TraceEvent>): void {
  const expression = new RegExp(`^${pattern.replaceAll(/[^*\w]/g, "\\$&").replaceAll("*", ".*")}$`);
  const matches = Object.keys(TRACE_EVENTS).filter((name) => expression.test(name)) as TraceEvent[];
  if (matches.length === 0) throw new UsageError(`trace event '${pattern}' does not exist (-trace help lists them)`);
  for (const match of matches) events.add(match);
}
