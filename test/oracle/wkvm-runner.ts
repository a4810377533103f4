// Runs test cases on a wkvm vCPU: the counterpart of silicon.c, with the same records in and out.
//
// One VM serves any number of cases. Each is entered by an IRETQ at CPL 0 and comes back through an
// interrupt gate whose handler is HLT; registers are read and written where the vCPU keeps them.
import { KVM_EXIT_HLT, KVM_EXIT_INTR } from "../../assembly/exits.ts";
import {
  CPU_CR2,
  CPU_FCS,
  CPU_FCW,
  CPU_FDP,
  CPU_FDS,
  CPU_FIP,
  CPU_FOP,
  CPU_FSW,
  CPU_FTAG,
  CPU_FTOP,
  CPU_GPR,
  CPU_MXCSR,
  CPU_RIP,
  CPU_SEG_ATTR,
  CPU_SEG_BASE,
  CPU_SEG_LIMIT,
  CPU_SEG_SEL,
  CPU_X87,
  CPU_XMM,
  JIT_AT_ONCE,
  JIT_CLOSED,
  JIT_GATHER,
  VM_JIT_PACE,
} from "../../assembly/layout.ts";
import type { CoreExports, CoreProgram } from "../../host/kvm/core.ts";
import { findEntry, type KvmCpuidEntry } from "../../host/kvm/cpuid-table.ts";
import { type KvmSregs, readSregs, writeSregs } from "../../host/kvm/sregs.ts";
import { readVcpuStats, type VcpuStats } from "../../host/kvm/stats.ts";
import type { VcpuState } from "../../host/kvm/vcpu-state.ts";
import { writeXcrs } from "../../host/kvm/xsave.ts";
import {
  BLOCK_X87,
  BLOCK_YMM,
  CASE_CODE,
  CASE_CODE_LENGTH,
  CASE_CODE_OFFSET,
  CASE_CS,
  CASE_DS,
  CASE_EFLAGS,
  CASE_ES,
  CASE_FCW,
  CASE_FS,
  CASE_FSW,
  CASE_FTW,
  CASE_GPR,
  CASE_GS,
  CASE_MXCSR,
  CASE_OPTIONS,
  CASE_PATCH_COUNT,
  CASE_PATCHES,
  CASE_SS,
  CASE_X87,
  CASE_YMM,
  type Case,
  CODE_BASE,
  CODE_BYTES,
  CODE_FILL,
  CODE_WINDOW,
  codeBaseOf,
  DATA_BYTES,
  DATA_WINDOW,
  FS_BASE,
  GS_BASE,
  OPTION_NO_STEP,
  OPTION_SEQUENCE,
  PATCH_SIZE,
  RESULT_BLOCKS,
  RESULT_CHANGED,
  RESULT_CR2,
  RESULT_EFLAGS,
  RESULT_ERROR,
  RESULT_FCW,
  RESULT_FSW,
  RESULT_FTW,
  RESULT_GPR,
  RESULT_LENGTH,
  RESULT_MXCSR,
  RESULT_RIP,
  RESULT_SIZE,
  RESULT_VECTOR,
  type Result,
  segmentOf,
  VECTOR_EXIT,
  VECTOR_TIMEOUT,
} from "../differential/case.ts";
import { baseImage } from "../differential/state.ts";
import { createBareVm } from "./bare-vm.ts";
import {
  buildGuest,
  DATA_PHYSICAL,
  GUEST_BYTES,
  homeRegisters,
  KERNEL_BASE,
  LAUNCH,
  LAUNCH_FRAME,
  LAUNCH_MAPPED,
  mapCode,
  PLACES,
  placeOf,
  STACK_TOP,
  STUB_STEP,
  STUBS,
} from "./guest-image.ts";

/** Components of XCR0. */
const X87 = 1n;
const SSE = 2n;
const AVX = 4n;
const TF = 0x100;
const SINGLE_STEP = 1;
const BREAKPOINT = 3;
const RF = 0x10000;
const STACK_LOW = Number(BigInt.asUintN(32, KERNEL_BASE)) + STACK_TOP;
const STUBS_LOW = Number(BigInt.asUintN(32, KERNEL_BASE)) + STUBS;
/** A case takes microseconds: whatever is not back by then hangs. A busy machine may stop this process for a while. */
const CASE_LIMIT_NS = 10e9;
/** Stands for an exit reason where the core trapped. */
export const TRAPPED = 0xffff;

/** Segment registers in the order of CPU_SEG_*, and the selector field of a case for those it sets. */
const CASE_SEGMENTS: [number, number][] = [
  [0, CASE_ES],
  [3, CASE_DS],
  [4, CASE_FS],
  [5, CASE_GS],
];

/** Bytes of memory that are looked at more closely when one of them has changed. */
const CHANGE_BLOCK = 1024;
/** Bytes that the core is told of at once. */
const CODE_NEAR = 256;
/** A changed word in a result: u32 number, u64 contents. */
const CHANGE_SIZE = 12;

/** A vCPU that test cases run on. */
export class WkvmRunner {
  private readonly state: VcpuState;
  readonly core: CoreExports;
  private readonly view: DataView;
  private readonly bytes: Uint8Array;
  /** The same bytes. */
  private readonly buffer: Buffer;
  private readonly words: Int32Array;
  private readonly ram: number;
  private readonly pristine = baseImage();
  private readonly before = baseImage();
  private readonly beforeWords = new Int32Array(this.before.buffer);
  private readonly scratch = new Uint8Array(RESULT_SIZE + 128 + 512 + (DATA_BYTES / 8) * 12);
  private readonly scratchView = new DataView(this.scratch.buffer);
  private home: KvmSregs;
  /** Selectors that the vCPU has, in pairs; -1: others. */
  private segments: readonly [number, number] = [-1, -1];
  /** What lies at each place for code. */
  private readonly lastCode = Array.from({ length: PLACES }, () => ({ at: 0, length: 0 }));
  /** Where the code of cases lies that have been prepared and not run since. */
  private readonly prepared = new Map<Case, number>();
  /** The last trap of the core itself. */
  trap: Error | undefined;

  private constructor(
    state: VcpuState,
    ram: number,
    private readonly limitNs: number,
    private readonly translated: boolean,
  ) {
    this.state = state;
    this.core = state.core;
    this.view = state.memory.view;
    this.bytes = state.memory.bytes;
    this.buffer = Buffer.from(this.bytes.buffer);
    this.words = state.memory.i32;
    this.ram = ram;
    this.home = homeRegisters(readSregs(state));
    this.goHome();
  }

  /** Makes a VM with the given CPUID table. `core`: another than the built one; `limitNs`: what a case may take.
   * `translated`: every case runs as translated code, up to the INT3 behind it, where TF would stop the interpreter.
   * `onModule`: as createBareVm() has it. */
  static async create(
    cpuid: readonly KvmCpuidEntry[],
    core?: CoreProgram,
    limitNs = CASE_LIMIT_NS,
    translated = process.env["WKVM_TRANSLATED"] === "1",
    onModule?: (module: Uint8Array) => void,
  ): Promise<WkvmRunner> {
    const { memory, state, ram } = await createBareVm(GUEST_BYTES, cpuid, core, translated ? 1 : 0, onModule);
    const image = new Uint8Array(GUEST_BYTES);
    buildGuest(image, baseImage());
    memory.bytes.set(image, ram);
    // Whatever vector registers the processor has, as an operating system gives them to its programs.
    const components = BigInt(findEntry(cpuid, 0xd)?.eax ?? 0) & (X87 | SSE | AVX);
    if (components) writeXcrs(state, [{ xcr: 0, value: components }]);
    return new WkvmRunner(state, ram, limitNs, translated);
  }

  /** Has what these cases execute translated into one module, before each of them is run once. Up to PLACES cases, of a
   * runner that translates; others go into modules of their own. */
  prepare(tests: readonly Case[]): void {
    this.prepared.clear();
    tests.forEach((test, place) => {
      this.prepared.set(test, place);
      this.writeCode(test, place);
    });
    this.gather(tests);
    // What follows an instruction that regions leave to the interpreter is known only now.
    this.gather(tests.filter((test) => test.bytes[CASE_OPTIONS]! & OPTION_SEQUENCE));
    this.setPace(JIT_CLOSED);
  }

  /** Runs prepared cases for what can be translated of them, and has a module made of it. */
  private gather(tests: readonly Case[]): void {
    this.setPace(JIT_GATHER);
    for (const test of tests) this.runAt(test, this.prepared.get(test)!);
    this.setPace(JIT_AT_ONCE);
    // A HLT: the module is made where a slice ends.
    putKernel(this.view, this.state.base + CPU_RIP, STUBS);
    this.enter();
  }

  private setPace(pace: number): void {
    this.view.setUint32(VM_JIT_PACE, pace, true);
  }

  /** Runs one case. The result is valid until the next call. */
  run(test: Case): Result {
    const place = this.prepared.get(test);
    if (place !== undefined) {
      this.prepared.delete(test);
      return this.runAt(test, place);
    }
    this.setPace(JIT_AT_ONCE);
    this.writeCode(test, 0);
    return this.runAt(test, 0);
  }

  /** Runs a case whose code lies at a place. */
  private runAt(test: Case, place: number): Result {
    if (this.translated) mapCode(this.view, this.ram, place);
    this.begin(test);
    const reason = this.enter();
    const vector = this.vectorOf(reason);
    const result = this.finish(test, vector, reason);
    this.undo(test);
    if (vector >= VECTOR_EXIT) this.goHome();
    return result;
  }

  /** What the core has counted so far. */
  stats(): VcpuStats {
    return readVcpuStats(this.state);
  }

  /** KVM_EXIT_*, or TRAPPED where the core itself broke: `trap` then says how. */
  private enter(): number {
    try {
      return this.core.run(this.limitNs, 0);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      this.trap = error;
      return TRAPPED;
    }
  }

  /** Runs the first `count` cases and keeps every result. */
  runAll(cases: readonly Case[], count: number): Result[] {
    const results: Result[] = [];
    for (let i = 0; i < count; i++) {
      const { bytes } = this.run(cases[i]!);
      const copy = bytes.slice();
      results.push({ bytes: copy, view: new DataView(copy.buffer) });
    }
    return results;
  }

  private goHome(): void {
    writeSregs(this.state, this.home);
    this.segments = [-1, -1];
  }

  private begin(test: Case): void {
    const { view, bytes } = this;
    const from = test.view;
    for (let n = 0; n < from.getUint16(CASE_PATCH_COUNT, true); n++) {
      const at = CASE_PATCHES + n * PATCH_SIZE;
      const offset = from.getUint32(at, true) - DATA_WINDOW;
      const contents = test.bytes.subarray(at + 8, at + 8 + from.getUint32(at + 4, true));
      this.before.set(contents, offset);
      bytes.set(contents, this.ram + DATA_PHYSICAL + offset);
    }
    this.writeSegments(test);

    const cpu = this.state.base;
    bytes.set(test.bytes.subarray(CASE_GPR, CASE_GPR + 128), cpu + CPU_GPR);
    const frame = this.ram + LAUNCH_FRAME;
    const rip = codeBaseOf(from.getUint16(CASE_CS, true)) === 0 ? CODE_BASE : 0;
    const flags = from.getUint32(CASE_EFLAGS, true) | (this.steps(test) ? TF : 0);
    putNumber(view, frame, rip + from.getUint16(CASE_CODE_OFFSET, true));
    putNumber(view, frame + 8, from.getUint16(CASE_CS, true));
    putNumber(view, frame + 16, flags);
    bytes.set(test.bytes.subarray(CASE_GPR + 32, CASE_GPR + 40), frame + 24);
    putNumber(view, frame + 32, from.getUint16(CASE_SS, true));
    putKernel(view, cpu + CPU_GPR + 32, LAUNCH_FRAME);
    putKernel(view, cpu + CPU_RIP, this.translated ? LAUNCH_MAPPED : LAUNCH);

    const status = from.getUint16(CASE_FSW, true);
    const top = (status >> 11) & 7;
    view.setUint32(cpu + CPU_FCW, from.getUint16(CASE_FCW, true), true);
    view.setUint32(cpu + CPU_FSW, status & ~0x3800, true);
    view.setUint32(cpu + CPU_FTOP, top, true);
    view.setUint32(cpu + CPU_FTAG, test.bytes[CASE_FTW]!, true);
    view.setUint32(cpu + CPU_MXCSR, from.getUint32(CASE_MXCSR, true), true);
    // No x87 instruction was the last one.
    for (const field of [CPU_FOP, CPU_FCS, CPU_FDS]) view.setUint32(cpu + field, 0, true);
    for (const field of [CPU_FIP, CPU_FDP]) view.setBigUint64(cpu + field, 0n, true);
    for (let i = 0; i < 8; i++) {
      const at = CASE_X87 + i * 16;
      bytes.set(test.bytes.subarray(at, at + 16), cpu + CPU_X87 + ((top + i) & 7) * 16);
    }
    bytes.set(test.bytes.subarray(CASE_YMM, CASE_YMM + 512), cpu + CPU_XMM);
  }

  /** Whether a case is stopped by TF behind its first instruction. */
  private steps(test: Case): boolean {
    return !this.translated && (test.bytes[CASE_OPTIONS]! & OPTION_NO_STEP) === 0;
  }

  /** Code that a device wrote: the core is told, as a host's DMA would tell it. */
  private writeCode(test: Case, place: number): void {
    const length = test.bytes[CASE_CODE_LENGTH]!;
    const offset = test.view.getUint16(CASE_CODE_OFFSET, true) - (CODE_WINDOW - CODE_BASE);
    const at = placeOf(place) + offset;
    const fits = Math.min(length, CODE_BYTES - offset);
    const { at: last, length: lastLength } = this.lastCode[place]!;
    if (lastLength) this.bytes.fill(CODE_FILL, this.ram + last, this.ram + last + lastLength);
    this.bytes.set(test.bytes.subarray(CASE_CODE, CASE_CODE + fits), this.ram + at);
    // One message does where both lie close together.
    const from = lastLength ? Math.min(at, last) : at;
    const to = lastLength ? Math.max(at + fits, last + lastLength) : at + fits;
    if (to - from <= CODE_NEAR) this.core.dmaWritten(BigInt(from), BigInt(to - from));
    else {
      this.core.dmaWritten(BigInt(last), BigInt(lastLength));
      this.core.dmaWritten(BigInt(at), BigInt(fits));
    }
    this.lastCode[place] = { at, length: fits };
  }

  private writeSegments(test: Case): void {
    const cpu = this.state.base;
    const selectors = (a: number, b: number): number =>
      test.view.getUint16(a, true) | (test.view.getUint16(b, true) << 16);
    const data = selectors(CASE_ES, CASE_DS);
    const others = selectors(CASE_FS, CASE_GS);
    if (data === this.segments[0] && others === this.segments[1]) return;
    this.segments = [data, others];
    for (const [number, field] of CASE_SEGMENTS) {
      const selector = test.view.getUint16(field, true);
      const segment = segmentOf(selector);
      const base = segment ? segment.base : field === CASE_FS ? FS_BASE : field === CASE_GS ? GS_BASE : 0;
      this.view.setUint32(cpu + CPU_SEG_SEL + number * 4, selector, true);
      this.view.setUint32(cpu + CPU_SEG_LIMIT + number * 4, segment?.limit ?? 0, true);
      this.view.setUint32(cpu + CPU_SEG_ATTR + number * 4, segment?.attributes ?? 0x10000, true);
      this.view.setBigUint64(cpu + CPU_SEG_BASE + number * 8, BigInt(base), true);
    }
    this.state.changed();
  }

  private vectorOf(reason: number): number {
    if (reason === KVM_EXIT_INTR) return VECTOR_TIMEOUT;
    if (reason !== KVM_EXIT_HLT) return VECTOR_EXIT;
    const rip = this.view.getUint32(this.state.base + CPU_RIP, true) - STUBS_LOW - 1;
    return rip >= 0 && rip < 256 * STUB_STEP && rip % STUB_STEP === 0 ? rip / STUB_STEP : VECTOR_EXIT;
  }

  private finish(test: Case, vector: number, reason: number): Result {
    const { view, bytes, scratch, scratchView: out } = this;
    const cpu = this.state.base;
    scratch.fill(0, 0, RESULT_SIZE);
    out.setUint8(RESULT_VECTOR, vector);
    scratch.set(bytes.subarray(cpu + CPU_GPR, cpu + CPU_GPR + 128), RESULT_GPR);
    const stopped = this.translated && vector === BREAKPOINT && (test.bytes[CASE_OPTIONS]! & OPTION_NO_STEP) === 0;
    if (stopped) out.setUint8(RESULT_VECTOR, SINGLE_STEP);
    if (vector < VECTOR_EXIT) {
      let frame = this.ram + STACK_TOP - (STACK_LOW - view.getUint32(cpu + CPU_GPR + 32, true));
      if (view.getUint32(cpu + CPU_GPR + 32, true) === STACK_LOW - 48) {
        out.setUint32(RESULT_ERROR, view.getUint32(frame, true), true);
        frame += 8;
      }
      scratch.set(bytes.subarray(frame, frame + 8), RESULT_RIP);
      // The INT3 stands for the trap of TF, which would have come before it.
      if (stopped) out.setBigUint64(RESULT_RIP, out.getBigUint64(RESULT_RIP, true) - 1n, true);
      const flags =
        view.getUint32(frame + 16, true) | (this.translated && !(test.bytes[CASE_OPTIONS]! & OPTION_NO_STEP) ? TF : 0);
      out.setUint32(RESULT_EFLAGS, flags & ~RF, true);
      scratch.set(bytes.subarray(frame + 24, frame + 32), RESULT_GPR + 32);
      if (vector === 14) scratch.set(bytes.subarray(cpu + CPU_CR2, cpu + CPU_CR2 + 8), RESULT_CR2);
    } else out.setUint32(RESULT_ERROR, reason, true);

    const top = view.getUint32(cpu + CPU_FTOP, true) & 7;
    out.setUint16(RESULT_FCW, view.getUint32(cpu + CPU_FCW, true), true);
    out.setUint16(RESULT_FSW, (view.getUint32(cpu + CPU_FSW, true) & ~0x3800) | (top << 11), true);
    out.setUint8(RESULT_FTW, view.getUint32(cpu + CPU_FTAG, true));
    out.setUint32(RESULT_MXCSR, view.getUint32(cpu + CPU_MXCSR, true), true);
    let at = RESULT_SIZE;
    let blocks = 0;
    for (let i = 0; i < 8 && !blocks; i++) {
      if (!sameBytes(bytes, cpu + CPU_X87 + ((top + i) & 7) * 16, test.bytes, CASE_X87 + i * 16, 10))
        blocks = BLOCK_X87;
    }
    if (blocks) {
      scratch.fill(0, at, at + 128);
      for (let i = 0; i < 8; i++) {
        const register = cpu + CPU_X87 + ((top + i) & 7) * 16;
        scratch.set(bytes.subarray(register, register + 10), at + i * 16);
      }
      at += 128;
    }
    if (this.buffer.compare(test.bytes, CASE_YMM, CASE_YMM + 512, cpu + CPU_XMM, cpu + CPU_XMM + 512) !== 0) {
      blocks |= BLOCK_YMM;
      scratch.set(bytes.subarray(cpu + CPU_XMM, cpu + CPU_XMM + 512), at);
      at += 512;
    }
    out.setUint8(RESULT_BLOCKS, blocks);
    at = this.changes(at);
    out.setUint32(RESULT_LENGTH, at, true);
    return { bytes: scratch.subarray(0, at), view: out };
  }

  /** Appends every changed 8-byte word of the writable pages and puts the old contents back. */
  private changes(at: number): number {
    const data = this.ram + DATA_PHYSICAL;
    let end = at;
    // Most cases change nothing, and others one place: whole blocks are compared by the host's own means.
    if (this.buffer.compare(this.before, 0, DATA_BYTES, data, data + DATA_BYTES) !== 0) {
      for (let block = 0; block < DATA_BYTES; block += CHANGE_BLOCK) {
        const from = data + block;
        if (this.buffer.compare(this.before, block, block + CHANGE_BLOCK, from, from + CHANGE_BLOCK) !== 0) {
          end = this.changesOf(block, end);
        }
      }
    }
    this.scratchView.setUint16(RESULT_CHANGED, (end - at) / CHANGE_SIZE, true);
    return end;
  }

  /** The same for a block at an offset into the pages. */
  private changesOf(block: number, at: number): number {
    const { words, beforeWords, scratch, scratchView: out } = this;
    const base = (this.ram + DATA_PHYSICAL) >> 2;
    let end = at;
    for (let i = block >> 2; i < (block + CHANGE_BLOCK) >> 2; i++) {
      // Putting a word back makes its second half equal again.
      if (words[base + i] === beforeWords[i]) continue;
      const word = i >> 1;
      out.setUint32(end, word, true);
      const from = this.ram + DATA_PHYSICAL + word * 8;
      scratch.set(this.bytes.subarray(from, from + 8), end + 4);
      this.bytes.set(this.before.subarray(word * 8, word * 8 + 8), from);
      end += CHANGE_SIZE;
    }
    return end;
  }

  private undo(test: Case): void {
    for (let n = test.view.getUint16(CASE_PATCH_COUNT, true) - 1; n >= 0; n--) {
      const at = CASE_PATCHES + n * PATCH_SIZE;
      const offset = test.view.getUint32(at, true) - DATA_WINDOW;
      const contents = this.pristine.subarray(offset, offset + test.view.getUint32(at + 4, true));
      this.before.set(contents, offset);
      this.bytes.set(contents, this.ram + DATA_PHYSICAL + offset);
    }
  }
}

function putNumber(view: DataView, at: number, value: number): void {
  view.setUint32(at, value, true);
  view.setUint32(at + 4, 0, true);
}

function putKernel(view: DataView, at: number, offset: number): void {
  view.setBigUint64(at, KERNEL_BASE + BigInt(offset), true);
}

function sameBytes(a: Uint8Array, from: number, b: Uint8Array, to: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[from + i] !== b[to + i]) return false;
  return true;
}
