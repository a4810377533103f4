// Recognises what was given as a kernel, as QEMU's -kernel does, and picks the way to boot it.
import { isBzImage, parseBzImage } from "./bzimage.ts";
import { isElf, parseElf } from "./elf.ts";
import { bootBzImage, bootVmlinux } from "./linux.ts";
import { bootMultiboot, findMultibootHeader } from "./multiboot.ts";
import { bootPvh, pvhEntry } from "./pvh.ts";
import { BootError, type BootFiles, type BootImage, type BootMachine } from "./types.ts";
import { canUnpack, unpackPayload } from "./unpack.ts";

/** How a bzImage is treated: unpacked on the host where that is possible, or left to unpack itself. */
export type UnpackPolicy = "host" | "guest";

/**
 * Turns a kernel file into bytes for RAM and a start state.
 * @throws BootError saying what is wrong with which file.
 */
export function loadKernel(files: BootFiles, machine: BootMachine, unpack: UnpackPolicy = "host"): BootImage {
  const { kernel, kernelName: name } = files;
  if (kernel.length === 0) {
    throw new BootError(`${name}: the file is empty`);
  }
  if (isBzImage(kernel)) {
    return loadBzImage(files, machine, unpack);
  }
  const multiboot = findMultibootHeader(kernel);
  if (multiboot !== null) {
    return bootMultiboot(multiboot, files, machine);
  }
  if (isElf(kernel)) {
    const elf = parseElf(kernel, name);
    const entry = pvhEntry(elf);
    return entry === null ? bootVmlinux(elf, null, files, machine) : bootPvh(elf, entry, files, machine);
  }
  throw new BootError(`${name}: ${whatElse(kernel)}`);
}

/**
 * The kernel inside a bzImage, where it can be booted without the file around it; other files as they are.
 * For caches: what comes back starts without being unpacked again.
 * @throws BootError when the file is damaged.
 */
export function unpackKernel(kernel: Uint8Array, name: string): Uint8Array {
  if (!isBzImage(kernel)) {
    return kernel;
  }
  const { payload } = parseBzImage(kernel, name);
  if (payload === null || !canUnpack(payload)) {
    return kernel;
  }
  const { bytes } = unpackPayload(payload, name);
  return pvhEntry(parseElf(bytes, name)) === null ? kernel : bytes;
}

function loadBzImage(files: BootFiles, machine: BootMachine, unpack: UnpackPolicy): BootImage {
  const image = parseBzImage(files.kernel, files.kernelName);
  const length = new TextEncoder().encode(files.commandLine).length;
  if (length > image.commandLineMax) {
    throw new BootError(`the command line has ${length} bytes; ${files.kernelName} takes ${image.commandLineMax}`);
  }
  if (image.payload === null || unpack === "guest" || !canUnpack(image.payload)) {
    return bootBzImage(image, files, machine);
  }
  const { format, bytes, release } = unpackPayload(image.payload, files.kernelName);
  const elf = parseElf(bytes, files.kernelName);
  const entry = pvhEntry(elf);
  const boot = entry === null ? bootVmlinux(elf, image, files, machine) : bootPvh(elf, entry, files, machine);
  return { ...boot, description: `bzImage (${format}): ${boot.description}`, release };
}

/** Says what a file is that cannot be booted. */
function whatElse(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magicAt = (offset: number) => (bytes.length >= offset + 4 ? view.getUint32(offset, true) : 0);
  const other = (architecture: string) => `a kernel for another architecture (${architecture}); this machine is x86-64`;
  // Linux documentation, booting.rst of each architecture.
  if (magicAt(0x38) === 0x644d5241) {
    return other("AArch64");
  }
  if (magicAt(0x24) === 0x016f2818) {
    return other("32-bit ARM");
  }
  if (magicAt(0x38) === 0x05435352) {
    return other("RISC-V");
  }
  if (magicAt(0) === 0x56190527) {
    return "a U-Boot image; give the kernel inside it";
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    return "a gzip file; give the kernel inside it";
  }
  if (bytes.length < 0x206) {
    return `truncated: ${bytes.length} bytes are too few for any kernel`;
  }
  return "not a kernel: neither a bzImage nor multiboot nor ELF";
}
