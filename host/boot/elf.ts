// ELF executables as kernels: headers, segments at their physical addresses, notes (System V ABI, chapters 4 and 5).
import { BootError, type BootMachine, type BootRegion } from "./types.ts";

const MAGIC = 0x464c457f;
const CLASS_32 = 1;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const HEADER_BYTES_32 = 52;
const HEADER_BYTES_64 = 64;
const TYPE_EXECUTABLE = 2;
const TYPE_SHARED = 3;
const MACHINE_386 = 3;
const MACHINE_X86_64 = 62;
const SEGMENT_LOAD = 1;
const SEGMENT_NOTE = 4;
/** More program headers than any kernel has. */
const MAX_SEGMENTS = 256;

const MACHINE_NAMES = new Map([
  [2, "SPARC"],
  [8, "MIPS"],
  [20, "PowerPC"],
  [21, "64-bit PowerPC"],
  [22, "S/390"],
  [40, "32-bit ARM"],
  [43, "SPARC V9"],
  [50, "Itanium"],
  [183, "AArch64"],
  [243, "RISC-V"],
  [258, "LoongArch"],
]);

export interface ElfSegment {
  readonly type: number;
  readonly offset: number;
  readonly virtualAddress: bigint;
  readonly physicalAddress: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align: number;
}

export interface ElfFile {
  readonly bytes: Uint8Array;
  readonly is64Bit: boolean;
  /** As the header has it: virtual or physical, whatever the linker was told. */
  readonly entry: bigint;
  readonly segments: readonly ElfSegment[];
}

/** True when the file starts like ELF. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 16 && dataView(bytes).getUint32(0, true) === MAGIC;
}

/**
 * Reads and checks the headers.
 * @throws BootError naming the field that is wrong.
 */
export function parseElf(bytes: Uint8Array, name: string): ElfFile {
  const view = dataView(bytes);
  const elfClass = bytes[4];
  if (bytes.length < (elfClass === CLASS_64 ? HEADER_BYTES_64 : HEADER_BYTES_32)) {
    throw new BootError(`${name}: truncated: ${bytes.length} bytes are less than an ELF header`);
  }
  if ((elfClass !== CLASS_32 && elfClass !== CLASS_64) || bytes[5] !== LITTLE_ENDIAN) {
    throw new BootError(`${name}: not a little-endian 32-bit or 64-bit ELF file`);
  }
  const machine = view.getUint16(18, true);
  if (machine !== MACHINE_386 && machine !== MACHINE_X86_64) {
    const known = MACHINE_NAMES.get(machine) ?? `ELF machine ${machine}`;
    throw new BootError(`${name}: a kernel for another architecture (${known}); this machine is x86-64`);
  }
  const type = view.getUint16(16, true);
  if (type !== TYPE_EXECUTABLE && type !== TYPE_SHARED) {
    throw new BootError(`${name}: e_type is ${type}; only executables can be booted`);
  }
  const is64Bit = elfClass === CLASS_64;
  return {
    bytes,
    is64Bit,
    entry: is64Bit ? view.getBigUint64(24, true) : BigInt(view.getUint32(24, true)),
    segments: parseSegments(bytes, view, is64Bit, name),
  };
}

function parseSegments(bytes: Uint8Array, view: DataView, is64Bit: boolean, name: string): ElfSegment[] {
  const tableAt = is64Bit ? Number(view.getBigUint64(32, true)) : view.getUint32(28, true);
  const entrySize = view.getUint16(is64Bit ? 54 : 42, true);
  const count = view.getUint16(is64Bit ? 56 : 44, true);
  if (count === 0 || count > MAX_SEGMENTS || entrySize < (is64Bit ? 56 : 32)) {
    throw new BootError(`${name}: e_phnum ${count} with e_phentsize ${entrySize} is no program header table`);
  }
  if (tableAt + count * entrySize > bytes.length) {
    throw new BootError(`${name}: truncated: the program headers end behind the file`);
  }
  const segments: ElfSegment[] = [];
  for (let i = 0; i < count; i++) {
    const segment = is64Bit
      ? parseSegment64(view, tableAt + i * entrySize)
      : parseSegment32(view, tableAt + i * entrySize);
    if (segment.offset + segment.fileSize > bytes.length) {
      throw new BootError(
        `${name}: truncated: segment ${i} ends at byte ${segment.offset + segment.fileSize} of ${bytes.length}`,
      );
    }
    if (segment.type === SEGMENT_LOAD && segment.fileSize > segment.memorySize) {
      throw new BootError(`${name}: p_filesz of segment ${i} is larger than its p_memsz`);
    }
    segments.push(segment);
  }
  return segments;
}

function parseSegment64(view: DataView, at: number): ElfSegment {
  return {
    type: view.getUint32(at, true),
    offset: Number(view.getBigUint64(at + 8, true)),
    virtualAddress: view.getBigUint64(at + 16, true),
    physicalAddress: Number(view.getBigUint64(at + 24, true)),
    fileSize: Number(view.getBigUint64(at + 32, true)),
    memorySize: Number(view.getBigUint64(at + 40, true)),
    align: Number(view.getBigUint64(at + 48, true)),
  };
}

function parseSegment32(view: DataView, at: number): ElfSegment {
  return {
    type: view.getUint32(at, true),
    offset: view.getUint32(at + 4, true),
    virtualAddress: BigInt(view.getUint32(at + 8, true)),
    physicalAddress: view.getUint32(at + 12, true),
    fileSize: view.getUint32(at + 16, true),
    memorySize: view.getUint32(at + 20, true),
    align: view.getUint32(at + 28, true),
  };
}

/**
 * The loadable segments as regions of guest RAM.
 * @throws BootError when there are none or one lies outside RAM.
 */
export function elfRegions(elf: ElfFile, machine: BootMachine, name: string): BootRegion[] {
  const regions = elf.segments
    .filter((segment) => segment.type === SEGMENT_LOAD && segment.memorySize > 0)
    .map((segment) => ({
      gpa: segment.physicalAddress,
      data: elf.bytes.subarray(segment.offset, segment.offset + segment.fileSize),
      memorySize: segment.memorySize,
    }));
  if (regions.length === 0) {
    throw new BootError(`${name}: the ELF file has no loadable segment`);
  }
  for (const { gpa, memorySize } of regions) {
    checkInRam(gpa, memorySize, machine, name);
  }
  return regions;
}

/** @throws BootError when a range is not all RAM below 640 KiB or between 1 MiB and the end of low RAM. */
export function checkInRam(gpa: number, size: number, machine: BootMachine, name: string): void {
  const end = gpa + size;
  const inBaseMemory = end <= 0xa0000;
  const inMainMemory = gpa >= 0x100000 && end <= machine.lowRamEnd;
  if (!inBaseMemory && !inMainMemory) {
    const range = `0x${gpa.toString(16)}-0x${(end - 1).toString(16)}`;
    const ram = machine.lowRamEnd / 2 ** 20;
    throw new BootError(`${name}: wants memory at ${range}, which is not RAM; there are ${ram} MiB of it`);
  }
}

/** The physical address of the entry point: headers of kernels name it by virtual or by physical address. */
export function physicalEntry(elf: ElfFile, name: string): number {
  const loads = elf.segments.filter((segment) => segment.type === SEGMENT_LOAD);
  for (const segment of loads) {
    const offset = elf.entry - BigInt(segment.physicalAddress);
    if (offset >= 0n && offset < BigInt(segment.memorySize)) {
      return Number(elf.entry);
    }
  }
  for (const segment of loads) {
    const offset = elf.entry - segment.virtualAddress;
    if (offset >= 0n && offset < BigInt(segment.memorySize)) {
      return segment.physicalAddress + Number(offset);
    }
  }
  throw new BootError(`${name}: e_entry 0x${elf.entry.toString(16)} lies in no loadable segment`);
}

/** Contents of the note `type` of `owner`, or null. */
export function findNote(elf: ElfFile, owner: string, type: number): Uint8Array | null {
  for (const segment of elf.segments) {
    if (segment.type !== SEGMENT_NOTE) {
      continue;
    }
    const found = findNoteIn(
      elf.bytes.subarray(segment.offset, segment.offset + segment.fileSize),
      owner,
      type,
      segment.align === 8 ? 8 : 4,
    );
    if (found !== null) {
      return found;
    }
  }
  return null;
}

function findNoteIn(notes: Uint8Array, owner: string, type: number, align: number): Uint8Array | null {
  const view = dataView(notes);
  let at = 0;
  while (at + 12 <= notes.length) {
    const nameSize = view.getUint32(at, true);
    const size = view.getUint32(at + 4, true);
    const nameAt = at + 12;
    const dataAt = at + roundUp(12 + nameSize, align);
    if (dataAt + size > notes.length) {
      return null;
    }
    const name = new TextDecoder().decode(notes.subarray(nameAt, nameAt + Math.max(nameSize - 1, 0)));
    if (name === owner && view.getUint32(at + 8, true) === type) {
      return notes.subarray(dataAt, dataAt + size);
    }
    at = dataAt + roundUp(size, align);
  }
  return null;
}

function roundUp(value: number, align: number): number {
  return Math.ceil(value / align) * align;
}

function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
