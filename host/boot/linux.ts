// Entering Linux with boot_params: the 32-bit and 64-bit boot protocols, for a whole bzImage that unpacks itself
// in the guest, or for the vmlinux inside it, whose entry takes the same registers.
import { type BzImage, SETUP_HEADER_OFFSET, XLF_KERNEL_64 } from "./bzimage.ts";
import { checkInRam, type ElfFile, elfRegions, physicalEntry } from "./elf.ts";
import { commandLineBytes, endOfRegions, placeInitrd, SmallData } from "./placement.ts";
import { BootError, type BootFiles, type BootImage, type BootMachine, type BootRegion, region } from "./types.ts";

const PAGE = 4096;
// Offsets in boot_params ("zero page").
const ACPI_RSDP_ADDRESS = 0x070;
const E820_COUNT = 0x1e8;
const BOOT_FLAG = 0x1fe;
const HEADER_MAGIC = 0x202;
const PROTOCOL = 0x206;
const TYPE_OF_LOADER = 0x210;
const LOADFLAGS = 0x211;
const CODE32_START = 0x214;
const RAMDISK_IMAGE = 0x218;
const RAMDISK_SIZE = 0x21c;
const COMMAND_LINE = 0x228;
const KERNEL_ALIGNMENT = 0x230;
const E820_TABLE = 0x2d0;

const E820_ENTRY_BYTES = 20;
const E820_LIMIT = 128;
/** "Undefined": no number is assigned to this loader. */
const LOADER_UNDEFINED = 0xff;
const LOADED_HIGH = 0x01;
const CAN_USE_HEAP = 0x80;
/** Offset of the 64-bit entry in the protected-mode part. */
const ENTRY_64 = 0x200;
/** What a vmlinux without a bzImage around it is told about its own version. */
const NEWEST_PROTOCOL = 0x20f;

/** What the two ways in have in common. */
interface LinuxKernel {
  readonly regions: readonly BootRegion[];
  /** First address behind the kernel and its early working space. */
  readonly end: number;
  readonly header: Uint8Array | null;
  readonly initrdAddressMax: number;
  readonly codeStart: number;
}

/**
 * Boots a bzImage as it is; the guest unpacks it.
 * @throws BootError when it does not fit.
 */
export function bootBzImage(image: BzImage, files: BootFiles, machine: BootMachine): BootImage {
  const { loadAddress } = image;
  checkInRam(loadAddress, Math.max(image.initSize, image.protectedMode.length), machine, files.kernelName);
  const is64Bit = (image.xloadflags & XLF_KERNEL_64) !== 0;
  const kernel: LinuxKernel = {
    regions: [region(loadAddress, image.protectedMode)],
    end: loadAddress + Math.max(image.initSize, image.protectedMode.length),
    header: image.header,
    initrdAddressMax: image.initrdAddressMax,
    codeStart: loadAddress,
  };
  const entry = is64Bit ? loadAddress + ENTRY_64 : loadAddress;
  return enter(kernel, entry, is64Bit, `bzImage, ${is64Bit ? "64" : "32"}-bit boot protocol`, files, machine);
}

/**
 * Boots an unpacked kernel by its ELF entry.
 * @param image the bzImage it came from, for the setup header; null for a bare vmlinux
 * @throws BootError when it does not fit.
 */
export function bootVmlinux(elf: ElfFile, image: BzImage | null, files: BootFiles, machine: BootMachine): BootImage {
  const regions = elfRegions(elf, machine, files.kernelName);
  const kernel: LinuxKernel = {
    regions,
    end: endOfRegions(regions),
    header: image?.header ?? null,
    initrdAddressMax: image?.initrdAddressMax ?? 0x7fffffff,
    codeStart: (regions[0] as BootRegion).gpa,
  };
  const format = elf.is64Bit ? "ELF64" : "ELF32";
  const entry = physicalEntry(elf, files.kernelName);
  return enter(kernel, entry, elf.is64Bit, `${format} kernel, entry 0x${entry.toString(16)}`, files, machine);
}

function enter(
  kernel: LinuxKernel,
  entry: number,
  is64Bit: boolean,
  description: string,
  files: BootFiles,
  machine: BootMachine,
): BootImage {
  const regions = [...kernel.regions];
  const small = new SmallData(kernel.regions);
  let initrd = 0;
  if (files.initrd !== undefined && files.initrd.length > 0) {
    initrd = placeInitrd(files.initrd.length, kernel.end, kernel.initrdAddressMax, machine);
    regions.push(region(initrd, files.initrd));
  }
  const commandLine = small.place(commandLineBytes(files.commandLine));
  const params = bootParams(kernel, machine);
  const view = new DataView(params.buffer);
  view.setUint32(RAMDISK_IMAGE, initrd, true);
  view.setUint32(RAMDISK_SIZE, initrd === 0 ? 0 : (files.initrd as Uint8Array).length, true);
  view.setUint32(COMMAND_LINE, commandLine, true);
  const zeroPage = small.place(params, PAGE);
  return {
    description,
    regions: [...regions, ...small.regions],
    mode: is64Bit ? "long" : "protected",
    registers: { rip: entry, rsi: zeroPage },
  };
}

function bootParams(kernel: LinuxKernel, machine: BootMachine): Uint8Array {
  const params = new Uint8Array(PAGE);
  const view = new DataView(params.buffer);
  if (kernel.header !== null) {
    params.set(kernel.header, SETUP_HEADER_OFFSET);
  } else {
    view.setUint16(BOOT_FLAG, 0xaa55, true);
    view.setUint32(HEADER_MAGIC, 0x53726448, true);
    view.setUint16(PROTOCOL, NEWEST_PROTOCOL, true);
    view.setUint32(KERNEL_ALIGNMENT, 0x1000000, true);
  }
  view.setUint8(TYPE_OF_LOADER, LOADER_UNDEFINED);
  // The heap belongs to the 16-bit code, which is not run.
  view.setUint8(LOADFLAGS, (view.getUint8(LOADFLAGS) & ~CAN_USE_HEAP) | LOADED_HIGH);
  view.setUint32(CODE32_START, kernel.codeStart, true);
  view.setBigUint64(ACPI_RSDP_ADDRESS, BigInt(machine.rsdpAddress), true);
  if (machine.e820.length > E820_LIMIT) {
    throw new BootError(`a memory map of ${machine.e820.length} entries does not fit into boot_params`);
  }
  view.setUint8(E820_COUNT, machine.e820.length);
  machine.e820.forEach((range, index) => {
    const at = E820_TABLE + index * E820_ENTRY_BYTES;
    view.setBigUint64(at, BigInt(range.start), true);
    view.setBigUint64(at + 8, BigInt(range.size), true);
    view.setUint32(at + 16, range.type, true);
  });
  return params;
}
