// AVX as an operating system sees it: when it may run, what is left of the upper halves, and how they are saved.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cpuidFor, KVM_EXIT_HLT } from "../../host/kvm/index.ts";
import { CODE, makeGuest, openKvm } from "./guest.ts";

const GDT = 0x5000;
const IDT = 0x6000;
/** The handler of each vector is a HLT of its own. */
const HANDLERS = 0x7000;
const HLT = 0xf4;
const TS = 8n;
const EM = 4n;
const OSFXSR = 1n << 9n;
const OSXSAVE = 1n << 18n;
const ALL = 7n;
const UD = 6;
const NM = 7;
const GP = 13;

interface Setting {
  cr0?: bigint;
  cr4?: bigint;
  xcr0?: bigint;
  model?: string;
}

/** Runs 64-bit code up to a HLT behind it. Returns the vector it raised, or -1, and the vCPU. */
async function run(code: readonly number[], { cr0 = 0n, cr4 = OSFXSR | OSXSAVE, xcr0 = ALL, model }: Setting = {}) {
  const { vcpu, ram } = await makeGuest([...code, HLT], { mode: "long" });
  vcpu.setCpuid2(model ? cpuidFor(model) : (await openKvm()).getSupportedCpuid());
  const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
  view.setBigUint64(GDT + 8, 0x00af_9b00_0000_ffffn, true);
  for (let vector = 0; vector < 32; vector++) {
    const gate = BigInt(HANDLERS + vector) | (8n << 16n) | (0x8e00n << 32n);
    view.setBigUint64(IDT + vector * 16, gate, true);
    ram[HANDLERS + vector] = HLT;
  }
  const sregs = vcpu.getSregs();
  sregs.gdt = { base: BigInt(GDT), limit: 15 };
  sregs.idt = { base: BigInt(IDT), limit: 32 * 16 - 1 };
  sregs.cr0 |= cr0;
  sregs.cr4 |= cr4;
  vcpu.setSregs(sregs);
  if (!model) vcpu.setXcrs([{ xcr: 0, value: xcr0 }]);
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
  const at = Number(vcpu.getRegs().rip) - 1;
  if (at === CODE + code.length) return { vector: -1, vcpu };
  assert.ok(at >= HANDLERS && at < HANDLERS + 32, `stopped at ${at.toString(16)}`);
  return { vector: at - HANDLERS, vcpu };
}

const ONES_YMM1 = [0xc5, 0xf5, 0x76, 0xc9]; // vpcmpeqd ymm1, ymm1, ymm1
const MOVAPS = [0x0f, 0x28, 0xc8]; // movaps xmm1, xmm0
const VMOVAPS = [0xc5, 0xf8, 0x28, 0xc8]; // vmovaps xmm1, xmm0
const VZEROUPPER = [0xc5, 0xf8, 0x77];
const VZEROALL = [0xc5, 0xfc, 0x77];
const FMA = [0xc4, 0xe2, 0xf5, 0x98, 0xc2]; // vfmadd132pd ymm0, ymm1, ymm2
const XGETBV_1 = [0xdb, 0xe3, 0xb9, 1, 0, 0, 0, 0x0f, 0x01, 0xd0]; // fninit; mov ecx, 1; xgetbv
/** The two halves of YMM1 in an XSAVE image. */
const LOW = 160 + 16;
const HIGH = 576 + 16;

test("AVX needs CR4.OSXSAVE and XCR0, whatever CR0.EM and CR4.OSFXSR say; CR0.TS is #NM", async () => {
  assert.equal((await run(ONES_YMM1)).vector, -1);
  assert.equal((await run(ONES_YMM1, { cr4: OSXSAVE, cr0: EM })).vector, -1);
  assert.equal((await run(ONES_YMM1, { cr4: OSFXSR })).vector, UD);
  assert.equal((await run(ONES_YMM1, { xcr0: 3n })).vector, UD);
  assert.equal((await run(ONES_YMM1, { cr0: TS })).vector, NM);
  assert.equal((await run(ONES_YMM1, { cr0: TS, xcr0: 3n })).vector, UD);
});

test("prefixes that VEX does not allow, and registers that must not be named, are #UD", async () => {
  for (const prefix of [0xf0, 0x66, 0xf2, 0xf3, 0x40]) assert.equal((await run([prefix, ...ONES_YMM1])).vector, UD);
  assert.equal((await run([0xc5, 0xf0, 0x28, 0xc8])).vector, UD, "vmovaps with a register in vvvv");
  assert.equal((await run([0xc5, 0xf4, 0x16, 0xc2])).vector, UD, "vmovlhps has no 256-bit form");
});

test("a processor without AVX, AVX2 or FMA has none of their instructions", async () => {
  for (const [code, feature] of [
    [VMOVAPS, "avx"],
    [ONES_YMM1, "avx2"],
    [FMA, "fma"],
  ] as const) {
    const setting = [0xb8, 7, 0, 0, 0, 0x31, 0xd2, 0x31, 0xc9, 0x0f, 0x01, 0xd1]; // mov eax, 7; xor edx, edx; xor ecx, ecx; xsetbv
    const program = [...setting, ...code];
    assert.equal((await run(program, { model: "x86-64-v3" })).vector, -1, feature);
    // Without AVX itself XCR0 has no place for it.
    const without = await run(program, { model: `x86-64-v3,-${feature}` });
    assert.equal(without.vector, feature === "avx" ? GP : UD, feature);
  }
});

test("legacy instructions keep the upper halves, VEX-encoded ones clear them", async () => {
  const halves = async (code: readonly number[]): Promise<number[]> => {
    const image = (await run([...ONES_YMM1, ...code])).vcpu.getXsave();
    return [image[LOW]!, image[HIGH]!];
  };
  assert.deepEqual(await halves([]), [0xff, 0xff]);
  assert.deepEqual(await halves(MOVAPS), [0, 0xff]);
  assert.deepEqual(await halves(VMOVAPS), [0, 0]);
  assert.deepEqual(await halves(VZEROUPPER), [0xff, 0]);
  assert.deepEqual(await halves(VZEROALL), [0, 0]);
});

test("setXsave() gives the upper halves back, and XGETBV(1) tells what is in use", async () => {
  const saved = (await run(ONES_YMM1)).vcpu.getXsave();
  const { vcpu } = await run([]);
  vcpu.setXsave(saved);
  assert.deepEqual(vcpu.getXsave(), saved);
  const inUse = async (code: readonly number[]): Promise<bigint> => {
    return (await run([...code, ...XGETBV_1])).vcpu.getRegs().rax;
  };
  assert.equal(await inUse([]), 0n);
  assert.equal(await inUse(ONES_YMM1), 6n);
  assert.equal(await inUse([...ONES_YMM1, ...VZEROUPPER]), 2n);
  assert.equal(await inUse([...ONES_YMM1, ...MOVAPS]), 4n);
});
