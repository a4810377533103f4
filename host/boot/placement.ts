// Finding room in guest RAM for what comes with a kernel.
import { BootError, type BootMachine, type BootRegion } from "./types.ts";

const PAGE = 4096;
/** Above the interrupt vectors, the BIOS data area and the traditional boot sector address. */
const SMALL_DATA_START = 0x10000;
/** The extended BIOS data area begins here. */
const SMALL_DATA_END = 0x9fc00;

/** Hands out pieces of base memory (below 640 KiB) that no kernel segment covers, ascending. */
export class SmallData {
  private next = SMALL_DATA_START;
  private readonly taken: readonly BootRegion[];
  readonly regions: BootRegion[] = [];

  constructor(taken: readonly BootRegion[]) {
    this.taken = taken;
  }

  /**
   * Places `data` at a multiple of `align` and returns its address.
   * @throws BootError when base memory is full.
   */
  place(data: Uint8Array, align = 16): number {
    const gpa = this.reserve(data.length, align);
    this.regions.push({ gpa, data, memorySize: data.length });
    return gpa;
  }

  /** Like `place`, for bytes that are only known when the address is. */
  placeWith(size: number, align: number, make: (gpa: number) => Uint8Array): number {
    const gpa = this.reserve(size, align);
    this.regions.push({ gpa, data: make(gpa), memorySize: size });
    return gpa;
  }

  private reserve(size: number, align: number): number {
    let gpa = Math.ceil(this.next / align) * align;
    for (;;) {
      const obstacle = this.taken.find((other) => gpa < other.gpa + other.memorySize && other.gpa < gpa + size);
      if (obstacle === undefined) {
        break;
      }
      gpa = Math.ceil((obstacle.gpa + obstacle.memorySize) / align) * align;
    }
    if (gpa + size > SMALL_DATA_END) {
      throw new BootError(`no room for ${size} bytes of boot data below 640 KiB`);
    }
    this.next = gpa + size;
    return gpa;
  }
}

/**
 * Address for an initrd: as high in low RAM as `highest` (its last possible byte) allows, behind the kernel.
 * @param kernelEnd first address behind what the kernel occupies until it has read its memory map
 * @throws BootError when it does not fit.
 */
export function placeInitrd(size: number, kernelEnd: number, highest: number, machine: BootMachine): number {
  const end = Math.min(machine.lowRamEnd, highest + 1);
  const gpa = Math.floor((end - size) / PAGE) * PAGE;
  if (gpa < kernelEnd) {
    throw new BootError(
      `the initrd of ${mib(size)} MiB does not fit into RAM: ${mib(machine.lowRamEnd)} MiB, ` +
        `of which the kernel takes the first ${mib(kernelEnd)} MiB`,
    );
  }
  return gpa;
}

/** First address behind the last of some regions. */
export function endOfRegions(regions: readonly BootRegion[]): number {
  return regions.reduce((end, other) => Math.max(end, other.gpa + other.memorySize), 0);
}

function mib(bytes: number): string {
  const value = bytes / 2 ** 20;
  return value < 10 ? value.toFixed(1) : String(Math.ceil(value));
}

/** A command line as C has it: UTF-8 and a zero byte. */
export function commandLineBytes(text: string): Uint8Array {
  const utf8 = new TextEncoder().encode(text);
  const bytes = new Uint8Array(utf8.length + 1);
  bytes.set(utf8);
  return bytes;
}
