// Multiboot, version 1 (GNU's "Multiboot Specification version 0.6.96"), the loader's side.
import { checkInRam, elfRegions, isElf, parseElf, physicalEntry } from "./elf.ts";
import { commandLineBytes, endOfRegions } from "./placement.ts";
import { BootError, type BootFiles, type BootImage, type BootMachine, type BootRegion, region } from "./types.ts";

const HEADER_MAGIC = 0x1badb002;
/** In EAX when the kernel starts. */
const LOADER_MAGIC = 0x2badb002;
/** The header lies in the first 8 KiB, at a multiple of 4. */
const SEARCH_BYTES = 8192;

// Header flags.
const WANTS_VIDEO = 0x4;
const HAS_ADDRESSES = 0x10000;
/** Bits 0-15 are requirements a loader must know: page-aligned modules, memory information, video. */
const UNKNOWN_REQUIREMENTS = 0xfff8;

// Information flags.
const INFO_MEMORY = 0x001;
const INFO_COMMAND_LINE = 0x004;
const INFO_MODULES = 0x008;
const INFO_MEMORY_MAP = 0x040;
const INFO_LOADER_NAME = 0x200;

const INFO_BYTES = 116;
const MODULE_BYTES = 16;
const MAP_ENTRY_BYTES = 24;
const PAGE = 4096;
const LOADER_NAME = "wkvm";

export interface MultibootHeader {
  /** Byte offset in the file. */
  readonly offset: number;
  readonly flags: number;
}

/** Finds a header whose checksum is right, or returns null. */
export function findMultibootHeader(bytes: Uint8Array): MultibootHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const limit = Math.min(bytes.length, SEARCH_BYTES) - 12;
  for (let offset = 0; offset <= limit; offset += 4) {
    if (view.getUint32(offset, true) === HEADER_MAGIC) {
      const flags = view.getUint32(offset + 4, true);
      if ((HEADER_MAGIC + flags + view.getUint32(offset + 8, true)) % 2 ** 32 === 0) {
        return { offset, flags };
      }
    }
  }
  return null;
}

/**
 * Boots a multiboot kernel; an initrd becomes its one module.
 * @throws BootError when the header asks for what is not there or the kernel does not fit.
 */
export function bootMultiboot(header: MultibootHeader, files: BootFiles, machine: BootMachine): BootImage {
  const name = files.kernelName;
  if (header.flags & UNKNOWN_REQUIREMENTS) {
    throw new BootError(`${name}: multiboot header flags 0x${header.flags.toString(16)} ask for unknown features`);
  }
  if (header.flags & WANTS_VIDEO) {
    throw new BootError(`${name}: the multiboot header asks for a video mode; this machine has no display`);
  }
  const { regions: kernel, entry } =
    header.flags & HAS_ADDRESSES ? loadByAddresses(header, files, machine) : loadElf(files, machine);
  const start = roundUp(endOfRegions(kernel), PAGE);
  const extra = placeInformation(start, files, machine);
  const end = endOfRegions(extra.regions);
  if (start < 0x100000 || end > machine.lowRamEnd) {
    checkInRam(start, end - start, machine, files.initrd === undefined ? name : (files.initrdName ?? "initrd"));
  }
  return {
    description: `multiboot kernel, entry 0x${entry.toString(16)}`,
    regions: [...kernel, ...extra.regions],
    mode: "protected",
    afterBios: true,
    registers: { rip: entry, rax: LOADER_MAGIC, rbx: extra.info },
  };
}

function loadElf(files: BootFiles, machine: BootMachine): { regions: BootRegion[]; entry: number } {
  if (!isElf(files.kernel)) {
    throw new BootError(`${files.kernelName}: a multiboot kernel that is neither ELF nor has load addresses`);
  }
  const elf = parseElf(files.kernel, files.kernelName);
  if (elf.is64Bit) {
    throw new BootError(`${files.kernelName}: multiboot starts in 32-bit mode, but this is a 64-bit ELF file`);
  }
  return { regions: elfRegions(elf, machine, files.kernelName), entry: physicalEntry(elf, files.kernelName) };
}

/** The "a.out kludge": header_addr, load_addr, load_end_addr, bss_end_addr and entry_addr say it all. */
function loadByAddresses(
  header: MultibootHeader,
  files: BootFiles,
  machine: BootMachine,
): { regions: BootRegion[]; entry: number } {
  const bytes = files.kernel;
  if (header.offset + 32 > bytes.length) {
    throw new BootError(`${files.kernelName}: truncated: the multiboot header ends behind the file`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + header.offset, 32);
  const headerAddress = view.getUint32(12, true);
  const loadAddress = view.getUint32(16, true);
  const loadEnd = view.getUint32(20, true);
  const bssEnd = view.getUint32(24, true);
  const fileStart = header.offset - (headerAddress - loadAddress);
  const fileEnd = loadEnd === 0 ? bytes.length : fileStart + (loadEnd - loadAddress);
  if (fileStart < 0 || fileEnd > bytes.length || fileEnd < fileStart) {
    throw new BootError(`${files.kernelName}: truncated: the multiboot load addresses do not match the file's size`);
  }
  const data = bytes.subarray(fileStart, fileEnd);
  const memorySize = Math.max(data.length, bssEnd === 0 ? 0 : bssEnd - loadAddress);
  checkInRam(loadAddress, memorySize, machine, files.kernelName);
  return { regions: [{ gpa: loadAddress, data, memorySize }], entry: view.getUint32(28, true) };
}

/** Puts module, strings, memory map and information structure behind the kernel. */
function placeInformation(
  start: number,
  files: BootFiles,
  machine: BootMachine,
): { regions: BootRegion[]; info: number } {
  const regions: BootRegion[] = [];
  let next = start;
  const place = (data: Uint8Array, align: number): number => {
    const gpa = roundUp(next, align);
    regions.push(region(gpa, data));
    next = gpa + data.length;
    return gpa;
  };
  const info = new Uint8Array(INFO_BYTES);
  const view = new DataView(info.buffer);
  let flags = INFO_MEMORY | INFO_COMMAND_LINE | INFO_MEMORY_MAP | INFO_LOADER_NAME;
  if (files.initrd !== undefined && files.initrd.length > 0) {
    const gpa = place(files.initrd, PAGE);
    const text = place(commandLineBytes(files.initrdName ?? ""), 1);
    const module = new Uint8Array(MODULE_BYTES);
    const moduleView = new DataView(module.buffer);
    moduleView.setUint32(0, gpa, true);
    moduleView.setUint32(4, gpa + files.initrd.length, true);
    moduleView.setUint32(8, text, true);
    flags |= INFO_MODULES;
    view.setUint32(20, 1, true);
    view.setUint32(24, place(module, 4), true);
  }
  const commandLine = [files.kernelName, files.commandLine].filter((part) => part !== "").join(" ");
  const map = memoryMap(machine);
  view.setUint32(0, flags, true);
  view.setUint32(4, 640, true);
  view.setUint32(8, (machine.lowRamEnd - 0x100000) / 1024, true);
  view.setUint32(16, place(commandLineBytes(commandLine), 1), true);
  view.setUint32(44, map.length, true);
  view.setUint32(48, place(map, 4), true);
  view.setUint32(64, place(commandLineBytes(LOADER_NAME), 1), true);
  return { regions, info: place(info, 4) };
}

/** Entries start with their own size, which does not count itself. */
function memoryMap(machine: BootMachine): Uint8Array {
  const table = new Uint8Array(machine.e820.length * MAP_ENTRY_BYTES);
  const view = new DataView(table.buffer);
  machine.e820.forEach((range, index) => {
    const at = index * MAP_ENTRY_BYTES;
    view.setUint32(at, MAP_ENTRY_BYTES - 4, true);
    view.setBigUint64(at + 4, BigInt(range.start), true);
    view.setBigUint64(at + 12, BigInt(range.size), true);
    view.setUint32(at + 20, range.type, true);
  });
  return table;
}

function roundUp(value: number, align: number): number {
  return Math.ceil(value / align) * align;
}
