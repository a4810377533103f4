// What PC firmware and QEMU keep in the battery-backed RAM: memory sizes, equipment, boot order.
import { CMOS_CENTURY, type Cmos } from "./cmos.ts";

const EQUIPMENT = 0x14;
const BASE_MEMORY_KIB = 0x15;
const EXTENDED_MEMORY_KIB = 0x17;
const EXTENDED_MEMORY_KIB_COPY = 0x30;
const MEMORY_ABOVE_16M = 0x34;
const MEMORY_ABOVE_4G = 0x5b;
const CPU_COUNT_MINUS_1 = 0x5f;

const KIB = 1024;
const MIB = KIB * KIB;
/** FPU present, PS/2 pointing device present. */
const EQUIPMENT_FPU_MOUSE = 0x06;

/** Fills in memory sizes (bytes below and above 4 GiB) and the processor count. */
export function fillPcCmos(cmos: Cmos, lowBytes: number, highBytes: number, cpus: number): void {
  setWord(cmos, BASE_MEMORY_KIB, 640);
  const extendedKib = Math.min(Math.max(lowBytes - MIB, 0) / KIB, 0xffff);
  setWord(cmos, EXTENDED_MEMORY_KIB, extendedKib);
  setWord(cmos, EXTENDED_MEMORY_KIB_COPY, extendedKib);
  setWord(cmos, MEMORY_ABOVE_16M, Math.min(Math.max(lowBytes - 16 * MIB, 0) / (64 * KIB), 0xffff));
  const highUnits = Math.floor(highBytes / (64 * KIB));
  cmos.setRam(MEMORY_ABOVE_4G, highUnits & 0xff);
  cmos.setRam(MEMORY_ABOVE_4G + 1, (highUnits >> 8) & 0xff);
  cmos.setRam(MEMORY_ABOVE_4G + 2, (highUnits >> 16) & 0xff);
  cmos.setRam(CPU_COUNT_MINUS_1, cpus - 1);
  cmos.setRam(EQUIPMENT, EQUIPMENT_FPU_MOUSE);
}

/** Where the ACPI FADT says the century is. */
export const CENTURY_CELL = CMOS_CENTURY;

function setWord(cmos: Cmos, index: number, value: number): void {
  cmos.setRam(index, value & 0xff);
  cmos.setRam(index + 1, (value >> 8) & 0xff);
}
