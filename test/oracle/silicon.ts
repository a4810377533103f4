// The host's own processor as an oracle: builds silicon.c with gcc and talks to it in batches.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Batch, CASE_SIZE, type Result, splitResults } from "../differential/case.ts";
import { baseImage } from "../differential/state.ts";
import { processorField } from "./vendor.ts";

/** Why this host cannot be the oracle, or undefined where it can. */
export function siliconMissing(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "the oracle needs x86-64 Linux";
  try {
    execFileSync("gcc", ["--version"], { stdio: "ignore" });
  } catch {
    return "the oracle needs gcc";
  }
  if (!/\bfsgsbase\b/.test(readFileSync("/proc/cpuinfo", "utf8"))) return "the oracle needs FSGSBASE";
  try {
    // A kernel without modify_ldt, TF or sigreturn into 16-bit code ends the program at once.
    execFileSync(compile(), { input: "", stdio: ["pipe", "ignore", "ignore"] });
  } catch {
    return "this kernel does not run the oracle";
  }
  return undefined;
}

/** The processor's name, as results are labelled with. */
export function processorName(): string {
  const field = (name: string): string => processorField(name) ?? "?";
  return (
    `${field("vendor_id")} family ${field("cpu family")} model ${field("model")} stepping ${field("stepping")} ` +
    `(${field("model name")})`
  );
}

/** The host processor's feature flags, in Linux's spelling. */
export function hostFeatures(): Set<string> {
  const flags = /^flags\s*: (.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "";
  return new Set(flags.split(" "));
}

/** The host processor's features as numbers of assembly/features.ts. */
export function hostFeatureBits(): Set<number> {
  const words = execFileSync(compile(), ["features"], { encoding: "utf8" }).trim().split("\n").map(Number);
  return new Set(
    words.flatMap((word, i) => Array.from({ length: 32 }, (_, bit) => ((word >>> bit) & 1 ? i * 32 + bit : -1))),
  );
}

function compile(): string {
  const path = join(process.env["WKVM_ROOT"] ?? process.cwd(), "test/oracle/silicon.c");
  const name = createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 16);
  const folder = join(tmpdir(), "wkvm-oracle");
  const binary = join(folder, `silicon-${name}`);
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  const partial = `${binary}.${process.pid}`;
  execFileSync("gcc", ["-O2", "-static-pie", "-fno-stack-protector", "-o", partial, path]);
  renameSync(partial, binary);
  return binary;
}

/** A running oracle. Batches are answered in order. */
export class Silicon {
  private readonly child: ChildProcess;
  private chunks: Buffer[] = [];
  private received = 0;
  private readonly waiting: { resolve: (bytes: Uint8Array) => void; reject: (error: Error) => void }[] = [];

  constructor() {
    this.child = spawn(compile(), [], { stdio: ["pipe", "pipe", "inherit"] });
    this.child.stdout?.on("data", (chunk: Buffer) => this.take(chunk));
    this.child.on("exit", (code, signal) => {
      for (const { reject } of this.waiting.splice(0)) reject(new Error(`the oracle ended: ${code ?? signal}`));
    });
    this.child.stdin?.on("error", () => {});
    this.child.stdin?.write(baseImage());
  }

  /** Runs the first `count` cases of a batch. */
  async run(batch: Batch, count: number): Promise<Result[]> {
    const { answer } = await this.submit(batch, count);
    return answer;
  }

  /** Resolves when the oracle has got the cases; it runs them while its caller does something else. */
  async submit(batch: Batch, count: number): Promise<{ readonly answer: Promise<Result[]> }> {
    const answer = new Promise<Uint8Array>((resolve, reject) => {
      this.waiting.push({ resolve, reject });
    }).then(splitResults);
    // Whoever awaits it is told; until then it is no unhandled rejection.
    answer.catch(() => {});
    const header = Buffer.alloc(4);
    header.writeUInt32LE(count);
    this.child.stdin?.write(header);
    const cases = batch.bytes.subarray(0, count * CASE_SIZE);
    // What cannot be written ends in the answer's rejection.
    await new Promise<void>((resolve) => this.child.stdin?.write(cases, () => resolve()));
    return { answer };
  }

  close(): void {
    this.child.removeAllListeners("exit");
    this.child.stdin?.end();
    this.child.kill();
  }

  private take(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.received += chunk.length;
    while (this.received >= 4) {
      if (this.chunks[0]!.length < 4) this.chunks = [Buffer.concat(this.chunks)];
      const end = 4 + this.chunks[0]!.readUInt32LE(0);
      if (this.received < end) return;
      const whole = Buffer.concat(this.chunks);
      this.chunks = whole.length > end ? [whole.subarray(end)] : [];
      this.received -= end;
      // A copy of its own, aligned: results are read through typed views.
      this.waiting.shift()?.resolve(new Uint8Array(whole.subarray(4, end)));
    }
  }
}
