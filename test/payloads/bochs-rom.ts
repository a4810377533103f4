// A boot ROM for Bochs, which has no loader of its own: enters protected mode and starts a multiboot image that Bochs has
// put into RAM (its option optramimage1).
import { parseElf } from "../../host/boot/elf.ts";

const LOAD_SEGMENT = 1;
const ROM_SIZE = 0x10000;
const ROM_ADDRESS = 0xf0000;
const RESET_VECTOR = 0xfff0;
const REAL_MODE_CODE = 0xe000;
const DESCRIPTOR_TABLE = 0xe040;
const PROTECTED_MODE_CODE = 0xe060;
/** Bochs hands out its memory in blocks of this size, in the order in which they are first touched. */
const BLOCK = 0x20000;
const MULTIBOOT_MAGIC = 0x2badb002;

export interface BochsBoot {
  readonly ram: Buffer;
  /** Where `ram` goes. */
  readonly address: number;
  readonly rom: Buffer;
}

/** RAM image and ROM for a payload. */
export function bootRom(image: Uint8Array, name: string): BochsBoot {
  const elf = parseElf(image, name);
  const segments = elf.segments.filter(({ type }) => type === LOAD_SEGMENT);
  const address = Math.min(...segments.map(({ physicalAddress }) => physicalAddress));
  const end = Math.max(...segments.map(({ physicalAddress, memorySize }) => physicalAddress + memorySize));
  const ram = Buffer.alloc(end - address);
  for (const { physicalAddress, offset, fileSize } of segments) {
    ram.set(elf.bytes.subarray(offset, offset + fileSize), physicalAddress - address);
  }
  return { ram, address, rom: rom(address, end, Number(elf.entry)) };
}

/** Touches the image's blocks in order, so that they come to lie as the file does, and jumps to the entry. */
function rom(imageAt: number, imageEnd: number, entry: number): Buffer {
  const bytes = Buffer.alloc(ROM_SIZE, 0xff);
  const word = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
  const put = (at: number, ...code: number[]): void => void Buffer.from(code).copy(bytes, at);
  put(RESET_VECTOR, 0xea, REAL_MODE_CODE & 255, REAL_MODE_CODE >> 8, 0x00, 0xf0); // jmp f000:REAL_MODE_CODE
  put(
    REAL_MODE_CODE,
    ...[0xfa], // cli
    ...[0x2e, 0x66, 0x0f, 0x01, 0x16, DESCRIPTOR_TABLE & 255, DESCRIPTOR_TABLE >> 8], // lgdtl cs:DESCRIPTOR_TABLE
    ...[0x66, 0xb8, ...word(0x11)], // mov $(ET|PE), %eax
    ...[0x0f, 0x22, 0xc0], // mov %eax, %cr0
    ...[0x66, 0xea, ...word(ROM_ADDRESS + PROTECTED_MODE_CODE), 0x08, 0x00], // ljmpl $8, PROTECTED_MODE_CODE
  );
  put(DESCRIPTOR_TABLE, 23, 0, ...word(ROM_ADDRESS + DESCRIPTOR_TABLE + 8));
  bytes.writeBigUInt64LE(0n, DESCRIPTOR_TABLE + 8);
  bytes.writeBigUInt64LE(0x00cf9b000000ffffn, DESCRIPTOR_TABLE + 16);
  bytes.writeBigUInt64LE(0x00cf93000000ffffn, DESCRIPTOR_TABLE + 24);
  put(
    PROTECTED_MODE_CODE,
    ...[0x66, 0xb8, 0x10, 0x00], // mov $16, %ax
    ...[0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, 0x8e, 0xe0, 0x8e, 0xe8], // mov %ax, %ds, %es, %ss, %fs, %gs
    ...[0xbe, ...word(imageAt)], // mov $imageAt, %esi
    ...[0x8a, 0x06], // again: mov (%esi), %al
    ...[0x81, 0xc6, ...word(BLOCK)], // add $BLOCK, %esi
    ...[0x81, 0xfe, ...word(imageEnd)], // cmp $imageEnd, %esi
    ...[0x72, 0xf0], // jb again
    ...[0xb0, 0x02, 0xe6, 0x92], // mov $2, %al; out %al, $0x92: A20
    ...[0xb8, ...word(MULTIBOOT_MAGIC)], // mov $MULTIBOOT_MAGIC, %eax
    ...[0x31, 0xdb], // xor %ebx, %ebx
    ...[0xb9, ...word(entry)], // mov $entry, %ecx
    ...[0xff, 0xe1], // jmp *%ecx
  );
  return bytes;
}
