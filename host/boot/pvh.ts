// The PVH entry: 32-bit protected mode with a start-of-day structure (Xen's public headers arch-x86/hvm/start_info.h
// describe it; Linux's arch/x86/platform/pvh is the other end).
import { type ElfFile, elfRegions, findNote } from "./elf.ts";
import { commandLineBytes, endOfRegions, placeInitrd, SmallData } from "./placement.ts";
import { BootError, type BootFiles, type BootImage, type BootMachine, region } from "./types.ts";

/** XEN_ELFNOTE_PHYS32_ENTRY. */
const NOTE_PHYS32_ENTRY = 18;
const NOTE_OWNER = "Xen";

const START_INFO_MAGIC = 0x336ec578;
/** Version 1 has the memory map. */
const START_INFO_VERSION = 1;
const START_INFO_BYTES = 56;
const MODULE_BYTES = 32;
const MEMORY_MAP_ENTRY_BYTES = 24;

/** The 32-bit physical entry point of a kernel that has one, else null. */
export function pvhEntry(elf: ElfFile): number | null {
  const note = findNote(elf, NOTE_OWNER, NOTE_PHYS32_ENTRY);
  if (note === null || note.length < 4) {
    return null;
  }
  return new DataView(note.buffer, note.byteOffset).getUint32(0, true);
}

/**
 * Boots an ELF kernel by its PVH entry.
 * @throws BootError when it does not fit into the machine.
 */
export function bootPvh(elf: ElfFile, entry: number, files: BootFiles, machine: BootMachine): BootImage {
  const kernel = elfRegions(elf, machine, files.kernelName);
  if (!kernel.some((segment) => entry >= segment.gpa && entry < segment.gpa + segment.memorySize)) {
    throw new BootError(`${files.kernelName}: the PVH entry 0x${entry.toString(16)} lies in no loadable segment`);
  }
  const regions = [...kernel];
  const small = new SmallData(kernel);
  const commandLine = small.place(commandLineBytes(files.commandLine));
  const memoryMap = small.place(memoryMapTable(machine), 8);
  let modules = 0;
  if (files.initrd !== undefined && files.initrd.length > 0) {
    const initrd = placeInitrd(files.initrd.length, endOfRegions(kernel), 0xffffffff, machine);
    regions.push(region(initrd, files.initrd));
    modules = small.place(moduleTable(initrd, files.initrd.length), 8);
  }
  const info = new Uint8Array(START_INFO_BYTES);
  const view = new DataView(info.buffer);
  view.setUint32(0, START_INFO_MAGIC, true);
  view.setUint32(4, START_INFO_VERSION, true);
  view.setUint32(12, modules === 0 ? 0 : 1, true);
  view.setBigUint64(16, BigInt(modules), true);
  view.setBigUint64(24, BigInt(commandLine), true);
  view.setBigUint64(32, BigInt(machine.rsdpAddress), true);
  view.setBigUint64(40, BigInt(memoryMap), true);
  view.setUint32(48, machine.e820.length, true);
  const startInfo = small.place(info, 8);
  return {
    description: `${elf.is64Bit ? "ELF64" : "ELF32"} kernel, PVH entry 0x${entry.toString(16)}`,
    regions: [...regions, ...small.regions],
    mode: "protected",
    registers: { rip: entry, rbx: startInfo },
  };
}

function moduleTable(gpa: number, size: number): Uint8Array {
  const table = new Uint8Array(MODULE_BYTES);
  const view = new DataView(table.buffer);
  view.setBigUint64(0, BigInt(gpa), true);
  view.setBigUint64(8, BigInt(size), true);
  return table;
}

/** Types are those of E820. */
function memoryMapTable(machine: BootMachine): Uint8Array {
  const table = new Uint8Array(machine.e820.length * MEMORY_MAP_ENTRY_BYTES);
  const view = new DataView(table.buffer);
  machine.e820.forEach((entry, index) => {
    const at = index * MEMORY_MAP_ENTRY_BYTES;
    view.setBigUint64(at, BigInt(entry.start), true);
    view.setBigUint64(at + 8, BigInt(entry.size), true);
    view.setUint32(at + 16, entry.type, true);
  });
  return table;
}
