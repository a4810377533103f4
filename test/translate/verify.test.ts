// verify=on: regions that do what the interpreter does are counted, and errors that are put into them are found.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KVM_EXIT_HLT, KVM_EXIT_INTERNAL_ERROR } from "../../assembly/exits.ts";
import { VM_JIT_VERIFY } from "../../assembly/layout.ts";
import { RegionDifference, Verifier } from "../../host/kvm/verifier.ts";
import { Assembler, CONDITION } from "./assembler.ts";
import { CODE, DATA, RAX, RBX, RCX, RDI, RSI, TierGuest } from "./tier-guest.ts";

/** Sums, shifts, stores, pushes and branches on what they come to. */
const program = (): Uint8Array =>
  new Assembler(CODE)
    .label("again")
    .code(0x48, 0x01, 0xd8) // add rax, rbx
    .code(0x48, 0x89, 0x07) // mov [rdi], rax
    .code(0x48, 0xd1, 0xe3) // shl rbx, 1
    .code(0x48, 0x33, 0x1f) // xor rbx, [rdi]
    .when(CONDITION.s, "odd")
    .code(0x48, 0xff, 0xc6) // inc rsi
    .label("odd")
    .code(0x53, 0x5a) // push rbx; pop rdx
    .code(0x48, 0x83, 0xc7, 0x08) // add rdi, 8
    .repeat(RCX, "again")
    .halt()
    .finish();

interface Outcome {
  readonly guest: TierGuest;
  readonly reason: number;
  readonly difference: RegionDifference | undefined;
}

/** Executes the program a few times; `spoil` may change the modules before they are compiled. */
async function execute(verify: boolean, spoil: (module: Uint8Array) => void): Promise<Outcome> {
  const guest = await TierGuest.create(2);
  guest.memory.view.setUint32(VM_JIT_VERIFY, verify ? 1 : 0, true);
  const verifier = new Verifier(guest.memory.memory);
  let difference: RegionDifference | undefined;
  guest.hooks.trace = (kind, a, b, c) => {
    try {
      verifier.record(kind, a, b, c);
    } catch (error) {
      assert.ok(error instanceof RegionDifference);
      difference = error;
    }
  };
  guest.hooks.module = (module, slots) => {
    spoil(module);
    verifier.module(module, slots);
  };
  guest.load(CODE, program());
  let reason: number = KVM_EXIT_HLT;
  for (let run = 0; run < 6 && reason === KVM_EXIT_HLT; run++) {
    guest.setRegister(RAX, 1);
    guest.setRegister(RBX, 0x1234_5678_9abcn);
    guest.setRegister(RSI, 0);
    guest.setRegister(RDI, DATA);
    guest.setRegister(RCX, 40);
    reason = guest.run(CODE);
  }
  return { guest, reason, difference };
}

test("regions that are right are compared and counted", async () => {
  const { guest, reason, difference } = await execute(true, () => {});
  assert.equal(difference, undefined);
  assert.equal(reason, KVM_EXIT_HLT);
  const { regionsVerified, entriesVerified, instructionsVerified, regionInstructions } = guest.stats().counters;
  assert.ok(regionsVerified > 0 && entriesVerified > regionsVerified, `${regionsVerified} regions`);
  assert.equal(instructionsVerified, regionInstructions, "every instruction in a region is compared");
  const plain = await execute(false, () => {});
  assert.deepEqual(guest.snapshots, plain.guest.snapshots);
});

/** One opcode for another of the same operands: arithmetic, conditions, and widths of stores. */
const ERRORS: readonly (readonly [number, number])[] = [
  [0x7c, 0x7d], // i64.add: i64.sub
  [0x85, 0x84], // i64.xor: i64.or
  [0x86, 0x88], // i64.shl: i64.shr_u
  [0x37, 0x3e], // i64.store: i64.store32
];

test("errors that are put into translated code are found", async (t) => {
  const right = await execute(false, () => {});
  let found = 0;
  let harmless = 0;
  for (const [from, to] of ERRORS) {
    for (let nth = 0; nth < 24; nth++) {
      let seeded = false;
      const { guest, reason, difference } = await execute(true, (module) => {
        let seen = 0;
        for (let at = 0; at < module.length && !seeded; at++) {
          if (module[at] !== from || seen++ < nth) continue;
          module[at] = to;
          // The byte may have been part of a number, or of what is not for these operands.
          if (WebAssembly.validate(module.slice())) seeded = true;
          else module[at] = from;
        }
      });
      if (!seeded) break;
      if (difference) {
        found++;
        assert.equal(reason, KVM_EXIT_INTERNAL_ERROR);
        assert.match(difference.message, /differ after \d+ instructions from 0000000000020/);
        assert.match(difference.message, /interpreter [0-9a-f]+/);
        assert.match(difference.message, /xor rbx,QWORD PTR \[rdi\][\s\S]*\nOUT:\n[\s\S]*i64\./);
      } else {
        harmless++;
        assert.deepEqual(guest.snapshots, right.guest.snapshots, "an error that was not found does nothing");
      }
    }
  }
  t.diagnostic(`${found} found, ${harmless} of no effect`);
  assert.ok(found > 10, `${found} found`);
});
