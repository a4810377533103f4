// Compiles the payloads with the host's gcc. What is built is kept under a name that depends on the sources.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A payload's folder says what mode it is compiled for. */
const MODES = {
  protected: { bits: 32, emulation: "elf_i386", flags: ["-m32"] },
  // Kernels have no red zone, and what interrupts a payload is the payload.
  long: { bits: 64, emulation: "elf_x86_64", flags: ["-m64", "-mno-red-zone"] },
} as const;
type Mode = keyof typeof MODES;

const FLAGS = [
  ...["-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib", "-mgeneral-regs-only"],
  ...["-fno-pic", "-fno-pie", "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-fcf-protection=none"],
  // TRY (lib/trap.h) moves the stack pointer under local variables.
  ...["-fno-omit-frame-pointer", "-fno-strict-aliasing"],
];

/** One bare-metal program. */
export interface Payload {
  /** `long/segments`: folder and file. */
  readonly name: string;
  readonly mode: Mode;
  readonly source: string;
}

/** Where the sources are. */
export function payloadFolder(): string {
  return join(process.env["WKVM_ROOT"] ?? process.cwd(), "test", "payloads");
}

export function listPayloads(): Payload[] {
  return (Object.keys(MODES) as Mode[]).flatMap((mode) =>
    filesOf(join(payloadFolder(), mode), ".c").map((source) => ({
      name: `${mode}/${source.slice(source.lastIndexOf("/") + 1, -".c".length)}`,
      mode,
      source,
    })),
  );
}

function filesOf(folder: string, ...endings: string[]): string[] {
  return readdirSync(folder)
    .filter((name) => endings.some((ending) => name.endsWith(ending)))
    .sort()
    .map((name) => join(folder, name));
}

/** Why payloads cannot be compiled here, or undefined where they can. */
export async function compilerMissing(): Promise<string | undefined> {
  if (process.platform !== "linux" || process.arch !== "x64") return "the payloads need x86-64 Linux";
  try {
    await Promise.all(["gcc", "ld", "objcopy"].map((tool) => run(tool, ["--version"])));
  } catch {
    return "the payloads need gcc, ld and objcopy";
  }
  return undefined;
}

/** Builds payloads, each library once. */
export class PayloadBuilder {
  private readonly folder = join(tmpdir(), `wkvm-payloads-${process.getuid?.() ?? 0}`);
  private readonly librarySources = filesOf(join(payloadFolder(), "lib"), ".c", ".S");
  private readonly libraryDigest: string;
  private readonly libraries = new Map<Mode, Promise<string[]>>();

  constructor() {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const digest = createHash("sha256").update(FLAGS.join(" ")).update(JSON.stringify(MODES));
    for (const path of filesOf(join(payloadFolder(), "lib"), ".c", ".S", ".h", ".ld"))
      digest.update(readFileSync(path));
    this.libraryDigest = digest.digest("hex");
  }

  /** Path of the payload's ELF32 multiboot image. Throws with gcc's messages. */
  async build({ name, mode, source }: Payload): Promise<string> {
    const digest = createHash("sha256").update(this.libraryDigest).update(readFileSync(source)).digest("hex");
    const image = join(this.folder, `${name.replace("/", "-")}-${digest.slice(0, 16)}`);
    if (existsSync(image)) return image;
    const library = await this.library(mode);
    const work = mkdtempSync(join(this.folder, "work-"));
    try {
      const object = await this.compile(mode, source, work);
      const linked = join(work, "linked");
      const script = join(payloadFolder(), "lib", "link.ld");
      const linkFlags = ["-m", MODES[mode].emulation, "-z", "noexecstack", "-T", script, "-o", linked];
      await run("ld", [...linkFlags, object, ...library]);
      // Multiboot wants ELF32 for either mode.
      await run("objcopy", ["-O", "elf32-i386", linked]);
      renameSync(linked, image);
    } finally {
      rmSync(work, { recursive: true });
    }
    return image;
  }

  private library(mode: Mode): Promise<string[]> {
    const known = this.libraries.get(mode);
    if (known !== undefined) return known;
    const folder = join(this.folder, `lib-${mode}-${this.libraryDigest.slice(0, 16)}`);
    const built = this.buildLibrary(mode, folder);
    this.libraries.set(mode, built);
    return built;
  }

  private async buildLibrary(mode: Mode, folder: string): Promise<string[]> {
    if (!existsSync(folder)) {
      const work = mkdtempSync(join(this.folder, "work-"));
      await Promise.all(this.librarySources.map((source) => this.compile(mode, source, work)));
      try {
        renameSync(work, folder);
      } catch (error) {
        // Another run has been faster.
        rmSync(work, { recursive: true });
        if (!existsSync(folder)) throw error;
      }
    }
    return filesOf(folder, ".o");
  }

  private async compile(mode: Mode, source: string, folder: string): Promise<string> {
    const object = join(folder, `${source.slice(source.lastIndexOf("/") + 1)}.o`);
    const include = ["-I", join(payloadFolder(), "lib")];
    await run("gcc", [...MODES[mode].flags, ...FLAGS, ...include, "-c", source, "-o", object]);
    return object;
  }
}
