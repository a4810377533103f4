// The memories of the two cores of a VM, kept alike where the host writes and compared where the cores do.
//
// The first core's memory is the VM's: the host sees no other. What the host writes there directly (registers, slots,
// chips) is copied before each call into a core; RAM that a device writes is announced by dmaWritten(). A third copy
// of RAM is what it was at the last comparison, to go back to.

import {
  CPU_FUEL,
  CPU_RETIRED,
  CPU_RIP,
  CPU_SLICE,
  REQ_CODE_FLUSH,
  REQ_STATE,
  REQ_TLB_FLUSH,
  RUN_EXACT,
  RUN_LIMIT,
  SLOT_ENTRY_SIZE,
  SLOT_GPA,
  SLOT_HOST,
  SLOT_SIZE,
  VCPU_BASE,
  VCPU_SIZE,
  VM_BASE,
  VM_DIRTY_PAGES,
  VM_MAX_SLOTS,
  VM_RAM_BASE,
  VM_RAM_SIZE,
  VM_SIZE,
  VM_SLOTS,
} from "../../../assembly/layout.ts";
import type { LinearMemory } from "../core.ts";
import { type Translation, writeTranslation } from "../translation.ts";
import { FLAG_OPERANDS_SPAN, FLAGS_SPAN, isLeftover, isSideOwn, nameOf, type Span, sharedSpans } from "./spans.ts";

const PAGE = 4096;
const CHUNK = 1 << 20;
/** So many pages in the log before it starts over: each start empties both TLBs. */
const LOG_LONG = 64;
/** So many bytes that differ are told one by one. */
const TOLD = 40;

/** One core's memory. */
export class Side {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly view: DataView;

  constructor(readonly memory: LinearMemory) {
    this.bytes = new Uint8Array(memory.buffer);
    this.words = new Int32Array(memory.buffer);
    this.view = new DataView(memory.buffer);
  }

  u32(at: number): number {
    return this.view.getUint32(at, true);
  }
}

export class Twin {
  readonly a: Side;
  readonly b: Side;
  /** RAM as it was when both agreed. */
  private readonly before: Uint8Array;
  private readonly saved: Uint8Array;
  private readonly spans: readonly Span[];
  private readonly ramBase: number;
  private readonly ramSize: number;
  private allOfRam = true;

  /** `translations`: how each core translates. */
  constructor(
    a: LinearMemory,
    b: LinearMemory,
    private readonly translations: readonly [Translation, Translation],
  ) {
    this.a = new Side(a);
    this.b = new Side(b);
    this.ramBase = this.a.u32(VM_RAM_BASE);
    this.ramSize = this.a.u32(VM_RAM_SIZE);
    this.before = new Uint8Array(this.ramSize);
    // One vCPU: the second would run on its own time.
    this.spans = sharedSpans(1);
    this.saved = new Uint8Array(this.spans.reduce((sum, { start, end }) => sum + end - start, 0));
    this.b.bytes.set(this.a.bytes.subarray(VM_BASE, VM_BASE + VM_SIZE), VM_BASE);
    this.setTranslations();
  }

  private setTranslations(): void {
    writeTranslation(this.a.view, this.translations[0]);
    writeTranslation(this.b.view, this.translations[1]);
  }

  /** Bounds the second core's next run(): RUN_LIMIT, RUN_EXACT. */
  limitSecond(instructions: number, exact: 0 | 1 | 2): void {
    this.b.view.setUint32(VCPU_BASE + RUN_LIMIT, instructions, true);
    this.b.view.setUint32(VCPU_BASE + RUN_EXACT, exact, true);
  }

  rip({ view }: Side): bigint {
    return view.getBigUint64(VCPU_BASE + CPU_RIP, true);
  }

  /** Instructions that a side's vCPU has executed. */
  retired({ view }: Side): bigint {
    const inSlice = view.getUint32(VCPU_BASE + CPU_SLICE, true) - view.getUint32(VCPU_BASE + CPU_FUEL, true);
    return view.getBigUint64(VCPU_BASE + CPU_RETIRED, true) + BigInt(inSlice);
  }

  // ------------------------------------------------------------------------------------- what the host did
  /** Gives the second core what the host has written into the first one's areas. */
  copyShared(): void {
    for (const { start, end } of this.spans) this.b.bytes.set(this.a.bytes.subarray(start, end), start);
    this.setTranslations();
  }

  /** RAM is to be copied as a whole before the guest runs again. */
  ramChanged(): void {
    this.allOfRam = true;
  }

  copyRam(): void {
    if (!this.allOfRam) return;
    this.allOfRam = false;
    for (let at = 0; at < this.ramSize; at += CHUNK) {
      const length = Math.min(CHUNK, this.ramSize - at);
      const from = this.a.bytes.subarray(this.ramBase + at, this.ramBase + at + length);
      const to = this.b.bytes.subarray(this.ramBase + at, this.ramBase + at + length);
      if (!same(from, to)) to.set(from);
      const kept = this.before.subarray(at, at + length);
      if (!same(from, kept)) kept.set(from);
    }
  }

  /** A device wrote `length` bytes at guest physical `gpa`. */
  deviceWrote(gpa: bigint, length: bigint): void {
    for (let id = 0; id < VM_MAX_SLOTS; id++) {
      const slot = VM_SLOTS + id * SLOT_ENTRY_SIZE;
      const start = this.a.view.getBigUint64(slot + SLOT_GPA, true);
      const size = this.a.view.getBigUint64(slot + SLOT_SIZE, true);
      const from = gpa > start ? gpa : start;
      const to = gpa + length < start + size ? gpa + length : start + size;
      if (from >= to) continue;
      const host = this.a.u32(slot + SLOT_HOST) + Number(from - start);
      const written = this.a.bytes.subarray(host, host + Number(to - from));
      this.b.bytes.set(written, host);
      this.before.set(written, host - this.ramBase);
    }
  }

  // ------------------------------------------------------------------------------------------- going back
  /** Notes the areas as they are now. */
  save(): void {
    let at = 0;
    for (const { start, end } of this.spans) {
      this.saved.set(this.a.bytes.subarray(start, end), at);
      at += end - start;
    }
  }

  /** Puts both memories back to where save() and the last comparison of RAM left them; caches are dropped. */
  restore(): void {
    for (const page of this.dirtyPages()) {
      const old = this.before.subarray(page * PAGE, (page + 1) * PAGE);
      this.a.bytes.set(old, this.ramBase + page * PAGE);
      this.b.bytes.set(old, this.ramBase + page * PAGE);
    }
    let at = 0;
    for (const { start, end } of this.spans) {
      const old = this.saved.subarray(at, at + end - start);
      this.a.bytes.set(old, start);
      this.b.bytes.set(old, start);
      at += end - start;
    }
    this.setTranslations();
    this.request(REQ_CODE_FLUSH | REQ_TLB_FLUSH | REQ_STATE);
  }

  private request(bits: number): void {
    for (const side of [this.a, this.b]) Atomics.or(side.words, (VCPU_BASE + CPU_FUEL + 4) >> 2, bits);
  }

  // ------------------------------------------------------------------------------------------ comparisons
  /** What differs in the areas, by name; `sameFlags`: both cores' RFLAGS are equal. */
  differences(sameFlags: () => boolean): string[] {
    const found: string[] = [];
    for (const { start, end } of this.spans) {
      if (same(this.a.bytes.subarray(start, end), this.b.bytes.subarray(start, end))) continue;
      for (let at = start; at < end; at += 8) {
        const [x, y] = [this.a.view.getBigUint64(at, true), this.b.view.getBigUint64(at, true)];
        if (x === y || this.tolerated(at, sameFlags)) continue;
        if (found.length < TOLD) found.push(`${nameOf(at)}: ${hex(x)}, ${hex(y)}`);
      }
    }
    return found;
  }

  private tolerated(at: number, sameFlags: () => boolean): boolean {
    if (at < VCPU_BASE) return isSideOwn(at);
    const offset = (at - VCPU_BASE) % VCPU_SIZE;
    if (isLeftover(offset)) return true;
    const operands = offset >= FLAG_OPERANDS_SPAN.start && offset < FLAG_OPERANDS_SPAN.end;
    // CC_OP shares eight bytes with the privilege level.
    const kind = offset === FLAGS_SPAN.start && this.a.u32(at + 4) === this.b.u32(at + 4);
    return (operands || kind) && sameFlags();
  }

  /** Pages that either core has written since the log was last started over. */
  private dirtyPages(): number[] {
    const pages: number[] = [];
    const length = this.ramSize / PAGE;
    const table = this.a.u32(VM_DIRTY_PAGES);
    const [x, y] = [this.a.bytes, this.b.bytes];
    const words = length >> 2;
    for (let i = 0; i < words; i++) {
      if (this.a.words[(table >> 2) + i] === 0 && this.b.words[(table >> 2) + i] === 0) continue;
      for (let k = 0; k < 4; k++) if (x[table + 4 * i + k] || y[table + 4 * i + k]) pages.push(4 * i + k);
    }
    return pages;
  }

  /** Physical pages of RAM that differ; those that do not become what restore() goes back to. */
  differentPages(): string[] {
    const pages = this.dirtyPages();
    const found: string[] = [];
    for (const page of pages) {
      const text = this.comparePage(page);
      if (text) found.push(text);
    }
    if (found.length === 0) {
      for (const page of pages) {
        const at = this.ramBase + page * PAGE;
        this.before.set(this.a.bytes.subarray(at, at + PAGE), page * PAGE);
      }
      if (pages.length > LOG_LONG) this.startLog();
    }
    return found;
  }

  private startLog(): void {
    const table = this.a.u32(VM_DIRTY_PAGES);
    for (const side of [this.a, this.b]) side.bytes.fill(0, table, table + this.ramSize / PAGE);
    this.request(REQ_TLB_FLUSH);
  }

  private comparePage(page: number): string | undefined {
    const at = this.ramBase + page * PAGE;
    const [x, y] = [this.a.bytes.subarray(at, at + PAGE), this.b.bytes.subarray(at, at + PAGE)];
    if (same(x, y)) return undefined;
    let byte = 0;
    while (x[byte] === y[byte]) byte++;
    const from = byte & ~7;
    const word = (side: Side): string => hex(side.view.getBigUint64(at + from, true));
    return `RAM at offset 0x${(page * PAGE + from).toString(16)}: ${word(this.a)}, ${word(this.b)}`;
  }

  /** All of RAM, whether it was logged as written or not. */
  differentRam(): string[] {
    const found: string[] = [];
    for (let at = 0; at < this.ramSize; at += CHUNK) {
      const [x, y] = [this.a, this.b].map((side) =>
        side.bytes.subarray(this.ramBase + at, this.ramBase + Math.min(at + CHUNK, this.ramSize)),
      ) as [Uint8Array, Uint8Array];
      if (same(x, y)) continue;
      const first = at / PAGE;
      for (let page = first; page < first + x.length / PAGE; page++) {
        const text = this.comparePage(page);
        if (text && found.length < TOLD) found.push(text);
      }
    }
    return found;
  }
}

const hex = (x: bigint): string => `0x${x.toString(16)}`;

/** Compares eight bytes at a time: what does it faster than a loop is Node's alone. */
function same(x: Uint8Array, y: Uint8Array): boolean {
  const buffer = (globalThis as { Buffer?: { compare(a: Uint8Array, b: Uint8Array): number } }).Buffer;
  if (buffer) return buffer.compare(x, y) === 0;
  const length = x.length >> 3;
  const [a, b] = [new Float64Array(x.buffer, x.byteOffset, length), new Float64Array(y.buffer, y.byteOffset, length)];
  for (let i = 0; i < length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}
