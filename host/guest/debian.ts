// The default guest's files: Debian's cloud kernel and busybox, fetched once on the user's machine.
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { unpackKernel } from "../boot/loader.ts";
import { Apt } from "./apt.ts";
import { cached, cacheFolder } from "./cache.ts";
import { CommandError } from "./command.ts";
import { unpackDeb } from "./deb.ts";
import { buildInitramfs } from "./initramfs.ts";
import { Progress } from "./progress.ts";

/** Changes when what is cached changes its form. */
const FOLDER = "debian-1";
/** Each depends on the package that holds the kernel itself. */
const KERNEL_PACKAGES = ["linux-image-6.12-cloud-amd64", "linux-image-cloud-amd64"];
const BUSYBOX_PACKAGE = "busybox-static";

export interface DebianGuest {
  readonly kernel: string;
  readonly initrd: Uint8Array;
}

/** True where the files are cached: `debianGuest` then takes no network. */
export function debianGuestIsCached(): boolean {
  return existsSync(join(cacheFolder(), FOLDER));
}

/** The kernel's path and the initial root file system. Throws CommandError where they cannot be had. */
export async function debianGuest(): Promise<DebianGuest> {
  const folder = await cached(FOLDER, fetchFiles);
  const busybox = readFileSync(join(folder, "busybox"));
  return { kernel: unpackedKernel(folder), initrd: buildInitramfs(busybox) };
}

/** The kernel is unpacked once: that takes half a second and more. */
function unpackedKernel(folder: string): string {
  const packed = join(folder, "vmlinuz");
  const unpacked = join(folder, "vmlinux");
  if (!existsSync(unpacked)) {
    // Under another name first, so that nobody sees half a file.
    const part = `${unpacked}.${process.pid}`;
    try {
      writeFileSync(part, unpackKernel(readFileSync(packed), packed));
      renameSync(part, unpacked);
    } catch {
      // A cache that takes no more files still boots, only later.
      rmSync(part, { force: true });
      return packed;
    }
  }
  return unpacked;
}

async function fetchFiles(folder: string): Promise<void> {
  const work = join(folder, "work");
  mkdirSync(work);
  const apt = new Apt(work, new Progress());
  await apt.update();
  const kernel = await kernelPackage(apt);
  const kernelFile = await apt.download(kernel);
  const busyboxFile = await apt.download(BUSYBOX_PACKAGE);
  await unpackDeb(kernelFile, "./boot/vmlinuz-*", join(work, "kernel"));
  await unpackDeb(busyboxFile, "./*bin/busybox", join(work, "busybox"));
  copyFileSync(onlyFile(join(work, "kernel", "boot")), join(folder, "vmlinuz"));
  copyFileSync(findBusybox(join(work, "busybox")), join(folder, "busybox"));
  chmodSync(join(folder, "busybox"), 0o755);
  writeFileSync(join(folder, "packages"), `${kernel}\n${BUSYBOX_PACKAGE}\n`);
  rmSync(work, { recursive: true });
}

async function kernelPackage(apt: Apt): Promise<string> {
  for (const name of KERNEL_PACKAGES) {
    const depends = await apt.field(name, "Depends");
    const kernel = /\blinux-image-[^ ,]+/.exec(depends ?? "")?.[0];
    if (kernel) return kernel;
  }
  throw new CommandError("apt knows no package linux-image-cloud-amd64");
}

function onlyFile(folder: string): string {
  const name = readdirSync(folder)[0];
  if (!name) throw new CommandError("the kernel's package holds no kernel");
  return join(folder, name);
}

/** In /bin in older releases, in /usr/bin in newer ones. */
function findBusybox(folder: string): string {
  const found = ["bin/busybox", "usr/bin/busybox"].map((path) => join(folder, path)).find((path) => existsSync(path));
  if (!found) throw new CommandError("the busybox package holds no busybox");
  return found;
}
