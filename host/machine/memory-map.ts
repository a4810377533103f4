// Where RAM lies in guest physical memory, as on QEMU's pc, and what the guest is told about it.
import { E820_RAM, E820_RESERVED, type E820Entry } from "../boot/types.ts";
import { MachineError } from "./errors.ts";
import { GIB, MIB, TABLES_ADDRESS, TABLES_END } from "./pc-hardware.ts";

/** RAM up to here is one piece below 4 GiB; from here on it is split. */
const UNSPLIT_LIMIT = 3.5 * GIB;
const SPLIT_LOW = 3 * GIB;
const SMALLEST = 2 * MIB;
/** What a 32-bit linear memory leaves for RAM, beside the processors' own state. */
const LARGEST = 3.5 * GIB;
const FOUR_GIB = 4 * GIB;
/** 0xa0000-0xbffff is for a display adapter. */
const VIDEO_START = 0xa0000;
const VIDEO_END = 0xc0000;
/** The extended BIOS data area, by tradition the last KiB of base memory. */
const EBDA = 0x9fc00;

/** A piece of RAM: its guest physical address and its place in the backing store. */
export interface RamSlot {
  readonly gpa: number;
  readonly size: number;
  readonly offset: number;
}

export interface MemoryMap {
  readonly totalBytes: number;
  /** End of RAM below 4 GiB. */
  readonly lowEnd: number;
  /** Bytes of RAM from 4 GiB on. */
  readonly highBytes: number;
  readonly slots: readonly RamSlot[];
  readonly e820: readonly E820Entry[];
}

/**
 * Lays out `totalBytes` of RAM.
 * @throws MachineError when the size is not a multiple of 4 KiB, too small or too large.
 */
export function layOutMemory(totalBytes: number): MemoryMap {
  if (!Number.isInteger(totalBytes) || totalBytes < SMALLEST || totalBytes > LARGEST || totalBytes % 4096 !== 0) {
    const asked = `${totalBytes / MIB} MiB`;
    throw new MachineError(`${asked} of RAM: it has to be ${SMALLEST / MIB} to ${LARGEST / MIB} MiB, in whole pages`);
  }
  const lowEnd = totalBytes < UNSPLIT_LIMIT ? totalBytes : SPLIT_LOW;
  const highBytes = totalBytes - lowEnd;
  const slots: RamSlot[] = [
    { gpa: 0, size: VIDEO_START, offset: 0 },
    { gpa: VIDEO_END, size: lowEnd - VIDEO_END, offset: VIDEO_END },
  ];
  const e820: E820Entry[] = [
    { start: 0, size: EBDA, type: E820_RAM },
    { start: EBDA, size: VIDEO_START - EBDA, type: E820_RESERVED },
    { start: TABLES_ADDRESS, size: TABLES_END - TABLES_ADDRESS, type: E820_RESERVED },
    { start: MIB, size: lowEnd - MIB, type: E820_RAM },
  ];
  if (highBytes > 0) {
    slots.push({ gpa: FOUR_GIB, size: highBytes, offset: lowEnd });
    e820.push({ start: FOUR_GIB, size: highBytes, type: E820_RAM });
  }
  return { totalBytes, lowEnd, highBytes, slots, e820 };
}
