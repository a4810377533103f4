// System instructions: far transfers, segments, descriptor tables, control registers, MSRs, flags, hints.
import {
  FEAT_CLFLUSH, FEAT_CLFLUSHOPT, FEAT_CLWB, FEAT_FSGSBASE, FEAT_INVPCID, FEAT_MONITOR, FEAT_RDPID, FEAT_RDRAND, FEAT_RDSEED, FEAT_RDTSCP,
  FEAT_SEP, FEAT_SMAP, FEAT_SSE, FEAT_SSE2, FEAT_SYSCALL, FEAT_TSC, FEAT_XSAVE,
} from "../../features.ts";
import type { Builder, Operand } from "../builder.ts";
import { row } from "../row.ts";

const system = { group: "system" };
const transfer = { group: "system", ends: true, needsRip: true };
/** Not a transfer: what follows may be decoded or translated in another way. */
const change = { ...transfer, straight: true };
const bytes = (b: Builder): ReturnType<Builder["const"]> => b.const(b.width / 8, 32);
const helper = (module: string, name: string) => (b: Builder): void => {
  b.call(`execute/${module}`, name, []);
  b.end();
};
const word = (b: Builder, o: Operand): ReturnType<Builder["const"]> => b.zeroExtend(b.read({ ...o, width: 16 }), 16, 32);

// ---------------------------------------------------------------- far transfers and interrupts
for (const [name, helperName, direct, digit] of [["jmp_far", "jumpFar", "EA", 5], ["call_far", "callFar", "9A", 3]] as const) {
  row(`${name}_direct`, `${direct} Ap i64`, { ...transfer, widths: [16, 32], mnemonic: name }, (b) => {
    const offset = b.call("execute/operand", "farOffset", [bytes(b)], { type: "i64", faults: false });
    b.call("execute/far", helperName, [b.call("execute/operand", "farSelector", [], { type: "i32", faults: false }), offset, bytes(b)]);
    b.end();
  });
  row(name, `FF/${digit} Mv`, transfer, (b, m) => {
    const size = b.width / 8;
    // Two accesses: the selector's address wraps in the address size by itself.
    const offset = b.zeroExtend(b.load(b.address(m, false, size), b.width), b.width, 64);
    const selector = b.load(b.addressPlus({ ...m, bytes: 2 }, b.const(size, 64), false), 16);
    b.call("execute/far", helperName, [selector, offset, bytes(b)]);
    b.end();
  });
}
for (const [name, opcode] of [["ret_far", "CB"], ["ret_far_imm", "CA"]] as const) {
  row(name, name === "ret_far" ? `${opcode} nomodrm` : `${opcode} Iw`, { ...transfer, widths: [16, 32, 64], mnemonic: "retf" }, (b, i) => {
    b.call("execute/far", "returnFar", [bytes(b), i ? b.read({ ...i, width: 16 }) : b.const(0, 32)]);
    b.end();
  });
}
row("iret", "CF nomodrm", { ...transfer, widths: [16, 32, 64] }, (b) => {
  b.call("execute/far", "interruptReturn", [bytes(b)]);
  b.end();
});
row("int", "CD Ib", transfer, (b, i) => {
  b.call("execute/interrupt", "softInterrupt", [b.read({ ...i, width: 8 })]);
  b.end();
});
row("int3", "CC nomodrm", transfer, helper("interrupt", "int3"));
row("into", "CE nomodrm i64", transfer, helper("interrupt", "into"));
row("int1", "F1 nomodrm", transfer, helper("interrupt", "int1"));
row("ud0", "0F FF Gv,Ev", system, (b) => b.guard(b.const(1, 32), 6));
row("ud1", "0F B9 Gv,Ev", system, (b) => b.guard(b.const(1, 32), 6));
row("ud2", "0F 0B nomodrm", system, (b) => b.guard(b.const(1, 32), 6));
row("bound", "62 Gv,Mv i64", system, (b, index, m) => {
  // Two accesses: the first one's alignment comes before the second one's limit.
  const bytes = b.width / 8;
  const low = b.load(b.address(m, false, bytes), b.width);
  const high = b.load(b.addressPlus(m, b.const(bytes, 64), false), b.width);
  const x = b.signExtend(b.read(index), b.width, 32);
  const below = b.binary("lt_s", x, b.signExtend(low, b.width, 32));
  const above = b.binary("lt_s", b.signExtend(high, b.width, 32), x);
  b.guard(b.or(below, above), 5);
});

row("syscall", "0F 05 nomodrm", { ...transfer, feature: FEAT_SYSCALL }, helper("syscall", "syscall"));
row("sysret", "0F 07 nomodrm", { ...transfer, feature: FEAT_SYSCALL, widths: [32, 64] }, (b) => {
  b.call("execute/syscall", "sysret", [bytes(b)]);
  b.end();
});
row("sysenter", "0F 34 nomodrm", { ...transfer, feature: FEAT_SEP }, helper("syscall", "sysenter"));
row("sysexit", "0F 35 nomodrm", { ...transfer, feature: FEAT_SEP, widths: [32, 64] }, (b) => {
  b.call("execute/syscall", "sysexit", [bytes(b)]);
  b.end();
});

// ---------------------------------------------------------------- segments and descriptor tables
row("mov_from_seg", "8C Ev,Sw", { ...system, mnemonic: "mov" }, (b, d, s) => {
  const selector = b.call("execute/operand", "readSegment", [b.index(s)], { type: "i32" });
  if (d.shape === "mem") b.write({ ...d, width: 16, bytes: 2 }, selector);
  else b.write(d, b.zeroExtend(selector, 32, b.width));
});
// SS is loaded into a shadow: interrupts wait for one more instruction.
row("mov_to_seg", "8E Sw,Ew", { ...change, mnemonic: "mov" }, (b, s, value) => {
  b.call("execute/operand", "writeSegment", [b.index(s), b.read(value)]);
  b.end();
});
for (const [name, form, seg] of [["les", "C4 Gv,Mv i64", 0], ["lds", "C5 Gv,Mv i64", 3], ["lss", "0F B2 Gv,Mv", 2], ["lfs", "0F B4 Gv,Mv", 4], ["lgs", "0F B5 Gv,Mv", 5]] as const) {
  row(name, form, change, (b, d, m) => {
    const address = b.address(m, false, b.width / 8 + 2);
    const offset = b.load(address, b.width);
    const selector = b.load(b.add(address, b.const(b.width / 8, 64)), 16);
    b.call("execute/operand", "writeSegment", [b.const(seg, 32), selector]);
    b.write(d, offset);
    b.end();
  });
}
row("sldt", "0F 00/0 Ev", { ...system, protectedOnly: true }, (b, d) => storeWord(b, d, "storeLdt"));
row("str", "0F 00/1 Ev", { ...system, protectedOnly: true }, (b, d) => storeWord(b, d, "storeTr"));
row("smsw", "0F 01/4 Ev", system, (b, d) => {
  const value = b.call("execute/operand", "storeMsw", [], { type: "i64" });
  if (d.shape === "mem") b.write({ ...d, width: 16, bytes: 2 }, b.unary("wrap", value));
  else b.write(d, b.width === 64 ? value : b.unary("wrap", value));
});
function storeWord(b: Builder, d: Operand, name: string): void {
  const selector = b.call("execute/operand", name, [], { type: "i32" });
  if (d.shape === "mem") b.write({ ...d, width: 16, bytes: 2 }, selector);
  else b.write(d, b.zeroExtend(selector, 32, b.width));
}
row("lldt", "0F 00/2 Ew", { ...change, protectedOnly: true }, (b, s) => {
  b.call("execute/operand", "loadLdtr", [b.read(s)]);
  b.end();
});
row("ltr", "0F 00/3 Ew", { ...change, protectedOnly: true }, (b, s) => {
  b.call("execute/operand", "loadTaskRegister", [b.read(s)]);
  b.end();
});
for (const [name, digit] of [["verr", 4], ["verw", 5]] as const) {
  row(name, `0F 00/${digit} Ew`, { ...system, protectedOnly: true }, (b, s) => void b.call("execute/operand", name === "verr" ? "verifyRead" : "verifyWrite", [b.read(s)]));
}
for (const [name, opcode] of [["lar", "02"], ["lsl", "03"]] as const) {
  row(name, `0F ${opcode} Gv,Ev`, { ...system, protectedOnly: true }, (b, d, s) => {
    const selector = word(b, s.shape === "mem" ? { ...s, bytes: 2 } : s);
    const value = b.call("execute/operand", name === "lar" ? "loadRights" : "loadLimit", [selector], { type: "i64" });
    const found = b.condition(4);
    const result = b.width === 64 ? value : b.unary("wrap", value);
    b.write(d, b.select(found, result, b.read(d)));
  });
}
row("arpl", "63 Ew,Gw i64", { ...system, protectedOnly: true }, (b, d, s) => {
  const x = b.read(d);
  const y = b.read(s);
  const lower = b.binary("lt_u", b.and(x, b.const(3)), b.and(y, b.const(3)));
  const adjusted = b.or(b.and(x, b.const(0xfffc)), b.and(y, b.const(3)));
  // Written, and found to be writable, only where the RPL changes: an operand of its own is checked afresh.
  b.when(lower, () => b.write({ ...d }, adjusted));
  b.call("execute/flags", "setZero", [lower], { faults: false });
});

for (const [name, digit, table] of [["sgdt", 0, "storeGdt"], ["sidt", 1, "storeIdt"], ["lgdt", 2, "loadGdt"], ["lidt", 3, "loadIdt"]] as const) {
  row(name, `0F 01/${digit} Mv f64`, { ...system }, (b, m) => {
    b.call("execute/operand", table, [b.address(m, digit < 2, b.width === 64 ? 10 : 6), bytes(b)]);
  });
}
row("lmsw", "0F 01/6 Ew", change, (b, s) => {
  b.call("execute/operand", "loadMsw", [b.read(s)]);
  b.end();
});
row("invlpg", "0F 01/7 M", change, (b) => {
  b.call("execute/operand", "invalidatePage", [b.call("execute/operand", "linearOperand", [], { type: "i64" })]);
  b.end();
});
row("invpcid", "66 0F38 82 Gy,Mx", { ...change, feature: FEAT_INVPCID, protectedOnly: true }, (b, type, m) => {
  b.call("execute/operand", "invalidatePcid", [b.zeroExtend(b.read(type), b.width, 64), b.address(m, false, 16)]);
  b.end();
});
row("clts", "0F 06 nomodrm", change, helper("control", "clts"));

// ---------------------------------------------------------------- control registers, MSRs, time
// Moves to and from control and debug registers are 64 bits wide in 64-bit code, 32 elsewhere; ModRM.mod is ignored.
for (const [name, form, target, read] of [
  ["mov_from_cr", "0F 20 Rv,Cv f64", "readCr", true], ["mov_to_cr", "0F 22 Cv,Rv f64", "writeCr", false],
  ["mov_from_dr", "0F 21 Rv,Dv f64", "readDr", true], ["mov_to_dr", "0F 23 Dv,Rv f64", "writeDr", false],
] as const) {
  row(name, form, { ...change, mnemonic: "mov", widths: [16, 32, 64] }, (b, d, s) => {
    if (read) {
      const value = b.call("execute/control", target, [b.index(s)], { type: "i64" });
      if (b.width === 64) b.write(d, value);
      else b.write({ ...d, width: 32 }, b.unary("wrap", value));
    } else {
      const value = b.width === 64 ? b.read(s) : b.zeroExtend(b.read({ ...s, width: 32 }), 32, 64);
      b.call("execute/control", target, [b.index(d), value]);
      if (target === "writeDr") b.call("execute/request", "requestSlice", [], { faults: false });
    }
    b.end();
  });
}
row("rdmsr", "0F 32 nomodrm", { ...system, needsRip: true }, helper("operand", "rdmsr"));
row("wrmsr", "0F 30 nomodrm", change, helper("operand", "wrmsr"));
// With -icount the time is that of all instructions that have their fuel: the trace ends, so that none is behind this one.
row("rdtsc", "0F 31 nomodrm", { ...change, feature: FEAT_TSC }, helper("time-stamp", "rdtsc"));
row("rdtscp", "0F 01/7 rm=1", { ...change, feature: FEAT_RDTSCP }, helper("time-stamp", "rdtscp"));
row("rdpmc", "0F 33 nomodrm", system, (b) => void b.call("execute/operand", "rdpmc", []));
row("rdpid", "F3 0F C7/7 Rv f64", { ...system, feature: FEAT_RDPID }, (b, d) => {
  const value = b.call("execute/time-stamp", "readTscAux", [], { type: "i32", faults: false });
  b.write({ ...d, width: 64 }, b.zeroExtend(value, 32, 64));
});
row("cpuid", "0F A2 nomodrm", system, (b) => {
  b.call("execute/cpuid", "cpuid", [b.get({ register: 0, width: 32 }), b.get({ register: 1, width: 32 })]);
});
row("xgetbv", "0F 01/2 rm=0", { ...system, feature: FEAT_XSAVE }, (b) => void b.call("execute/operand", "readXcr", []));
row("xsetbv", "0F 01/2 rm=1", { ...change, feature: FEAT_XSAVE }, helper("operand", "writeXcr"));
row("swapgs", "0F 01/7 rm=0 o64", change, helper("syscall", "swapgs"));
for (const [name, digit] of [["rdfsbase", 0], ["rdgsbase", 1], ["wrfsbase", 2], ["wrgsbase", 3]] as const) {
  row(name, `F3 0F AE/${digit} Ry reg o64`, { ...system, feature: FEAT_FSGSBASE }, (b, r) => {
    const seg = b.const(digit & 1 ? 5 : 4, 32);
    if (digit < 2) {
      const value = b.call("execute/operand", "readBase", [seg], { type: "i64" });
      b.write(r, b.width === 64 ? value : b.unary("wrap", value));
    } else b.call("execute/operand", "writeBase", [seg, b.zeroExtend(b.read(r), b.width, 64)]);
  });
}
row("rdrand", ["NP 0F C7/6 Rv", "66 0F C7/6 Rv"], { ...system, feature: FEAT_RDRAND }, (b, d) => b.write(d, random(b)));
row("rdseed", ["NP 0F C7/7 Rv", "66 0F C7/7 Rv"], { ...system, feature: FEAT_RDSEED }, (b, d) => b.write(d, random(b)));
function random(b: Builder): ReturnType<Builder["const"]> {
  const value = b.call("execute/operand", "randomOperand", [], { type: "i64", faults: false });
  return b.width === 64 ? value : b.unary("wrap", value);
}

// ---------------------------------------------------------------- flags, waiting, hints
row("cli", "FA nomodrm", system, (b) => void b.call("execute/interrupt-flag", "cli", []));
row("sti", "FB nomodrm", { ...system, shadow: true }, (b) => void b.call("execute/interrupt-flag", "sti", []));
row("hlt", "F4 nomodrm", transfer, helper("operand", "hlt"));
row("clac", "0F 01/1 rm=2", { ...system, feature: FEAT_SMAP }, helper("operand", "clac"));
row("stac", "0F 01/1 rm=3", { ...system, feature: FEAT_SMAP }, helper("operand", "stac"));
for (const [name, opcode] of [["cmc", "F5"], ["clc", "F8"], ["stc", "F9"], ["cld", "FC"], ["std", "FD"], ["sahf", "9E"], ["lahf", "9F"]] as const) {
  row(name, `${opcode} nomodrm`, { ...system }, (b) => void b.call("execute/flags", name, [], { faults: false }));
}
row("salc", "D6 nomodrm i64", system, (b) => void b.call("execute/flags", "salc", [], { faults: false }));
row("vmcall", ["0F 01/0 rm=1", "0F 01/3 rm=1"], change, helper("operand", "hypercallOperand"));
row("monitor", "0F 01/1 rm=0", { ...system, feature: FEAT_MONITOR }, (b) => void b.call("execute/operand", "monitor", []));
row("mwait", "0F 01/1 rm=1", { ...change, feature: FEAT_MONITOR }, helper("operand", "mwait"));
for (const name of ["invd", "wbinvd"]) row(name, `${name === "invd" ? "0F 08" : "0F 09"} nomodrm`, system, (b) => void b.call("execute/operand", "cacheControl", []));

const nothing = (): void => {};
row("nop", ["90 nomodrm b0", "0F 1F Ev", "0F 19 Ev", "0F 1A Ev", "0F 1B Ev", "0F 1C Ev", "0F 1D Ev", "0F 1E Ev", "0F 18 Ev"], { ...system }, nothing);
// Where vCPUs take turns this one's ends here, not behind what follows: it may take a lock.
row("pause", "F3 90 nomodrm b0", change, helper("operand", "pause"));
// Every 64-bit processor takes it at least as a NOP (APM volume 3, PREFETCH); kernels rely on that without looking.
row("prefetchw", "0F 0D Ev", system, nothing);
row("lfence", ["NP 0F AE/5 reg"], { ...system, feature: FEAT_SSE2 }, nothing);
row("mfence", ["NP 0F AE/6 reg"], { ...system, feature: FEAT_SSE2 }, (b) => void b.call("execute/atomic", "fence", [], { faults: false }));
row("sfence", ["NP 0F AE/7 reg"], { ...system, feature: FEAT_SSE }, nothing);
// A flush of a line is an access to it as far as paging and segmentation go.
for (const [name, form, feature] of [["clflush", "NP 0F AE/7 Mb", FEAT_CLFLUSH], ["clflushopt", "66 0F AE/7 Mb", FEAT_CLFLUSHOPT], ["clwb", "66 0F AE/6 Mb", FEAT_CLWB]] as const) {
  row(name, form, { ...system, feature }, (b, m) => void b.load(b.address(m, false, 0), 8));
}
