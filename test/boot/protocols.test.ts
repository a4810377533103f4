import assert from "node:assert/strict";
import { test } from "node:test";
import { setStartSregs, startTables } from "../../host/boot/cpu-start.ts";
import { loadKernel } from "../../host/boot/loader.ts";
import type { KvmSregs } from "../../host/kvm/sregs.ts";
import { bytesAt, bzImage, elf, filesFor, machineWith, textAt, viewAt } from "./kernels.ts";

const CODE = new Uint8Array(0x1000).fill(0x90);
const PVH_KERNEL = elf({
  is64Bit: true,
  entry: 0x1000100,
  load: { paddr: 0x1000000, data: CODE },
  pvhEntry: 0x1000040,
});

test("PVH: start info, memory map, command line and initrd", () => {
  const initrd = new Uint8Array(5000).fill(0x69);
  const image = loadKernel(filesFor(PVH_KERNEL, { commandLine: "console=ttyS0", initrd }), machineWith(64));
  assert.equal(image.mode, "protected");
  assert.equal(image.registers.rip, 0x1000040);
  const info = viewAt(image, image.registers.rbx as number, 56);
  assert.equal(info.getUint32(0, true), 0x336ec578);
  assert.equal(info.getUint32(4, true), 1);
  assert.equal(textAt(image, Number(info.getBigUint64(24, true))), "console=ttyS0");
  assert.equal(info.getBigUint64(32, true), 0xf0000n);
  const module = viewAt(image, Number(info.getBigUint64(16, true)), 32);
  const initrdAt = Number(module.getBigUint64(0, true));
  assert.equal(info.getUint32(12, true), 1);
  assert.equal(initrdAt, 64 * 2 ** 20 - 0x2000, "as high as RAM goes, on a page");
  assert.equal(module.getBigUint64(8, true), 5000n);
  assert.deepEqual(bytesAt(image, initrdAt, 5000), initrd);
  const map = viewAt(image, Number(info.getBigUint64(40, true)), 24 * info.getUint32(48, true));
  assert.equal(info.getUint32(48, true), 4);
  assert.equal(map.getBigUint64(3 * 24, true), 0x100000n);
  assert.equal(map.getBigUint64(3 * 24 + 8, true), 63n * 2n ** 20n);
  assert.equal(map.getUint32(3 * 24 + 16, true), 1);
});

test("PVH: no initrd means no modules, and boot data avoids kernel segments in base memory", () => {
  const kernel = elf({ is64Bit: false, entry: 0, load: { paddr: 0x10000, data: CODE }, pvhEntry: 0x10000 });
  const image = loadKernel(filesFor(kernel), machineWith(16));
  const infoAt = image.registers.rbx as number;
  assert.ok(infoAt >= 0x11000);
  assert.equal(viewAt(image, infoAt, 56).getUint32(12, true), 0);
});

test("a vmlinux without the note is entered with boot_params, 64-bit ones in long mode", () => {
  const vaddr = 0xffffffff81000000n;
  const kernel = elf({ is64Bit: true, entry: 0x1000100, load: { paddr: 0x1000000, vaddr, data: CODE } });
  const image = loadKernel(filesFor(kernel, { commandLine: "quiet" }), machineWith(64));
  assert.equal(image.mode, "long");
  assert.equal(image.registers.rip, 0x1000100);
  const params = viewAt(image, image.registers.rsi as number, 4096);
  assert.equal(params.getUint16(0x1fe, true), 0xaa55);
  assert.equal(params.getUint32(0x202, true), 0x53726448);
  assert.equal(params.getUint8(0x210), 0xff);
  assert.equal(textAt(image, params.getUint32(0x228, true)), "quiet");
  assert.equal(params.getUint8(0x1e8), 4);
  assert.equal(params.getBigUint64(0x070, true), 0xf0000n);
  assert.equal(params.getBigUint64(0x2d0 + 3 * 20, true), 0x100000n);
});

test("an entry given as a virtual address becomes physical", () => {
  const kernel = elf({ is64Bit: false, entry: 0xc1000010, load: { paddr: 0x1000000, vaddr: 0xc1000000n, data: CODE } });
  assert.equal(loadKernel(filesFor(kernel), machineWith(64)).registers.rip, 0x1000010);
});

test("a bzImage that is left to unpack itself starts by the 32-bit or 64-bit boot protocol", () => {
  const payload = Uint8Array.from([0x42, 0x5a, 0x68, 0, 0, 0, 0, 0]);
  const plain = loadKernel(filesFor(bzImage({ payload })), machineWith(64));
  assert.equal(plain.mode, "protected");
  assert.equal(plain.registers.rip, 0x1000000);
  const long = loadKernel(filesFor(bzImage({ payload, xloadflags: 1 })), machineWith(64));
  assert.equal(long.mode, "long");
  assert.equal(long.registers.rip, 0x1000200);
  const params = viewAt(long, long.registers.rsi as number, 4096);
  assert.equal(params.getUint16(0x206, true), 0x20f, "the setup header is copied");
  assert.equal(params.getUint8(0x211), 0x01, "no heap for the 16-bit code");
});

test("the initrd stays below the highest address that the setup header allows", () => {
  const payload = Uint8Array.from([0x42, 0x5a, 0x68, 0, 0, 0, 0, 0]);
  const image = loadKernel(
    filesFor(bzImage({ payload, initrdMax: 0x2ffffff }), { initrd: new Uint8Array(100) }),
    machineWith(64),
  );
  const params = viewAt(image, image.registers.rsi as number, 4096);
  assert.equal(params.getUint32(0x218, true), 0x2fff000);
  assert.equal(params.getUint32(0x21c, true), 100);
});

function multibootKernel(flags: number, fields: readonly number[] = []): Uint8Array {
  const data = new Uint8Array(0x200);
  const view = new DataView(data.buffer);
  [0x1badb002, flags, -(0x1badb002 + flags), ...fields].forEach((value, index) => {
    view.setUint32(0x20 + index * 4, value, true);
  });
  return data;
}

test("multiboot: ELF kernel with information, memory map, arguments and a module", () => {
  const kernel = elf({ is64Bit: false, entry: 0x100040, load: { paddr: 0x100000, data: multibootKernel(3) } });
  const files = filesFor(kernel, { commandLine: "a b", initrd: Uint8Array.of(1, 2, 3), initrdName: "env" });
  const image = loadKernel(files, machineWith(32));
  assert.equal(image.registers.rax, 0x2badb002);
  assert.equal(image.registers.rip, 0x100040);
  const info = viewAt(image, image.registers.rbx as number, 116);
  assert.equal(info.getUint32(0, true), 0x24d);
  assert.equal(info.getUint32(4, true), 640);
  assert.equal(info.getUint32(8, true), 31 * 1024);
  assert.equal(textAt(image, info.getUint32(16, true)), "kernel a b");
  const module = viewAt(image, info.getUint32(24, true), 16);
  assert.equal(module.getUint32(0, true) % 4096, 0);
  assert.deepEqual([...bytesAt(image, module.getUint32(0, true), 3)], [1, 2, 3]);
  assert.equal(module.getUint32(4, true) - module.getUint32(0, true), 3);
  assert.equal(textAt(image, module.getUint32(8, true)), "env");
  const map = viewAt(image, info.getUint32(48, true), info.getUint32(44, true));
  assert.equal(map.getUint32(0, true), 20);
  assert.equal(map.getBigUint64(3 * 24 + 4, true), 0x100000n);
});

test("multiboot: load addresses in the header", () => {
  const kernel = multibootKernel(0x10000, [0x200020, 0x200000, 0x200100, 0x201000, 0x200080]);
  const image = loadKernel(filesFor(kernel), machineWith(32));
  assert.equal(image.registers.rip, 0x200080);
  const region = image.regions[0];
  assert.deepEqual([region?.gpa, region?.data.length, region?.memorySize], [0x200000, 0x100, 0x1000]);
});

test("start state: flat protected mode, or long mode over identity page tables", () => {
  const sregs = {} as KvmSregs;
  const image = loadKernel(filesFor(PVH_KERNEL), machineWith(64));
  setStartSregs(sregs, image);
  assert.equal(sregs.cr0, 0x11n);
  assert.deepEqual([sregs.cs.selector, sregs.cs.db, sregs.cs.l, sregs.ds.selector], [0x10, 1, 0, 0x18]);
  assert.deepEqual([sregs.tr.type, sregs.tr.limit], [11, 0x67]);
  setStartSregs(sregs, { ...image, mode: "long" });
  assert.equal(sregs.cr0, 0x80000011n);
  assert.equal(sregs.cr4, 0x20n);
  assert.equal(sregs.efer, 0x500n);
  assert.deepEqual([sregs.cs.db, sregs.cs.l], [0, 1]);
  const tables = startTables({ ...image, mode: "long" });
  const pages = tables.find(({ gpa }) => gpa === Number(sregs.cr3));
  assert.ok(pages);
  const view = new DataView(pages.data.buffer);
  assert.equal(view.getBigUint64(0, true), sregs.cr3 + 0x1003n);
  assert.equal(view.getBigUint64(0x2000 + 8 * 512, true), 0x40000083n, "1 GiB maps to itself");
});
