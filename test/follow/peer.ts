// QEMU's translator as the one that is followed: it is stopped where the kernel is entered, its memory and registers are
// taken, and from then on it logs its state before each instruction.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { open as openFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tcg } from "../../bench/peers/qemu.ts";

/** QEMU's program; or why it cannot be followed. */
export function findPeer(): { readonly file: string } | { readonly missing: string } {
  const [first] = tcg();
  if (!first) return { missing: "no QEMU" };
  if ("missing" in first) return first;
  return { file: first.command({ kernel: "", initrd: "", append: "" }).file };
}

/** What a pipe holds. */
const PIPE_BYTES = 65_536;
const CONNECT_TRIES = 100;
const CONNECT_PAUSE_MS = 50;

/** A QEMU that is stopped, or logs. */
export class Peer {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    private readonly monitor: Monitor,
    private readonly debug: DebugStub,
    private readonly complaints: () => string,
  ) {}

  /** Boots a kernel up to the physical address `entry`, which it reaches with paging off, and stops there. `input`: a file that is typed. */
  static async stoppedAt(file: string, machine: readonly string[], entry: number, input = "/dev/null"): Promise<Peer> {
    const folder = mkdtempSync(join(tmpdir(), "wkvm-follow-"));
    const path = (name: string): string => join(folder, name);
    execFileSync("mkfifo", [path("log")]);
    const sockets = ["qmp", "gdb"].flatMap((name) => [`-${name}`, `unix:${path(name)},server=on,wait=off`]);
    const typed = openSync(input, "r");
    const child = spawn(file, [...machine, ...sockets, "-S"], { stdio: [typed, "ignore", "pipe"] });
    closeSync(typed);
    let complaints = "";
    child.stderr?.setEncoding("latin1").on("data", (text: string) => {
      complaints += text;
    });
    try {
      const monitor = await Monitor.open(path("qmp"));
      const debug = await DebugStub.open(path("gdb"));
      const peer = new Peer(child, folder, monitor, debug, () => complaints);
      await debug.command(`Z1,${entry.toString(16)},1`);
      await debug.command("c");
      await debug.command(`z1,${entry.toString(16)},1`);
      return peer;
    } catch (error) {
      child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
      throw new Error(`QEMU cannot be followed: ${String(error)}\n${complaints}`);
    }
  }

  /** All registers, as text. */
  registers(): Promise<string> {
    return this.monitor.human("info registers").then((text) => text.replaceAll("\r", ""));
  }

  /** The memory from physical address 0 on. */
  async memory(bytes: number): Promise<Uint8Array> {
    const file = join(this.folder, "memory");
    await this.monitor.command("pmemsave", { val: 0, size: bytes, filename: file });
    const memory = readFileSync(file);
    rmSync(file);
    return memory;
  }

  /** Lets it run, and hands out its log; resolves when it has been stopped and the whole log has been handed out. */
  async run(onLog: (chunk: Buffer) => void): Promise<void> {
    const ended = readAll(join(this.folder, "log"), onLog);
    // Awaited below: until then it is no unhandled rejection.
    ended.catch(() => {});
    // Of two spellings the one that this version knows.
    await this.monitor.human("singlestep on");
    await this.monitor.human("one-insn-per-tb on");
    await this.monitor.human(`logfile ${join(this.folder, "log")}`);
    await this.monitor.human("log exec,cpu,int,nochain");
    this.debug.send("c");
    await ended;
    if (!this.stopping) throw new Error(`QEMU ended by itself\n${this.complaints()}`);
  }

  private stopping = false;

  /** Stops it before some next instruction, and ends its log. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.monitor.command("stop");
    await this.monitor.human("log none");
    await this.monitor.human("logfile /dev/null");
  }

  close(): void {
    this.child.kill("SIGKILL");
    this.monitor.close();
    this.debug.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Hands out what comes out of a FIFO, up to its end. The chunk is overwritten by the next one. */
async function readAll(path: string, onChunk: (chunk: Buffer) => void): Promise<void> {
  const fifo = await openFile(path, "r");
  try {
    const buffer = Buffer.alloc(PIPE_BYTES);
    for (;;) {
      const { bytesRead } = await fifo.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return;
      onChunk(buffer.subarray(0, bytesRead));
    }
  } finally {
    await fifo.close();
  }
}

async function open(path: string): Promise<Socket> {
  for (let left = CONNECT_TRIES; ; left--) {
    const socket = connect(path);
    const failure = await new Promise<Error | undefined>((resolve) => {
      socket.once("connect", () => resolve(undefined));
      socket.once("error", resolve);
    });
    if (!failure) {
      socket.on("error", () => {});
      return socket;
    }
    if (left === 0) throw failure;
    await new Promise((resolve) => setTimeout(resolve, CONNECT_PAUSE_MS));
  }
}

/** QEMU's machine protocol (docs/interop/qmp-spec). */
class Monitor {
  private readonly waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = [];
  private text = "";

  private constructor(private readonly socket: Socket) {
    socket.setEncoding("utf8").on("data", (text: string) => {
      const lines = (this.text + text).split("\n");
      this.text = lines.pop() ?? "";
      for (const line of lines) this.answer(JSON.parse(line) as Record<string, unknown>);
    });
    socket.on("close", () => {
      for (const { reject } of this.waiting.splice(0)) reject(new Error("QEMU has closed its monitor"));
    });
  }

  static async open(path: string): Promise<Monitor> {
    const monitor = new Monitor(await open(path));
    await monitor.command("qmp_capabilities");
    return monitor;
  }

  command(execute: string, args: Record<string, unknown> = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.socket.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    });
  }

  async human(line: string): Promise<string> {
    return String(await this.command("human-monitor-command", { "command-line": line }));
  }

  close(): void {
    this.socket.destroy();
  }

  private answer(message: Record<string, unknown>): void {
    // The greeting and events are nobody's answer.
    if (!("return" in message) && !("error" in message)) return;
    const { resolve, reject } = this.waiting.shift() ?? {};
    if ("return" in message) resolve?.(message["return"]);
    else reject?.(new Error(JSON.stringify(message["error"])));
  }
}

/** GDB's remote protocol: as much as breakpoints take. */
class DebugStub {
  private readonly waiting: ((packet: string) => void)[] = [];
  private text = "";

  private constructor(private readonly socket: Socket) {
    socket.setEncoding("latin1").on("data", (text: string) => {
      this.text += text;
      for (let packet = /\$([^#]*)#../.exec(this.text); packet; packet = /\$([^#]*)#../.exec(this.text)) {
        this.text = this.text.slice(packet.index + packet[0].length);
        this.socket.write("+");
        this.waiting.shift()?.(packet[1] ?? "");
      }
    });
  }

  static async open(path: string): Promise<DebugStub> {
    return new DebugStub(await open(path));
  }

  send(command: string): void {
    const sum = [...command].reduce((total, letter) => (total + letter.charCodeAt(0)) & 255, 0);
    this.socket.write(`$${command}#${sum.toString(16).padStart(2, "0")}`);
  }

  /** Its answer; to a command that continues, the next stop. */
  command(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.socket.once("close", () => reject(new Error("QEMU has ended")));
      this.waiting.push(resolve);
      this.send(command);
    });
  }

  close(): void {
    this.socket.destroy();
  }
}
