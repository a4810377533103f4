// Ways through a region: calls, recursion, computed jumps, faults and traps in the middle, and what is counted.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KVM_EXIT_INTR, KVM_EXIT_IO } from "../../assembly/exits.ts";
import { CPU_INTERRUPT_PENDING, CPU_INTERRUPT_VECTOR, CPU_RIP, VM_PAUSE_YIELDS } from "../../assembly/layout.ts";
import { Assembler, CONDITION, int32 } from "./assembler.ts";
import {
  CODE,
  DATA,
  HIGH,
  MEMORY,
  onBothTiers,
  R8,
  RAX,
  RBX,
  RCX,
  RDI,
  RDX,
  RSI,
  RSP,
  STACK,
  shareInRegions,
  type TierGuest,
} from "./tier-guest.ts";

/** Runs a program a few times from its start; what it leaves behind is compared. */
async function runOften(program: Uint8Array, prepare: (guest: TierGuest) => void = () => {}): Promise<TierGuest> {
  return onBothTiers((guest) => {
    guest.load(CODE, program);
    for (let run = 0; run < 4; run++) {
      prepare(guest);
      guest.runToHalt();
    }
  });
}

test("recursion: Fibonacci numbers by two calls each", async () => {
  const program = new Assembler(CODE).set(RDI, 14).call("fib").halt();
  program.label("fib").code(0x48, 0x83, 0xff, 2).when(CONDITION.ae, "more"); // cmp rdi, 2
  program.code(0x48, 0x89, 0xf8, 0xc3); // mov rax, rdi; ret
  program.label("more").code(0x57, 0x48, 0xff, 0xcf).call("fib"); // push rdi; dec rdi
  program.code(0x5f, 0x50, 0x48, 0x83, 0xef, 2).call("fib"); // pop rdi; push rax; sub rdi, 2
  program.code(0x5a, 0x48, 0x01, 0xd0, 0xc3); // pop rdx; add rax, rdx; ret
  const translated = await runOften(program.finish());
  assert.equal(translated.register(RAX), 377n);
  assert.ok(shareInRegions(translated) > 0.9, `${shareInRegions(translated)} in regions`);
});

test("a table of computed jumps, and returns to addresses that were pushed", async () => {
  const program = new Assembler(CODE).set(RBX, 0).set(RCX, 50).label("again");
  program.code(0x48, 0x89, 0xc8, 0x83, 0xe0, 3); // mov rax, rcx; and eax, 3
  program.code(0xff, 0x24, 0xc7); // jmp [rdi+rax*8]
  for (let i = 0; i < 4; i++) {
    program.label(`case ${i}`).code(0x48, 0x8d, 0x5c, 0x5b, i); // lea rbx, [rbx+rbx*2+i]
    if (i === 3) program.setAddress(RDX, "join").code(0x52, 0xc3);
    else program.jump("join");
  }
  program.label("join").repeat(RCX, "again").halt();
  for (let i = 0; i < 4; i++)
    program
      .label(`entry ${i}`)
      .setAddress(RDX, `case ${i}`)
      .code(0x48, 0x89, 0x57, 8 * i);
  program.jump("start");
  program.label("start").halt();
  const bytes = program.finish();
  const setUp = new Assembler(CODE + 0x800);
  const at = (i: number): number => bytes.length - 5 - 1 - (4 - i) * 11;
  for (let i = 0; i < 4; i++) setUp.code(...bytes.slice(at(i), at(i) + 11));
  setUp.halt();
  await onBothTiers((guest) => {
    guest.load(CODE, bytes);
    guest.load(CODE + 0x800, setUp.finish());
    guest.setRegister(RDI, DATA);
    guest.runToHalt(CODE + 0x800);
    for (let run = 0; run < 3; run++) guest.runToHalt();
  });
});

test("twelve places that each jump to twelve others, and calls of eight functions from one place", async () => {
  const program = new Assembler(CODE).set(RDI, DATA);
  for (let i = 0; i < 12; i++) program.setAddress(RDX, `case ${i}`).code(0x48, 0x89, 0x57, 8 * i); // mov [rdi+8*i], rdx
  program.set(RBX, 1).set(RCX, 400).jump("case 0");
  for (let i = 0; i < 12; i++) {
    program.label(`case ${i}`).code(0x48, 0x8d, 0x5c, 0x5b, i); // lea rbx, [rbx+rbx*2+i]
    program.code(0x48, 0xff, 0xc9).when(CONDITION.e, "calls"); // dec rcx
    program.code(0x48, 0x89, 0xd8, 0x48, 0xc1, 0xe8, 7, 0x83, 0xe0, 7); // mov rax, rbx; shr rax, 7; and eax, 7
    program.code(0x83, 0xc0, i & 4, 0xff, 0x24, 0xc7); // add eax, i & 4; jmp [rdi+rax*8]
  }
  program.label("calls");
  for (let i = 0; i < 8; i++) program.setAddress(RDX, `function ${i}`).code(0x48, 0x89, 0x57, 8 * i);
  program.set(RCX, 400).label("again").code(0x48, 0x89, 0xd8, 0x48, 0xc1, 0xe8, 7, 0x83, 0xe0, 7);
  program.code(0xff, 0x14, 0xc7).repeat(RCX, "again").halt(); // call [rdi+rax*8]
  for (let i = 0; i < 8; i++) program.label(`function ${i}`).code(0x48, 0x8d, 0x5c, 0x5b, i, 0xc3);
  const translated = await runOften(program.finish());
  assert.ok(shareInRegions(translated) > 0.9, `${shareInRegions(translated)} in regions`);
});

test("a jump into the middle of an instruction of the same loop", async () => {
  const program = new Assembler(CODE).set(RBX, 0).set(RCX, 30).label("again");
  // mov eax, 0x01c38348; its operand is add rbx, 1, and the add behind it.
  program.code(0xb8).label("inside").code(0x48, 0x83, 0xc3, 0x01);
  program.code(0x48, 0x83, 0xc3, 0x10); // add rbx, 16
  program.code(0x48, 0xff, 0xc9).when(CONDITION.e, "done"); // dec rcx
  program.code(0xf6, 0xc1, 1).when(CONDITION.e, "inside").jump("again"); // test cl, 1
  program.label("done").halt();
  const translated = await runOften(program.finish());
  assert.equal(translated.register(RBX), BigInt(30 * 16 + 14));
});

test("partial registers keep what they do not write", async () => {
  const program = new Assembler(CODE).set(RCX, 60).label("again");
  program.code(0x88, 0xc8, 0x00, 0xc4, 0x66, 0x01, 0xc3); // mov al, cl; add ah, al; add bx, ax
  program.code(0x88, 0xe7, 0x40, 0x88, 0xc6, 0x86, 0xf2); // mov bh, ah; mov sil, al; xchg dl, dh
  program.code(0x41, 0x88, 0xd8, 0x66, 0x41, 0x89, 0xc1); // mov r8b, bl; mov r9w, ax
  program.code(0x0f, 0xb6, 0xd4, 0x48, 0x0f, 0xbe, 0xfb); // movzx edx, ah; movsx rdi, bl
  program.code(0x66, 0x48, 0x0f, 0x6e, 0xc8, 0x41, 0x89, 0xd2); // movq xmm1, rax; mov r10d, edx
  program.code(0x66, 0xc1, 0xc8, 3, 0xd0, 0xdc).repeat(RCX, "again").halt(); // ror ax, 3; rcr ah, 1
  const translated = await runOften(program.finish(), (guest) => {
    for (const register of [RAX, RBX, RDX, RSI, RDI, R8, 9, 10]) guest.setRegister(register, 0x1122334455667788n);
  });
  assert.ok(shareInRegions(translated) > 0.8);
});

/** Instructions that fault in the sixth turn of a loop, RDI counting down by RSI to what they cannot take. */
const FAULTS: [name: string, bytes: number[], start: bigint, step: bigint][] = [
  ["a load from a page that is not there", [0x8b, 0x07], BigInt(MEMORY - 5 * 4), 4n],
  ["a load across such a boundary", [0x48, 0x8b, 0x07], BigInt(MEMORY - 5 - 5 * 1), 1n],
  ["a store to a page that is not there", [0x48, 0x89, 0x07], BigInt(MEMORY - 5 * 8), 8n],
  ["ADD to memory that is not there", [0x00, 0x1f], BigInt(MEMORY - 5), 1n],
  ["XADD with memory that is not there", [0x48, 0x0f, 0xc1, 0x1f], BigInt(MEMORY - 40), 8n],
  ["an address that is not canonical", [0x8a, 0x07], 0x8000_0000_0000n - 0x80000n, 0x10000n],
  ["PUSH of memory that is not there", [0xff, 0x37], BigInt(MEMORY - 5 * 8), 8n],
  ["POP to memory that is not there", [0x57, 0x8f, 0x07], BigInt(MEMORY - 5 * 8), 8n],
  ["a division by what becomes zero", [0x31, 0xd2, 0x48, 0xf7, 0xf7], 5n, -1n],
  ["a division that overflows", [0x89, 0xfa, 0xf7, 0xf6], -1n, 1n],
  ["MOVAPS of what is not aligned", [0x0f, 0x28, 0x07], BigInt(DATA), 4n],
  ["MOVDQU of what is not there", [0xf3, 0x0f, 0x7f, 0x07], BigInt(MEMORY - 5 * 16), 16n],
  ["MOVSQ to what is not there", [0x56, 0x57, 0xbe, 0, 0, 8, 0, 0x48, 0xa5, 0x5f, 0x5e], BigInt(MEMORY - 40), 8n],
  ["REP STOSB into what is not there", [0x57, 0x51, 0xb9, 3, 0, 0, 0, 0xf3, 0xaa, 0x59, 0x5f], BigInt(MEMORY - 15), 3n],
  ["CMPXCHG16B of what is not there", [0x48, 0x0f, 0xc7, 0x0f], BigInt(MEMORY - 80), 16n],
];

for (const [name, bytes, start, step] of FAULTS) {
  test(`the exact state at ${name}, in the middle of a loop`, async () => {
    const program = new Assembler(CODE).set(RCX, 30).set(RBX, 7).label("again");
    program.code(0x4d, 0x8d, 0x40, 1, 0x49, 0x83, 0xc1, 3); // lea r8, [r8+1]; add r9, 3
    program.code(...bytes).code(0x4d, 0x01, 0xca); // add r10, r9
    program.code(0x48, 0x01, 0xf7).repeat(RCX, "again").halt(); // add rdi, rsi
    await runOften(program.finish(), (guest) => {
      for (let i = 0; i < 16; i++) if (i !== RSP) guest.setRegister(i, 0);
      guest.setRegister(RDI, start);
      guest.setRegister(RSI, step);
    });
  });
}

test("every exit in a loop comes after the same number of instructions", async () => {
  for (let padding = 0; padding < 12; padding++) {
    const program = new Assembler(CODE).set(RCX, 10).label("again");
    for (let i = 0; i < padding; i++) program.code(0x48, 0xff, 0xc0); // inc rax
    program.code(0xf6, 0xc1, 1).when(CONDITION.e, "even").code(0xe6, 0x80); // out 0x80, al
    program.label("even").code(0x48, 0x01, 0xcb).repeat(RCX, "again").halt();
    await onBothTiers((guest) => {
      guest.load(CODE, program.finish());
      guest.setRegister(RAX, 0);
      for (let run = 0; run < 2; run++) {
        for (let reason = guest.run(CODE); reason === KVM_EXIT_IO; reason = guest.run()) guest.answer(reason, 0);
      }
    });
  }
});

test("TF set by POPF traps after the next instruction, in the middle of a loop", async () => {
  const program = new Assembler(CODE).set(RCX, 9).label("again");
  program.code(0x48, 0xff, 0xc0, 0x83, 0xf9, 3).when(CONDITION.ne, "on"); // inc rax; cmp ecx, 3
  program.code(0x9c, 0x80, 0x4c, 0x24, 1, 1, 0x9d); // pushf; or byte [rsp+1], 1; popf
  program.label("on").code(0x48, 0xff, 0xc3).repeat(RCX, "again").halt();
  await runOften(program.finish());
});

/** What lies behind STI, what is executed before it, and whether all of it is executed in regions. */
const SHADOWED: readonly {
  readonly name: string;
  readonly follower: (code: Assembler) => Assembler;
  readonly before?: readonly number[];
  readonly inRegions: boolean;
}[] = [
  { name: "a NOP", follower: (code) => code.code(0x90), inRegions: true },
  { name: "an instruction that does something", follower: (code) => code.code(0x48, 0xff, 0xc0), inRegions: true }, // inc rax
  {
    name: "one that writes to memory",
    follower: (code) => code.code(0xff, 0x04, 0x25, ...int32(DATA)),
    inRegions: true,
  },
  { name: "a jump", follower: (code) => code.jump("behind").code(0x0f, 0x0b), inRegions: true },
  // call over a jump, which is where RET leads: to the one behind it
  { name: "a return", before: [0xe8, 2, 0, 0, 0, 0xeb, 2], follower: (code) => code.code(0xc3), inRegions: true },
  // sldt eax, by the interpreter's case
  {
    name: "one that is called",
    before: [0x31, 0xc9],
    follower: (code) => code.code(0x0f, 0x00, 0xc0),
    inRegions: true,
  },
  {
    name: "one whose page the TLB does not have",
    before: [0x0f, 0x20, 0xda, 0x0f, 0x22, 0xda], // mov rdx, cr3; mov cr3, rdx
    follower: (code) => code.code(0x8b, 0x14, 0x25, ...int32(HIGH)), // mov edx, [HIGH]
    inRegions: false,
  },
  { name: "one that does not wait for another", follower: (code) => code.code(0xfb), inRegions: false }, // sti
];

for (const { name, follower, before = [], inRegions } of SHADOWED) {
  test(`an interrupt that STI lets in comes behind ${name}, and before the CLI that follows`, async () => {
    const code = new Assembler(CODE)
      .set(RAX, 0)
      .set(RBX, 20)
      .label("again")
      .code(...before, 0xfb);
    const behind = follower(code).here;
    code.label("behind");
    const bytes = code.code(0xfa).repeat(RBX, "again").halt().finish();
    // A return goes to the jump in front of STI, which leads behind it.
    const back = before[0] === 0xe8 ? behind - 4 : behind;
    const translated = await onBothTiers((guest) => {
      guest.load(CODE, bytes);
      guest.mapHigh(0, DATA);
      for (let run = 0; run < 4; run++) {
        // By then the loop is a region.
        if (run === 3) {
          guest.state.setU32(CPU_INTERRUPT_PENDING, 1);
          guest.state.setU32(CPU_INTERRUPT_VECTOR, 0x40);
        }
        guest.runToHalt();
      }
      assert.equal(guest.view.getBigUint64(STACK - 40, true), BigInt(back));
    });
    if (inRegions) assert.ok(shareInRegions(translated) > 0.9, `${shareInRegions(translated)} in regions`);
  });
}

test("where vCPUs take turns, PAUSE ends one at once, before a lock may be taken", async () => {
  const program = new Assembler(CODE).set(RCX, 20).label("again").code(0xf3, 0x90);
  const behind = program.here;
  // xchg [rdi], rbx, twice: a lock taken and given back
  program.code(0x48, 0x87, 0x1f, 0x48, 0x87, 0x1f).repeat(RCX, "again").halt();
  const bytes = program.finish();
  await onBothTiers((guest) => {
    guest.load(CODE, bytes);
    guest.setRegister(RDI, DATA);
    // By then the loop is a region.
    for (let run = 0; run < 4; run++) guest.runToHalt();
    guest.memory.view.setUint32(VM_PAUSE_YIELDS, 1, true);
    assert.equal(guest.run(CODE), KVM_EXIT_INTR);
    assert.equal(guest.state.u64(CPU_RIP), BigInt(behind));
  });
});

test("more instructions than a slice has", async () => {
  const program = new Assembler(CODE).set(RCX, 150_000).set(RDI, DATA).label("again");
  program.code(0x48, 0x01, 0xcb, 0x48, 0xc1, 0xc3, 5, 0x48, 0x31, 0x1f); // add rbx, rcx; rol rbx, 5; xor [rdi], rbx
  program.code(0xf6, 0xc3, 1).when(CONDITION.e, "even").code(0x48, 0xff, 0xc0).label("even"); // test bl, 1; inc rax
  program.repeat(RCX, "again").halt();
  const translated = await onBothTiers((guest) => {
    guest.load(CODE, program.finish());
    guest.setRegister(RBX, 0);
    guest.runToHalt();
  });
  assert.ok(shareInRegions(translated) > 0.99, `${shareInRegions(translated)} in regions`);
});
