// INVLPG as an instruction: which address it takes from each form of its operand, and pages of code.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KVM_EXIT_HLT } from "../../host/kvm/index.ts";
import { makeGuest, PML4 } from "./guest.ts";

const PDPT = 0x2_0000;
const PD = 0x2_1000;
const PT = 0x2_2000;
/** PML4 entry 1, page 5: far above what fits into 16 or 32 bits. */
const VA = 0x80_0000_5000n;
const PTE = PT + 5 * 8;
const OLD = 0x3_0000;
const NEW = 0x3_1000;
const PRESENT_WRITABLE = 3n;

const bytesOf = (value: bigint): number[] =>
  Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));

/** mov rax,[VA]; change the PTE; invlpg; mov rsi,[VA]; hlt. `rbx` is loaded with base. */
const program = (base: bigint, invlpg: number[]): number[] => [
  ...[0x48, 0xbb, ...bytesOf(base)], // mov rbx,base
  ...[0x49, 0xb8, ...bytesOf(VA)], // mov r8,VA
  ...[0x49, 0x8b, 0x00], // mov rax,[r8]
  ...[0x48, 0xc7, 0xc1, ...bytesOf(BigInt(PTE)).slice(0, 4)], // mov rcx,PTE
  ...[0x48, 0xc7, 0xc2, ...bytesOf(BigInt(NEW) | PRESENT_WRITABLE).slice(0, 4)], // mov rdx,NEW+3
  ...[0x48, 0x89, 0x11], // mov [rcx],rdx
  ...invlpg,
  ...[0x49, 0x8b, 0x30], // mov rsi,[r8]
  0xf4,
];

const FORMS: [string, bigint, number[]][] = [
  ["invlpg [rbx]", VA, [0x0f, 0x01, 0x3b]],
  ["invlpg [rbx+0x20]", VA - 0x20n, [0x0f, 0x01, 0x7b, 0x20]],
  ["invlpg [rbx*8]", VA / 8n, [0x0f, 0x01, 0x3c, 0xdd, 0, 0, 0, 0]],
  ["invlpg [r8]", 0n, [0x41, 0x0f, 0x01, 0x38]],
];

for (const [name, base, invlpg] of FORMS) {
  test(`${name} drops the page's translation`, async () => {
    const { vcpu, ram } = await makeGuest(program(base, invlpg), { mode: "long" });
    const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
    view.setBigUint64(PML4 + 8, BigInt(PDPT) | PRESENT_WRITABLE, true);
    view.setBigUint64(PDPT, BigInt(PD) | PRESENT_WRITABLE, true);
    view.setBigUint64(PD, BigInt(PT) | PRESENT_WRITABLE, true);
    view.setBigUint64(PTE, BigInt(OLD) | PRESENT_WRITABLE, true);
    view.setBigUint64(OLD, 0x11n, true);
    view.setBigUint64(NEW, 0x22n, true);
    assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
    const { rax, rsi } = vcpu.getRegs();
    assert.deepEqual({ rax, rsi }, { rax: 0x11n, rsi: 0x22n });
  });
}

test("invlpg of a page of code that was executed before thousands of others", async () => {
  // So many pages that the note of which were executed is begun anew; all but the last are one frame with a RET.
  const pages = 5500;
  const tables = 0x4_0000;
  const frame = { ret: 0x5_0000, old: 0x5_1000, new: 0x5_2000 };
  const first = 0x80_0000_0000n;
  const last = first + BigInt(pages) * 0x1000n;
  const imm32 = (value: number): number[] => bytesOf(BigInt(value)).slice(0, 4);
  const call = [0xe8]; // call through, which stands at the end
  const parts = [
    [0x49, 0xb8, ...bytesOf(last)], // mov r8,last
    call,
    call,
    [0x49, 0xb9, ...bytesOf(first)], // mov r9,first
    [0xb9, ...imm32(pages)], // mov ecx,pages
    [0x41, 0xff, 0xd1, 0x49, 0x81, 0xc1, ...imm32(0x1000), 0xff, 0xc9, 0x75, 0xf2], // again: call r9; add r9,0x1000; dec ecx; jnz again
    [0x48, 0xc7, 0xc1, ...imm32(tables + pages * 8)], // mov rcx,PTE of last
    [0x48, 0xc7, 0xc2, ...imm32(frame.new | 3)], // mov rdx,new
    [0x48, 0x89, 0x11, 0x41, 0x0f, 0x01, 0x38], // mov [rcx],rdx; invlpg [r8]
    call,
    [0xf4],
  ];
  const length = parts.reduce((sum, part) => sum + (part === call ? 5 : part.length), 0);
  const code: number[] = [];
  for (const part of parts) code.push(...part, ...(part === call ? imm32(length - code.length - 5) : []));
  code.push(0x41, 0xff, 0xd0, 0xc3); // through: call r8; ret
  const { vcpu, ram } = await makeGuest(code, { mode: "long" });
  const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
  view.setBigUint64(PML4 + 8, BigInt(PDPT) | PRESENT_WRITABLE, true);
  view.setBigUint64(PDPT, BigInt(PD) | PRESENT_WRITABLE, true);
  for (let table = 0; table * 512 <= pages; table++) {
    view.setBigUint64(PD + table * 8, BigInt(tables + table * 0x1000) | PRESENT_WRITABLE, true);
  }
  for (let page = 0; page <= pages; page++) {
    view.setBigUint64(tables + page * 8, BigInt(page < pages ? frame.ret : frame.old) | PRESENT_WRITABLE, true);
  }
  ram.set([0xc3], frame.ret);
  ram.set([0xb8, ...imm32(1), 0xc3], frame.old); // mov eax,1; ret
  ram.set([0xb8, ...imm32(2), 0xc3], frame.new);
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
  assert.equal(vcpu.getRegs().rax, 2n);
});
