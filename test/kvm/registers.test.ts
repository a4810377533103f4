import assert from "node:assert/strict";
import { test } from "node:test";
import { KVM_EXIT_HLT, KvmError, type KvmRegs, type KvmSregs } from "../../host/kvm/index.ts";
import { CODE, makeGuest, openKvm } from "./guest.ts";

const invalid = (error: unknown) => error instanceof KvmError && error.code === "EINVAL";

test("a new vCPU is in the state after power-up", async () => {
  const { vm } = await makeGuest([0xf4]);
  const vcpu = vm.createVcpu(1);
  const regs = vcpu.getRegs();
  const sregs = vcpu.getSregs();
  assert.equal(regs.rip, 0xfff0n);
  assert.equal(regs.rflags, 2n);
  assert.equal(sregs.cs.base, 0xffff_0000n);
  assert.equal(sregs.cs.selector, 0xf000);
  assert.equal(sregs.cr0, 0x6000_0010n);
  assert.equal(sregs.efer, 0n);
  assert.equal(sregs.tr.type, 11);
  assert.equal(sregs.ldt.type, 2);
  assert.equal(sregs.idt.limit, 0xffff);
});

test("setRegs() and getRegs() carry every register", async () => {
  const { vcpu } = await makeGuest([0xf4]);
  const regs = vcpu.getRegs();
  Object.keys(regs).forEach((name, i) => {
    regs[name as keyof KvmRegs] = 0x0123_4567_89ab_cd00n + BigInt(i);
  });
  regs.rip = 0xffff_8000_0000_1234n;
  regs.rflags = 0x3f_7fd7n;
  vcpu.setRegs(regs);
  assert.deepEqual(vcpu.getRegs(), regs);
});

test("setRegs() takes numbers and always sets RFLAGS bit 1", async () => {
  const { vcpu } = await makeGuest([0xf4]);
  vcpu.setRegs({ ...vcpu.getRegs(), rax: 5, rflags: 0 });
  assert.equal(vcpu.getRegs().rax, 5n);
  assert.equal(vcpu.getRegs().rflags, 2n);
});

test("setRegs() refuses what no processor holds, and changes nothing", async () => {
  const { vcpu } = await makeGuest([0xf4]);
  const before = vcpu.getRegs();
  for (const rip of [0x8000_0000_0000n, 0xffff_7fff_ffff_ffffn, 0x1234_0000_0000_0000n]) {
    assert.throws(() => vcpu.setRegs({ ...before, rax: 1n, rip }), invalid, rip.toString(16));
  }
  for (const rflags of [1n << 3n, 1n << 5n, 1n << 15n, 1n << 22n, 1n << 63n]) {
    assert.throws(() => vcpu.setRegs({ ...before, rflags }), invalid, rflags.toString(16));
  }
  assert.throws(() => vcpu.setRegs({ ...before, rax: -1n }), invalid);
  assert.throws(() => vcpu.setRegs({ ...before, rax: 1n << 64n }), invalid);
  assert.throws(() => vcpu.setRegs({ ...before, rax: 0.5 }), invalid);
  assert.deepEqual(vcpu.getRegs(), before);
});

test("setSregs() and getSregs() carry segments, tables and control registers", async () => {
  const { vcpu } = await makeGuest([0xf4], { mode: "long" });
  const sregs = vcpu.getSregs();
  sregs.fs.base = 0x1234_5678_9000n;
  sregs.gs.base = 0xffff_8000_0000_0000n;
  sregs.ldt = {
    base: 0x5000n,
    limit: 0x1f,
    selector: 0x28,
    type: 2,
    present: 1,
    dpl: 0,
    db: 0,
    s: 0,
    l: 0,
    g: 0,
    avl: 0,
    unusable: 0,
  };
  sregs.ds = { ...sregs.ds, selector: 0, present: 0, type: 0, s: 0, g: 0, db: 0, limit: 0, unusable: 1 };
  sregs.gdt = { base: 0xffff_8000_0000_5000n, limit: 0x7f };
  sregs.idt = { base: 0x6000n, limit: 0xfff };
  sregs.cr2 = 0xdead_beef_0000n;
  sregs.cr4 |= 1n << 7n;
  sregs.efer |= 1n | (1n << 11n);
  vcpu.setSregs(sregs);
  assert.deepEqual(vcpu.getSregs(), sregs);
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
  assert.deepEqual(vcpu.getSregs(), sregs);
});

test("setSregs() refuses what no processor holds, and changes nothing", async () => {
  const { vcpu } = await makeGuest([0xf4], { mode: "long" });
  vcpu.setCpuid2((await openKvm()).getSupportedCpuid());
  const before = vcpu.getSregs();
  const bad: [string, (sregs: KvmSregs) => void][] = [
    ["CR0 upper half", (s) => void (s.cr0 |= 1n << 32n)],
    ["CR0 reserved bit", (s) => void (s.cr0 |= 1n << 15n)],
    ["CR0.PG without PE", (s) => void (s.cr0 &= ~1n)],
    ["CR0.NW without CD", (s) => void (s.cr0 = (s.cr0 | (1n << 29n)) & ~(1n << 30n))],
    ["CR4 reserved bit", (s) => void (s.cr4 |= 1n << 31n)],
    ["CR4.LA57, which CPUID does not have", (s) => void (s.cr4 |= 1n << 12n)],
    ["CR4.PAE off in long mode", (s) => void (s.cr4 &= ~(1n << 5n))],
    ["EFER reserved bit", (s) => void (s.efer |= 1n << 2n)],
    ["EFER.LMA without LME", (s) => void (s.efer &= ~(1n << 8n))],
    ["EFER.LME and PG without LMA", (s) => void (s.efer &= ~(1n << 10n))],
    ["APIC base reserved bit", (s) => void (s.apicBase |= 1n << 9n)],
    ["APIC base beyond the address width", (s) => void (s.apicBase |= 1n << 45n)],
    ["CR8 over 15", (s) => void (s.cr8 = 16n)],
    ["non-canonical GDT base", (s) => void (s.gdt.base = 1n << 47n)],
    ["non-canonical FS base", (s) => void (s.fs.base = 1n << 47n)],
    ["segment type over 15", (s) => void (s.ds.type = 16)],
    ["DPL over 3", (s) => void (s.ds.dpl = 4)],
    ["selector over 16 bits", (s) => void (s.ds.selector = 0x10000)],
  ];
  for (const [what, change] of bad) {
    const sregs = structuredClone(before);
    sregs.cr2 = 0x1234n;
    change(sregs);
    assert.throws(() => vcpu.setSregs(sregs), invalid, what);
    assert.deepEqual(vcpu.getSregs(), before, what);
  }
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
});

test("getFpu() and setFpu() carry x87 and SSE state, by place in the stack", async () => {
  const { vcpu } = await makeGuest([0xf4]);
  const fpu = vcpu.getFpu();
  fpu.fcw = 0x37f;
  fpu.fsw = 0x3 << 11;
  fpu.ftwx = 0x18;
  fpu.lastOpcode = 0x123;
  fpu.lastIp = 0x1111n;
  fpu.lastDp = 0x2222n;
  fpu.mxcsr = 0x1f80;
  fpu.fpr.forEach((register, i) => void register.set([i, 2, 3, 4, 5, 6, 7, 0x80, 0xff, 0x3f]));
  fpu.xmm.forEach((register, i) => void register.fill(i + 1));
  vcpu.setFpu(fpu);
  assert.deepEqual(vcpu.getFpu(), fpu);
});

test("setFpu() is what x87 and SSE instructions see", async () => {
  // fstp qword [0x2000]; movups [0x2010], xmm3; hlt
  const { vcpu, ram } = await makeGuest([0xdd, 0x1e, 0x00, 0x20, 0x0f, 0x11, 0x1e, 0x10, 0x20, 0xf4]);
  const sregs = vcpu.getSregs();
  sregs.cr4 |= 3n << 9n;
  vcpu.setSregs(sregs);
  const fpu = vcpu.getFpu();
  fpu.fcw = 0x37f;
  fpu.fsw = 5 << 11;
  fpu.ftwx = 1 << 5;
  fpu.fpr[0]?.set([0, 0, 0, 0, 0, 0, 0, 0xc0, 0x00, 0x40]); // 3.0
  fpu.xmm[3]?.fill(0xab);
  vcpu.setFpu(fpu);
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
  const view = new DataView(ram.buffer, ram.byteOffset);
  assert.equal(view.getFloat64(0x2000, true), 3);
  assert.deepEqual([...ram.subarray(0x2010, 0x2020)], Array(16).fill(0xab));
  assert.equal(vcpu.getFpu().ftwx, 0, "the register was popped");
});

test("setFpu() refuses reserved MXCSR bits and wrong sizes", async () => {
  const { vcpu } = await makeGuest([0xf4]);
  const fpu = vcpu.getFpu();
  assert.throws(() => vcpu.setFpu({ ...fpu, mxcsr: 0x1_0000 }), invalid);
  assert.throws(() => vcpu.setFpu({ ...fpu, xmm: fpu.xmm.slice(1) }), invalid);
});

test("getXsave() agrees with getFpu(), and setXsave() restores it", async () => {
  const { vm, vcpu } = await makeGuest([0xf4]);
  const cpuid = (await openKvm()).getSupportedCpuid();
  vcpu.setCpuid2(cpuid);
  const fpu = vcpu.getFpu();
  fpu.fcw = 0x27f;
  fpu.xmm.forEach((register, i) => void register.fill(0x10 + i));
  fpu.fpr[0]?.set([1, 2, 3, 4, 5, 6, 7, 0x80, 0xff, 0x3f]);
  vcpu.setFpu(fpu);
  const image = vcpu.getXsave();
  const view = new DataView(image.buffer);
  assert.equal(image.length, 4096);
  assert.equal(view.getUint16(0, true), 0x27f);
  assert.equal(view.getUint32(24, true), fpu.mxcsr);
  assert.equal(view.getBigUint64(512, true) & 3n, 3n, "XSTATE_BV: x87 and SSE");
  assert.equal(image[32], 1, "ST(0)");
  assert.equal(image[160 + 16 * 15], 0x1f, "XMM15");
  const other = vm.createVcpu(1);
  other.setCpuid2(cpuid);
  other.setXsave(image);
  assert.deepEqual(other.getXsave(), image);
  assert.deepEqual(other.getFpu(), fpu);
});

test("setXsave() refuses images that XRSTOR would refuse", async () => {
  const { vcpu } = await makeGuest([0xf4]);
  vcpu.setCpuid2((await openKvm()).getSupportedCpuid());
  const image = vcpu.getXsave();
  assert.throws(() => vcpu.setXsave(image.subarray(1)), invalid, "short");
  const view = new DataView(image.buffer);
  view.setBigUint64(512, 1n << 40n, true);
  assert.throws(() => vcpu.setXsave(image), invalid, "a component that is not there");
  view.setBigUint64(512, 3n, true);
  view.setUint32(24, 0xffff_ffff, true);
  assert.throws(() => vcpu.setXsave(image), invalid, "MXCSR");
});

test("getXcrs() and setXcrs(): XCR0 holds what CPUID has", async () => {
  const { vcpu } = await makeGuest([0xf4]);
  vcpu.setCpuid2((await openKvm()).getSupportedCpuid());
  assert.deepEqual(vcpu.getXcrs(), [{ xcr: 0, value: 1n }]);
  vcpu.setXcrs([{ xcr: 0, value: 3n }]);
  assert.deepEqual(vcpu.getXcrs(), [{ xcr: 0, value: 3n }]);
  assert.throws(() => vcpu.setXcrs([{ xcr: 0, value: 2n }]), invalid, "without x87");
  assert.throws(() => vcpu.setXcrs([{ xcr: 0, value: 1n | (1n << 62n) }]), invalid, "unknown component");
  assert.throws(() => vcpu.setXcrs([{ xcr: 1, value: 1n }]), invalid, "no XCR1");
});

test("getMsrs() and setMsrs() stop at the first that does not exist", async () => {
  const { vcpu } = await makeGuest([0xf4]);
  vcpu.setCpuid2((await openKvm()).getSupportedCpuid());
  assert.equal(
    vcpu.setMsrs([
      { index: 0xc000_0082, data: 0xffff_8000_0000_1000n },
      { index: 0x1234, data: 0 },
      { index: 0x174, data: 8 },
    ]),
    1,
  );
  const values = vcpu.getMsrs([0xc000_0082, 0x1234, 0x174]);
  assert.deepEqual(values, [{ index: 0xc000_0082, data: 0xffff_8000_0000_1000n }]);
  assert.equal(vcpu.setMsrs([{ index: 0xc000_0082, data: 1n << 47n }]), 0, "non-canonical LSTAR");
});

test("getDebugregs() and setDebugregs() carry DR0-3, DR6, DR7", async () => {
  const { vcpu } = await makeGuest([0xf4]);
  assert.deepEqual(vcpu.getDebugregs(), { db: [0n, 0n, 0n, 0n], dr6: 0xffff_0ff0n, dr7: 0x400n });
  vcpu.setDebugregs({ db: [1n, 2n, 3n, 4n], dr6: 0xffff_0ff1n, dr7: 0x401n });
  assert.deepEqual(vcpu.getDebugregs(), { db: [1n, 2n, 3n, 4n], dr6: 0xffff_0ff1n, dr7: 0x401n });
  assert.throws(() => vcpu.setDebugregs({ db: [0n, 0n, 0n, 0n], dr6: 1n << 32n, dr7: 0n }), invalid);
  assert.throws(() => vcpu.setDebugregs({ db: [0n, 0n, 0n, 0n], dr6: 0n, dr7: 1n << 32n }), invalid);
});

test("translate() walks the page tables and touches nothing", async () => {
  const { vcpu, ram } = await makeGuest([0xf4], { mode: "long" });
  const before = ram.slice(0x8000, 0xa000);
  assert.deepEqual(vcpu.translate(0x12345n), {
    physicalAddress: 0x12345n,
    valid: true,
    writeable: true,
    usermode: false,
  });
  assert.equal(vcpu.translate(0x4000_0000n).valid, false);
  assert.equal(vcpu.translate(0x4000_0000n).physicalAddress, 0xffff_ffff_ffff_ffffn);
  assert.deepEqual(ram.slice(0x8000, 0xa000), before);
});

test("getTscKhz() and setTscKhz()", async () => {
  const { vcpu } = await makeGuest([0xf4]);
  assert.equal(vcpu.getTscKhz(), 1_000_000);
  vcpu.setTscKhz(2_500_000);
  assert.equal(vcpu.getTscKhz(), 2_500_000);
  assert.throws(() => vcpu.setTscKhz(0), invalid);
  assert.throws(() => vcpu.setTscKhz(1.5), invalid);
});

test("reset() brings back the power-up state and keeps the CPUID table", async () => {
  const { vcpu } = await makeGuest([0xf4], { mode: "long" });
  const cpuid = (await openKvm()).getSupportedCpuid();
  vcpu.setCpuid2(cpuid);
  vcpu.run();
  vcpu.reset();
  assert.equal(vcpu.getRegs().rip, 0xfff0n);
  assert.equal(vcpu.getSregs().efer, 0n);
  assert.deepEqual(vcpu.getCpuid2(), cpuid);
  assert.notEqual(vcpu.getRegs().rip, BigInt(CODE));
});
