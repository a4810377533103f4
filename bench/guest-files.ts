// Kernels, file systems and programs for the guests, kept in the cache folder.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseBzImage } from "../host/boot/bzimage.ts";
import { unpackPayload } from "../host/boot/unpack.ts";
import { Apt } from "../host/guest/apt.ts";
import { cached } from "../host/guest/cache.ts";
import { CommandError } from "../host/guest/command.ts";
import { CpioWriter } from "../host/guest/cpio.ts";
import { unpackDeb } from "../host/guest/deb.ts";
import { buildInitramfs } from "../host/guest/initramfs.ts";
import { Progress } from "../host/guest/progress.ts";

/** Changes when what is cached changes its form. */
const FOLDER = "bench-1";
/** Each depends on the package that holds a kernel; which releases of Linux they bring depends on the Debian release. */
const KERNEL_PACKAGES = ["linux-image-cloud-amd64", "linux-image-6.12-cloud-amd64"];
const BUSYBOX_PACKAGE = "busybox-static";

export interface GuestKernel {
  /** Two parts of the release, for example 6.12. */
  readonly version: string;
  readonly release: string;
  /** The bzImage of the package. */
  readonly path: string;
  /** The ELF file inside it. */
  readonly unpacked: string;
}

export interface GuestFiles {
  readonly folder: string;
  /** Oldest first. */
  readonly kernels: readonly GuestKernel[];
  readonly busybox: Uint8Array;
}

/** Fetches what is not cached with apt. Throws CommandError where that fails. */
export async function guestFiles(): Promise<GuestFiles> {
  const folder = await cached(FOLDER, fetchFiles);
  const kernels = readdirSync(folder)
    .filter((name) => name.startsWith("vmlinuz-"))
    .map((name) => {
      const release = name.slice("vmlinuz-".length);
      const version = /^\d+\.\d+/.exec(release)?.[0] ?? release;
      return { version, release, path: join(folder, name), unpacked: join(folder, `vmlinux-${release}`) };
    })
    .sort((a, b) => a.version.localeCompare(b.version, "en", { numeric: true }));
  return { folder, kernels, busybox: readFileSync(join(folder, "busybox")) };
}

async function fetchFiles(folder: string): Promise<void> {
  const work = join(folder, "work");
  mkdirSync(work);
  const apt = new Apt(work, new Progress());
  await apt.update();
  for (const name of await kernelPackages(apt)) {
    await unpackDeb(await apt.download(name), "./boot/vmlinuz-*", join(work, name));
    for (const file of readdirSync(join(work, name, "boot"))) {
      const bytes = readFileSync(join(work, name, "boot", file));
      writeFileSync(join(folder, file), bytes);
      writeFileSync(join(folder, file.replace("vmlinuz-", "vmlinux-")), unpackKernel(bytes, file));
    }
  }
  await unpackDeb(await apt.download(BUSYBOX_PACKAGE), "./*bin/busybox", join(work, "busybox"));
  const busybox = readdirSync(join(work, "busybox"), { recursive: true, encoding: "utf8" }).find(
    (path) => basename(path) === "busybox",
  );
  if (!busybox) throw new CommandError("the busybox package holds no busybox");
  writeFileSync(join(folder, "busybox"), readFileSync(join(work, "busybox", busybox)));
  rmSync(work, { recursive: true });
}

async function kernelPackages(apt: Apt): Promise<string[]> {
  const found = new Set<string>();
  for (const name of KERNEL_PACKAGES) {
    const kernel = /\blinux-image-[^ ,]+/.exec((await apt.field(name, "Depends")) ?? "")?.[0];
    if (kernel) found.add(kernel);
  }
  if (found.size === 0) throw new CommandError("apt knows no package linux-image-cloud-amd64");
  return [...found];
}

function unpackKernel(bytes: Uint8Array, name: string): Uint8Array {
  const { payload } = parseBzImage(bytes, name);
  if (payload === null) throw new CommandError(`${name}: holds no packed kernel`);
  return unpackPayload(payload, name).bytes;
}

/** What init of bootInitramfs() prints. */
export const USERLAND = /@userland (\S+)\r?\n/;

/** Prints USERLAND from a shell script as the first process, and turns the machine off. */
export function bootInitramfs(busybox: Uint8Array): Uint8Array {
  const init = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
echo "@userland $(/bin/busybox uname -r)"
/bin/busybox poweroff -f
`;
  const cpio = new CpioWriter();
  for (const folder of ["bin", "dev", "proc"]) cpio.directory(folder);
  cpio.characterDevice("dev/console", 5, 1);
  cpio.file("bin/busybox", busybox, 0o755);
  cpio.file("init", new TextEncoder().encode(init), 0o755);
  return cpio.finish();
}

/** The default guest's shell. */
export function shellInitramfs(busybox: Uint8Array): Uint8Array {
  return buildInitramfs(busybox);
}

/** The compiled benchmark programs as the first process. */
export function programsInitramfs(program: Uint8Array): Uint8Array {
  const cpio = new CpioWriter();
  for (const folder of ["dev", "proc"]) cpio.directory(folder);
  cpio.characterDevice("dev/console", 5, 1);
  cpio.file("init", program, 0o755);
  return cpio.finish();
}

/**
 * Compiles bench/guests/*.c into one static program; returns its path, or says why not.
 * It lies in the cache under a name that depends on the sources.
 */
export function compilePrograms(sources: string, folder: string): { path: string } | { missing: string } {
  const flags = ["-O2", "-std=gnu11", "-static"];
  const files = readdirSync(sources).filter((name) => name.endsWith(".c") || name.endsWith(".h"));
  const digest = createHash("sha256").update(flags.join(" "));
  for (const name of files) digest.update(name).update(readFileSync(join(sources, name)));
  const path = join(folder, `programs-${digest.digest("hex").slice(0, 16)}`);
  try {
    readFileSync(path);
    return { path };
  } catch {
    // Not compiled yet.
  }
  const compiled = `${path}.${process.pid}`;
  const inputs = files.filter((name) => name.endsWith(".c")).map((name) => join(sources, name));
  const result = spawnSync("gcc", [...flags, "-o", compiled, ...inputs, "-lm"], { encoding: "utf8" });
  if (result.error) return { missing: "gcc is not installed (Debian packages gcc and libc6-dev)" };
  if (result.status !== 0) return { missing: `gcc: ${result.stderr.split("\n").find((line) => line !== "")}` };
  renameSync(compiled, path);
  return { path };
}
