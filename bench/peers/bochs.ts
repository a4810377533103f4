// Debian's Bochs as a system that boots a Linux kernel at once: no BIOS and no disk. Its option `optramimage1` puts a
// file into RAM, and a ROM of the bench's own enters the kernel there by PVH (the protocol's description is Xen's
// docs/misc/pvh.pandoc), as wkvm does with a kernel that it has unpacked.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseElf } from "../../host/boot/elf.ts";
import { pvhEntry } from "../../host/boot/pvh.ts";
import type { Command } from "../measured-process.ts";
import { type EmulatorOrReason, type Guest, RAM_BYTES, which } from "./emulator.ts";

const NAME = "bochs";
/** A processor without Meltdown, so that the kernel leaves out page-table isolation, as it does on the others. */
const MODEL = "ryzen";
/** Guest instructions a second of guest time: near what Bochs reaches, so that its clock runs about right. */
const IPS = 50_000_000;
const VGA_ROM = "/usr/share/seabios/vgabios-stdvga.bin";
const LOAD_SEGMENT = 1;
const MEBIBYTE = 2 ** 20;
/** Bochs hands out its memory in blocks of this size, in the order in which they are first touched. */
const BLOCK = 0x20000;

const ROM_SIZE = 0x10000;
const ROM_ADDRESS = 0xf0000;
const RESET_VECTOR = 0xfff0;
const REAL_MODE_CODE = 0xe000;
const DESCRIPTOR_TABLE = 0xe040;
const PROTECTED_MODE_CODE = 0xe060;

/** `folder`: for the files that a guest is given in. */
export function bochs(folder: string): EmulatorOrReason {
  const file = which("bochs");
  if (!file) return { name: NAME, missing: "not installed (Debian package bochs)" };
  const version = /Bochs x86 Emulator (\S+)/.exec(helpText(file))?.[1];
  if (!version) return { name: NAME, missing: `${file} is not Bochs` };
  if (!existsSync(VGA_ROM)) return { name: NAME, missing: `${VGA_ROM} is missing (Debian package seabios)` };
  if (spawnSync("unshare", ["-rn", "true"]).status !== 0) {
    return { name: NAME, missing: "its display listens on the network, and `unshare -rn` is not allowed here" };
  }
  return {
    name: NAME,
    description: `Bochs ${version}, model ${MODEL}, kernel unpacked beforehand`,
    guests: [64],
    wantsUnpacked: true,
    slow: true,
    // It makes guest time from instructions: its guests are never idle.
    idles: false,
    multiboot: false,
    command: (guest) => bochsCommand(file, guest, folder),
  };
}

function helpText(file: string): string {
  const { stdout, stderr } = spawnSync(file, ["--help", "features"], { encoding: "utf8" });
  return `${stdout}${stderr}`;
}

function bochsCommand(file: string, guest: Guest, folder: string): Command {
  mkdirSync(folder, { recursive: true });
  const { image, address, startInfo, entry } = ramImage(guest);
  const path = (name: string): string => join(folder, name);
  writeFileSync(path("ram"), image);
  writeFileSync(path("rom"), rom(address, address + image.length, startInfo, entry));
  writeFileSync(path("bochsrc"), configuration(path, address));
  // Debian's Bochs has a debugger, which waits for the word to go on. It comes from a file: before a viewer connects,
  // Bochs sends its screen to descriptor 0, and were that a socket as Node makes them, it would fill up and block.
  writeFileSync(path("input"), "c\n");
  return {
    file: "unshare",
    args: ["-rn", file, "-f", path("bochsrc")],
    inputFile: path("input"),
    outputFile: path("serial"),
  };
}

/** Kernel, start info and initrd as they lie in RAM. */
function ramImage(guest: Guest): { image: Buffer; address: number; startInfo: number; entry: number } {
  const elf = parseElf(readFileSync(guest.kernel), guest.kernel);
  const entry = pvhEntry(elf);
  if (entry === null) throw new Error(`${guest.kernel}: has no PVH entry`);
  const segments = elf.segments.filter(({ type }) => type === LOAD_SEGMENT);
  const address = Math.min(...segments.map(({ physicalAddress }) => physicalAddress));
  const end = Math.max(...segments.map(({ physicalAddress, memorySize }) => physicalAddress + memorySize));
  const startInfo = Math.ceil(end / MEBIBYTE) * MEBIBYTE;
  const initrd = readFileSync(guest.initrd);
  const initrdAt = startInfo + 0x1000;
  const image = Buffer.alloc(initrdAt + initrd.length - address);
  for (const { physicalAddress, offset, fileSize } of segments) {
    image.set(elf.bytes.subarray(offset, offset + fileSize), physicalAddress - address);
  }
  writeStartInfo(image.subarray(startInfo - address), startInfo, guest.append, initrdAt, initrd.length);
  image.set(initrd, initrdAt - address);
  return { image, address, startInfo, entry };
}

/** struct hvm_start_info, its one module and its memory map. */
function writeStartInfo(at: Buffer, address: number, append: string, initrdAt: number, initrdSize: number): void {
  const [module, map, line] = [0x80, 0x100, 0x200];
  const u64 = (value: number, offset: number): void => void at.writeBigUInt64LE(BigInt(value), offset);
  at.writeUInt32LE(0x336ec578, 0);
  at.writeUInt32LE(1, 4);
  at.writeUInt32LE(1, 12);
  u64(address + module, 16);
  u64(address + line, 24);
  u64(address + map, 40);
  at.writeUInt32LE(2, 48);
  u64(initrdAt, module);
  u64(initrdSize, module + 8);
  u64(0x9fc00, map + 8);
  at.writeUInt32LE(1, map + 16);
  u64(MEBIBYTE, map + 24);
  u64(RAM_BYTES - MEBIBYTE, map + 32);
  at.writeUInt32LE(1, map + 40);
  at.write(`${append}\0`, line, "latin1");
}

/** Enters protected mode, touches the image's blocks in order, so that they come to lie as the file does, and the kernel. */
function rom(imageAt: number, imageEnd: number, startInfo: number, entry: number): Buffer {
  const bytes = Buffer.alloc(ROM_SIZE, 0xff);
  const word = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
  const put = (at: number, ...code: number[]): void => void Buffer.from(code).copy(bytes, at);
  put(RESET_VECTOR, 0xea, REAL_MODE_CODE & 255, REAL_MODE_CODE >> 8, 0x00, 0xf0); // jmp f000:REAL_MODE_CODE
  put(
    REAL_MODE_CODE,
    ...[0xfa], // cli
    ...[0x2e, 0x66, 0x0f, 0x01, 0x16, DESCRIPTOR_TABLE & 255, DESCRIPTOR_TABLE >> 8], // lgdtl cs:DESCRIPTOR_TABLE
    ...[0x66, 0xb8, ...word(0x11)], // mov $(ET|PE), %eax
    ...[0x0f, 0x22, 0xc0], // mov %eax, %cr0
    ...[0x66, 0xea, ...word(ROM_ADDRESS + PROTECTED_MODE_CODE), 0x08, 0x00], // ljmpl $8, PROTECTED_MODE_CODE
  );
  put(DESCRIPTOR_TABLE, 23, 0, ...word(ROM_ADDRESS + DESCRIPTOR_TABLE + 8));
  bytes.writeBigUInt64LE(0n, DESCRIPTOR_TABLE + 8);
  bytes.writeBigUInt64LE(0x00cf9b000000ffffn, DESCRIPTOR_TABLE + 16);
  bytes.writeBigUInt64LE(0x00cf93000000ffffn, DESCRIPTOR_TABLE + 24);
  put(
    PROTECTED_MODE_CODE,
    ...[0x66, 0xb8, 0x10, 0x00], // mov $16, %ax
    ...[0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, 0x8e, 0xe0, 0x8e, 0xe8], // mov %ax, %ds, %es, %ss, %fs, %gs
    ...[0xbe, ...word(imageAt)], // mov $imageAt, %esi
    ...[0x8a, 0x06], // again: mov (%esi), %al
    ...[0x81, 0xc6, ...word(BLOCK)], // add $BLOCK, %esi
    ...[0x81, 0xfe, ...word(imageEnd)], // cmp $imageEnd, %esi
    ...[0x72, 0xf0], // jb again
    ...[0xbb, ...word(startInfo)], // mov $startInfo, %ebx
    ...[0xb8, ...word(entry)], // mov $entry, %eax
    ...[0xff, 0xe0], // jmp *%eax
  );
  return bytes;
}

function configuration(path: (name: string) => string, imageAt: number): string {
  const ram = RAM_BYTES / MEBIBYTE;
  return [
    "config_interface: textconfig",
    'display_library: rfb, options="timeout=0"',
    `romimage: file=${path("rom")}`,
    `vgaromimage: file=${VGA_ROM}`,
    `memory: guest=${ram}, host=${ram}`,
    `optramimage1: file=${path("ram")}, address=0x${imageAt.toString(16)}`,
    `cpu: model=${MODEL}, count=1, ips=${IPS}, reset_on_triple_fault=0`,
    "clock: sync=none",
    `com1: enabled=1, mode=file, dev=${path("serial")}`,
    `log: ${path("log")}`,
    "panic: action=fatal",
    "error: action=ignore",
    "info: action=ignore",
    "debug: action=ignore",
    "sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy",
    "plugin_ctrl: unmapped=0, biosdev=0, speaker=0, extfpuirq=0, parallel=0, gameport=0, iodebug=0",
    "",
  ].join("\n");
}
