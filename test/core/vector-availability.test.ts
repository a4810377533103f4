// When MMX and SSE instructions may run: #UD, #NM, #MF, #XM and #GP by CR0, CR4, MXCSR and the x87 status (SDM volume 3,
// 2.5 and 13.1; volume 2, table 2-16 on); RDPKRU and WRPKRU.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KVM_EXIT_HLT } from "../../assembly/exits.ts";
import {
  CPU_FCW,
  CPU_FSW,
  CPU_FTAG,
  CPU_FTOP,
  CPU_GPR,
  CPU_MXCSR,
  CPU_PKRU,
  CPU_RIP,
  CPU_X87,
  CPU_XMM,
} from "../../assembly/layout.ts";
import { readSregs, writeSregs } from "../../host/kvm/sregs.ts";
import { createBareVm } from "../oracle/bare-vm.ts";
import { guestCpuid } from "../oracle/guest-cpuid.ts";

const CR0_EM = 4n;
const CR0_TS = 8n;
const OSFXSR = 1n << 9n;
const OSXMMEXCPT = 1n << 10n;
const PKE = 1n << 22n;
const SSE = OSFXSR | OSXMMEXCPT;
const RAX = CPU_GPR;
const RCX = CPU_GPR + 8;
const RDX = CPU_GPR + 16;

const CODE = 0x1000;
const HANDLERS = 0x3000;
const STACK = 0x8000n;
const HLT = 0xf4;
const SECOND_NS = 1e9;
const UD = 6;
const NM = 7;
const GP = 13;
const MF = 16;
const XM = 19;
/** An x87 exception is pending: zero divide, unmasked, summarized. */
const PENDING = { fcw: 0x37b, fsw: 0x84 };
const ZERO_DIVIDE_UNMASKED = 0x1d80;

interface Setting {
  cr0?: bigint;
  cr4?: bigint;
  mxcsr?: number;
  pending?: boolean;
  rax?: bigint;
  rcx?: bigint;
  rdx?: bigint;
}

/** A vCPU in real mode whose every exception handler is HLT. */
async function machine() {
  const { state, core, memory, ram } = await createBareVm(1 << 20, await guestCpuid());
  for (let vector = 0; vector < 32; vector++) {
    memory.view.setUint16(ram + vector * 4, HANDLERS + vector, true);
    memory.bytes[ram + HANDLERS + vector] = HLT;
  }
  const home = readSregs(state);
  home.cs = { ...home.cs, base: 0n, selector: 0 };
  return {
    state,
    /** Runs `code`, then HLT. Returns the vector that was raised, or -1. */
    run(code: readonly number[], setting: Setting = {}): number {
      writeSregs(state, { ...home, cr0: home.cr0 | (setting.cr0 ?? 0n), cr4: setting.cr4 ?? SSE });
      memory.bytes.set([...code, HLT], ram + CODE);
      core.dmaWritten(BigInt(CODE), BigInt(code.length + 1));
      state.setU64(CPU_RIP, BigInt(CODE));
      state.setU64(CPU_GPR + 32, STACK);
      state.setU32(CPU_MXCSR, setting.mxcsr ?? 0x1f80);
      state.setU32(CPU_FCW, setting.pending ? PENDING.fcw : 0x37f);
      state.setU32(CPU_FSW, setting.pending ? PENDING.fsw : 0);
      state.setU64(RAX, setting.rax ?? 0n);
      state.setU64(RCX, setting.rcx ?? 0n);
      state.setU64(RDX, setting.rdx ?? 0n);
      assert.equal(core.run(SECOND_NS, 0), KVM_EXIT_HLT);
      const at = Number(state.u64(CPU_RIP)) - 1;
      if (at === CODE + code.length) return -1;
      assert.ok(at >= HANDLERS && at < HANDLERS + 32, `stopped at ${at.toString(16)}`);
      return at - HANDLERS;
    },
  };
}

const MOVAPS = [0x0f, 0x28, 0xc1];
const MOVQ_MM = [0x0f, 0x6f, 0xc1];
const EMMS = [0x0f, 0x77];
const MOVNTI = [0x0f, 0xc3, 0x06, 0x00, 0x20];
const CRC32 = [0xf2, 0x0f, 0x38, 0xf0, 0xc1];
const DIVSS = [0xf3, 0x0f, 0x5e, 0xc1];
const LDMXCSR = [0x0f, 0xae, 0x16, 0x00, 0x20];
const STORE_EAX = [0x66, 0xa3, 0x00, 0x20];
const MOVQ2DQ = [0xf3, 0x0f, 0xd6, 0xc1];
const CVTPI2PS = [0x0f, 0x2a, 0xc1];
const RDPKRU = [0x0f, 0x01, 0xee];
const WRPKRU = [0x0f, 0x01, 0xef];

test("SSE needs CR4.OSFXSR and CR0.EM clear; CR0.TS is #NM", async () => {
  const m = await machine();
  assert.equal(m.run(MOVAPS), -1);
  assert.equal(m.run(MOVAPS, { cr4: 0n }), UD);
  assert.equal(m.run(MOVAPS, { cr0: CR0_EM }), UD);
  assert.equal(m.run(MOVAPS, { cr0: CR0_TS }), NM);
  assert.equal(m.run(MOVAPS, { cr0: CR0_EM | CR0_TS }), UD);
  assert.equal(m.run([0xf0, ...MOVAPS]), UD);
});

test("MMX asks CR0 alone, and a pending x87 exception comes first", async () => {
  const m = await machine();
  assert.equal(m.run(MOVQ_MM, { cr4: 0n }), -1);
  assert.equal(m.run(MOVQ_MM, { cr0: CR0_EM }), UD);
  assert.equal(m.run(MOVQ_MM, { cr0: CR0_TS }), NM);
  assert.equal(m.run(MOVQ_MM, { pending: true }), MF);
  assert.equal(m.run(EMMS, { pending: true }), MF);
  assert.equal(m.run(MOVQ2DQ, { pending: true }), MF);
  assert.equal(m.run(CVTPI2PS, { pending: true }), MF);
  assert.equal(m.run(CVTPI2PS, { cr4: 0n }), UD);
  assert.equal(m.run(MOVAPS, { pending: true }), -1);
});

test("an MMX write takes the x87 stack; EMMS gives it back", async () => {
  const { state, run } = await machine();
  state.setU32(CPU_FTOP, 5);
  state.setU32(CPU_FTAG, 0);
  state.setU64(CPU_X87 + 16, 0x1122334455667788n);
  assert.equal(run(MOVQ_MM), -1);
  assert.equal(state.u32(CPU_FTOP), 0);
  assert.equal(state.u32(CPU_FTAG), 0xff);
  assert.equal(state.u64(CPU_X87), 0x1122334455667788n);
  assert.equal(state.u16(CPU_X87 + 8), 0xffff);
  assert.equal(run(EMMS), -1);
  assert.equal(state.u32(CPU_FTAG), 0);
});

test("MOVNTI and CRC32 use no vector register", async () => {
  const m = await machine();
  for (const code of [MOVNTI, CRC32]) assert.equal(m.run(code, { cr4: 0n, cr0: CR0_EM | CR0_TS }), -1);
});

test("an unmasked exception is #XM, or #UD without CR4.OSXMMEXCPT, and leaves its flag and the operand", async () => {
  const { state, run } = await machine();
  const one = 0x3f800000;
  for (const [cr4, vector] of [
    [SSE, XM],
    [OSFXSR, UD],
  ] as const) {
    state.setU32(CPU_XMM, one);
    state.setU32(CPU_XMM + 32, 0);
    assert.equal(run(DIVSS, { cr4, mxcsr: ZERO_DIVIDE_UNMASKED }), vector);
    assert.equal(state.u32(CPU_XMM), one);
    assert.equal(state.u32(CPU_MXCSR), ZERO_DIVIDE_UNMASKED | 4);
  }
});

test("LDMXCSR refuses reserved bits", async () => {
  const { state, run } = await machine();
  assert.equal(run([...STORE_EAX, ...LDMXCSR], { rax: 0xffffn }), -1);
  assert.equal(state.u32(CPU_MXCSR), 0xffff);
  // The code behind the store is another address: only the vector counts.
  assert.equal(run([...STORE_EAX, ...LDMXCSR], { rax: 0x10000n }), GP);
  assert.equal(state.u32(CPU_MXCSR), 0x1f80);
});

test("RDPKRU and WRPKRU want CR4.PKE and zeros", async () => {
  const { state, run } = await machine();
  assert.equal(run(RDPKRU), UD);
  assert.equal(run(WRPKRU), UD);
  assert.equal(run(WRPKRU, { cr4: PKE, rax: 0x55555554n }), -1);
  assert.equal(state.u32(CPU_PKRU), 0x55555554);
  assert.equal(run(RDPKRU, { cr4: PKE, rax: -1n & 0xffffffffffffffffn, rdx: 7n }), -1);
  assert.equal(state.u64(RAX), 0x55555554n);
  assert.equal(state.u64(RDX), 0n);
  assert.equal(run(RDPKRU, { cr4: PKE, rcx: 1n }), GP);
  assert.equal(run(WRPKRU, { cr4: PKE, rcx: 1n }), GP);
  assert.equal(run(WRPKRU, { cr4: PKE, rdx: 1n }), GP);
  assert.equal(run([0xf3, ...RDPKRU], { cr4: PKE }), UD);
});
