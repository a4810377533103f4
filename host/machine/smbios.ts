// The least SMBIOS (DMTF DSP0134, version 2.8) that names the machine to its guest: BIOS, system, chassis, end.

import { uuidBytes } from "./uuid.ts";

const ENTRY_BYTES = 31;
const END_OF_TABLE = 127;
const MANUFACTURER = "wkvm";
const PRODUCT = "Standard PC (i440FX + PIIX)";

export interface SmbiosOptions {
  /** RFC 4122 form; without it the guest is told that there is none. */
  readonly uuid?: string;
  readonly version: string;
}

/** The entry point followed by its table, for guest physical address `base` (a multiple of 16 in the BIOS area). */
export function buildSmbios(base: number, options: SmbiosOptions): Uint8Array {
  const structures = [
    // BIOS: start segment 0xf000, 64 KiB, characteristics not given.
    structure(
      0,
      0x0000,
      [1, 2, 0x00, 0xf0, 3, 0, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0x04, 0, 0, 0xff, 0xff],
      [MANUFACTURER, options.version, "01/01/2026"],
    ),
    structure(1, 0x0100, [1, 2, 3, 0, ...smbiosUuid(options.uuid), 6, 0, 0], [MANUFACTURER, PRODUCT, options.version]),
    // Chassis: type "other", states "safe", no security.
    structure(3, 0x0300, [1, 1, 2, 0, 0, 3, 3, 3, 2, 0, 0, 0, 0, 0, 0, 0, 0], [MANUFACTURER, options.version]),
    structure(END_OF_TABLE, 0x7f00, [], []),
  ];
  const table = structures.flat();
  const largest = Math.max(...structures.map((bytes) => bytes.length));
  const entry = new Uint8Array(ENTRY_BYTES);
  const view = new DataView(entry.buffer);
  entry.set(new TextEncoder().encode("_SM_"), 0);
  entry.set([ENTRY_BYTES, 2, 8], 5);
  view.setUint16(8, largest, true);
  entry.set(new TextEncoder().encode("_DMI_"), 16);
  view.setUint16(22, table.length, true);
  view.setUint32(24, base + ENTRY_BYTES + 1, true);
  view.setUint16(28, structures.length, true);
  entry[30] = 0x28;
  entry[21] = checksum(entry.subarray(16));
  entry[4] = checksum(entry);
  return Uint8Array.from([...entry, 0, ...table]);
}

/** The SMBIOS form of a UUID: the first three fields are little endian (section 7.2.1). */
function smbiosUuid(uuid: string | undefined): number[] {
  const bytes = uuidBytes(uuid);
  return [
    ...bytes.slice(0, 4).reverse(),
    ...bytes.slice(4, 6).reverse(),
    ...bytes.slice(6, 8).reverse(),
    ...bytes.slice(8),
  ];
}

/** Header, formatted part, strings and the two zeros that end them. */
function structure(type: number, handle: number, fields: readonly number[], strings: readonly string[]): number[] {
  const text = strings.flatMap((value) => [...new TextEncoder().encode(value), 0]);
  return [type, 4 + fields.length, handle & 0xff, handle >> 8, ...fields, ...(text.length > 0 ? text : [0]), 0];
}

function checksum(bytes: Uint8Array): number {
  return -bytes.reduce((total, byte) => total + byte, 0) & 0xff;
}
