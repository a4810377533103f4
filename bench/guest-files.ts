// Kernels, file systems and other programs for the guests: Debian's, fetched once with apt into the cache folder.
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join, sep } from "node:path";
import { parseBzImage } from "../host/boot/bzimage.ts";
import { unpackPayload } from "../host/boot/unpack.ts";
import { Apt, type DebianArchitecture } from "../host/guest/apt.ts";
import { cached } from "../host/guest/cache.ts";
import { CommandError } from "../host/guest/command.ts";
import { unpackDeb } from "../host/guest/deb.ts";
import { Progress } from "../host/guest/progress.ts";
import type { Bits } from "./peers/emulator.ts";

/** Changes when what is cached changes its form. */
const FORM = 2;

interface Source {
  readonly architecture: DebianArchitecture;
  /** Each depends on the package that holds a kernel; which releases of Linux they bring depends on the Debian release. */
  readonly kernels: readonly string[];
  /** The version's suffix in tables, where two architectures have the same release of Linux. */
  readonly suffix: string;
}

const SOURCES: Record<Bits, Source> = {
  64: { architecture: "amd64", kernels: ["linux-image-cloud-amd64", "linux-image-6.12-cloud-amd64"], suffix: "" },
  32: { architecture: "i386", kernels: ["linux-image-686"], suffix: " 686" },
};

export interface GuestKernel {
  readonly bits: Bits;
  /** Two parts of the release, for example 6.12, and "686" behind it for the 32-bit one. */
  readonly version: string;
  readonly release: string;
  /** The bzImage of the package. */
  readonly path: string;
  /** The ELF file inside it. */
  readonly unpacked: string;
}

/** Guests of one width. */
export interface GuestFiles {
  readonly bits: Bits;
  readonly folder: string;
  /** Oldest first. */
  readonly kernels: readonly GuestKernel[];
  /** A statically linked one. */
  readonly busybox: string;
  /** A folder with `lua`, the `loader` that starts it, and its libraries. */
  readonly lua: string;
  /** A folder with bios.bin and vgabios-stdvga.bin. */
  readonly firmware: string;
}

/** Fetches what is not cached with apt. Throws CommandError where that fails. */
export async function guestFiles(bits: Bits): Promise<GuestFiles> {
  const source = SOURCES[bits];
  const folder = await cached(`bench-${source.architecture}-${FORM}`, (made) => fetchFiles(made, source));
  const kernels = readdirSync(folder)
    .filter((name) => name.startsWith("vmlinuz-"))
    .map((name): GuestKernel => {
      const release = name.slice("vmlinuz-".length);
      const version = `${/^\d+\.\d+/.exec(release)?.[0] ?? release}${source.suffix}`;
      return { bits, version, release, path: join(folder, name), unpacked: join(folder, `vmlinux-${release}`) };
    })
    .sort((a, b) => a.version.localeCompare(b.version, "en", { numeric: true }));
  const path = (name: string): string => join(folder, name);
  return { bits, folder, kernels, busybox: path("busybox"), lua: path("lua"), firmware: path("firmware") };
}

async function fetchFiles(folder: string, source: Source): Promise<void> {
  const work = join(folder, "work");
  mkdirSync(work);
  const apt = new Apt(work, new Progress(), source.architecture);
  await apt.update();
  const unpacked = async (name: string, pattern: string): Promise<string> => {
    const to = join(work, `unpacked-${name}`);
    await unpackDeb(await apt.download(name), pattern, to);
    return to;
  };
  for (const name of await kernelPackages(apt, source)) {
    const boot = join(await unpacked(name, "./boot/vmlinuz-*"), "boot");
    for (const file of readdirSync(boot)) {
      const bytes = readFileSync(join(boot, file));
      writeFileSync(join(folder, file), bytes);
      writeFileSync(join(folder, file.replace("vmlinuz-", "vmlinux-")), unpackKernel(bytes, file));
    }
  }
  take(await unpacked("busybox-static", "./*bin/busybox"), /^busybox$/, folder);
  const firmware = join(folder, "firmware");
  mkdirSync(firmware);
  const seabios = await unpacked("seabios", "./usr/share/seabios/*");
  for (const name of ["bios.bin", "vgabios-stdvga.bin"]) take(seabios, new RegExp(`^${name}$`), firmware);
  await fetchLua(apt, unpacked, join(folder, "lua"));
  rmSync(work, { recursive: true });
}

/** Lua 5.4 with the C library that it was built for. */
async function fetchLua(
  apt: Apt,
  unpacked: (name: string, pattern: string) => Promise<string>,
  folder: string,
): Promise<void> {
  mkdirSync(folder);
  take(await unpacked("lua5.4", "./usr/bin/lua5.4"), /^lua5\.4$/, folder, "lua");
  const libc = await unpacked("libc6", "./*.so*");
  take(libc, /^ld-linux(-x86-64)?\.so\.2$/, folder, "loader");
  for (const library of [/^libc\.so\.6$/, /^libm\.so\.6$/]) take(libc, library, folder);
  const readline = await dependency(apt, "lua5.4", /\blibreadline\w*/);
  take(await unpacked(readline, "./*.so*"), /^libreadline\.so\.\d+$/, folder);
  const terminal = await dependency(apt, readline, /\blibtinfo\w*/);
  take(await unpacked(terminal, "./*.so*"), /^libtinfo\.so\.\d+$/, folder);
}

async function dependency(apt: Apt, name: string, pattern: RegExp): Promise<string> {
  const found = pattern.exec((await apt.field(name, "Depends")) ?? "")?.[0];
  if (found === undefined) throw new CommandError(`the package ${name} has no dependency like ${pattern.source}`);
  return found;
}

/** Copies the file of that name, wherever below `from` it is, and under its own name if no other is given. */
function take(from: string, name: RegExp, to: string, as?: string): void {
  for (const path of readdirSync(from, { recursive: true, encoding: "utf8" })) {
    if (!name.test(basename(path))) continue;
    const file = inside(from, path);
    if (file === undefined) continue;
    const target = join(to, as ?? basename(path));
    copyFileSync(file, target);
    chmodSync(target, 0o755);
    return;
  }
  throw new CommandError(`${basename(from)} holds no ${name.source}`);
}

/** Where a path leads; undefined for absolute links, which would lead into this system's own files. */
function inside(folder: string, path: string): string | undefined {
  try {
    const real = realpathSync(join(folder, path));
    return real.startsWith(realpathSync(folder) + sep) ? real : undefined;
  } catch {
    return undefined;
  }
}

async function kernelPackages(apt: Apt, { kernels, architecture }: Source): Promise<string[]> {
  const found = new Set<string>();
  for (const name of kernels) {
    const kernel = /\blinux-image-[^ ,]+/.exec((await apt.field(name, "Depends")) ?? "")?.[0];
    if (kernel) found.add(kernel);
  }
  if (found.size === 0) throw new CommandError(`apt knows no package ${kernels[0]} of ${architecture}`);
  return [...found];
}

function unpackKernel(bytes: Uint8Array, name: string): Uint8Array {
  const { payload } = parseBzImage(bytes, name);
  if (payload === null) throw new CommandError(`${name}: holds no packed kernel`);
  return unpackPayload(payload, name).bytes;
}
