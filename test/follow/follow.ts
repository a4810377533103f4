// One boot of a kernel followed: wkvm starts from the peer's memory and registers where the kernel is entered.
import { readFileSync } from "node:fs";
import { parseElf } from "../../host/boot/elf.ts";
import { pvhEntry } from "../../host/boot/pvh.ts";
import type { CoreProgram } from "../../host/kvm/core.ts";
import { Difference, Follower } from "./follower.ts";
import { LogParser } from "./log-parser.ts";
import { Peer } from "./peer.ts";
import { Processor } from "./processor.ts";
import { Row } from "./row.ts";

const MIB = 2 ** 20;
const RAM_BYTES = 128 * MIB;
/**
 * What the peer has and wkvm has not stays off, and so does what makes Linux clear memory byte by byte; time is counted in instructions, so that
 * a boot repeats exactly.
 */
const MACHINE = [
  ...[
    "-accel",
    "tcg",
    "-machine",
    "pc,smm=off",
    "-cpu",
    "max,la57=off,svm=off,erms=off,fsrm=off",
    "-m",
    String(RAM_BYTES / MIB),
  ],
  ...["-nodefaults", "-vga", "none", "-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot"],
  ...["-icount", "shift=0,sleep=off", "-rtc", "base=2024-01-01T00:00:00,clock=vm"],
];
const COMMAND_LINE = "console=ttyS0 nokaslr";

export interface FollowOptions {
  /** QEMU's program. */
  readonly qemu: string;
  /** An ELF kernel with a PVH entry, which is entered in protected mode. */
  readonly kernel: string;
  /** A file with what is typed into the serial port. */
  readonly input?: string;
  /** Ends after so many instructions, or after so many with each iteration of repeated ones. */
  readonly instructions: number;
  readonly iterations?: number;
  /** Another core than the built one. */
  readonly core?: CoreProgram;
}

export interface Followed {
  readonly instructions: number;
  /** With each iteration of repeated instructions. */
  readonly iterations: number;
  readonly interrupts: number;
  /** Instructions that had a device's value from the peer. */
  readonly outside: number;
  /** Instructions whose registers were taken from the peer, by name. */
  readonly adopted: ReadonlyMap<string, number>;
}

/**
 * Follows for as long as it is told, and then compares all memory. Throws Difference, with both states and
 * the last instructions, at the first one.
 */
export async function follow(options: FollowOptions): Promise<Followed> {
  const { qemu, kernel, input, instructions, iterations = Number.POSITIVE_INFINITY, core } = options;
  const entry = pvhEntry(parseElf(readFileSync(kernel), kernel));
  if (entry === null) throw new Error(`${kernel} has no PVH entry`);
  const guest = ["-kernel", kernel, "-append", COMMAND_LINE];
  const peer = await Peer.stoppedAt(qemu, [...MACHINE, ...guest], entry, input);
  try {
    const start = rowOf(await peer.registers());
    const processor = await Processor.create(await peer.memory(RAM_BYTES), start, core);
    const follower = new Follower(processor);
    let stopping: Promise<void> | undefined;
    const parser = new LogParser((row) => {
      follower.next(row);
      const enough = follower.instructions >= instructions || follower.iterations >= iterations;
      if (enough) stopping ??= peer.stop();
    });
    await peer.run((chunk) => parser.push(chunk));
    await stopping;
    // Where it has been stopped is one more state.
    parser.push(announced(await peer.registers()));
    const pages = processor.differentPages(await peer.memory(RAM_BYTES));
    if (pages.length > 0) throw new Difference(`memory differs at ${pages.map((page) => page.toString(16)).join(" ")}`);
    return follower;
  } finally {
    peer.close();
  }
}

/** Registers that the monitor shows, as the log has them. */
function announced(text: string): Buffer {
  return Buffer.from(`Trace\n${text}\n`, "latin1");
}

function rowOf(text: string): Row {
  const row = new Row();
  new LogParser((found) => row.assign(found)).push(announced(text));
  return row;
}
