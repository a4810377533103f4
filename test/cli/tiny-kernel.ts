// Multiboot kernels of a few instructions, for tests of the command around a guest.

const MAGIC = 0x1badb002;
/** The header says where to load: no ELF needed (Multiboot Specification 0.6.96, section 3.1.3). */
const FLAG_ADDRESSES = 1 << 16;
const LOAD_ADDRESS = 0x100000;
const HEADER_BYTES = 32;

/** A kernel that starts with `code`, in 32-bit protected mode, right behind its header. */
export function multibootKernel(code: readonly number[]): Uint8Array {
  const image = Buffer.alloc(HEADER_BYTES + code.length);
  const checksum = -(MAGIC + FLAG_ADDRESSES) >>> 0;
  const fields = [MAGIC, FLAG_ADDRESSES, checksum, LOAD_ADDRESS, LOAD_ADDRESS, 0, 0, LOAD_ADDRESS + HEADER_BYTES];
  for (const [index, field] of fields.entries()) image.writeUInt32LE(field, index * 4);
  image.set(code, HEADER_BYTES);
  return image;
}

/** mov al, `value`; mov dx, `port`; out dx, al. */
export function outByte(port: number, value: number): number[] {
  return [0xb0, value, 0x66, 0xba, port & 0xff, port >> 8, 0xee];
}

/** Writes a text to a port, one byte after the other. */
export function outText(port: number, text: string): number[] {
  return [...Buffer.from(text)].flatMap((byte) => outByte(port, byte));
}

/** cli; hlt; jmp back: nothing happens any more. */
export const STOP = [0xfa, 0xf4, 0xeb, 0xfc];
/** ud2 with no interrupt table: a triple fault. */
export const TRIPLE_FAULT = [0x0f, 0x0b];
