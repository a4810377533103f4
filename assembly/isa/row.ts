// The instruction table: rows register themselves here as their files are imported.
import type { Builder, Operand } from "./builder.ts";
import { type Form, parseForm } from "./encoding.ts";

export type Body = (b: Builder, ...operands: Operand[]) => void;

export interface RowOptions {
  /** LOCK is allowed with a memory destination. */
  lock?: boolean;
  /** XCHG: locked whether or not the prefix is there. */
  alwaysLocked?: boolean;
  /** The switch of its cases that are not in the interpreter's first one (hot.ts): a function in the printed interpreter. */
  group: string;
  /** FEAT_* number that CPUID must show; -1 or absent: always there. */
  feature?: number;
  /** Which register file must be usable: decides #UD and #NM by CR0, CR4 and XCR0 when decoded. */
  unit?: "x87" | "mmx" | "sse" | "avx";
  /** The trace ends here: control goes elsewhere, or the mode may have changed. */
  ends?: boolean;
  /** Though the trace ends, control goes on behind. */
  straight?: boolean;
  /** Interrupts wait until the next instruction is done: it stands in the same trace. */
  shadow?: boolean;
  /** The helper reads CPU_RIP (address of the next instruction). */
  needsRip?: boolean;
  /** #UD in real and virtual-8086 mode. */
  protectedOnly?: boolean;
  /** #UD outside 64-bit code. */
  longOnly?: boolean;
  /** Widths to use instead of those the operands give. */
  widths?: readonly (8 | 16 | 32 | 64)[];
  /** Mnemonic for the disassembler where it is not the name. */
  mnemonic?: string;
}

export interface Row extends RowOptions {
  readonly name: string;
  readonly forms: readonly Form[];
  readonly body: Body;
}

export const rows: Row[] = [];
const names = new Set<string>();

/** Adds a row. Throws when the name is taken: it keys the printed cases. */
export function row(name: string, forms: string | readonly string[], options: RowOptions, body: Body): void {
  if (names.has(name)) throw new Error(`row '${name}' is defined twice`);
  names.add(name);
  const list = typeof forms === "string" ? [forms] : forms;
  rows.push({ name, forms: list.map(parseForm), body, ...options });
}
