import assert from "node:assert/strict";
import { test } from "node:test";
import { loadKernel } from "../../host/boot/loader.ts";
import { BootError } from "../../host/boot/types.ts";
import { bzImage, elf, filesFor, machineWith } from "./kernels.ts";

const CODE = new Uint8Array(0x1000);
const GOOD = elf({ is64Bit: true, entry: 0x1000000, load: { paddr: 0x1000000, data: CODE }, pvhEntry: 0x1000000 });
const BZ = bzImage({ payload: Uint8Array.from([0x42, 0x5a, 0x68, 0, 0, 0, 0, 0]) });

function refuses(kernel: Uint8Array, message: RegExp, more: Parameters<typeof filesFor>[1] = {}, mebibytes = 64): void {
  assert.throws(
    () => loadKernel(filesFor(kernel, more), machineWith(mebibytes)),
    (error) => {
      assert.ok(error instanceof BootError, String(error));
      assert.match(error.message, message);
      return true;
    },
  );
}

function changed(bytes: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
}

test("files that are no kernel", () => {
  refuses(new Uint8Array(0), /empty/);
  refuses(new TextEncoder().encode("hello"), /truncated/);
  refuses(new Uint8Array(4096), /not a kernel/);
  refuses(Uint8Array.from([0x1f, 0x8b, ...new Array(600).fill(0)]), /gzip/);
});

test("kernels for other architectures are named", () => {
  const arm64 = changed(new Uint8Array(4096), 0x38, 0x41, 0x52, 0x4d, 0x64);
  refuses(arm64, /AArch64/);
  refuses(changed(new Uint8Array(4096), 0x24, 0x18, 0x28, 0x6f, 0x01), /32-bit ARM/);
  refuses(changed(new Uint8Array(4096), 0x38, 0x52, 0x53, 0x43, 0x05), /RISC-V/);
  refuses(elf({ is64Bit: true, entry: 0, machine: 183, load: { paddr: 0x1000000, data: CODE } }), /AArch64/);
  refuses(elf({ is64Bit: true, entry: 0, machine: 999, load: { paddr: 0x1000000, data: CODE } }), /ELF machine 999/);
});

test("truncated ELF files, at every length", () => {
  for (let length = 1; length < GOOD.length; length += 7) {
    refuses(GOOD.subarray(0, length), /truncated/);
  }
});

test("truncated bzImages, at every length", () => {
  for (let length = 0x206; length < BZ.length; length += 61) {
    refuses(BZ.subarray(0, length), /truncated/);
  }
});

test("setup header fields that cannot be right", () => {
  refuses(changed(BZ, 0x206, 0x05, 0x02), /boot protocol 2\.05/);
  refuses(changed(BZ, 0x1fe, 0, 0), /boot_flag/);
  refuses(changed(BZ, 0x211, 0), /zImage/);
  refuses(changed(BZ, 0x24c, 0xff, 0xff, 0xff, 0x7f), /payload_length/);
  refuses(BZ, /command line has 3000 bytes/, { commandLine: "x".repeat(3000) });
});

test("segments outside RAM", () => {
  refuses(GOOD, /not RAM; there are 8 MiB/, {}, 8);
  refuses(elf({ is64Bit: false, entry: 0xa0000, load: { paddr: 0xa0000, data: CODE } }), /not RAM/);
  const huge = elf({ is64Bit: true, entry: 0x1000000, load: { paddr: 0x1000000, data: CODE, memory: 2 ** 40 } });
  refuses(huge, /not RAM/);
  refuses(elf({ is64Bit: true, entry: 0x5000000, load: { paddr: 0x1000000, data: CODE } }), /e_entry/);
});

test("an initrd larger than RAM", () => {
  refuses(GOOD, /initrd of 60 MiB does not fit/, { initrd: new Uint8Array(60 * 2 ** 20) });
  refuses(BZ, /initrd .* does not fit/, { initrd: new Uint8Array(64 * 2 ** 20) });
});

test("multiboot kernels that ask for too much", () => {
  const kernel = new Uint8Array(0x200);
  const view = new DataView(kernel.buffer);
  const header = (flags: number) => {
    [0x1badb002, flags, -(0x1badb002 + flags)].forEach((value, index) => {
      view.setUint32(index * 4, value, true);
    });
  };
  header(4);
  refuses(kernel, /video mode/);
  header(8);
  refuses(kernel, /unknown features/);
  header(0);
  refuses(kernel, /neither ELF nor/);
  header(0x10000);
  view.setUint32(12, 0x100000, true);
  view.setUint32(16, 0x200000, true);
  refuses(kernel, /truncated/);
});

test("random damage gives a message or another kernel, never a foreign exception", () => {
  const multiboot = new Uint8Array(0x300);
  const header = new DataView(multiboot.buffer);
  [0x1badb002, 0x10000, -(0x1badb002 + 0x10000), 0x200000, 0x200000, 0, 0, 0x200000].forEach((value, index) => {
    header.setUint32(index * 4, value, true);
  });
  const elf32 = elf({ is64Bit: false, entry: 0x1000000, load: { paddr: 0x1000000, data: CODE }, pvhEntry: 0x1000000 });
  let seed = 99;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  for (const kernel of [GOOD, elf32, BZ, multiboot]) {
    for (let round = 0; round < 2000; round++) {
      const damaged = kernel.slice();
      for (let i = 0; i <= random(4); i++) {
        // Headers are what matters; in a bzImage they lie at 0x1f1.
        const at = kernel === BZ ? 0x1f0 + random(0x80) : random(Math.min(kernel.length, 0x100));
        damaged[at] = random(2) === 0 ? random(256) : 0xff * random(2);
      }
      try {
        loadKernel(filesFor(damaged, { initrd: Uint8Array.of(1) }), machineWith(64));
      } catch (error) {
        assert.ok(error instanceof BootError, `${String(error)} ${error instanceof Error ? error.stack : ""}`);
      }
    }
  }
});
