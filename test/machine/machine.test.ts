import assert from "node:assert/strict";
import { test } from "node:test";
import { GuestCrash, MachineError } from "../../host/machine/errors.ts";
import { elf, filesFor } from "../boot/kernels.ts";
import { FakeChardev } from "../devices/fakes.ts";
import { startGuest } from "./guest-run.ts";

/** A kernel of bare machine code in 32-bit protected mode. */
function codeKernel(...code: number[]) {
  const data = Uint8Array.from([...code, 0xf4, 0xeb, 0xfd]);
  return filesFor(elf({ is64Bit: false, entry: 0x100000, load: { paddr: 0x100000, data }, pvhEntry: 0x100000 }));
}

const LIMIT = { timeout: 30_000 };

test("isa-debug-exit ends the machine with the guest's status", LIMIT, async () => {
  // mov al, 0x10; out 0xf4, al
  const { ended } = await startGuest({ debugExits: [{ base: 0xf4, size: 4 }] }, codeKernel(0xb0, 0x10, 0xe6, 0xf4));
  assert.deepEqual(await ended, { kind: "debug-exit", status: 0x21 });
});

test("debugcon prints, also from REP OUTSB", LIMIT, async () => {
  const chardev = new FakeChardev();
  // mov esi, 0x10001a; mov ecx, 3; mov edx, 0xe9; cld; rep outsb; mov al, 0; out 0xf4, al; pad; "abc"
  const code = [
    0xbe, 0x1a, 0, 0x10, 0, 0xb9, 3, 0, 0, 0, 0xba, 0xe9, 0, 0, 0, 0xfc, 0xf3, 0x6e, 0xb0, 0, 0xe6, 0xf4, 0x90, 0x90,
    0x90, 0x90, 0x61, 0x62, 0x63,
  ];
  const options = { debugExits: [{ base: 0xf4, size: 1 }], debugcons: [{ base: 0xe9, chardev }] };
  const { ended } = await startGuest(options, codeKernel(...code));
  assert.equal((await ended).status, 1);
  assert.equal(chardev.output, "abc");
});

test("a triple fault resets, and ends with noReboot", LIMIT, async () => {
  // ud2 with an empty interrupt table
  const { ended } = await startGuest({ noReboot: true }, codeKernel(0x0f, 0x0b));
  assert.deepEqual(await ended, { kind: "reset", status: 0 });
  let resets = 0;
  const again = await startGuest(
    {
      onEvent: (event) => {
        if (event.kind === "reset") {
          assert.equal(event.reason, "triple-fault");
          resets += 1;
          if (resets === 3) {
            again.machine.quit(7);
          }
        }
      },
    },
    codeKernel(0x0f, 0x0b),
  );
  assert.deepEqual(await again.ended, { kind: "quit", status: 7 });
});

test("jumping to where no RAM is crashes with the registers, and does not throw anything else", LIMIT, async () => {
  // mov eax, 0xd0000000; jmp eax
  const { ended } = await startGuest({}, codeKernel(0xb8, 0, 0, 0, 0xd0, 0xff, 0xe0));
  await assert.rejects(ended, (error) => {
    assert.ok(error instanceof GuestCrash, String(error));
    assert.match(error.dump, /RIP=00000000d0000000/);
    return true;
  });
});

test("a guest that spins leaves the event loop its turns; pausing stops it; quit ends it", LIMIT, async () => {
  const { machine, ended, events } = await startGuest({}, codeKernel(0xeb, 0xfe));
  await new Promise((resolve) => setTimeout(resolve, 20));
  machine.pause();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const { instructions } = machine.vm.getStats().counters;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(machine.vm.getStats().counters.instructions, instructions);
  machine.resumeGuest();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(machine.vm.getStats().counters.instructions > instructions);
  machine.quit();
  assert.deepEqual(await ended, { kind: "quit", status: 0 });
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["boot", "paused", "resumed", "end"],
  );
});

test("what cannot be built is refused", LIMIT, async () => {
  await assert.rejects(startGuest({ cpus: 2 }), MachineError);
  await assert.rejects(startGuest({ memoryBytes: 2 ** 20 }), MachineError);
  await assert.rejects(startGuest({ uuid: "nonsense" }), MachineError);
});
