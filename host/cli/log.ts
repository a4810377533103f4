// -d and -trace: turns what the core and the machine report into lines in the manner of QEMU's log.
import { openSync, writeSync } from "node:fs";
import {
  LOG_CPU,
  LOG_EXEC,
  LOG_IN_ASM,
  LOG_INT,
  LOG_MMU,
  LOG_OP,
  LOG_OUT_ASM,
  LOG_UNIMP,
} from "../../assembly/layout.ts";
import { hex } from "../disassembler/hex.ts";
import { type Bits, disassemble } from "../disassembler/index.ts";
import { type BlockRecord, blockRecord, RegionLog } from "../disassembler/region-log.ts";
import { exitName, KVM_EXIT_IO, KVM_EXIT_IO_IN, KVM_EXIT_MMIO, type VcpuExit } from "../kvm/exits.ts";
import type { LogItem, TraceEvent } from "./log-items.ts";

const BITS: Record<LogItem, number> = {
  in_asm: LOG_IN_ASM,
  op: LOG_OP,
  out_asm: LOG_OUT_ASM,
  int: LOG_INT,
  cpu: LOG_CPU,
  mmu: LOG_MMU,
  exec: LOG_EXEC,
  unimp: LOG_UNIMP,
};
/** MODE_CODE16, MODE_CODE32, MODE_CODE64. */
const CODE_BITS: readonly Bits[] = [16, 32, 64];
const FLUSH_CHARACTERS = 1 << 16;
const STDERR = 2;

// What the first value of a LOG_INT record holds above the vector (assembly/execute/exception.ts).
const KINDS = ["", "exception", "interrupt", "NMI", "INT n"];
// The first value of a LOG_UNIMP record that is no address (assembly/execute/msr.ts).
const UNKNOWN_RDMSR = 1n;
const UNKNOWN_WRMSR = 2n;

/** What lines need to know of the guest. */
export interface LogGuest {
  /** The registers as text. */
  dump(): string;
  readonly memory: ArrayBufferLike;
}

export class Log {
  private readonly items: ReadonlySet<LogItem>;
  private readonly events: ReadonlySet<TraceEvent>;
  private readonly descriptor: number;
  private text = "";
  private scheduled = false;
  private interrupts = 0;
  private guest: LogGuest | undefined;
  private readonly regions: RegionLog;

  /** Logs to `path`, or to the error stream. Throws the system's error when the file cannot be opened. */
  constructor(items: ReadonlySet<LogItem>, events: ReadonlySet<TraceEvent>, path: string | undefined) {
    this.items = items;
    this.events = events;
    this.descriptor = path === undefined ? STDERR : openSync(path, "w");
    this.regions = new RegionLog((text) => this.line(text), items.has("op"), items.has("out_asm"));
  }

  /** LOG_* bits for Vcpu.setLog. */
  get mask(): number {
    let mask = 0;
    for (const item of this.items) mask |= BITS[item];
    return mask;
  }

  get wantsExits(): boolean {
    return this.events.size > 0;
  }

  private get wantsRegions(): boolean {
    return this.items.has("op") || this.items.has("out_asm");
  }

  /** Whether modules of translated code are to be shown to module(). */
  get wantsModules(): boolean {
    return this.items.has("out_asm");
  }

  attach(guest: LogGuest): void {
    this.guest = guest;
  }

  /** Takes a record of the core: its LOG_* kind and three values that depend on it. */
  record(kind: number, a: bigint, b: bigint, c: bigint): void {
    // verify=on has regions told in any case.
    if ((kind === LOG_OP || kind === LOG_OUT_ASM) && !this.wantsRegions) return;
    switch (kind) {
      case LOG_INT:
        this.interrupt(Number(a), b, c);
        break;
      case LOG_MMU:
        this.line(`mmu: page fault at ${hex(a, 16)} error=${hex(b, 4)} cr3=${hex(c, 16)}`);
        break;
      case LOG_UNIMP:
        this.line(unimplemented(a, b, c));
        break;
      case LOG_IN_ASM:
        this.assembly(a, Number(b), c);
        break;
      case LOG_OP:
        this.region(blockRecord(a, b, c));
        break;
      case LOG_OUT_ASM:
        this.regions.region(Number(a), b, Number(c));
        break;
      case LOG_EXEC:
        this.line(`Trace 0: [${hex(a, 16)}]`);
        break;
      case LOG_CPU:
        this.line(this.guest?.dump() ?? "");
        break;
      default:
        this.line(`log: record of unknown kind ${kind}`);
        break;
    }
  }

  /** Takes a module of translated code before it is compiled, and the slots of its regions. */
  module(bytes: Uint8Array, slots: Uint32Array): void {
    this.regions.module(bytes, slots);
  }

  /** Takes an exit of the processor before it is carried out. */
  exit(exit: VcpuExit, vcpu: number): void {
    if (this.events.has("kvm_exit"))
      this.line(`kvm_exit vcpu ${vcpu} reason ${exitName(exit.reason)} (${exit.reason})`);
    if (exit.reason === KVM_EXIT_IO && this.events.has("kvm_io")) {
      const direction = exit.direction === KVM_EXIT_IO_IN ? "in" : "out";
      this.line(`kvm_io ${direction} port ${hex(exit.port, 4)} size ${exit.size} count ${exit.count}`);
    }
    if (exit.reason === KVM_EXIT_MMIO && this.events.has("kvm_mmio")) {
      this.line(`kvm_mmio ${exit.isWrite ? "write" : "read"} gpa ${hex(exit.physAddr, 16)} len ${exit.len}`);
    }
  }

  /** Writes out what is buffered. */
  flush(): void {
    const bytes = Buffer.from(this.text);
    this.text = "";
    let done = 0;
    while (done < bytes.length) done += writeSome(this.descriptor, bytes, done);
  }

  private line(text: string): void {
    this.text += `${text}\n`;
    if (this.text.length >= FLUSH_CHARACTERS) this.flush();
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  private interrupt(what: number, levelAndError: bigint, pc: bigint): void {
    const kind = KINDS[(what >> 8) & 7] ?? "";
    const vector = hex(what & 0xff, 2);
    const error = hex(levelAndError & 0xffffn, 4);
    const level = Number(levelAndError >> 32n) & 3;
    const software = kind === "INT n" ? 1 : 0;
    this.line(
      `${String(this.interrupts++).padStart(6)}: v=${vector} e=${error} i=${software} cpl=${level} pc=${hex(pc, 16)} ${kind}`,
    );
  }

  /** A trace that was decoded: its address, where its bytes lie, and in the third value its length and code size. */
  private assembly(address: bigint, host: number, lengthAndSize: bigint): void {
    const length = Number(lengthAndSize & 0xffffffffn);
    const bits = CODE_BITS[Number(lengthAndSize >> 32n)] ?? 64;
    const bytes = this.guestBytes(host, length);
    const lines = disassemble(bytes, address, bits).map(({ offset, length, text }) => {
      const code = [...bytes.subarray(offset, offset + length)].map((byte) => hex(byte, 2)).join(" ");
      return `0x${hex(address + BigInt(offset), 16)}:  ${code.padEnd(24)} ${text}`;
    });
    this.line(["----------------", "IN:", ...lines].join("\n"));
  }

  private region({ address, host, length, bits, left, interpreted }: BlockRecord): void {
    this.regions.block(address, this.guestBytes(host, length), bits, left, interpreted);
  }

  private guestBytes(host: number, length: number): Uint8Array {
    return this.guest ? new Uint8Array(this.guest.memory, host, length) : new Uint8Array();
  }
}

function unimplemented(a: bigint, b: bigint, c: bigint): string {
  if (a === UNKNOWN_RDMSR) return `unimp: rdmsr ${hex(b, 8)}`;
  if (a === UNKNOWN_WRMSR) return `unimp: wrmsr ${hex(b, 8)} value ${hex(c, 16)}`;
  return `unimp: instruction at ${hex(a, 16)}`;
}

/** A terminal or pipe that is full is waited for. */
function writeSome(descriptor: number, bytes: Buffer, from: number): number {
  try {
    return writeSync(descriptor, bytes, from);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EAGAIN") return 0;
    if (code === "EPIPE") return bytes.length - from;
    throw error;
  }
}
