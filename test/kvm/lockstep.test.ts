// Two cores on one machine: what they agree on, and what is said where one of them errs.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MakeCore } from "../../host/core-ts/core.ts";
import { type CoreExports, type CoreProgram, compileCore, loadTypeScriptCore } from "../../host/kvm/core.ts";
import { KVM_EXIT_HLT, KVM_EXIT_INTR, KVM_EXIT_IO, KVM_EXIT_IO_IN, Vm } from "../../host/kvm/index.ts";
import { LockstepDifference, LockstepProgram } from "../../host/kvm/lockstep/index.ts";
import { NO_TRANSLATION } from "../../host/kvm/translation.ts";
import { CODE, enter } from "./guest.ts";

const RAM = 0x10_0000;

async function pair(spoil?: (make: MakeCore<CoreExports>) => CoreProgram): Promise<LockstepProgram> {
  const typescript = (await loadTypeScriptCore()) as MakeCore<CoreExports>;
  return new LockstepProgram({
    a: { name: "interp", program: await compileCore(), translation: NO_TRANSLATION },
    b: { name: "ts", program: spoil ? spoil(typescript) : typescript, translation: NO_TRANSLATION },
    every: 30_000,
  });
}

function guest(program: LockstepProgram, code: number[]): { vm: Vm; ram: Uint8Array; run: () => number } {
  const vm = Vm.create(program, { memorySize: 2 << 20, icountShift: 0 }, NO_TRANSLATION);
  const userspaceAddr = vm.allocate(RAM);
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0, memorySize: RAM, userspaceAddr });
  const ram = new Uint8Array(vm.memory, userspaceAddr, RAM);
  ram.set(code, CODE);
  vm.memoryWritten(0, RAM);
  const vcpu = vm.createVcpu(0);
  enter(vcpu, ram, "protected");
  const run = (): number => {
    for (;;) {
      const exit = vcpu.run({ maxNs: 1e9 });
      if (exit.reason === KVM_EXIT_IO && exit.direction === KVM_EXIT_IO_IN) exit.data.fill(0x2a);
      else if (exit.reason !== KVM_EXIT_IO && exit.reason !== KVM_EXIT_INTR) return exit.reason;
    }
  };
  return { vm, ram, run };
}

/** mov ecx, n; again: inc dword [0x3000]; push ecx; pop edx; loop again */
const LOOP = [0xb9, 0x10, 0x27, 0, 0, 0xff, 0x05, 0, 0x30, 0, 0, 0x51, 0x5a, 0xe2, 0xf6];

test("two cores execute a program, its memory, its ports and its random numbers alike", async () => {
  // ... in al, 0x60; mov [0x3004], al; rdrand eax; mov [0x3008], eax; hlt
  const more = [0xe4, 0x60, 0xa2, 0x04, 0x30, 0, 0, 0x0f, 0xc7, 0xf0, 0xa3, 0x08, 0x30, 0, 0, 0xf4];
  const { ram, run } = guest(await pair(), [...LOOP, ...more]);
  assert.equal(run(), KVM_EXIT_HLT);
  const view = new DataView(ram.buffer, ram.byteOffset);
  assert.equal(view.getUint32(0x3000, true), 10_000);
  assert.equal(ram[0x3004], 0x2a);
});

test("a core that errs is found at the instruction, with both states and the way there", async () => {
  // The second core's random numbers have another lowest bit.
  const wrong =
    (make: MakeCore<CoreExports>): CoreProgram =>
    (memory, host) =>
      make(memory, { ...host, randomU32: () => host.randomU32() ^ 1 });
  const code = [...LOOP, 0x0f, 0xc7, 0xf3, 0x90, 0x90, 0xf4]; // ... rdrand ebx; nop; nop; hlt
  const { run } = guest(await pair(wrong), code);
  assert.throws(run, (error: Error) => {
    assert.ok(error instanceof LockstepDifference);
    assert.match(error.message, /interp and ts differ after 40002 instructions/);
    assert.match(error.message, /^RBX: 0x/m);
    assert.match(error.message, /^RBX .*<--$/m);
    assert.match(error.message, /rdrand ebx$/m);
    assert.equal(error.message.match(/^0000000000001[0-9a-f]{3} {2}/gm)?.length, 20);
    return true;
  });
});

test("a device's write to RAM reaches both cores", async () => {
  // wait: cmp byte [0x3000], 7; jne out; hlt; out: out 0x80, al; jmp wait
  const code = [0x80, 0x3d, 0, 0x30, 0, 0, 7, 0x75, 1, 0xf4, 0xe6, 0x80, 0xeb, 0xf2];
  const program = await pair();
  const { vm, ram, run } = guest(program, code);
  ram[0x3000] = 7;
  vm.memoryWritten(0x3000, 1);
  assert.equal(run(), KVM_EXIT_HLT);
});
