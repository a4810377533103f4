// INVLPG as an instruction: which address it takes from each form of its operand.
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
