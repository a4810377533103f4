// Segments, far transfers and events in real, protected and virtual-8086 mode (SDM volume 3, chapters 5, 6, 20).
import assert from "node:assert/strict";
import { test } from "node:test";
import * as L from "../../assembly/layout.ts";
import {
  ABSENT_DATA,
  CALL_GATE,
  CODE0,
  CODE3,
  CS,
  compileSystem,
  DATA0,
  DATA3,
  DS,
  ES,
  EXECUTE_ONLY,
  EXPAND_DOWN,
  FS,
  GDT,
  GS,
  IDT,
  LDT,
  LDT_SELECTOR,
  LDTR,
  SS,
  SystemMachine,
  TASK_GATE,
  TR,
  TRAP_GATE,
  TSS,
  TSS_SELECTOR,
  TSS2,
  TSS2_SELECTOR,
  USER_GATE,
} from "./system-core.ts";

const code = compileSystem();
const machine = () => new SystemMachine(code);
const protectedMachine = () => {
  const m = machine();
  m.protectedMode();
  return m;
};

test("power-up state", () => {
  const m = machine();
  assert.equal(m.rip, 0xfff0n);
  assert.equal(m.base(CS!), 0xffff0000n);
  assert.equal(m.cpu(L.CPU_CR0), 0x60000010n);
  assert.equal(m.flags, 2);
});

test("real mode: far jumps, calls, returns and their limits", () => {
  const m = machine();
  m.run("jumpFar", 0x1000, 0x20n, 2);
  assert.equal(m.base(CS!), 0x10000n);
  m.run("loadSegment", SS!, 0x2000);
  m.sp = 0x100;
  m.run("callFar", 0x3000, 0x44n, 2);
  assert.equal(m.sp, 0xfc);
  assert.equal(m.read32(0x200fc), 0x10000020);
  m.run("returnFar", 2, 4);
  assert.equal(m.sp, 0x104);
  assert.equal(m.rip, 0x20n);
  assert.equal(m.raises("jumpFar", 0, 0x12345n, 4), "#13(0)");
  m.sp = 1;
  assert.equal(m.raises("callFar", 0x3000, 0n, 2), "#12(0)");
});

test("real mode: interrupts", () => {
  const m = machine();
  m.run("jumpFar", 0x1000, 0x20n, 2);
  m.run("loadSegment", SS!, 0x2000);
  m.sp = 0x100;
  m.write32(0x21 * 4, 0x40000055);
  m.flags = 0x302;
  m.run("softInterrupt", 0x21);
  assert.equal(m.rip, 0x55n);
  assert.equal(m.flags, 2);
  assert.equal(m.read16(0x200fe), 0x302);
  m.run("interruptReturn", 2);
  assert.equal(m.rip, 0x20n);
  assert.equal(m.flags, 0x302);
  m.setCpu32(L.CPU_IDT_LIMIT, 3);
  assert.equal(m.raises("softInterrupt", 5), "#13(2a)");
});

test("control register 0: combinations that do not exist", () => {
  const m = machine();
  assert.equal(m.raises("writeCr", 0, 0x80000000n), "#13(0)");
  assert.equal(m.raises("writeCr", 0, 0x20000001n), "#13(0)");
  assert.equal(m.raises("writeCr", 0, 0x100000001n), "#13(0)");
  assert.equal(m.raises("writeCr", 1, 0n), "#6");
});

test("far jumps look at the descriptor", () => {
  const m = machine();
  m.tables();
  m.run("writeCr", 0, 0x11n);
  assert.equal(m.raises("jumpFar", 0, 0n, 4), "#13(0)");
  assert.equal(m.raises("jumpFar", DATA0, 0n, 4), "#13(10)");
  assert.equal(m.raises("jumpFar", 0x1000, 0n, 4), "#13(1000)");
  assert.equal(m.raises("jumpFar", CODE3, 0n, 4), "#13(18)");
  m.run("jumpFar", CODE0, 0x5000n, 4);
  assert.equal(m.rights(CS!), 0xc09b);
  assert.equal(m.read8(GDT + CODE0 + 5), 0x9b, "the accessed bit is set in memory");
});

test("segment loads: null, level, type, presence", () => {
  const m = protectedMachine();
  assert.equal(m.cpu32(L.CPU_MODE) & (L.MODE_FLAT | L.MODE_CODE_MASK), L.MODE_FLAT | L.MODE_CODE32);
  assert.equal(m.raises("loadSegment", SS!, 0), "#13(0)");
  assert.equal(m.raises("loadSegment", SS!, DATA3), "#13(20)");
  assert.equal(m.raises("loadSegment", SS!, ABSENT_DATA), "#12(50)");
  assert.equal(m.raises("loadSegment", DS!, ABSENT_DATA), "#11(50)");
  assert.equal(m.raises("loadSegment", DS!, EXECUTE_ONLY), "#13(58)");
  m.run("loadSegment", GS!, 0);
  assert.equal(m.raises("linearChecked", GS!, 0n, 4, 0), "#13(0)");
  m.run("loadSegment", GS!, EXPAND_DOWN);
  assert.equal(m.raises("linearChecked", GS!, 0xffffn, 1, 0), "#13(0)");
  assert.equal(m.run("linearChecked", GS!, 0x10000n, 1, 1), 0x10000n);
  assert.equal(m.raises("linearChecked", CS!, 0n, 4, 1), "#13(0)");
});

test("LTR and LLDT", () => {
  const m = protectedMachine();
  assert.equal(m.read8(GDT + TSS_SELECTOR + 5), 0x8b);
  assert.equal(m.raises("loadTr", TSS_SELECTOR), "#13(28)");
  assert.equal(m.raises("loadTr", 0), "#13(0)");
  m.run("loadLdt", LDT_SELECTOR);
  assert.equal(m.base(LDTR!), BigInt(LDT));
  assert.equal(m.raises("loadLdt", DATA0), "#13(10)");
  m.run("loadLdt", 0);
  assert.equal(m.raises("loadSegment", DS!, 4), "#13(4)");
});

test("IRET to level 3 drops data segments of level 0", () => {
  const m = protectedMachine();
  m.run("loadSegment", FS!, DATA3);
  m.iret(0x6000, CODE3, 0x3202, 0xa000, DATA3);
  assert.equal(m.fault(), "");
  assert.equal(m.cpl, 3);
  assert.equal(m.sp, 0xa000);
  assert.equal(m.flags, 0x3202);
  assert.equal(m.selector(DS!), 0);
  assert.equal(m.selector(FS!), DATA3);
  assert.equal(m.raises("loadSegment", ES!, DATA0), "#13(10)");
});

test("the I/O permission bitmap", () => {
  const m = machine();
  m.userMode();
  assert.equal(m.run("ioAllowed", 0x80, 4), 1);
  m.write8(TSS + 0x68 + 0x10, 4);
  assert.equal(m.raises("ioAllowed", 0x80, 4), "#13(0)");
  assert.equal(m.run("ioAllowed", 0x80, 2), 1);
  assert.equal(m.run("ioAllowed", 0xffff, 1), 1);
  m.write16(TSS + 102, 0x169);
  assert.equal(m.raises("ioAllowed", 0xffff, 1), "#13(0)", "the second byte read is beyond the TSS limit");
  m.flags = 0x3202;
  assert.equal(m.run("ioAllowed", 0x80, 4), 1);
});

test("a call gate switches stacks and copies parameters, and RET goes back", () => {
  const m = machine();
  m.userMode();
  m.sp = 0xa000 - 8;
  m.write32(m.sp, 0x1111, 0x2222);
  m.rip = 0x6007n;
  m.run("callFar", CALL_GATE, 0n, 4);
  assert.equal(m.rip, 0x12345n);
  assert.equal(m.cpl, 0);
  const frame = [0, 4, 8, 12, 16, 20].map((i) => m.read32(0x8000 - 24 + i));
  assert.deepEqual(frame, [0x6007, CODE3, 0x1111, 0x2222, 0xa000 - 8, DATA3]);
  m.run("returnFar", 4, 8);
  assert.equal(m.cpl, 3);
  assert.equal(m.sp, 0xa000);
  assert.equal(m.rip, 0x6007n);
});

test("interrupt gates: DPL, presence, flags, return", () => {
  const m = machine();
  m.userMode();
  m.handler(0x80, CODE0, 0xbeef, USER_GATE);
  m.handler(0x81, CODE0, 0xbeef);
  assert.equal(m.raises("softInterrupt", 0x81), "#13(40a)");
  assert.equal(m.raises("softInterrupt", 0x90), "#13(482)");
  m.run("softInterrupt", 0x80);
  assert.equal(m.rip, 0xbeefn);
  assert.equal(m.sp, 0x8000 - 20);
  assert.equal(m.flags, 2);
  m.run("interruptReturn", 4);
  assert.equal(m.flags, 0x202);
  assert.equal(m.cpl, 3);
});

test("exceptions: error code, RF, double fault, shutdown", () => {
  const m = machine();
  m.userMode();
  m.run("deliverException", 13, 0x18);
  assert.equal(m.rip, 0xd00n);
  assert.equal(m.read32(0x8000 - 24), 0x18);
  assert.equal(m.read32(0x8000 - 12), 0x10202);
  m.userMode();
  m.run("deliverException", 11, 0x50);
  assert.equal(m.rip, 0x800n, "no gate for a contributory exception");
  assert.equal(m.read32(0x8000 - 24), 0);
  m.userMode();
  m.run("deliverInterrupt", 0x30);
  assert.equal(m.rip, 0xd00n);
  assert.equal(m.read32(0x8000 - 24), 0x30 * 8 + 3, "EXT");
  m.userMode();
  m.write32(IDT + 8 * 8 + 4, 0);
  assert.equal(m.raises("deliverException", 11, 0x50), "exit 8");
  assert.equal(m.cpl, 3);
});

test("LAR, LSL, VERR, VERW", () => {
  const m = machine();
  m.userMode();
  assert.equal(m.run("lsl", CODE3), 0xffffffffn);
  assert.equal(m.run("lsl", CODE0), -1n);
  assert.equal(m.run("lar", CODE3), 0x00cffb00n);
  assert.equal(m.run("lar", 0), -1n);
  assert.equal(m.run("verr", DATA3), 1);
  assert.equal(m.run("verw", CODE3), 0);
});

/** A task that starts at 0xcafe on level 0. */
function secondTask(m: SystemMachine): void {
  m.write32(TSS2 + 0x1c, 0, 0xcafe, 2, 0x1234);
  m.write32(TSS2 + 0x38, 0x5000);
  m.write32(TSS2 + 0x48, DATA0, CODE0, DATA0, DATA0, 0, 0, LDT_SELECTOR, 0);
}

test("a task gate nests a task, and IRET goes back", () => {
  const m = machine();
  m.userMode();
  secondTask(m);
  m.handler(10, TSS2_SELECTOR, 0, TASK_GATE);
  m.run("deliverException", 10, 0x77);
  assert.equal(m.rip, 0xcafen);
  assert.equal(m.cpl, 0);
  assert.equal(m.reg(0), 0x1234n);
  assert.equal(m.selector(TR!), TSS2_SELECTOR);
  assert.equal(m.flags & 0x4000, 0x4000, "NT");
  assert.equal(m.read16(TSS2), TSS_SELECTOR, "back link");
  assert.equal(m.read32(0x5000 - 4), 0x77, "error code on the new stack");
  assert.equal(m.cpu(L.CPU_CR0) & 8n, 8n, "TS");
  assert.deepEqual([m.read32(TSS + 0x20), m.read32(TSS + 0x24)], [0x6000, 0x10202]);
  assert.deepEqual([m.read8(GDT + TSS_SELECTOR + 5), m.read8(GDT + TSS2_SELECTOR + 5)], [0x8b, 0x8b]);
  m.rip = 0xcaffn;
  m.run("interruptReturn", 4);
  assert.equal(m.rip, 0x6000n);
  assert.equal(m.cpl, 3);
  assert.equal(m.selector(SS!), DATA3);
  assert.equal(m.read8(GDT + TSS2_SELECTOR + 5), 0x89);
  assert.deepEqual([m.read32(TSS2 + 0x20), m.read32(TSS2 + 0x24) & 0x4000], [0xcaff, 0]);
});

test("a 16-bit TSS sets the upper halves of the general registers, as the 80386 does", () => {
  const m = protectedMachine();
  m.descriptor(TSS2_SELECTOR, TSS2, 0x2b, 0x81, 0);
  const [ip, flags, ax, es] = [14, 16, 18, 34];
  m.write16(TSS2 + ip, 0x4321);
  m.write16(TSS2 + flags, 2);
  for (let i = 0; i < 8; i++) m.write16(TSS2 + ax + 2 * i, 0x1110 + i);
  for (const [i, selector] of [DATA0, CODE0, DATA0, DATA0].entries()) m.write16(TSS2 + es + 2 * i, selector);
  m.run("jumpFar", TSS2_SELECTOR, 0n, 4);
  assert.equal(m.rip, 0x4321n);
  assert.deepEqual([m.reg(0), m.reg(7)], [0xffff1110n, 0xffff1117n]);
});

test("what is wrong with a new task is delivered in the new task", () => {
  const m = protectedMachine();
  secondTask(m);
  m.handler(11, CODE0, 0xb00);
  m.write32(TSS2 + 0x54, ABSENT_DATA);
  m.run("jumpFar", TSS2_SELECTOR, 0n, 4);
  assert.equal(m.rip, 0xb00n);
  assert.equal(m.read32(0x5000 - 16), 0x50);
  assert.equal(m.read32(0x5000 - 12), 0xcafe);
  assert.equal(m.read8(GDT + TSS_SELECTOR + 5), 0x89, "JMP leaves the old task available");
});

/** Enters virtual-8086 mode at 1000:0100 with SS:SP 2000:fff0. */
function enterVm86(m: SystemMachine, flags: number): void {
  m.protectedMode();
  m.iret(0x100, 0x1000, flags | 0x20000, 0xfff0, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000);
  assert.equal(m.fault(), "");
}

test("virtual-8086 mode: entry, IOPL, and the way out", () => {
  const m = machine();
  enterVm86(m, 0x202);
  assert.deepEqual([m.base(CS!), m.base(DS!), m.base(GS!)], [0x10000n, 0x40000n, 0x60000n]);
  assert.equal(m.cpl, 3);
  assert.equal(m.raises("softInterrupt", 0x80), "#13(0)");
  assert.equal(m.raises("interruptReturn", 2), "#13(0)");
  m.run("deliverException", 13, 0);
  assert.equal(m.rip, 0xd00n);
  assert.equal(m.selector(DS!), 0);
  assert.equal(m.sp, 0x8000 - 40);
  const frame = Array.from({ length: 10 }, (_, i) => m.read32(m.sp + 4 * i));
  assert.deepEqual(frame, [0, 0x100, 0x1000, 0x30202, 0xfff0, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000]);
  m.sp += 4;
  m.run("interruptReturn", 4);
  assert.equal(m.selector(GS!), 0x6000);
  assert.equal(m.rip, 0x100n);
});

test("virtual-8086 extensions: redirection and the virtual interrupt flag", () => {
  const m = machine();
  enterVm86(m, 0x202);
  m.setCpu(L.CPU_CR4, 1n);
  m.write16(TSS + 102, 0x88);
  m.write32(0x21 * 4, 0x12340056);
  m.rip = 0x102n;
  m.run("softInterrupt", 0x21);
  assert.deepEqual([m.rip, m.selector(CS!)], [0x56n, 0x1234]);
  assert.equal(m.read16(0x2fff0 - 2), 0x3002, "IOPL 3, IF as VIF was");
  m.write16(0x2fff0 - 2, 0x202);
  m.run("interruptReturn", 2);
  assert.equal(m.rip, 0x102n);
  assert.equal(m.flags & 0x80200, 0x80200, "VIF");
  m.write8(TSS + 0x68 + 4, 2);
  assert.equal(m.raises("softInterrupt", 0x21), "#13(0)");
});

test("trap gates leave IF alone", () => {
  const m = protectedMachine();
  m.handler(0x40, CODE0, 0x4000, TRAP_GATE);
  m.flags = 0x202;
  m.run("softInterrupt", 0x40);
  assert.equal(m.flags, 0x202);
});
