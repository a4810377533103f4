// The setup header of a bzImage (Linux documentation, "The Linux/x86 Boot Protocol").
import { BootError } from "./types.ts";

const SETUP_HEADER = 0x1f1;
const MAGIC_AT = 0x202;
const MAGIC = 0x53726448;
const BOOT_FLAG = 0xaa55;
/** 2.06 is the first with a command line size; older kernels are from before 2007. */
const OLDEST_PROTOCOL = 0x206;
const RELOCATABLE_PROTOCOL = 0x205;
const PAYLOAD_PROTOCOL = 0x208;
const PREFERRED_ADDRESS_PROTOCOL = 0x20a;
const XLOADFLAGS_PROTOCOL = 0x20c;
const LOADED_HIGH = 0x01;
/** Where a bzImage's protected-mode part goes unless it is relocatable. */
const HIGH_LOAD_ADDRESS = 0x100000;
const SECTOR = 512;

/** xloadflags: the 64-bit entry at offset 0x200 exists; files may lie above 4 GiB. */
export const XLF_KERNEL_64 = 0x01;
export const XLF_CAN_BE_LOADED_ABOVE_4G = 0x02;

export interface BzImage {
  readonly bytes: Uint8Array;
  /** Boot protocol version, for example 0x20f. */
  readonly protocol: number;
  /** The setup header, to be copied into boot_params at the same offset. */
  readonly header: Uint8Array;
  /** The part that runs in protected or long mode. */
  readonly protectedMode: Uint8Array;
  /** The compressed kernel, or null in protocols before 2.08. Its last four bytes are the unpacked size. */
  readonly payload: Uint8Array | null;
  /** Last address an initrd may occupy. */
  readonly initrdAddressMax: number;
  /** Longest command line without its zero byte. */
  readonly commandLineMax: number;
  readonly loadAddress: number;
  /** Memory from the load address on that the kernel needs before it knows the memory map. */
  readonly initSize: number;
  readonly xloadflags: number;
}

/** Offset and size of the setup header within boot_params. */
export const SETUP_HEADER_OFFSET = SETUP_HEADER;

/** True when the file has the signature of a Linux kernel for PC firmware. */
export function isBzImage(bytes: Uint8Array): boolean {
  return bytes.length >= MAGIC_AT + 4 && dataView(bytes).getUint32(MAGIC_AT, true) === MAGIC;
}

/**
 * Reads and checks the header.
 * @throws BootError naming the field that is wrong.
 */
export function parseBzImage(bytes: Uint8Array, name: string): BzImage {
  const view = dataView(bytes);
  if (bytes.length < 2 * SECTOR) {
    throw new BootError(`${name}: truncated: ${bytes.length} bytes are less than a Linux setup header`);
  }
  if (view.getUint16(0x1fe, true) !== BOOT_FLAG) {
    throw new BootError(`${name}: boot_flag of the setup header is not 0xaa55`);
  }
  const protocol = view.getUint16(0x206, true);
  if (protocol < OLDEST_PROTOCOL) {
    throw new BootError(`${name}: boot protocol ${version(protocol)} is older than ${version(OLDEST_PROTOCOL)}`);
  }
  if (!(view.getUint8(0x211) & LOADED_HIGH)) {
    throw new BootError(`${name}: loadflags says zImage (loaded low); only bzImage is supported`);
  }
  const setupSectors = view.getUint8(SETUP_HEADER) || 4;
  const protectedModeAt = (setupSectors + 1) * SECTOR;
  // syssize counts paragraphs; newer kernels append a signature or checksum behind it.
  const expected = protectedModeAt + view.getUint32(0x1f4, true) * 16;
  if (bytes.length < expected) {
    throw new BootError(`${name}: truncated: syssize promises ${expected} bytes, the file has ${bytes.length}`);
  }
  const headerEnd = MAGIC_AT + view.getUint8(0x201);
  const xloadflags = protocol >= XLOADFLAGS_PROTOCOL ? view.getUint16(0x236, true) : 0;
  const relocatable = protocol >= RELOCATABLE_PROTOCOL && view.getUint8(0x234) !== 0;
  const hasPreferred = protocol >= PREFERRED_ADDRESS_PROTOCOL;
  return {
    bytes,
    protocol,
    header: bytes.subarray(SETUP_HEADER, Math.min(headerEnd, 0x290)),
    protectedMode: bytes.subarray(protectedModeAt, expected),
    payload: protocol >= PAYLOAD_PROTOCOL ? payload(bytes, view, protectedModeAt, name) : null,
    initrdAddressMax: xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G ? 0xffffffff : view.getUint32(0x22c, true),
    commandLineMax: view.getUint32(0x238, true),
    loadAddress: relocatable && hasPreferred ? Number(view.getBigUint64(0x258, true)) : HIGH_LOAD_ADDRESS,
    initSize: hasPreferred ? view.getUint32(0x260, true) : expected,
    xloadflags,
  };
}

function payload(bytes: Uint8Array, view: DataView, protectedModeAt: number, name: string): Uint8Array | null {
  const offset = view.getUint32(0x248, true);
  const length = view.getUint32(0x24c, true);
  if (length === 0) {
    return null;
  }
  const start = protectedModeAt + offset;
  if (start + length > bytes.length) {
    throw new BootError(`${name}: payload_offset and payload_length point behind the end of the file`);
  }
  return bytes.subarray(start, start + length);
}

function version(protocol: number): string {
  return `${protocol >> 8}.${String(protocol & 0xff).padStart(2, "0")}`;
}

function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
