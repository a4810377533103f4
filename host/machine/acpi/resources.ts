// Resource descriptors of _CRS buffers (ACPI 6.4, section 6.4).
import { type Aml, buffer, le } from "./aml.ts";

export type Resource = readonly number[];

const IO_PORT = 0x47;
const IRQ_NO_FLAGS = 0x22;
const END_TAG = 0x79;
const MEMORY32_FIXED = 0x86;
const DWORD_ADDRESS_SPACE = 0x87;
const WORD_ADDRESS_SPACE = 0x88;

const SPACE_MEMORY = 0;
const SPACE_IO = 1;
const SPACE_BUS_NUMBERS = 2;
/** A bridge hands the range on; both ends are fixed. */
const PRODUCER_FIXED = 0x0c;
const ENTIRE_IO_RANGE = 0x03;
const READ_WRITE = 0x01;
const CACHEABLE = 0x02;

/** A device's own ports, at a fixed 16-bit address. */
export function ioPorts(base: number, length: number): Resource {
  const decodes16Bits = 1;
  return [IO_PORT, decodes16Bits, ...le(base, 2), ...le(base, 2), 1, length];
}

/** An edge-triggered, active-high interrupt (ISA). */
export function isaIrq(irq: number): Resource {
  return [IRQ_NO_FLAGS, ...le(1 << irq, 2)];
}

/** Fixed memory of a device. */
export function fixedMemory(base: number, length: number): Resource {
  return [MEMORY32_FIXED, ...le(9, 2), 1, ...le(base, 4), ...le(length, 4)];
}

/** Bus numbers below a host bridge. */
export function busNumbers(first: number, last: number): Resource {
  return wordRange(SPACE_BUS_NUMBERS, 0, first, last);
}

/** Ports that a host bridge passes on. */
export function ioWindow(first: number, last: number): Resource {
  return wordRange(SPACE_IO, ENTIRE_IO_RANGE, first, last);
}

/** Memory below 4 GiB that a host bridge passes on. */
export function memoryWindow(first: number, last: number, cacheable: boolean): Resource {
  const flags = READ_WRITE | (cacheable ? CACHEABLE : 0);
  const fields = [0, first, last, 0, last - first + 1].flatMap((value) => le(value, 4));
  return [DWORD_ADDRESS_SPACE, ...le(3 + fields.length, 2), SPACE_MEMORY, PRODUCER_FIXED, flags, ...fields];
}

/** The buffer that a _CRS object holds. */
export function resourceTemplate(...resources: readonly Resource[]): Aml {
  // A checksum of zero counts as right.
  return buffer([...resources.flat(), END_TAG, 0]);
}

function wordRange(space: number, flags: number, first: number, last: number): Resource {
  const fields = [0, first, last, 0, last - first + 1].flatMap((value) => le(value, 2));
  return [WORD_ADDRESS_SPACE, ...le(3 + fields.length, 2), space, PRODUCER_FIXED, flags, ...fields];
}
