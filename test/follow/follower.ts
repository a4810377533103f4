// Goes along with the peer's log: executes what the peer has executed, and compares.
import { disassembleOne } from "../../host/disassembler/index.ts";
import { listing } from "../../host/kvm/lockstep/report.ts";
import { CASE_GPR, CASE_SIZE, type Case, MODE_16, MODE_32, MODE_64 } from "../differential/case.ts";
import { type Shape, shapeOf } from "../differential/shape.ts";
import { undefinedAfter } from "../differential/undefined.ts";
import { isRepeatedToZero, readsOutside } from "./outside.ts";
import type { Processor, Step } from "./processor.ts";
import { Row } from "./row.ts";
import { differentSystem, parseSystem } from "./system-state.ts";

const KEPT = 20;
const NAMES = "RAX RCX RDX RBX RSP RBP RSI RDI R8 R9 R10 R11 R12 R13 R14 R15".split(" ");
const MODES = [MODE_16, MODE_32, MODE_64];
const BITS = [16, 32, 64] as const;

/** wkvm and the peer do not agree. */
export class Difference extends Error {}

interface Executed {
  readonly ripLow: number;
  readonly ripHigh: number;
  /** 0, 1, 2: 16, 32, 64-bit code. */
  readonly codeSize: number;
}

export class Follower {
  /** Instructions that both have executed; the iterations of a repeated one count once. */
  instructions = 0;
  iterations = 0;
  /** How often registers were taken from the peer after an instruction that reads what is outside of the processor. */
  readonly adopted = new Map<string, number>();
  /** Instructions that read a port, or memory that is none: these have the peer's values as well. */
  outside = 0;
  interrupts = 0;
  private readonly last = new Row();
  private started = false;
  /** The peer looks once more at a counter that is 0, which wkvm has done with the last iteration. */
  private ahead = false;
  private readonly step: Step = { outside: false, ended: undefined };
  private readonly executed: Executed[] = [];

  constructor(private readonly processor: Processor) {}

  /** The peer is about to execute an instruction, in this state. Throws Difference. */
  next(row: Row): void {
    const { processor, last } = this;
    if (this.started && !row.retried) {
      if (this.ahead) this.ahead = false;
      else this.execute(row);
    }
    if (row.interrupt >= 0) {
      processor.interrupt(row.interrupt);
      this.interrupts++;
    }
    this.compare(row);
    this.started = true;
    last.assign(row);
  }

  private execute(row: Row): void {
    const { processor, last, executed } = this;
    const previous = executed.at(-1);
    this.iterations++;
    if (previous?.ripLow !== last.ripLow || previous.ripHigh !== last.ripHigh) {
      this.instructions++;
      executed.push({ ripLow: last.ripLow, ripHigh: last.ripHigh, codeSize: processor.codeSize });
      if (executed.length > KEPT) executed.shift();
    }
    processor.step(this.step, row.gpr[0]!);
    if (this.step.outside) this.outside++;
    if (this.step.ended !== undefined) this.fail(row, [this.step.ended]);
  }

  private compare(row: Row): void {
    const { processor } = this;
    if (processor.ripLow !== row.ripLow || processor.ripHigh !== row.ripHigh) {
      const shape = this.lastShape();
      const isThere = this.executed.at(-1)?.ripLow === row.ripLow;
      if (!shape || !isThere || !isRepeatedToZero(shape, row.gpr)) this.fail(row, ["RIP differs"]);
      this.ahead = true;
    }
    if (row.wide !== (processor.codeSize === 2)) this.fail(row, ["one of the two is in 64-bit mode"]);
    const register = this.differentRegister(row);
    if (register >= 0) this.adopt(row, register);
    const flags = processor.flags ^ row.flags;
    if (flags !== 0) this.adoptFlags(row, flags);
    // Both are to be asked, so that neither change is seen later.
    const changed = processor.systemChanged();
    if (changed || !row.sameSystem(this.last)) {
      const found = differentSystem(parseSystem(row.systemText), processor.systemRegisters);
      if (found.length > 0) this.fail(row, found);
    }
  }

  /** The first general register that differs, or -1. */
  private differentRegister(row: Row): number {
    const own = this.processor.halves;
    const { gpr } = row;
    if (row.wide) {
      for (let i = 0; i < 32; i++) if (own[i] !== gpr[i]) return i >> 1;
    } else {
      for (let i = 0; i < 16; i += 2) if (own[i] !== gpr[i]) return i >> 1;
    }
    return -1;
  }

  private adopt(row: Row, register: number): void {
    const shape = this.lastShape();
    if (!shape || !(this.step.outside || readsOutside(shape))) this.fail(row, [`${NAMES[register]} differs`]);
    const name = this.lastText().split(" ")[0] ?? "";
    this.adopted.set(name, (this.adopted.get(name) ?? 0) + 1);
    for (let i = 0; i < (row.wide ? 32 : 16); i++) this.processor.halves[i] = row.gpr[i]!;
    this.processor.flags = row.flags;
  }

  /** Takes over flags that the last instruction leaves undefined, or whose operand came from outside. */
  private adoptFlags(row: Row, different: number): void {
    const shape = this.lastShape();
    if (!shape) this.fail(row, ["RFLAGS differs"]);
    if (!this.step.outside) {
      const bytes = new Uint8Array(CASE_SIZE);
      new Uint32Array(bytes.buffer).set(this.last.gpr, CASE_GPR >> 2);
      const before = { bytes, view: new DataView(bytes.buffer) } as Case;
      const bits = different & ~undefinedAfter(shape, before).flags;
      if (bits !== 0) this.fail(row, [`RFLAGS differs in bits ${bits.toString(16)}`]);
    }
    this.processor.flags = row.flags;
  }

  private lastShape(): Shape | undefined {
    const last = this.executed.at(-1);
    return last && shapeOf(this.processor.code(ripOf(last)), MODES[last.codeSize] ?? MODE_64);
  }

  private lastText(): string {
    const last = this.executed.at(-1);
    if (!last) return "";
    return disassembleOne(this.processor.code(ripOf(last)), 0, ripOf(last), BITS[last.codeSize] ?? 64).text;
  }

  private fail(row: Row, found: readonly string[]): never {
    const { processor, executed } = this;
    const line = (name: string, theirs: string, ours: string): string =>
      `${name.padEnd(6)} ${theirs.padEnd(16)}  ${ours.padEnd(16)}${theirs === ours ? "" : "  <--"}`;
    const halves = (words: Uint32Array, i: number): string => hex(words[2 * i + 1]!) + hex(words[2 * i]!);
    const steps = executed.map((one) => {
      const rip = ripOf(one);
      return { rip, bits: BITS[one.codeSize] ?? 64, bytes: processor.code(rip) };
    });
    throw new Difference(
      [
        `after ${this.instructions} instructions (${this.iterations} with iterations):`,
        ...found,
        `       ${"peer".padEnd(16)}  wkvm`,
        ...NAMES.map((name, i) => line(name, halves(row.gpr, i), halves(processor.halves, i))),
        line("RIP", hex(row.ripHigh) + hex(row.ripLow), hex(processor.ripHigh) + hex(processor.ripLow)),
        line("RFLAGS", hex(row.flags), hex(processor.flags)),
        "the peer's other registers:",
        row.systemText,
        "the last instructions:",
        ...listing(steps),
      ].join("\n"),
    );
  }
}

const ripOf = ({ ripLow, ripHigh }: Executed): bigint => (BigInt(ripHigh) << 32n) | BigInt(ripLow);
const hex = (value: number): string => value.toString(16).padStart(8, "0");
