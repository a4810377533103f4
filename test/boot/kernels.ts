// Kernels made for tests: the least that each format needs.
import type { BootFiles, BootImage, BootMachine } from "../../host/boot/types.ts";
import { layOutMemory } from "../../host/machine/memory-map.ts";
import { MIB } from "../../host/machine/pc-hardware.ts";

export function machineWith(mebibytes: number): BootMachine {
  const map = layOutMemory(mebibytes * MIB);
  return { e820: map.e820, lowRamEnd: map.lowEnd, rsdpAddress: 0xf0000 };
}

export function filesFor(kernel: Uint8Array, more: Partial<BootFiles> = {}): BootFiles {
  return { kernel, kernelName: "kernel", commandLine: "", ...more };
}

export interface ElfSpec {
  readonly is64Bit: boolean;
  readonly entry: number;
  readonly machine?: number;
  readonly load: {
    readonly paddr: number;
    readonly vaddr?: bigint;
    readonly data: Uint8Array;
    readonly memory?: number;
  };
  readonly pvhEntry?: number;
}

/** An executable with one segment and, on request, the PVH note. */
export function elf(spec: ElfSpec): Uint8Array {
  const { is64Bit, load } = spec;
  const headerBytes = is64Bit ? 64 : 52;
  const entryBytes = is64Bit ? 56 : 32;
  const note = spec.pvhEntry === undefined ? new Uint8Array(0) : pvhNote(spec.pvhEntry);
  const count = note.length > 0 ? 2 : 1;
  const noteAt = headerBytes + entryBytes * count;
  const dataAt = noteAt + note.length;
  const bytes = new Uint8Array(dataAt + load.data.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, is64Bit ? 2 : 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, spec.machine ?? (is64Bit ? 62 : 3), true);
  const word = (at: number, value: number | bigint) =>
    is64Bit ? view.setBigUint64(at, BigInt(value), true) : view.setUint32(at, Number(value), true);
  word(24, spec.entry);
  word(is64Bit ? 32 : 28, headerBytes);
  view.setUint16(is64Bit ? 54 : 42, entryBytes, true);
  view.setUint16(is64Bit ? 56 : 44, count, true);
  const segment = (index: number, fields: { type: number; at: number; v: bigint; p: number; f: number; m: number }) => {
    const at = headerBytes + index * entryBytes;
    view.setUint32(at, fields.type, true);
    const base = is64Bit ? at + 8 : at + 4;
    const size = is64Bit ? 8 : 4;
    for (const [i, value] of [fields.at, fields.v, fields.p, fields.f, fields.m].entries()) {
      word(base + i * size, value);
    }
  };
  const size = load.data.length;
  const vaddr = load.vaddr ?? BigInt(load.paddr);
  segment(0, { type: 1, at: dataAt, v: vaddr, p: load.paddr, f: size, m: load.memory ?? size });
  if (note.length > 0) {
    segment(1, { type: 4, at: noteAt, v: 0n, p: 0, f: note.length, m: note.length });
  }
  bytes.set(note, noteAt);
  bytes.set(load.data, dataAt);
  return bytes;
}

/** Two notes, so that the first has to be stepped over. */
function pvhNote(entry: number): Uint8Array {
  const other = new Uint8Array(24);
  const otherView = new DataView(other.buffer);
  otherView.setUint32(0, 5, true);
  otherView.setUint32(4, 3, true);
  otherView.setUint32(8, 18, true);
  other.set(new TextEncoder().encode("Else"), 12);
  const note = new Uint8Array(20);
  const view = new DataView(note.buffer);
  view.setUint32(0, 4, true);
  view.setUint32(4, 4, true);
  view.setUint32(8, 18, true);
  note.set(new TextEncoder().encode("Xen"), 12);
  view.setUint32(16, entry, true);
  return Uint8Array.from([...other, ...note]);
}

export interface BzImageSpec {
  readonly payload: Uint8Array;
  readonly protocol?: number;
  readonly xloadflags?: number;
  readonly commandLineMax?: number;
  readonly initrdMax?: number;
}

/** A bzImage with four setup sectors and the payload at offset 64 of the protected-mode part. */
export function bzImage(spec: BzImageSpec): Uint8Array {
  const setup = 5 * 512;
  const protectedBytes = Math.ceil((64 + spec.payload.length) / 16) * 16;
  const bytes = new Uint8Array(setup + protectedBytes);
  const view = new DataView(bytes.buffer);
  bytes[0x1f1] = 4;
  view.setUint32(0x1f4, protectedBytes / 16, true);
  view.setUint16(0x1fe, 0xaa55, true);
  bytes.set([0xeb, 0x6a], 0x200);
  view.setUint32(0x202, 0x53726448, true);
  view.setUint16(0x206, spec.protocol ?? 0x20f, true);
  bytes[0x211] = 0x81;
  view.setUint32(0x22c, spec.initrdMax ?? 0x7fffffff, true);
  bytes[0x234] = 1;
  view.setUint16(0x236, spec.xloadflags ?? 0, true);
  view.setUint32(0x238, spec.commandLineMax ?? 2047, true);
  view.setUint32(0x248, 64, true);
  view.setUint32(0x24c, spec.payload.length, true);
  view.setBigUint64(0x258, 0x1000000n, true);
  view.setUint32(0x260, 0x200000, true);
  bytes.set(spec.payload, setup + 64);
  return bytes;
}

/** What a boot image puts at an address. */
export function bytesAt(image: BootImage, gpa: number, length: number): Uint8Array {
  const region = image.regions.find((other) => gpa >= other.gpa && gpa + length <= other.gpa + other.memorySize);
  if (region === undefined) {
    throw new Error(`nothing at 0x${gpa.toString(16)}`);
  }
  const bytes = new Uint8Array(length);
  bytes.set(region.data.subarray(gpa - region.gpa, gpa - region.gpa + length));
  return bytes;
}

export function viewAt(image: BootImage, gpa: number, length: number): DataView {
  return new DataView(bytesAt(image, gpa, length).buffer);
}

export function textAt(image: BootImage, gpa: number): string {
  let text = "";
  for (let at = gpa; ; at++) {
    const byte = bytesAt(image, at, 1)[0] as number;
    if (byte === 0) {
      return text;
    }
    text += String.fromCharCode(byte);
  }
}
