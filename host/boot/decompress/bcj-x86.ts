// The x86 branch filter of xz: before compression the 32-bit displacements of CALL and JMP were made absolute,
// so that calls of one function look alike; here they become relative again.
// The filter's own rules (which look-alikes it skips) are those of the .xz format's reference.

const CALL = 0xe8;
const JUMP = 0xe9;
/** By the pattern of opcode bytes just before: may this one be a real branch; and which displacement byte tells. */
const ALLOWED = [true, true, true, false, true, false, false, false] as const;
const DISTANCE_BITS = [0, 1, 2, 2, 3, 3, 3, 3] as const;

/** True for bytes a plausible near displacement ends with. */
function isSignByte(byte: number): boolean {
  return byte === 0x00 || byte === 0xff;
}

/** Undoes the filter in place; `bytes` is a whole block, which the filter numbers from 0. */
export function undoX86Filter(bytes: Uint8Array): void {
  const limit = bytes.length - 4;
  let previous = -1;
  let mask = 0;
  for (let i = 0; i < limit; i++) {
    const opcode = bytes[i] as number;
    if (opcode !== CALL && opcode !== JUMP) {
      continue;
    }
    const gap = i - previous;
    previous = i;
    mask = gap > 3 ? 0 : (mask << (gap - 1)) & 7;
    if (mask !== 0) {
      const suspect = bytes[i + 4 - (DISTANCE_BITS[mask] as number)] as number;
      if (!ALLOWED[mask] || isSignByte(suspect)) {
        mask = (mask << 1) | 1;
        continue;
      }
    }
    if (!isSignByte(bytes[i + 4] as number)) {
      mask = (mask << 1) | 1;
      continue;
    }
    convert(bytes, i, mask);
    // The displacement itself holds no opcodes; the next one is too far away for the mask to matter.
    i += 4;
  }
}

function convert(bytes: Uint8Array, at: number, mask: number): void {
  let absolute = readWord(bytes, at + 1);
  for (;;) {
    const relative = (absolute - (at + 5)) >>> 0;
    if (mask === 0) {
      writeWord(bytes, at + 1, relative);
      return;
    }
    const shift = (DISTANCE_BITS[mask] as number) * 8;
    if (!isSignByte((relative >>> (24 - shift)) & 0xff)) {
      writeWord(bytes, at + 1, relative);
      return;
    }
    absolute = (relative ^ (2 ** (32 - shift) - 1)) >>> 0;
  }
}

function readWord(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

/** The top byte of the result is a sign: all copies of bit 24. */
function writeWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = (value >>> 8) & 0xff;
  bytes[at + 2] = (value >>> 16) & 0xff;
  bytes[at + 3] = value & 0x01000000 ? 0xff : 0x00;
}
