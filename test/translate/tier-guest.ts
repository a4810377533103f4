// One guest, executed by the interpreter and as translated code. Whatever a test does to it and sees of it has to be
// the same.
//
// Time is what the core asks for it: a millisecond a question. So a run ends at the same instruction on a busy machine.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { KVM_EXIT_HLT } from "../../assembly/exits.ts";
import {
  CPU_CR2,
  CPU_GPR,
  CPU_RIP,
  CPU_SCRATCH,
  CPU_X87,
  VM_ICOUNT_SHIFT,
  VM_JIT_THRESHOLD,
} from "../../assembly/layout.ts";
import { type CoreExports, compileCore, instantiate } from "../../host/kvm/core.ts";
import { writeCpuid } from "../../host/kvm/cpuid-table.ts";
import { exitName } from "../../host/kvm/exits.ts";
import { VmMemory } from "../../host/kvm/memory.ts";
import { completeAccess, decodeExit, pendingAccess } from "../../host/kvm/run.ts";
import { type KvmSegment, type KvmSregs, readSregs, writeSregs } from "../../host/kvm/sregs.ts";
import { readVcpuStats, type VcpuStats } from "../../host/kvm/stats.ts";
import { VcpuState } from "../../host/kvm/vcpu-state.ts";
import { guestCpuid } from "../oracle/guest-cpuid.ts";

export const MEMORY = 1 << 20;
export const PML4 = 0x1000;
const PDPT = 0x2000;
const PAGE_DIRECTORY = 0x3000;
/** Page tables of the memory there is, which is mapped to itself, and of 2 MiB that are the test's to map. */
export const LOW_PAGES = 0x4000;
export const HIGH_PAGES = 0x5000;
/** Linear address of the first page that HIGH_PAGES maps. */
export const HIGH = 0x20_0000;
const GDT = 0x6000;
const IDT = 0x7000;
/** A HLT every 16 bytes: the handler of each vector. */
export const HANDLERS = 0x8000;
export const STACK = 0x1_0000;
export const CODE = 0x2_0000;
/** For code of 16 bits: in the first 64 KiB of its segment. */
export const LOW_CODE = 0xd000;
export const DATA = 0x8_0000;
export const PRESENT_WRITABLE = 3;
/** The first address that pages of 2 MiB map. */
export const LARGE = 0x40_0000;
const LARGE_PAGE = 0x20_0000;
const LARGE_WRITABLE = 0x83;
/** A second set of tables like the first, for a second address space. */
export const OTHER_PML4 = 0x9000;

const QUESTION_NS = 1e6;
const LIMIT_NS = 100e6;

export type CodeBits = 16 | 32 | 64;

/** Numbers of the general registers. */
export const [RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

export class TierGuest {
  readonly snapshots: string[] = [];
  readonly memory: VmMemory;
  /** The modules of translated code that the core has made. */
  readonly modules: Uint8Array[];
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly power: KvmSregs;

  private constructor(
    readonly core: CoreExports,
    readonly state: VcpuState,
    readonly ram: number,
    size: number,
    modules: Uint8Array[],
    /** What is shown the records of CPU_LOG, and each module before it is compiled. */
    readonly hooks: {
      trace?: (kind: number, a: bigint, b: bigint, c: bigint) => void;
      module?: (module: Uint8Array, slots: Uint32Array) => void;
    },
  ) {
    this.modules = modules;
    this.memory = state.memory;
    this.view = new DataView(state.memory.memory.buffer, ram, size);
    this.bytes = state.memory.bytes.subarray(ram, ram + size);
    this.power = readSregs(state);
  }

  /**
   * Makes a guest in 64-bit mode at CPL 0, nothing loaded yet. `threshold`: as VM_JIT_THRESHOLD. `bytes`: of memory; what
   * lies from LARGE on is mapped to itself.
   */
  static async create(threshold: number, bytes = MEMORY, maxVcpus = 1): Promise<TierGuest> {
    const guest = await TierGuest.powerUp(threshold, bytes, maxVcpus);
    guest.buildTables();
    guest.enterLongMode();
    return guest;
  }

  /** Makes a guest with `bytes` of memory, as it is at power-up. */
  static async powerUp(threshold: number, bytes: number, maxVcpus = 1): Promise<TierGuest> {
    let now = 0;
    const modules: Uint8Array[] = [];
    const hooks: TierGuest["hooks"] = {};
    const program = await compileCore();
    const memory = VmMemory.create(bytes, maxVcpus, 0n, 0, program);
    const core = instantiate(program, memory.memory, {
      nowNs: () => {
        now += QUESTION_NS;
        return now;
      },
      // RDRAND, to both tiers the same however often each of them was asked.
      randomU32: () => 0x2545_f491,
      doorbell: () => {},
      trace: (kind, a, b, c) => hooks.trace?.(kind, a, b, c),
      onModule: (module, slots) => {
        modules.push(module);
        hooks.module?.(module, slots);
      },
    });
    memory.view.setUint32(VM_JIT_THRESHOLD, threshold, true);
    memory.view.setInt32(VM_ICOUNT_SHIFT, 0, true);
    core.vcpuSelect(0);
    core.vcpuReset();
    const ram = memory.allocate(bytes);
    assert.ok(core.setSlot(0, 0, 0n, BigInt(bytes), ram) >= 0);
    const state = new VcpuState(memory, core, 0);
    writeCpuid(state, await guestCpuid());
    return new TierGuest(core, state, ram, bytes, modules, hooks);
  }

  /** Puts code or data at a guest physical address, as a device would. */
  load(at: number, bytes: ArrayLike<number>): void {
    this.bytes.set(bytes, at);
    this.core.dmaWritten(BigInt(at), BigInt(bytes.length));
  }

  /** Maps linear page HIGH + 4096 * `index` to a guest physical page, without telling the processor. */
  mapHigh(index: number, page: number): void {
    this.view.setBigUint64(HIGH_PAGES + index * 8, BigInt(page | PRESENT_WRITABLE), true);
  }

  setRegister(number: number, value: number | bigint): void {
    this.state.setU64(CPU_GPR + 8 * number, BigInt.asUintN(64, BigInt(value)));
  }

  register(number: number): bigint {
    return this.state.memory.u64(this.state.base + CPU_GPR + 8 * number);
  }

  /** Executes from an address to the next exit, and notes what there is to be seen. Returns KVM_EXIT_*. */
  run(rip?: number, stack = STACK): number {
    if (rip !== undefined) {
      this.state.setU64(CPU_RIP, BigInt(rip));
      this.setRegister(RSP, stack);
      this.state.changed();
    }
    const reason = this.core.run(LIMIT_NS, 0);
    this.snapshots.push(this.snapshot(reason));
    return reason;
  }

  /** Answers an access to a port or to memory that is not there, every byte with `value`. False: it was none. */
  answer(reason: number, value: number): boolean {
    const pending = pendingAccess(this.state, decodeExit(this.state, reason));
    if (!pending) return false;
    pending.exit.data.fill(value);
    completeAccess(this.state, pending);
    return true;
  }

  /** run() up to a HLT. */
  runToHalt(rip = CODE): void {
    assert.equal(exitName(this.run(rip)), exitName(KVM_EXIT_HLT));
  }

  stats(): VcpuStats {
    return readVcpuStats(this.state);
  }

  private snapshot(reason: number): string {
    const { memory, base } = this.state;
    const lines = [`${exitName(reason)} rip=${hex(memory.u64(base + CPU_RIP))} flags=${hex(this.core.getRflags())}`];
    for (let i = 0; i < 16; i++) lines.push(`r${i}=${hex(this.register(i))}`);
    const vectors = createHash("sha1")
      .update(memory.bytes.subarray(base + CPU_X87, base + CPU_SCRATCH))
      .digest("hex");
    lines.push(`cr2=${hex(memory.u64(base + CPU_CR2))} x87 and vectors ${vectors}`);
    lines.push(`memory ${createHash("sha1").update(this.bytes).digest("hex")}`);
    lines.push(`${this.stats().counters.instructions} instructions`);
    return lines.join("\n");
  }

  private buildTables(): void {
    const put = (at: number, value: number | bigint) => this.view.setBigUint64(at, BigInt(value), true);
    put(PML4, PDPT | 7);
    put(OTHER_PML4, PDPT | 7);
    put(PDPT, PAGE_DIRECTORY | 7);
    put(PAGE_DIRECTORY, LOW_PAGES | 7);
    put(PAGE_DIRECTORY + 8, HIGH_PAGES | 7);
    for (let page = LARGE; page < this.bytes.length; page += LARGE_PAGE) {
      put(PAGE_DIRECTORY + (page / LARGE_PAGE) * 8, page | LARGE_WRITABLE);
    }
    for (let page = 0; page < MEMORY >> 12; page++) put(LOW_PAGES + page * 8, (page << 12) | PRESENT_WRITABLE);
    put(GDT + 8, 0x00af9b000000ffffn);
    put(GDT + 16, 0x00cf93000000ffffn);
    for (let vector = 0; vector < 256; vector++) {
      const handler = HANDLERS + vector * 16;
      put(IDT + vector * 16, BigInt(handler & 0xffff) | (8n << 16n) | (0x8en << 40n));
      this.bytes[handler] = 0xf4;
    }
  }

  /** Goes on with code of 16 or 32 bits in compatibility mode, in flat segments; 64: back to 64-bit code. */
  useCode(bits: CodeBits): void {
    const sregs = readSregs(this.state);
    writeSregs(this.state, { ...sregs, cs: segment(8, 11, bits) });
    this.core.commitSregs();
    this.state.changed();
  }

  /** Goes on with 32-bit code in flat segments, without long mode and without paging. */
  leaveLongMode(): void {
    const data = segment(16, 3, 32);
    writeSregs(this.state, {
      ...this.power,
      ...{ cs: segment(8, 11, 32), ds: data, es: data, ss: data, fs: data, gs: data },
      ...{ gdt: { base: BigInt(GDT), limit: 23 }, cr0: 0x11n },
    });
    this.core.commitSregs();
    this.state.changed();
  }

  private enterLongMode(): void {
    const data = segment(16, 3, 32);
    writeSregs(this.state, {
      ...this.power,
      ...{ cs: segment(8, 11, 64), ds: data, es: data, ss: data, fs: data, gs: data },
      gdt: { base: BigInt(GDT), limit: 23 },
      idt: { base: BigInt(IDT), limit: 0xfff },
      // PE MP ET NE WP PG; PAE PGE OSFXSR OSXMMEXCPT PCIDE; SCE LME LMA NXE.
      ...{ cr0: 0x80010033n, cr3: BigInt(PML4), cr4: 0x206a0n, efer: 0xd01n },
    });
    this.core.setRflags(2n);
    this.core.commitSregs();
    this.state.changed();
  }
}

/**
 * At 1 every trace is translated before it is executed, so that a region finds few others to take in; at the others
 * regions are made at the end of a slice, of all that has been executed until then.
 */
const THRESHOLDS = [1, 2, 9];

/**
 * Runs a test on the interpreter and on the translator at several thresholds, and compares what they saw. Returns the
 * guest of which everything was translated.
 */
export async function onBothTiers(run: (guest: TierGuest) => void, thresholds = THRESHOLDS): Promise<TierGuest> {
  const interpreted = await TierGuest.create(0);
  run(interpreted);
  const translated: TierGuest[] = [];
  for (const threshold of thresholds) {
    const guest = await TierGuest.create(threshold);
    translated.push(guest);
    try {
      run(guest);
    } finally {
      guest.snapshots.forEach((seen, i) => {
        assert.equal(seen, interpreted.snapshots[i], `after run ${i}, threshold ${threshold}`);
      });
    }
    assert.equal(guest.snapshots.length, interpreted.snapshots.length);
  }
  return translated[0]!;
}

/** The share of its instructions that a guest executed in regions, 0 to 1. */
export function shareInRegions(guest: TierGuest): number {
  const { regionInstructions, instructions } = guest.stats().counters;
  return regionInstructions / instructions;
}

/** A flat segment of a type; `bits`: of its code or stack. */
function segment(selector: number, type: number, bits: CodeBits): KvmSegment {
  return {
    ...{ base: 0n, limit: 0xffff_ffff, present: 1, dpl: 0, s: 1, g: 1, avl: 0, unusable: 0 },
    ...{ selector, type, db: Number(bits === 32), l: Number(bits === 64) },
  };
}

const hex = (value: bigint): string => BigInt.asUintN(64, value).toString(16);
