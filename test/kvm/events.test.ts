import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type DebugExit,
  exitName,
  KVM_EXIT_DEBUG,
  KVM_EXIT_HLT,
  KVM_EXIT_IO,
  KVM_EXIT_IRQ_WINDOW_OPEN,
  KVM_GUESTDBG_ENABLE,
  KVM_GUESTDBG_INJECT_BP,
  KVM_GUESTDBG_SINGLESTEP,
  KVM_GUESTDBG_USE_HW_BP,
  KVM_GUESTDBG_USE_SW_BP,
  KVM_MP_STATE_HALTED,
  KVM_MP_STATE_RUNNABLE,
  KVM_MP_STATE_UNINITIALIZED,
  KVM_VCPUEVENT_VALID_NMI_PENDING,
  KVM_VCPUEVENT_VALID_SHADOW,
  KVM_VCPUEVENT_VALID_SMM,
  KvmError,
  type Vcpu,
} from "../../host/kvm/index.ts";
import { CODE, makeGuest } from "./guest.ts";

const hasCode = (code: string) => (error: unknown) => error instanceof KvmError && error.code === code;

/** A handler at 0x2000 that sends its letter to port 0x10 and returns. */
const HANDLER = [0x50, 0xb0, 0x49, 0xe6, 0x10, 0x58, 0xcf]; // push ax; mov al, 'I'; out 0x10, al; pop ax; iret

/** Real-mode vector `n` points to 0:offset. */
function setVector(ram: Uint8Array, n: number, offset: number): void {
  ram.set([offset & 255, offset >> 8, 0, 0], 4 * n);
}

test("interrupt() is delivered when the guest enables interrupts", async () => {
  // cli; nop; sti; nop; hlt
  const { vcpu, ram } = await makeGuest([0xfa, 0x90, 0xfb, 0x90, 0xf4]);
  ram.set(HANDLER, 0x2000);
  setVector(ram, 0x21, 0x2000);
  vcpu.interrupt(0x21);
  assert.throws(() => vcpu.interrupt(0x22), hasCode("EEXIST"));
  assert.equal(vcpu.getSregs().interruptBitmap[0], 1n << 0x21n);
  const exit = vcpu.run();
  assert.ok(exit.reason === KVM_EXIT_IO && exit.data[0] === 0x49);
  assert.equal(vcpu.getSregs().interruptBitmap[0], 0n);
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
  assert.equal(vcpu.getRegs().rip, BigInt(CODE + 5));
});

test("interrupt() refuses other vectors, and VMs with an irqchip", async () => {
  const { vcpu } = await makeGuest([0xf4]);
  assert.throws(() => vcpu.interrupt(256), hasCode("EINVAL"));
  assert.throws(() => vcpu.interrupt(-1), hasCode("EINVAL"));
  const { vcpu: other } = await makeGuest([0xf4], { beforeVcpu: (vm) => vm.createIrqchip() });
  assert.throws(() => other.interrupt(0x20), hasCode("ENXIO"));
});

test("requestInterruptWindow gives IRQ_WINDOW_OPEN once interrupts are enabled", async () => {
  // cli; out 0x10, al; sti; nop; nop; hlt
  const { vcpu } = await makeGuest([0xfa, 0xe6, 0x10, 0xfb, 0x90, 0x90, 0xf4]);
  vcpu.kvmRun.requestInterruptWindow = true;
  assert.equal(vcpu.kvmRun.requestInterruptWindow, true);
  assert.equal(vcpu.run().reason, KVM_EXIT_IO);
  assert.equal(vcpu.kvmRun.ifFlag, false);
  assert.equal(vcpu.kvmRun.readyForInterruptInjection, false);
  assert.equal(exitName(vcpu.run().reason), exitName(KVM_EXIT_IRQ_WINDOW_OPEN));
  assert.equal(vcpu.kvmRun.ifFlag, true);
  assert.equal(vcpu.kvmRun.readyForInterruptInjection, true);
  assert.equal(vcpu.getRegs().rip, BigInt(CODE + 5), "STI holds interrupts off for one instruction");
  vcpu.kvmRun.requestInterruptWindow = false;
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
});

test("nmi() is delivered at once, whatever IF says, and masks others until IRET", async () => {
  const { vcpu, ram } = await makeGuest([0xfa, 0x90, 0xf4]); // cli; nop; hlt
  ram.set(HANDLER, 0x2000);
  setVector(ram, 2, 0x2000);
  vcpu.nmi();
  assert.equal(vcpu.getVcpuEvents().nmi.pending, 1);
  assert.equal(vcpu.run().reason, KVM_EXIT_IO);
  const { nmi } = vcpu.getVcpuEvents();
  assert.deepEqual([nmi.pending, nmi.masked], [0, 1]);
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
  assert.equal(vcpu.getVcpuEvents().nmi.masked, 0);
});

test("an NMI that has been waiting comes right behind the IRET", async () => {
  // inc bx; inc bx; inc bx; hlt, and the handler: out 0x10, al; iret
  const { vcpu, load } = await makeGuest([0x43, 0x43, 0x43, 0xf4]);
  load(8, [0x00, 0x20, 0x00, 0x00]);
  load(0x2000, [0xe6, 0x10, 0xcf]);
  vcpu.nmi();
  assert.equal(vcpu.run().reason, KVM_EXIT_IO);
  vcpu.nmi();
  assert.equal(vcpu.run().reason, KVM_EXIT_IO);
  assert.equal(vcpu.getRegs().rbx & 0xffffn, 0n, "no instruction of the program in between");
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
  assert.equal(vcpu.getRegs().rbx & 0xffffn, 3n);
});

/** Runs a program whose #DB handler sends IP to port 0x10; returns what it sent. */
async function tracedBy(code: readonly number[], prepare: (vcpu: Vcpu) => void = () => {}): Promise<number[]> {
  const { vcpu, ram, load } = await makeGuest(code);
  prepare(vcpu);
  setVector(ram, 1, 0x2000);
  // push bp; mov bp, sp; push ax; mov ax, [bp+2]; out 0x10, ax; pop ax; pop bp; iret
  load(0x2000, [0x55, 0x89, 0xe5, 0x50, 0x8b, 0x46, 0x02, 0xe7, 0x10, 0x58, 0x5d, 0xcf]);
  const at: number[] = [];
  for (let i = 0; i < 20; i++) {
    const exit = vcpu.run();
    if (exit.reason === KVM_EXIT_HLT) return at;
    if (exit.reason === KVM_EXIT_IO) at.push((exit.data[0] as number) | ((exit.data[1] as number) << 8));
  }
  throw new Error(`traps without end: ${at.join(" ")}`);
}

test("a load of SS holds the single-step trap back by one instruction", async () => {
  // pushf; pop ax; or ah, 1; mov cx, ss; push ax; popf; mov ss, cx; nop; nop; and ah, 0xfe; push ax; popf; hlt
  const set = [0x9c, 0x58, 0x80, 0xcc, 0x01, 0x8c, 0xd1, 0x50, 0x9d];
  const after = [0x8e, 0xd1, 0x90, 0x90, 0x80, 0xe4, 0xfe, 0x50, 0x9d, 0xf4];
  const start = CODE + set.length;
  assert.deepEqual(
    await tracedBy([...set, ...after]),
    [3, 4, 7, 8, 9].map((offset) => start + offset),
  );
});

/** A breakpoint on reads and writes of the two bytes at 0x3000. */
function watchWord(vcpu: Vcpu): void {
  vcpu.setDebugregs({ db: [0x3000n, 0n, 0n, 0n], dr6: 0n, dr7: 0x70001n });
}

test("INT1 reports what a load of SS has met, and INT 1 leaves it to a trap of its own", async () => {
  const loadSs = [0x8e, 0x16, 0x00, 0x30]; // mov ss, [0x3000]
  let watched: Vcpu | undefined;
  const int1 = await tracedBy([...loadSs, 0xf1, 0xf4], (vcpu) => {
    watchWord(vcpu);
    watched = vcpu;
  });
  assert.deepEqual(int1, [CODE + 5]);
  assert.equal(watched?.getDebugregs().dr6, 0xffff0ff1n);
  // The trap comes at the handler's first instruction.
  assert.deepEqual(await tracedBy([...loadSs, 0xcd, 0x01, 0xf4], watchWord), [0x2000, CODE + 6]);
});

test("a single step over HLT ends it", async () => {
  // pushf; pop ax; or ah, 1; push ax; popf; hlt; and ah, 0xfe; push ax; popf; hlt
  const code = [0x9c, 0x58, 0x80, 0xcc, 0x01, 0x50, 0x9d, 0xf4, 0x80, 0xe4, 0xfe, 0x50, 0x9d, 0xf4];
  assert.deepEqual(
    await tracedBy(code),
    [8, 11, 12, 13].map((offset) => CODE + offset),
  );
});

test("getVcpuEvents() and setVcpuEvents() inject an exception with its error code", async () => {
  const { vcpu, ram } = await makeGuest([0xf4]);
  ram.set(HANDLER, 0x2000);
  setVector(ram, 6, 0x2000);
  const events = vcpu.getVcpuEvents();
  assert.deepEqual(events.exception, { injected: 0, nr: 0, hasErrorCode: 0, pending: 0, errorCode: 0 });
  assert.equal(events.flags, KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW | KVM_VCPUEVENT_VALID_SMM);
  events.exception = { injected: 1, nr: 6, hasErrorCode: 0, pending: 0, errorCode: 0 };
  vcpu.setVcpuEvents(events);
  assert.deepEqual(vcpu.getVcpuEvents(), events);
  assert.equal(vcpu.run().reason, KVM_EXIT_IO, "the handler of #UD");
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
});

test("an interrupt shadow set by setVcpuEvents() holds an interrupt off", async () => {
  const { vcpu, ram } = await makeGuest([0x90, 0x90, 0xf4]); // nop; nop; hlt
  ram.set(HANDLER, 0x2000);
  setVector(ram, 0x30, 0x2000);
  vcpu.setRegs({ ...vcpu.getRegs(), rflags: 0x202 });
  const events = vcpu.getVcpuEvents();
  events.interrupt.shadow = 2;
  vcpu.setVcpuEvents(events);
  assert.equal(vcpu.getVcpuEvents().interrupt.shadow, 2);
  vcpu.interrupt(0x30);
  assert.equal(vcpu.run().reason, KVM_EXIT_IO);
  const stack = new DataView(ram.buffer, ram.byteOffset).getUint16(CODE - 6, true);
  assert.equal(stack, CODE + 1, "one instruction was executed first");
});

test("setVcpuEvents() refuses what cannot be", async () => {
  const { vcpu } = await makeGuest([0xf4]);
  const events = vcpu.getVcpuEvents();
  assert.throws(() => vcpu.setVcpuEvents({ ...events, flags: 0x100 }), hasCode("EINVAL"));
  const exception = { injected: 1, nr: 2, hasErrorCode: 0, pending: 0, errorCode: 0 };
  assert.throws(() => vcpu.setVcpuEvents({ ...events, exception }), hasCode("EINVAL"), "NMI is no exception");
  assert.throws(() => vcpu.setVcpuEvents({ ...events, exception: { ...exception, nr: 32 } }), hasCode("EINVAL"));
  assert.throws(() => vcpu.setVcpuEvents({ ...events, smi: { ...events.smi, smm: 1 } }), hasCode("EINVAL"));
});

test("getMpState() and setMpState()", async () => {
  const { vcpu } = await makeGuest([0xf4]);
  assert.equal(vcpu.getMpState(), KVM_MP_STATE_RUNNABLE);
  assert.throws(() => vcpu.setMpState(KVM_MP_STATE_HALTED), hasCode("EINVAL"), "no irqchip");
  const { vm, vcpu: first } = await makeGuest([0xf4], { beforeVcpu: (vm) => vm.createIrqchip() });
  const second = vm.createVcpu(1);
  assert.equal(first.getMpState(), KVM_MP_STATE_RUNNABLE);
  assert.equal(second.getMpState(), KVM_MP_STATE_UNINITIALIZED);
  first.setMpState(KVM_MP_STATE_HALTED);
  assert.equal(first.getMpState(), KVM_MP_STATE_HALTED);
  assert.throws(() => first.setMpState(5), hasCode("EINVAL"));
});

test("setGuestDebug() steps instruction by instruction", async () => {
  const { vcpu } = await makeGuest([0x90, 0xb0, 0x01, 0xb4, 0x02, 0xf4]); // nop; mov al, 1; mov ah, 2; hlt
  vcpu.setGuestDebug({ control: KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP });
  const seen: bigint[] = [];
  for (let i = 0; i < 3; i++) {
    const exit = vcpu.run() as DebugExit;
    assert.equal(exit.reason, KVM_EXIT_DEBUG);
    assert.equal(exit.exception, 1);
    assert.equal(exit.dr6 & (1n << 14n), 1n << 14n, "DR6.BS");
    seen.push(exit.pc);
  }
  assert.deepEqual(
    seen,
    [1n, 3n, 5n].map((offset) => BigInt(CODE) + offset),
  );
  assert.equal(vcpu.getRegs().rflags & 0x100n, 0n, "the guest does not see TF");
  vcpu.setGuestDebug({ control: 0 });
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
});

test("setGuestDebug() reports INT3 before it is delivered", async () => {
  const { vcpu } = await makeGuest([0x90, 0xcc, 0xf4]); // nop; int3; hlt
  vcpu.setGuestDebug({ control: KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP });
  const exit = vcpu.run() as DebugExit;
  assert.deepEqual([exit.reason, exit.exception, exit.pc], [KVM_EXIT_DEBUG, 3, BigInt(CODE + 1)]);
  assert.equal(vcpu.getRegs().rip, BigInt(CODE + 1));
});

test("setGuestDebug() has debug registers of its own", async () => {
  const { vcpu } = await makeGuest([0x90, 0x90, 0x90, 0xf4]);
  const debugreg = [BigInt(CODE + 2), 0n, 0n, 0n, 0n, 0n, 0n, 0x402n];
  vcpu.setGuestDebug({ control: KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP, debugreg });
  const exit = vcpu.run() as DebugExit;
  assert.deepEqual([exit.reason, exit.exception, exit.pc, exit.dr6 & 15n], [KVM_EXIT_DEBUG, 1, BigInt(CODE + 2), 1n]);
  assert.deepEqual(vcpu.getDebugregs().db, [0n, 0n, 0n, 0n], "the guest's are untouched");
});

test("setGuestDebug() refuses unknown bits, and a second exception", async () => {
  const { vcpu } = await makeGuest([0xf4]);
  assert.throws(() => vcpu.setGuestDebug({ control: 0x40 }), hasCode("EINVAL"));
  vcpu.setGuestDebug({ control: KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_INJECT_BP });
  assert.equal(vcpu.getVcpuEvents().exception.nr, 3);
  assert.throws(() => vcpu.setGuestDebug({ control: KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_INJECT_BP }), hasCode("EBUSY"));
});

test("kvmRun shows CR8 and the APIC base", async () => {
  const { vcpu } = await makeGuest([0xf4]);
  vcpu.kvmRun.cr8 = 5;
  assert.equal(vcpu.kvmRun.cr8, 5);
  assert.equal(vcpu.getSregs().cr8, 5n);
  assert.throws(() => void (vcpu.kvmRun.cr8 = 16), hasCode("EINVAL"));
  assert.equal(vcpu.kvmRun.apicBase, vcpu.getSregs().apicBase);
});
