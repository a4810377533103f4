// Long mode: activation, gates, IRETQ, SYSCALL, MSRs and debug registers (SDM volume 3, 2.5, 4, 6.14, 10.8.5, 18).
import assert from "node:assert/strict";
import { test } from "node:test";
import * as L from "../../assembly/layout.ts";
import {
  CODE0_64,
  CODE3_64,
  CS,
  compileSystem,
  DATA0,
  DATA3,
  GS,
  R11,
  RCX,
  SS,
  SystemMachine,
  TSS64,
  USER_GATE,
} from "./system-core.ts";

const code = compileSystem();
const longMachine = () => {
  const m = new SystemMachine(code);
  m.longMode();
  return m;
};
const userMachine = (flags = 0x202) => {
  const m = longMachine();
  m.iretq(0x6000, CODE3_64, flags, 0xd000, DATA3);
  assert.equal(m.fault(), "");
  return m;
};
const NON_CANONICAL = 0x800000000000n;
const [EFER, STAR, LSTAR] = [0xc0000080, 0xc0000081, 0xc0000082];

test("activation: PAE first, LME and PAE stay while paging is on", () => {
  const m = new SystemMachine(code);
  m.protectedMode();
  m.run("writeMsr", EFER, 0x100n);
  assert.equal(m.raises("writeCr", 0, 0x80000011n), "#13(0)");
  m.compatibilityMode();
  assert.equal(m.run("readMsr", EFER), 0x500n);
  assert.equal(m.cpu32(L.CPU_MODE) & L.MODE_CODE_MASK, L.MODE_CODE32);
  assert.equal(m.raises("writeCr", 4, 0n), "#13(0)");
  assert.equal(m.raises("writeMsr", EFER, 0n), "#13(0)");
  m.run("writeCr", 0, 0x11n);
  assert.equal(m.run("readMsr", EFER), 0x100n);
});

test("PCIDE: long mode only, with PCID 0, and paging stays on", () => {
  const m = new SystemMachine(code);
  m.protectedMode();
  assert.equal(m.raises("writeCr", 4, 0x20000n), "#13(0)");
  m.compatibilityMode();
  m.run("writeCr", 4, 0x20020n);
  assert.equal(m.raises("writeCr", 0, 0x11n), "#13(0)");
});

test("64-bit code: no way out of paging, null SS by level", () => {
  const m = longMachine();
  assert.equal(m.cpu32(L.CPU_MODE) & (L.MODE_CODE_MASK | L.MODE_FLAT), L.MODE_CODE64 | L.MODE_FLAT);
  assert.equal(m.raises("writeCr", 0, 0x11n), "#13(0)");
  assert.equal(m.raises("loadSegment", SS!, 3), "#13(0)");
});

test("interrupt at the same level: the frame is aligned and always has SS:RSP", () => {
  const m = longMachine();
  m.handler64(0x80, CODE0_64, 0x100080, USER_GATE);
  m.sp = 0x7008;
  m.run("deliverInterrupt", 0x80);
  assert.equal(m.rip, 0x100080n);
  assert.equal(m.sp, 0x7000 - 40);
  assert.equal(m.read64(0x7000 - 16), 0x7008n);
  m.run("interruptReturn", 8);
  assert.equal(m.sp, 0x7008);
  assert.equal(m.rip, 0x6000n);
});

test("IRETQ: canonical RIP, no null SS at level 3", () => {
  const m = longMachine();
  m.iretq(NON_CANONICAL, CODE3_64, 0x202, 0xd000, DATA3);
  assert.equal(m.fault(), "#13(0)");
  m.iretq(0x6000, CODE3_64, 0x202, 0xd000, 0);
  assert.equal(m.fault(), "#13(0)");
  assert.equal(m.cpl, 0);
  m.flags = 0x4002;
  m.iretq(0x6000, CODE3_64, 0x202, 0xd000, DATA3);
  assert.equal(m.fault(), "#13(0)", "NT");
});

test("IRETQ to level 3 takes away kernel data segments, but not the base of GS", () => {
  const m = longMachine();
  m.run("loadSegment", GS!, DATA0);
  m.run("writeMsr", 0xc0000101, 0x1234000n);
  m.iretq(0x6000, CODE3_64, 0x202, 0xd000, DATA3);
  assert.deepEqual([m.cpl, m.selector(GS!), m.base(GS!)], [3, 0, 0x1234000n]);
});

test("SYSCALL is stepped over where SFMASK clears TF, and trapped where it does not", () => {
  for (const [mask, fault] of [
    [0x100n, ""],
    [0n, "#1"],
  ] as const) {
    const m = userMachine(0x102);
    m.run("writeMsr", EFER, 0x501n);
    m.run("writeMsr", STAR, (0x70n << 48n) | (0x30n << 32n));
    m.run("writeMsr", LSTAR, 0xffff800000001000n);
    m.run("writeMsr", 0xc0000084, mask);
    m.run("syscall");
    assert.equal(m.raises("raiseSingleStep"), fault, `SFMASK ${mask}`);
  }
});

test("SYSRET that sets TF is trapped at once", () => {
  for (const [flags, fault] of [
    [0x302n, "#1"],
    [0x202n, ""],
  ] as const) {
    const m = longMachine();
    m.run("writeMsr", EFER, 0x501n);
    m.run("writeMsr", STAR, (0x70n << 48n) | (0x30n << 32n));
    m.setReg(RCX!, 0x6000n);
    m.setReg(R11!, flags);
    m.run("sysret", 8);
    assert.equal(m.raises("raiseDebugTraps"), fault, `RFLAGS ${flags}`);
  }
});

test("an exception at level 3 uses RSP0 and a null SS", () => {
  const m = userMachine(0x4202);
  m.run("deliverException", 14, 6);
  assert.equal(m.rip, 0x10000en);
  assert.equal(m.selector(SS!), 0);
  assert.equal(m.sp, 0xb000 - 48);
  m.sp += 8;
  m.run("interruptReturn", 8);
  assert.equal(m.cpl, 3);
  assert.equal(m.flags, 0x14202 & ~0x10000, "RF has no effect without breakpoints");
});

test("NMI: IST, blocked until IRET", () => {
  const m = userMachine();
  m.handler64(2, CODE0_64, 0x2222, 0x8e, 1);
  m.run("deliverNmi");
  assert.equal(m.sp, 0xc000 - 40);
  assert.equal(m.cpu32(L.CPU_NMI_MASKED), 1);
  m.run("interruptReturn", 8);
  assert.equal(m.cpu32(L.CPU_NMI_MASKED), 0);
});

test("a stack that is not there: shutdown, with the program's state untouched", () => {
  const m = userMachine();
  m.write64(TSS64 + 4, 0x40000000000n);
  assert.equal(m.raises("deliverException", 13, 0), "exit 8");
  assert.deepEqual([m.cpl, m.sp, m.rip], [3, 0xd000, 0x6000n]);
});

test("SYSCALL and SYSRET", () => {
  const m = userMachine(0x4202);
  assert.equal(m.raises("syscall"), "#6");
  m.run("writeMsr", EFER, 0x501n);
  m.run("writeMsr", STAR, (0x70n << 48n) | (0x30n << 32n));
  m.run("writeMsr", LSTAR, 0xffff800000001000n);
  m.run("writeMsr", 0xc0000084, 0x47700n);
  m.rip = 0x6002n;
  m.run("syscall");
  assert.deepEqual([m.rip, m.selector(CS!), m.selector(SS!)], [0xffff800000001000n, 0x30, 0x38]);
  assert.deepEqual([m.reg(RCX!), m.reg(R11!), m.flags, m.cpl], [0x6002n, 0x4202n, 2, 0]);
  m.setReg(RCX!, NON_CANONICAL);
  assert.equal(m.raises("sysret", 8), "#13(0)");
  m.setReg(RCX!, 0x6002n);
  m.run("sysret", 8);
  assert.deepEqual([m.rip, m.selector(CS!), m.selector(SS!), m.flags], [0x6002n, 0x83, 0x7b, 0x4202]);
});

test("SYSENTER and SYSEXIT", () => {
  const m = userMachine();
  assert.equal(m.raises("sysenter"), "#13(0)");
  m.run("writeMsr", 0x174, 0x30n);
  m.run("writeMsr", 0x175, 0x9000n);
  m.run("writeMsr", 0x176, 0x7777n);
  assert.equal(m.raises("sysexit", 8), "#13(0)");
  m.run("sysenter");
  assert.deepEqual([m.rip, m.sp, m.selector(CS!), m.cpl, m.flags], [0x7777n, 0x9000, 0x30, 0, 2]);
  m.setReg(RCX!, 0xd000n);
  m.setReg(2, 0x6000n);
  m.run("sysexit", 8);
  assert.deepEqual([m.rip, m.sp, m.selector(CS!), m.selector(SS!), m.cpl], [0x6000n, 0xd000, 0x53, 0x5b, 3]);
});

test("SWAPGS", () => {
  const m = userMachine();
  assert.equal(m.raises("swapgs"), "#13(0)");
  const kernel = longMachine();
  kernel.run("writeMsr", 0xc0000102, 0x1234n);
  kernel.run("swapgs");
  assert.equal(kernel.base(GS!), 0x1234n);
});

test("MSRs refuse what they cannot hold, and unknown ones are named", () => {
  const m = longMachine();
  assert.equal(m.raises("writeMsr", LSTAR, NON_CANONICAL), "#13(0)");
  assert.equal(m.raises("writeMsr", 0x277, 0x0207040600070406n), "#13(0)");
  m.run("writeMsr", 0x277, 0x0107040600070406n);
  assert.equal(m.run("readMsr", 0x277), 0x0107040600070406n);
  assert.equal(m.run("readMsr", 0xfe), 0x508n);
  assert.equal(m.raises("writeMsr", 0x200, 2n), "#13(0)");
  m.run("writeMsr", 0x201, 0xfff000800n);
  assert.equal(m.run("hostWriteMsr", 0x99999, 1n), 0);
  m.setCpu32(L.CPU_LOG, L.LOG_UNIMP);
  assert.equal(m.raises("readMsr", 0x12345), "#13(0)");
  assert.deepEqual(m.traced, [[L.LOG_UNIMP, 1n, 0x12345n, 0n]]);
});

test("the guest moves IA32_TSC_ADJUST with its TSC, the host does not", () => {
  const m = longMachine();
  m.run("hostWriteMsr", 0x10, 1n << 40n);
  assert.equal(m.run("readMsr", 0x3b), 0n);
  m.run("writeMsr", 0x10, 1n << 41n);
  assert.ok(m.run("readMsr", 0x10) >= 1n << 41n);
  assert.notEqual(m.run("readMsr", 0x3b), 0n);
});

test("debug registers: reserved bits, aliases, breakpoints, GD", () => {
  const m = longMachine();
  assert.equal(m.raises("writeDr", 7, 1n << 32n), "#13(0)");
  m.run("writeDr", 0, 0x6000n);
  m.run("writeDr", 7, 1n);
  assert.equal(m.run("readDr", 5), 0x401n);
  assert.equal(m.call("checkInstructionBreakpoint", 0x6000n), 1);
  assert.equal(m.fault(), "#1");
  m.run("deliverException", 1, -1);
  assert.equal(m.run("readDr", 6), 0xffff0ff1n);
  m.run("writeDr", 7, 0x2000n);
  assert.equal(m.raises("readDr", 0), "#1");
  m.run("deliverException", 1, -1);
  assert.equal(m.run("readDr", 6), 0xffff2ff0n, "BD, and the breakpoint bits are gone");
  m.run("writeCr", 4, 0x28n);
  assert.equal(m.raises("readDr", 4), "#6");
});

test("data breakpoints trap by range and kind", () => {
  const m = longMachine();
  m.run("writeDr", 1, 0x8004n);
  m.run("writeDr", 7, 0xd00004n);
  assert.equal(m.call("checkDataBreakpoint", 0x8000n, 4, 1), 0);
  assert.equal(m.call("checkDataBreakpoint", 0x8001n, 4, 0), 0, "writes only");
  assert.equal(m.call("checkDataBreakpoint", 0x8001n, 4, 1), 1);
});

test("guest debugging takes #DB and INT3 to the host", () => {
  const m = longMachine();
  m.setCpu32(L.CPU_GUEST_DEBUG, 0x10003);
  m.rip = 0x6001n;
  assert.equal(m.raises("int3"), "exit 4");
  assert.deepEqual([m.cpu32(L.RUN_DEBUG_EXCEPTION), m.cpu(L.RUN_DEBUG_PC)], [3, 0x6000n]);
  m.call("raiseSingleStep");
  assert.equal(m.fault(), "#1");
  assert.equal(m.raises("deliverException", 1, -1), "exit 4");
  assert.deepEqual([m.cpu32(L.RUN_DEBUG_EXCEPTION), m.cpu(L.RUN_DEBUG_DR6)], [1, 0xffff4ff0n]);
});
