// A guest whose memory is random bytes, put into a chosen mode and left to run: what a hostile or a
// broken guest looks like. Descriptor tables are sound, and every gate leads into random code.

import { KVM_EXIT_HLT, KVM_EXIT_INTR } from "../../assembly/exits.ts";
import { CPU_GPR, CPU_RIP } from "../../assembly/layout.ts";
import { completeAccess, decodeExit, pendingAccess } from "../../host/kvm/run.ts";
import { type KvmSegment, type KvmSregs, readSregs, segmentWithRights, writeSregs } from "../../host/kvm/sregs.ts";
import { Random } from "../differential/random.ts";
import { type BareVm, createBareVm } from "../oracle/bare-vm.ts";
import { guestCpuid } from "../oracle/guest-cpuid.ts";

export type Mode = "real" | "vm86" | "protected16" | "protected32" | "paged32" | "pae32" | "compat" | "long";
/** Every mode and privilege that the test runs. */
export const CONFIGURATIONS: readonly [Mode, number][] = [
  ["real", 0],
  ["vm86", 3],
  ["protected16", 0],
  ["protected16", 3],
  ["protected32", 0],
  ["protected32", 3],
  ["paged32", 0],
  ["paged32", 3],
  ["pae32", 0],
  ["compat", 0],
  ["compat", 3],
  ["long", 0],
  ["long", 3],
];

/** Bytes of guest memory. */
export const MEMORY = 2 << 20;
const SLICE_NS = 2e6;
/** Exits between fresh starts. */
const EXITS_PER_START = 200;
/** Below this the tables lie; random code above. */
const CODE_START = 0x20000;
const GDT = 0x1000;
const IDT = 0x2000;
const TSS = 0x4000;
const STACK = 0x18000;
const PML4 = 0x8000;
const PDPT = 0x9000;
const PD = 0xa000;
const PAGE_DIRECTORY = 0xb000;

/** Counts of exits by reason. */
export interface Outcome {
  exits: Record<number, number>;
  starts: number;
}

/** Runs random code for `ms` milliseconds. A trap of the core is thrown. */
export async function runRandomCode(mode: Mode, cpl: number, seed: number, ms: number): Promise<Outcome> {
  const vm = await createBareVm(MEMORY, await guestCpuid());
  const power = readSregs(vm.state);
  const random = new Random(seed);
  const exits: Record<number, number> = {};
  const until = performance.now() + ms;
  let starts = 0;
  while (performance.now() < until) {
    random.reseed(seed, starts++);
    startRandomCode(vm, power, mode, cpl, random);
    for (let i = 0; i < EXITS_PER_START && performance.now() < until; i++) {
      const reason = vm.core.run(SLICE_NS, 0);
      exits[reason] = (exits[reason] ?? 0) + 1;
      const exit = decodeExit(vm.state, reason);
      const pending = pendingAccess(vm.state, exit);
      if (pending) {
        random.fill(pending.exit.data, 0, Math.min(pending.exit.data.length, 8));
        completeAccess(vm.state, pending);
      } else if (reason !== KVM_EXIT_HLT && reason !== KVM_EXIT_INTR) break;
      // A loop that goes nowhere is left alone after a slice or two.
      if (reason === KVM_EXIT_INTR && random.oneIn(2)) break;
    }
  }
  return { exits, starts };
}

/** Fills memory with bytes that are, more often than chance has it, the opcodes of something. */
function scribble(bytes: Uint8Array, random: Random): void {
  const common = [
    0x0f, 0x66, 0xf3, 0xf2, 0x67, 0xf0, 0x48, 0x89, 0x8b, 0xff, 0xd9, 0xcd, 0x8e, 0xcf, 0x9d, 0xa4, 0xc3, 0xe8,
  ];
  for (let at = CODE_START; at < bytes.length; at++) {
    bytes[at] = random.oneIn(4) ? random.pick(common) : random.u32() >>> 24;
  }
}

/** Fills memory with random code and brings the vCPU into a mode, about to execute some. `power`: the power-up state. */
export function startRandomCode(vm: BareVm, power: KvmSregs, mode: Mode, cpl: number, random: Random): void {
  const { memory, core, state, ram } = vm;
  const bytes = memory.bytes.subarray(ram, ram + MEMORY);
  // Refilling everything takes longer than running it: a window around the start is fresh each time.
  if (bytes[CODE_START + 1] === 0 && bytes[CODE_START + 2] === 0) scribble(bytes, random);
  const entry = CODE_START + random.below(0xc000);
  for (let at = entry; at < entry + 64; at++) bytes[at] = random.u32() >>> 24;
  tables(new DataView(memory.memory.buffer, ram, MEMORY), mode, random);
  core.dmaWritten(0n, BigInt(MEMORY));
  core.vcpuReset();
  const sregs = registers(power, mode, cpl);
  writeSregs(state, sregs);
  for (let i = 0; i < 16; i++) {
    const near = CODE_START + random.below(0x8000);
    state.setU64(CPU_GPR + 8 * i, BigInt(random.oneIn(3) ? random.u32() : near));
  }
  state.setU64(CPU_GPR + 32, BigInt(mode === "real" || mode === "vm86" ? 0x8000 : STACK));
  state.setU64(
    CPU_RIP,
    BigInt(mode === "real" || mode === "vm86" || mode === "protected16" ? entry - CODE_START : entry),
  );
  core.setRflags(2n | (mode === "vm86" ? 0x23000n : 0n) | (random.oneIn(2) ? 0x200n : 0n));
  core.commitSregs();
  state.changed();
}

/** Flat 32-bit, 64-bit and 16-bit segments of both privileges; gates of the mode's kind into random code. */
function tables(view: DataView, mode: Mode, random: Random): void {
  const put = (at: number, value: bigint): void => view.setBigUint64(at, value, true);
  const access = [0x9b, 0x93, 0xfb, 0xf3];
  access.forEach((byte, i) => {
    put(GDT + 8 + i * 8, 0x00cf00000000ffffn | (BigInt(byte) << 40n));
    put(GDT + 0x28 + i * 8, 0x000f00000000ffffn | (BigInt(byte) << 40n) | (BigInt(CODE_START) << 16n));
    put(GDT + 0x48 + i * 8, 0x00af00000000ffffn | (BigInt(byte) << 40n));
  });
  const isLong = mode === "long" || mode === "compat";
  const width = isLong ? 16 : 8;
  for (let vector = 0; vector < 256; vector++) {
    const target = BigInt(CODE_START + random.below(0x8000));
    const selector = isLong ? 0x48n : 0x08n;
    put(IDT + vector * width, (target & 0xffffn) | (selector << 16n) | (0xeen << 40n) | ((target >> 16n) << 48n));
    if (isLong) put(IDT + vector * width + 8, 0n);
  }
  if (mode === "real") {
    for (let vector = 0; vector < 256; vector++)
      view.setUint32(vector * 4, ((CODE_START >> 4) << 16) | random.below(0xfff0), true);
  }
  view.setUint32(TSS + 4, STACK, true);
  // In long mode the stack pointer takes eight bytes, and there is no SS.
  view.setUint32(TSS + 8, isLong ? 0 : 0x10, true);
  const table = 7n;
  put(PML4, BigInt(PDPT) | table);
  put(PDPT, BigInt(PD) | (mode === "pae32" ? 1n : table));
  put(PD, 0xe7n);
  for (let i = 1; i < 4; i++) put(PDPT + i * 8, 0n);
  put(PD + 8, 0n);
  view.setUint32(PAGE_DIRECTORY, 0xe7, true);
}

function registers(power: KvmSregs, mode: Mode, cpl: number): KvmSregs {
  const rpl = cpl;
  const dpl = cpl << 5;
  const user = cpl ? 0x10 : 0;
  const tr = segmentWithRights(0x70, 0x8b, BigInt(TSS), 0x67);
  const gdt = { base: BigInt(GDT), limit: 0x67 };
  const idt = { base: BigInt(IDT), limit: mode === "long" || mode === "compat" ? 0xfff : 0x7ff };
  if (mode === "real" || mode === "vm86") {
    const at = (code: boolean): KvmSegment =>
      segmentWithRights(CODE_START >> 4, (code ? 0x9b : 0x93) | dpl, BigInt(CODE_START), 0xffff);
    const flat = { cs: at(true), ds: at(false), es: at(false), ss: at(false), fs: at(false), gs: at(false) };
    if (mode === "real") return { ...power, ...flat, idt: { base: 0n, limit: 0x3ff } };
    return { ...power, ...flat, tr, gdt, idt, cr0: 0x31n };
  }
  const flags = mode === "long" ? 0xa000 : mode === "protected16" ? 0 : 0xc000;
  const index = mode === "long" ? 0x48 : mode === "protected16" ? 0x28 : 8;
  const base = mode === "protected16" ? BigInt(CODE_START) : 0n;
  const limit = mode === "protected16" ? 0xfffff : 0xffffffff;
  const code = segmentWithRights((index + user) | rpl, flags | 0x9b | dpl, base, limit);
  const dataFlags = mode === "protected16" ? 0 : 0xc000;
  const dataIndex = mode === "long" ? 8 : index;
  const data = segmentWithRights((dataIndex + 8 + user) | rpl, dataFlags | 0x93 | dpl, base, limit);
  const common = { ...power, cs: code, ds: data, es: data, ss: data, fs: data, gs: data, tr, gdt, idt };
  if (mode === "paged32") return { ...common, cr0: 0x80010031n, cr3: BigInt(PAGE_DIRECTORY), cr4: 0x690n };
  if (mode === "pae32") return { ...common, cr0: 0x80010031n, cr3: BigInt(PDPT), cr4: 0x6b0n };
  if (mode === "long" || mode === "compat") {
    return { ...common, cr0: 0x80010031n, cr3: BigInt(PML4), cr4: 0x6b0n, efer: 0xd01n };
  }
  return { ...common, cr0: 0x31n, cr4: 0x600n };
}
