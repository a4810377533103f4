// A vCPU in real mode with 16 MiB of memory, for vectors that give registers and a few bytes.
import { KVM_EXIT_IO } from "../../assembly/exits.ts";
import { CPU_GPR, CPU_RIP, CPU_SEG_ATTR, CPU_SEG_BASE, CPU_SEG_LIMIT, CPU_SEG_SEL } from "../../assembly/layout.ts";
import { completeAccess, decodeExit, type PendingAccess, pendingAccess } from "../../host/kvm/run.ts";
import { type BareVm, createBareVm } from "./bare-vm.ts";
import { guestCpuid } from "./guest-cpuid.ts";
import { TRAPPED } from "./wkvm-runner.ts";

const MEMORY = 16 << 20;
const LIMIT_NS = 10e9;
const HLT = 0xf4;
/** AX BX CX DX, then SP BP SI DI, as RAX.. are numbered. */
const GENERAL: [number, number][] = [
  [0, 0],
  [1, 3],
  [2, 1],
  [3, 2],
  [8, 4],
  [9, 5],
  [10, 6],
  [11, 7],
];
/** CS SS DS ES. */
const SEGMENTS: [number, number][] = [
  [4, 1],
  [5, 2],
  [6, 3],
  [7, 0],
];

export class RealModeGuest {
  trap: Error | undefined;
  private touched: number[] = [];
  private pending: PendingAccess | undefined;

  private constructor(private readonly vm: BareVm) {}

  static async create(): Promise<RealModeGuest> {
    return new RealModeGuest(await createBareVm(MEMORY, await guestCpuid()));
  }

  /** Writes {u32 address, u8 byte} pairs. */
  poke(bytes: Uint8Array): void {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += 5) this.set(view.readUInt32LE(at), bytes[at + 4]!);
  }

  /** Makes the handler of a vector begin with HLT. */
  pokeHandler(vector: number): void {
    const { memory, ram } = this.vm;
    const offset = memory.view.getUint16(ram + vector * 4, true);
    const segment = memory.view.getUint16(ram + vector * 4 + 2, true);
    this.set(segment * 16 + offset, HLT);
  }

  /** Gives a vector the handler of another. */
  copyHandler(from: number, to: number): void {
    for (let i = 0; i < 4; i++) this.set(to * 4 + i, this.peek(from * 4 + i));
  }

  peek(address: number): number {
    return this.vm.memory.bytes[this.vm.ram + address]!;
  }

  /** ax bx cx dx cs ss ds es sp bp si di ip flags. */
  setRegisters(values: Uint16Array): void {
    const { state, core } = this.vm;
    for (let i = 0; i < 16; i++) state.setU64(CPU_GPR + i * 8, 0n);
    for (const [from, to] of GENERAL) state.setU32(CPU_GPR + to * 8, values[from]!);
    for (const [from, number] of SEGMENTS) {
      state.setU32(CPU_SEG_SEL + number * 4, values[from]!);
      state.setU64(CPU_SEG_BASE + number * 8, BigInt(values[from]! * 16));
      state.setU32(CPU_SEG_LIMIT + number * 4, 0xffff);
      state.setU32(CPU_SEG_ATTR + number * 4, number === 1 ? 0x9b : 0x93);
    }
    state.setU64(CPU_RIP, BigInt(values[12]!));
    // The 80286 keeps IOPL and NT clear in real mode.
    core.setRflags(BigInt(values[13]! & 0xfd5) | 2n);
    if (core.commitSregs() < 0) throw new Error("commitSregs");
  }

  registers(): Uint16Array {
    const { state, core } = this.vm;
    const values = new Uint16Array(14);
    for (const [from, to] of GENERAL) values[from] = state.u32(CPU_GPR + to * 8);
    for (const [from, number] of SEGMENTS) values[from] = state.u32(CPU_SEG_SEL + number * 4);
    values[12] = state.u32(CPU_RIP);
    values[13] = Number(core.getRflags() & 0xffffn);
    return values;
  }

  /** KVM_EXIT_*, or TRAPPED. */
  run(): number {
    const { state, core } = this.vm;
    if (this.pending) completeAccess(state, this.pending);
    this.pending = undefined;
    try {
      const reason = core.run(LIMIT_NS, 0);
      if (reason === KVM_EXIT_IO) this.pending = pendingAccess(state, decodeExit(state, reason));
      return reason;
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      this.trap = error;
      return TRAPPED;
    }
  }

  /** Answers IN with all ones. */
  answerOnes(): void {
    if (this.pending) this.pending.exit.data.fill(0xff);
  }

  /** Zeroes the bytes that the test set or compares; the vector's other writes stay. */
  restore(): void {
    for (const address of this.touched) this.write(address, 0);
    this.touched = [];
    this.pending = undefined;
  }

  private set(address: number, value: number): void {
    this.write(address, value);
    this.touched.push(address);
  }

  private write(address: number, value: number): void {
    const { memory, core, ram } = this.vm;
    memory.bytes[ram + address] = value;
    core.dmaWritten(BigInt(address), 1n);
  }
}
