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

/** Like codeKernel(), for multiboot. */
function multibootKernel(...code: number[]) {
  const data = Uint8Array.from([...new Array(16).fill(0), ...code, 0xf4, 0xeb, 0xfd]);
  new DataView(data.buffer).setUint32(0, 0x1badb002, true);
  new DataView(data.buffer).setUint32(8, -0x1badb002, true);
  return filesFor(elf({ is64Bit: false, entry: 0x100010, load: { paddr: 0x100000, data } }));
}

test(
  "a multiboot kernel finds interrupts as a BIOS leaves them: the timer's tick ends HLT in real mode",
  LIMIT,
  async () => {
    // In 16-bit code: sti; hlt; cmp dword [0x46c], 0; mov al, 0; je +2; mov al, 7; out 0xf4, al
    const real = [0xfb, 0xf4, 0x66, 0x83, 0x3e, 0x6c, 0x04, 0x00, 0xb0, 0x00, 0x74, 0x02, 0xb0, 0x07, 0xe6, 0xf4];
    // mov esi, 0x100040; mov edi, 0x1000; mov ecx, 64; rep movsb; lgdt [0x1010]; mov esp, 0x8000;
    // push 0; push 0x03ff0000; lidt [esp + 2]; jmp 8:0x1018
    const start = [
      ...[0xbe, 0x40, 0x00, 0x10, 0x00, 0xbf, 0x00, 0x10, 0x00, 0x00, 0xb9, 0x40, 0x00, 0x00, 0x00, 0xf3, 0xa4],
      ...[0x0f, 0x01, 0x15, 0x10, 0x10, 0x00, 0x00, 0xbc, 0x00, 0x80, 0x00, 0x00],
      ...[
        0x6a, 0x00, 0x68, 0x00, 0x00, 0xff, 0x03, 0x0f, 0x01, 0x5c, 0x24, 0x02, 0xea, 0x18, 0x10, 0x00, 0x00, 0x08,
        0x00,
      ],
    ];
    // A table with a 16-bit code segment at 0x1000, its register's image at 0x1010; code at 0x1018:
    // mov eax, cr0; and al, 0xfe; mov cr0, eax; jmp 0:0x1025; xor ax, ax; mov ds, ax; mov ss, ax
    const low = [
      ...[0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0x9a, 0, 0, 0x0f, 0, 0x00, 0x10, 0, 0, 0, 0],
      ...[0x0f, 0x20, 0xc0, 0x24, 0xfe, 0x0f, 0x22, 0xc0, 0xea, 0x25, 0x10, 0x00, 0x00],
      ...[0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, ...real],
    ];
    const code = [...start, ...new Array(0x30 - start.length).fill(0x90), ...low];
    const { ended } = await startGuest({ debugExits: [{ base: 0xf4, size: 4 }] }, multibootKernel(...code));
    assert.deepEqual(await ended, { kind: "debug-exit", status: 0x0f });
  },
);

test("S3 keeps RAM, and an alarm goes on where the guest said", LIMIT, async () => {
  // The FACS is found from the RSDP's XSDT by the guest's operating system; here it is searched for: its signature at
  // a multiple of 64. mov edi, 0xf0000; 1: cmp dword [edi], "FACS"; je 2f; add edi, 64; jmp 1b; 2: mov dword [edi+12], 0x1000
  const suspend = [
    ...[0xbf, 0x00, 0x00, 0x0f, 0x00, 0x81, 0x3f, 0x46, 0x41, 0x43, 0x53, 0x74, 0x05, 0x83, 0xc7, 0x40, 0xeb, 0xf3],
    ...[0xc7, 0x47, 0x0c, 0x00, 0x10, 0x00, 0x00],
    // 0x1000: mov al, 0x10; out 0xf4, al
    ...[0xc7, 0x05, 0x00, 0x10, 0x00, 0x00, 0xb0, 0x10, 0xe6, 0xf4],
    // The real-time clock's update interrupt: out 0x70, 0xb; out 0x71, 0x12; read register C
    ...[0xb0, 0x0b, 0xe6, 0x70, 0xb0, 0x12, 0xe6, 0x71, 0xb0, 0x0c, 0xe6, 0x70, 0xe4, 0x71],
    // RTC_EN in PM1_EN; SLP_EN and SLP_TYP 1 in PM1_CNT
    ...[0x66, 0xba, 0x02, 0x06, 0x66, 0xb8, 0x00, 0x04, 0x66, 0xef, 0xb2, 0x04, 0x66, 0xb8, 0x00, 0x24, 0x66, 0xef],
  ];
  const { ended } = await startGuest({ debugExits: [{ base: 0xf4, size: 4 }] }, codeKernel(...suspend));
  assert.deepEqual(await ended, { kind: "debug-exit", status: 0x21 });
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
  await assert.rejects(startGuest({ cpus: 17 }), /maxVcpus/);
  await assert.rejects(startGuest({ memoryBytes: 2 ** 20 }), MachineError);
  await assert.rejects(startGuest({ uuid: "nonsense" }), MachineError);
});
