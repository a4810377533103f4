// System calls in regions: SYSCALL and SYSRET, SWAPGS and RDTSC leave what the interpreter leaves.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CPU_CPL,
  CPU_EFER,
  CPU_FCS,
  CPU_FDS,
  CPU_FOP,
  CPU_KERNEL_GS_BASE,
  CPU_LSTAR,
  CPU_MODE,
  CPU_SFMASK,
  CPU_STAR,
  CPU_SYSENTER_CS,
  CPU_SYSENTER_EIP,
  CPU_SYSENTER_ESP,
} from "../../assembly/layout.ts";
import { readSregs } from "../../host/kvm/sregs.ts";
import { Assembler, CONDITION } from "./assembler.ts";
import {
  CODE,
  DATA,
  LOW_PAGES,
  onBothTiers,
  RAX,
  RBX,
  RCX,
  RSI,
  shareInRegions,
  type TierGuest,
} from "./tier-guest.ts";

const KERNEL = 0x3_0000;
const PROGRAM = 0x4_0000;
const STACK_OF_PROGRAM = 0x5_1000;
const USER = 7;
const EFER = 0xd01n;
const EFER_SCE = 1n;
/** TF, IF, DF and AC are cleared by a system call. */
const SFMASK = 0x4_0700n;
const CALLS = 40;

/** Enters the program, which makes system calls until RSI is 0 and looks at its flags after each. */
function start(): Uint8Array {
  const code = new Assembler(CODE).set(RCX, PROGRAM).set(RSI, CALLS).set(RBX, 0);
  code.code(0x41, 0xbb, 0x02, 0x04, 0x04, 0x00); // mov r11d, 0x40402: DF and AC
  return code.code(0xbc, ...dword(STACK_OF_PROGRAM), 0x48, 0x0f, 0x07).finish(); // mov esp, ...; sysretq
}

function program(before: readonly number[]): Uint8Array {
  const code = new Assembler(PROGRAM).label("again");
  code.code(...before, 0x48, 0x39, 0xde); // cmp rsi, rbx
  code.code(0x0f, 0x05, 0x9c, 0x5a); // syscall; pushf; pop rdx
  code.code(0x48, 0x01, 0xd3, 0x4c, 0x01, 0xdb); // add rbx, rdx; add rbx, r11
  return code.code(0x48, 0xff, 0xce).jump("again").finish(); // dec rsi
}

/** What the kernel does: to its own GS and back, with the flags, the time and where the call came from written there. */
function kernel(): Uint8Array {
  const code = new Assembler(KERNEL).code(0x0f, 0x01, 0xf8); // swapgs
  code.code(0x9c, 0x58, 0x65, 0x48, 0x89, 0x04, 0x25, ...dword(0)); // pushf; pop rax; mov gs:[0], rax
  code.code(0x65, 0x48, 0x89, 0x0c, 0x25, ...dword(8)); // mov gs:[8], rcx
  code.code(0x48, 0x85, 0xf6).when(CONDITION.ne, "back").halt(); // test rsi, rsi
  code.label("back").code(0x0f, 0x31, 0x65, 0x48, 0x89, 0x04, 0x25, ...dword(16)); // rdtsc; mov gs:[16], rax
  return code.code(0x0f, 0x01, 0xf8, 0x48, 0x0f, 0x07).finish(); // swapgs; sysretq
}

const dword = (value: number): number[] => [...new Uint8Array(new Uint32Array([value]).buffer)];

function prepare(guest: TierGuest, before: readonly number[] = []): void {
  const { state } = guest;
  for (const page of [PROGRAM >> 12, (STACK_OF_PROGRAM >> 12) - 1]) {
    guest.view.setBigUint64(LOW_PAGES + page * 8, BigInt((page << 12) | USER), true);
  }
  state.setU64(CPU_STAR, (0x18n << 48n) | (8n << 32n));
  state.setU64(CPU_LSTAR, BigInt(KERNEL));
  state.setU64(CPU_SFMASK, SFMASK);
  state.setU64(CPU_KERNEL_GS_BASE, BigInt(DATA));
  guest.load(CODE, start());
  guest.load(PROGRAM, program(before));
  guest.load(KERNEL, kernel());
}

/** Notes what a snapshot does not have. */
function note(guest: TierGuest): void {
  const { memory, base } = guest.state;
  const { cs, ss, gs } = readSregs(guest.state);
  const parts = [CPU_CPL, CPU_MODE, CPU_FCS, CPU_FDS, CPU_FOP].map((at) => memory.u32(base + at));
  const bases = [gs.base, memory.u64(base + CPU_KERNEL_GS_BASE)];
  const text = JSON.stringify([cs, ss, parts, bases], (_, value) => (typeof value === "bigint" ? `${value}` : value));
  guest.snapshots.push(text);
}

function runOften(guest: TierGuest, before: readonly number[] = []): void {
  prepare(guest, before);
  for (let run = 0; run < 4; run++) {
    guest.state.setU64(CPU_KERNEL_GS_BASE, BigInt(DATA));
    guest.runToHalt();
    note(guest);
    // The kernel has halted behind SWAPGS.
    assert.equal(readSregs(guest.state).gs.base, BigInt(DATA));
  }
}

test("a program makes system calls, and the kernel looks at the time", async () => {
  const translated = await onBothTiers((guest) => runOften(guest));
  assert.ok(shareInRegions(translated) > 0.8, `${shareInRegions(translated)} in regions`);
  assert.equal(translated.view.getBigUint64(DATA + 8, true), BigInt(PROGRAM + 5));
  assert.equal(translated.view.getBigUint64(DATA, true) & SFMASK, 0n);
});

test("a 32-bit program makes system calls by SYSENTER, and gets back by SYSEXIT", async () => {
  const translated = await onBothTiers((guest) => {
    const { state } = guest;
    guest.leaveLongMode();
    state.setU64(CPU_SYSENTER_CS, 8n);
    state.setU64(CPU_SYSENTER_ESP, BigInt(STACK_OF_PROGRAM + 0x1000));
    state.setU64(CPU_SYSENTER_EIP, BigInt(KERNEL));
    const enter = [0xb9, ...dword(STACK_OF_PROGRAM), 0xba, ...dword(PROGRAM), 0x0f, 0x35]; // mov ecx; mov edx; sysexit
    guest.load(CODE, [0xbe, ...dword(CALLS), ...enter]); // mov esi, CALLS
    // push esi; pop ebx; pushf; pop eax; mov ecx, esp; sysenter
    guest.load(PROGRAM, [0x56, 0x5b, 0x9c, 0x58, 0x89, 0xe1, 0x0f, 0x34]);
    // push eax; pop edi; add [DATA], esp; dec esi; jz +n
    guest.load(KERNEL, [0x50, 0x5f, 0x01, 0x25, ...dword(DATA), 0x4e, 0x74, enter.length, ...enter, 0xf4]);
    for (let run = 0; run < 4; run++) {
      guest.runToHalt();
      note(guest);
      guest.leaveLongMode();
    }
    assert.equal(guest.view.getUint32(DATA, true), (4 * CALLS * (STACK_OF_PROGRAM + 0x1000)) >>> 0);
  });
  assert.ok(shareInRegions(translated) > 0.8, `${shareInRegions(translated)} in regions`);
});

test("where the x87 was last used is settled before segments change", async () => {
  const fld = [0xdd, 0x04, 0x25, ...dword(STACK_OF_PROGRAM - 64), 0xdd, 0xd8]; // fld qword [...]; fstp st0
  await onBothTiers((guest) => runOften(guest, fld));
});

test("SYSCALL raises #UD once EFER.SCE is clear", async () => {
  await onBothTiers((guest) => {
    prepare(guest);
    guest.load(CODE, new Assembler(CODE).set(RAX, 3).code(0x0f, 0x05).finish());
    const entry = new Assembler(KERNEL).code(0xff, 0xc8).when(CONDITION.e, "end").code(0xff, 0xe1); // dec eax; jmp rcx
    guest.load(KERNEL, entry.label("end").halt().finish());
    for (let run = 0; run < 4; run++) {
      guest.state.setU64(CPU_EFER, run < 3 ? EFER : EFER & ~EFER_SCE);
      guest.runToHalt();
      note(guest);
    }
  });
});
