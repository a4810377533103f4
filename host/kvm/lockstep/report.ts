// The text of a difference: both states, and the instructions that led there.

import { CPU_GPR, CPU_MODE, CPU_RIP, CPU_SEG_BASE, MODE_CODE_MASK, VCPU_BASE } from "../../../assembly/layout.ts";
import { type Bits, disassembleOne } from "../../disassembler/index.ts";
import type { CoreExports, LinearMemory } from "../core.ts";

const NAMES = "RAX RCX RDX RBX RSP RBP RSI RDI R8 R9 R10 R11 R12 R13 R14 R15".split(" ");
const LONGEST = 15;

/** The two cores do not agree. */
export class LockstepDifference extends Error {}

/** An instruction about to be executed. */
export interface Step {
  readonly rip: bigint;
  readonly bits: Bits;
  readonly bytes: Uint8Array;
}

/** Reads what vCPU 0 executes next, through its page tables. */
export function nextStep(core: CoreExports, memory: LinearMemory, hostOf: (gpa: bigint) => number): Step {
  const view = new DataView(memory.buffer);
  const rip = view.getBigUint64(VCPU_BASE + CPU_RIP, true);
  const size = view.getUint32(VCPU_BASE + CPU_MODE, true) & MODE_CODE_MASK;
  const linear = size === 2 ? rip : (rip + view.getBigUint64(VCPU_BASE + CPU_SEG_BASE + 8, true)) & 0xffff_ffffn;
  const bytes: number[] = [];
  for (let i = 0n; i < LONGEST; i++) {
    const gpa = core.translate(BigInt.asIntN(64, linear + i));
    const at = gpa === -1n ? 0 : hostOf(gpa);
    if (at === 0) break;
    bytes.push(view.getUint8(at));
  }
  return { rip, bits: ([16, 32, 64] as const)[size] ?? 16, bytes: Uint8Array.from(bytes) };
}

/** One line an instruction: address, bytes, text. */
export function listing(steps: readonly Step[]): string[] {
  return steps.map(({ rip, bits, bytes }) => {
    if (bytes.length === 0) return `${hex(rip)}  (not readable)`;
    const line = disassembleOne(bytes, 0, rip, bits);
    const raw = [...bytes.subarray(0, line.length)].map((b) => b.toString(16).padStart(2, "0")).join(" ");
    return `${hex(rip)}  ${raw.padEnd(30)}  ${line.text}`;
  });
}

/** General registers and RIP of both, marked where they differ. */
export function bothStates(
  names: readonly [string, string],
  memories: readonly [LinearMemory, LinearMemory],
): string[] {
  const views = memories.map(({ buffer }) => new DataView(buffer)) as [DataView, DataView];
  const row = (name: string, offset: number): string => {
    const [x, y] = views.map((view) => view.getBigUint64(VCPU_BASE + offset, true)) as [bigint, bigint];
    return `${name.padEnd(4)} ${hex(x)}  ${hex(y)}${x === y ? "" : "  <--"}`;
  };
  return [
    `     ${names[0].padEnd(16)}  ${names[1]}`,
    ...NAMES.map((name, i) => row(name, CPU_GPR + 8 * i)),
    row("RIP", CPU_RIP),
  ];
}

const hex = (x: bigint): string => x.toString(16).padStart(16, "0");
