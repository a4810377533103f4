// wkvm's processor over the peer's memory, without devices: what it asks devices for is answered with what the peer got.
import { KVM_EXIT_HLT, KVM_EXIT_INTR, KVM_EXIT_IO, KVM_EXIT_IO_IN, KVM_EXIT_MMIO } from "../../assembly/exits.ts";
import {
  CPU_CR0,
  CPU_DR,
  CPU_EFER,
  CPU_FUEL,
  CPU_GPR,
  CPU_INTERRUPT_PENDING,
  CPU_INTERRUPT_SOFT,
  CPU_INTERRUPT_VECTOR,
  CPU_MODE,
  CPU_RIP,
  CPU_SEG_BASE,
  MODE_CODE_MASK,
  RUN_EXACT,
  RUN_IMMEDIATE_EXIT,
  RUN_LIMIT,
} from "../../assembly/layout.ts";
import { type CoreExports, type CoreProgram, compileCore, instantiate } from "../../host/kvm/core.ts";
import { writeCpuid } from "../../host/kvm/cpuid-table.ts";
import { type KvmDebugregs, readDebugregs, writeDebugregs } from "../../host/kvm/debug.ts";
import { VmMemory } from "../../host/kvm/memory.ts";
import { readRegs, writeRegs } from "../../host/kvm/registers.ts";
import { completeAccess, decodeExit, pendingAccess } from "../../host/kvm/run.ts";
import { type KvmSregs, readSregs, writeSregs } from "../../host/kvm/sregs.ts";
import { VcpuState } from "../../host/kvm/vcpu-state.ts";
import { guestCpuid } from "../oracle/guest-cpuid.ts";
import type { Row } from "./row.ts";
import { parseSystem } from "./system-state.ts";

/** No RAM there: the peer has no display. */
const HOLE_START = 0xa0000;
const HOLE_END = 0xc0000;
/** One instruction and what is due before it; or only what is due. */
const INSTRUCTION_TOO = 0;
const DUE_ONLY = 2;
const LONGEST = 15;
const PAGE = 0x1000;
/** Segment registers and their caches; control registers; debug registers. CPU_FUEL and CPU_MODE end the first two. */
const SYSTEM_RANGES: readonly (readonly [number, number])[] = [
  [CPU_SEG_BASE, CPU_FUEL],
  [CPU_CR0, CPU_EFER + 8],
  [CPU_EFER + 8, CPU_DR + 64],
];

/** What a step has met. */
export interface Step {
  /** Values came from a device: a port, or memory that is none. */
  outside: boolean;
  /** The processor can go no further; why. */
  ended: string | undefined;
}

export class Processor {
  private constructor(
    private readonly memory: VmMemory,
    private readonly core: CoreExports,
    private readonly state: VcpuState,
    private readonly ram: number,
    private readonly bytes: number,
  ) {
    this.halves = new Uint32Array(memory.memory.buffer, state.base + CPU_GPR, 32);
    this.rip = new Uint32Array(memory.memory.buffer, state.base + CPU_RIP, 2);
    this.system = SYSTEM_RANGES.map(
      ([from, to]) => new Uint32Array(memory.memory.buffer, state.base + from, (to - from) >> 2),
    );
    this.lastSystem = this.system.map((words) => words.slice());
  }

  /** General registers, low and high halves. */
  readonly halves: Uint32Array;
  private readonly rip: Uint32Array;
  private readonly system: readonly Uint32Array[];
  private readonly lastSystem: readonly Uint32Array[];

  /** `registers`: the peer's, at the start; `core`: another than the built one. */
  static async create(image: Uint8Array, start: Row, core?: CoreProgram): Promise<Processor> {
    const program = core ?? (await compileCore());
    const memory = VmMemory.create(image.length, 1, 0n, 0, program);
    // Its run() ends with the instruction, whatever time it is.
    const exports = instantiate(program, memory.memory, { nowNs: () => 0, doorbell: () => {}, trace: () => {} });
    exports.vcpuSelect(0);
    exports.vcpuReset();
    const ram = memory.allocate(image.length);
    memory.bytes.set(image, ram);
    const slots: [number, number][] = [
      [0, HOLE_START],
      [HOLE_END, image.length],
    ];
    slots.forEach(([from, to], slot) => {
      const result = exports.setSlot(slot, 0, BigInt(from), BigInt(to - from), ram + from);
      if (result < 0) throw new Error(`setSlot: ${result}`);
    });
    const state = new VcpuState(memory, exports, 0);
    writeCpuid(state, await guestCpuid());
    const processor = new Processor(memory, exports, state, ram, image.length);
    processor.load(start);
    return processor;
  }

  /** Takes over a state. */
  private load(row: Row): void {
    const { sregs, debugregs } = parseSystem(row.systemText);
    writeSregs(this.state, { ...readSregs(this.state), ...sregs });
    writeDebugregs(this.state, debugregs);
    writeRegs(this.state, { ...readRegs(this.state), rip: row.rip, rflags: row.flags });
    this.halves.set(row.gpr);
  }

  get ripLow(): number {
    return this.rip[0]!;
  }

  get ripHigh(): number {
    return this.rip[1]!;
  }

  get flags(): number {
    return Number(this.core.getRflags() & 0xffff_ffffn);
  }

  set flags(value: number) {
    this.core.setRflags(BigInt(value));
  }

  /** 0, 1, 2: 16, 32, 64-bit code. */
  get codeSize(): number {
    return this.state.u32(CPU_MODE) & MODE_CODE_MASK;
  }

  get systemRegisters(): { sregs: KvmSregs; debugregs: KvmDebugregs } {
    return { sregs: readSregs(this.state), debugregs: readDebugregs(this.state) };
  }

  /** True where segment, control or debug registers have changed since this was asked last. */
  systemChanged(): boolean {
    let changed = false;
    this.system.forEach((words, part) => {
      const last = this.lastSystem[part]!;
      for (let i = 0; i < words.length; i++) {
        if (words[i] === last[i]) continue;
        changed = true;
        last.set(words);
        break;
      }
    });
    return changed;
  }

  /** Executes one instruction, of a repeated one one iteration. A port's value is what the peer has in RAX then. */
  step(result: Step, peerRax: number): void {
    result.outside = false;
    result.ended = undefined;
    let reason = this.run(INSTRUCTION_TOO);
    while (reason === KVM_EXIT_IO || reason === KVM_EXIT_MMIO) {
      const exit = decodeExit(this.state, reason);
      const access = pendingAccess(this.state, exit);
      if (!access) break;
      if (exit.reason === KVM_EXIT_MMIO) result.outside ||= !exit.isWrite;
      if (exit.reason === KVM_EXIT_IO && exit.direction === KVM_EXIT_IO_IN) {
        result.outside = true;
        for (let i = 0; i < exit.size; i++) exit.data[i] = peerRax >>> (8 * i);
      }
      completeAccess(this.state, access);
      this.state.setU32(RUN_IMMEDIATE_EXIT, 1);
      reason = this.core.run(Number.POSITIVE_INFINITY, 0);
      this.state.setU32(RUN_IMMEDIATE_EXIT, 0);
    }
    if (reason !== KVM_EXIT_INTR && reason !== KVM_EXIT_HLT) result.ended = `run() ends with exit ${reason}`;
  }

  /** Delivers an interrupt. */
  interrupt(vector: number): void {
    this.state.setU32(CPU_INTERRUPT_PENDING, 1);
    this.state.setU32(CPU_INTERRUPT_VECTOR, vector);
    this.state.setU32(CPU_INTERRUPT_SOFT, 0);
    this.run(DUE_ONLY);
  }

  private run(exact: number): number {
    this.state.setU32(RUN_LIMIT, 1);
    this.state.setU32(RUN_EXACT, exact);
    return this.core.run(Number.POSITIVE_INFINITY, 0);
  }

  /** The bytes of the instruction at `rip`, as far as they are mapped. */
  code(rip: bigint): Uint8Array {
    const base = this.state.u64(CPU_SEG_BASE + 8);
    const linear = this.codeSize === 2 ? rip : (rip + base) & 0xffff_ffffn;
    const bytes: number[] = [];
    for (let i = 0n; i < LONGEST; i++) {
      const gpa = this.core.translate(BigInt.asIntN(64, linear + i));
      if (gpa < 0n || gpa >= BigInt(this.bytes)) break;
      bytes.push(this.memory.bytes[this.ram + Number(gpa)]!);
    }
    return Uint8Array.from(bytes);
  }

  /** Physical addresses of the bytes that differ from those of `image`, the first one in each page. */
  differentPages(image: Uint8Array): number[] {
    const own = this.memory.bytes.subarray(this.ram, this.ram + this.bytes);
    const [ours, theirs] = [own, image].map(({ buffer, byteOffset, length }) =>
      Buffer.from(buffer as ArrayBuffer, byteOffset, length),
    ) as [Buffer, Buffer];
    const found: number[] = [];
    for (let page = 0; page < this.bytes; page += PAGE) {
      if (page >= HOLE_START && page < HOLE_END) continue;
      if (ours.compare(theirs, page, page + PAGE, page, page + PAGE) === 0) continue;
      for (let at = page; at < page + PAGE; at++) {
        if (own[at] === image[at] || isAccessedBit(at, own[at]! ^ image[at]!)) continue;
        found.push(at);
        break;
      }
    }
    return found;
  }
}

/** The accessed bit of a descriptor: TCG leaves it alone where a code segment is loaded. */
function isAccessedBit(address: number, difference: number): boolean {
  return (address & 7) === 5 && difference === 1;
}
