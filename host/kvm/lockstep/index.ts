// Lockstep: two cores execute one deterministic machine, and are compared.
//
// The pair stands where a core does. Every call goes to both, each over its own memory (twin.ts) and with the same
// answers from the host (recorder.ts); devices see the first one only. run() executes a slice of `every` instructions
// and compares vCPU, interrupt chips and the pages that were written. At the first difference both go back to the
// beginning of the slice and take it one instruction at a time.

import { KVM_EXIT_INTR } from "../../../assembly/exits.ts";
import {
  CPU_ACCESS_LOG,
  RUN_EXACT,
  RUN_LIMIT,
  SLOT_ENTRY_SIZE,
  SLOT_GPA,
  SLOT_HOST,
  SLOT_SIZE,
  VCPU_BASE,
  VM_MAX_SLOTS,
  VM_SLOTS,
} from "../../../assembly/layout.ts";
import {
  type CoreExports,
  type CoreImports,
  type CoreProgram,
  instantiate,
  type LinearMemory,
  makeMemory,
} from "../core.ts";
import type { Translation } from "../translation.ts";
import { Recorder } from "./recorder.ts";
import { bothStates, LockstepDifference, listing, nextStep, type Step } from "./report.ts";
import { Twin } from "./twin.ts";

export { LockstepDifference } from "./report.ts";

/** One of two cores, and how it translates. */
export interface LockstepSide {
  readonly name: string;
  readonly program: CoreProgram;
  readonly translation: Translation;
}

/** What lockstep compares, and how often. */
export interface LockstepOptions {
  /** The cores, with the names that reports give them. */
  readonly a: LockstepSide;
  readonly b: LockstepSide;
  /** Instructions between comparisons, at most; default 100,000. */
  readonly every?: number;
}

const DEFAULT_EVERY = 100_000;
/** All of RAM is compared after so many instructions. */
const RAM_EVERY = 2_000_000_000;
const KEPT_STEPS = 20;
/** A slice gets fuel for a trace at least. */
const SHORT_SLICE = 64;
const KVM_MEM_LOG_DIRTY_PAGES = 1;

/** A program whose cores are pairs. */
export class LockstepProgram {
  private readonly twins = new WeakMap<ArrayBufferLike, Twin>();

  constructor(private readonly options: LockstepOptions) {}

  makeMemory(bytes: number): LinearMemory {
    return makeMemory(this.options.a.program, bytes);
  }

  instantiate(memory: LinearMemory, imports: CoreImports): CoreExports {
    let twin = this.twins.get(memory.buffer);
    if (!twin) {
      const { a, b } = this.options;
      const other = makeMemory(b.program, memory.buffer.byteLength);
      twin = new Twin(memory, other, [a.translation, b.translation]);
      this.twins.set(memory.buffer, twin);
    }
    return new Pair(this.options, twin, imports).exports;
  }
}

class Pair {
  private readonly recorder: Recorder;
  private readonly a: CoreExports;
  private readonly b: CoreExports;
  private readonly every: number;
  private untilRam = RAM_EVERY;

  constructor(
    private readonly options: LockstepOptions,
    private readonly twin: Twin,
    imports: CoreImports,
  ) {
    this.recorder = new Recorder(imports);
    this.a = instantiate(options.a.program, twin.a.memory, this.recorder.imports);
    this.b = instantiate(options.b.program, twin.b.memory, this.recorder.imports);
    this.every = options.every ?? DEFAULT_EVERY;
  }

  /** The pair as a core. */
  get exports(): CoreExports {
    const special: Partial<CoreExports> = {
      run: (maxNs, _mayBlock) => this.run(maxNs),
      vcpuReset: () => {
        this.twin.ramChanged();
        this.both("vcpuReset", []);
      },
      setSlot: (slot, flags, gpa, size, host) => {
        this.twin.ramChanged();
        // The log tells which pages to compare.
        const logged = size === 0n ? flags : flags | KVM_MEM_LOG_DIRTY_PAGES;
        return this.both("setSlot", [slot, logged, gpa, size, host]) as number;
      },
      dmaWritten: (gpa, length) => {
        this.twin.deviceWrote(gpa, length);
        this.both("dmaWritten", [gpa, length]);
      },
    };
    const calls = Object.keys(this.a).map((name) => {
      const own = special[name as keyof CoreExports];
      return [name, own ?? ((...args: unknown[]) => this.both(name, args))];
    });
    return Object.fromEntries(calls) as CoreExports;
  }

  // ------------------------------------------------------------------------------------------------ calls
  /** One call into each core; what it returns and leaves behind has to be the same. */
  private both(name: string, args: readonly unknown[]): unknown {
    if (this.recorder.isLeading) return this.inside(name, args);
    this.twin.copyShared();
    const [x, y] = this.twice(name, args);
    if (!Object.is(x, y)) this.fail(`${name}(${args.join(", ")}) returns ${x}, ${y}`, [], this.found());
    const found = this.found();
    if (found.length > 0) this.fail(`${name}(${args.join(", ")}) leaves different state`, [], found);
    return x;
  }

  /** A callback calls from inside the first core: the second one's turn comes at the same doorbell. */
  private inside(name: string, args: readonly unknown[]): unknown {
    this.recorder.afterDoorbell(() => call(this.b, name, args));
    return call(this.a, name, args);
  }

  private twice(name: string, args: readonly unknown[]): [unknown, unknown] {
    this.recorder.lead();
    const x = call(this.a, name, args);
    this.recorder.follow();
    const y = call(this.b, name, args);
    this.recorder.finish();
    return [x, y];
  }

  // -------------------------------------------------------------------------------------------------- run
  private run(maxNs: number): number {
    const { twin } = this;
    twin.copyRam();
    this.limit(this.every, false);
    twin.save();
    twin.copyShared();
    const before = this.retired();
    const [x, y] = this.translates ? this.runToSamePoint() : (this.twice("run", [maxNs, 0]) as [number, number]);
    const found = this.found();
    if (x !== y) found.unshift(`run() returns ${x}, ${y}`);
    if (found.length > 0) this.locate(Number(this.retired() - before), found);
    this.limit(0, false);
    twin.copyShared();
    this.untilRam -= Number(this.retired() - before);
    if (this.untilRam < 0) {
      this.untilRam = RAM_EVERY;
      const pages = twin.differentRam();
      if (pages.length > 0) this.fail("memory differs, in pages that no core has noted as written", [], pages);
    }
    return x;
  }

  /** True where a core runs translated code: it stops where that allows it to, not after an exact number. */
  private get translates(): boolean {
    return this.options.a.translation.threshold > 0 || this.options.b.translation.threshold > 0;
  }

  /** Runs the first core, then the second one to the same instruction: its slice, and the rest one by one. */
  private runToSamePoint(): [number, number] {
    const { twin, recorder } = this;
    // The limit ends a run(), not the clock, which the two do not look at equally often.
    const maxNs = Number.POSITIVE_INFINITY;
    const start = this.retired();
    // An instruction that the host has answered is completed first, and is not of the slice.
    const answered = twin.a.u32(VCPU_BASE + CPU_ACCESS_LOG) > 0 ? 1 : 0;
    recorder.lead();
    const x = this.a.run(maxNs, 0);
    const goal = this.retired();
    recorder.follow("leniently");
    const executed = Number(goal - start) - answered;
    // A slice may be longer than a small limit says; the first instruction goes with what is due before it.
    twin.limitSecond(executed < SHORT_SLICE ? 1 : executed, executed === 0 ? 2 : 0);
    let y = this.b.run(maxNs, 0);
    for (let left = Number(goal - twin.retired(twin.b)); y === KVM_EXIT_INTR && left > 0; ) {
      twin.limitSecond(left, 1);
      y = this.b.run(maxNs, 0);
      left = y === KVM_EXIT_INTR ? Number(goal - twin.retired(twin.b)) : 0;
    }
    // An instruction that left, or that faulted and was answered by an exception, has not been counted.
    if (y === KVM_EXIT_INTR && (x !== KVM_EXIT_INTR || twin.rip(twin.a) !== twin.rip(twin.b))) {
      twin.limitSecond(1, 1);
      y = this.b.run(maxNs, 0);
    }
    recorder.finish();
    return [x, y];
  }

  private limit(instructions: number, exact: boolean): void {
    this.twin.a.view.setUint32(VCPU_BASE + RUN_LIMIT, instructions, true);
    this.twin.a.view.setUint32(VCPU_BASE + RUN_EXACT, exact ? 1 : 0, true);
  }

  /** Instructions that the first core has executed. */
  private retired(): bigint {
    return this.twin.retired(this.twin.a);
  }

  private found(): string[] {
    const { complaint } = this.recorder;
    const sameFlags = (): boolean => this.a.getRflags() === this.b.getRflags();
    return [...(complaint ? [complaint] : []), ...this.twin.differences(sameFlags), ...this.twin.differentPages()];
  }

  // ------------------------------------------------------------------------------------ the first difference
  /** Goes through the slice again, step by step, to where the cores part. */
  private locate(instructions: number, found: readonly string[]): never {
    const end = bothStates(this.names, [this.twin.a.memory, this.twin.b.memory]);
    this.twin.restore();
    const steps: Step[] = [];
    // What the slice began with, a timer or an interrupt, goes with its first instruction.
    this.limit(1, false);
    for (let i = 0; i <= instructions; i++) {
      steps.push(nextStep(this.a, this.twin.a.memory, (gpa) => this.hostOf(gpa)));
      if (steps.length > KEPT_STEPS) steps.shift();
      this.twin.copyShared();
      const [x, y] = this.twice("run", [1e15, 0]) as [number, number];
      const now = this.found();
      if (x !== y) now.unshift(`run() returns ${x}, ${y}`);
      if (now.length > 0) this.fail(`after ${this.retired()} instructions`, steps, now);
      // The slice ended here as well: nobody answers the host's part again.
      if (x !== KVM_EXIT_INTR) break;
      this.limit(1, true);
    }
    throw new LockstepDifference(
      [
        `lockstep: the cores differ within ${instructions} instructions before ${this.retired()}, but not one at a time`,
        ...found,
        ...end,
        "the last instructions:",
        ...listing(steps),
      ].join("\n"),
    );
  }

  private fail(where: string, steps: readonly Step[], found: readonly string[]): never {
    const { a, b } = this.twin;
    const text = [
      `lockstep: ${this.names.join(" and ")} differ ${where}`,
      ...found,
      ...bothStates(this.names, [a.memory, b.memory]),
      ...(steps.length > 0 ? ["the last instructions:", ...listing(steps)] : []),
    ];
    throw new LockstepDifference(text.join("\n"));
  }

  private get names(): [string, string] {
    return [this.options.a.name, this.options.b.name];
  }

  private hostOf(gpa: bigint): number {
    const { view } = this.twin.a;
    for (let id = 0; id < VM_MAX_SLOTS; id++) {
      const slot = VM_SLOTS + id * SLOT_ENTRY_SIZE;
      const start = view.getBigUint64(slot + SLOT_GPA, true);
      const size = view.getBigUint64(slot + SLOT_SIZE, true);
      if (gpa >= start && gpa < start + size) return view.getUint32(slot + SLOT_HOST, true) + Number(gpa - start);
    }
    return 0;
  }
}

function call(core: CoreExports, name: string, args: readonly unknown[]): unknown {
  return (core as unknown as Record<string, (...args: readonly unknown[]) => unknown>)[name]?.(...args);
}
