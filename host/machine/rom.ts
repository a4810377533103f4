// Where a firmware image lies: it ends at 4 GiB, so that its last 16 bytes are at the reset vector, and its last
// 128 KiB can be seen below 1 MiB too, where real-mode code runs (as QEMU's -bios has it).
import { MachineError } from "./errors.ts";
import type { RamSlot } from "./memory-map.ts";
import { GIB, MIB } from "./pc-hardware.ts";

const UNIT = 64 * 1024;
const LARGEST = 16 * MIB;
const LOW_VIEW = 128 * 1024;

/** An image and its places; offsets count from its first byte. */
export interface Rom {
  readonly image: Uint8Array;
  readonly slots: readonly RamSlot[];
}

/** Places an image. @throws MachineError unless its size is a multiple of 64 KiB up to 16 MiB. */
export function layOutRom(image: Uint8Array): Rom {
  const size = image.length;
  if (size === 0 || size % UNIT !== 0 || size > LARGEST) {
    throw new MachineError(`the firmware has ${size} bytes: it has to be a multiple of 64 KiB, 16 MiB at most`);
  }
  const low = Math.min(size, LOW_VIEW);
  return {
    image,
    slots: [
      { gpa: 4 * GIB - size, size, offset: 0 },
      { gpa: MIB - low, size: low, offset: size - low },
    ],
  };
}

/** RAM without what the image covers. */
export function aroundRom(ram: readonly RamSlot[], { slots }: Rom): RamSlot[] {
  return slots.reduce<RamSlot[]>((pieces, rom) => pieces.flatMap((piece) => without(piece, rom)), [...ram]);
}

function without(piece: RamSlot, hole: RamSlot): RamSlot[] {
  const end = piece.gpa + piece.size;
  const holeEnd = hole.gpa + hole.size;
  if (holeEnd <= piece.gpa || hole.gpa >= end) return [piece];
  const behind = { gpa: holeEnd, size: end - holeEnd, offset: piece.offset + holeEnd - piece.gpa };
  return [{ ...piece, size: hole.gpa - piece.gpa }, behind].filter(({ size }) => size > 0);
}
