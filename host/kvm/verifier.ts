// verify=on, the user side of it: remembers what the regions were made of, and says what a region did otherwise than the
// interpreter (assembly/translate/verify.ts).

import {
  CPU_CC_DST,
  CPU_CC_OP,
  CPU_CC_SRC,
  CPU_CPL,
  CPU_EFLAGS,
  CPU_FUEL,
  CPU_SCRATCH,
  CPU_TRACE_RIP,
  LOG_OP,
  LOG_OUT_ASM,
  LOG_VERIFY,
  LOG_VERIFY_DATA,
  VCPU_BASE,
  VERIFY_PAGES,
} from "../../assembly/layout.ts";
import { hex } from "../disassembler/hex.ts";
import { type BlockRecord, blockRecord, RegionLog } from "../disassembler/region-log.ts";
import type { LinearMemory } from "./core.ts";
import { nameOf } from "./lockstep/spans.ts";

/** A region did something else than the interpreter. */
export class RegionDifference extends Error {}

const LOW_HALF = 0xffffffffn;
const PAGE = 4096;
/** So many places that differ are told one by one. */
const TOLD = 40;

/** What says nothing about the guest: CC_* stand for flags, which are compared as such. */
const LEFTOVERS = [
  [CPU_TRACE_RIP, CPU_TRACE_RIP + 8],
  [CPU_FUEL, CPU_FUEL + 8],
  [CPU_CC_OP, CPU_CPL],
  [CPU_CC_DST, CPU_CC_SRC],
  [CPU_CC_SRC, CPU_EFLAGS],
] as const;

/** A block with its bytes as they were when it was translated. */
type Block = BlockRecord & { readonly bytes: Uint8Array };

interface Region {
  readonly base: bigint;
  readonly instructions: number;
  readonly blocks: readonly Block[];
  module?: { readonly bytes: Uint8Array; readonly slots: Uint32Array };
}

export class Verifier {
  private blocks: Block[] = [];
  private readonly regions = new Map<number, Region>();
  private data: readonly [number, number, number] = [0, 0, 0];

  constructor(private readonly memory: LinearMemory) {}

  /** Takes a module of regions before it is compiled. */
  module(bytes: Uint8Array, slots: Uint32Array): void {
    for (const slot of slots) {
      const region = this.regions.get(slot);
      if (region) region.module = { bytes, slots };
    }
  }

  /** Takes a record of the core (LOG_*). Throws a RegionDifference for that of one. */
  record(kind: number, a: bigint, b: bigint, c: bigint): void {
    const halves = (value: bigint): [number, number] => {
      const whole = BigInt.asUintN(64, value);
      return [Number(whole & LOW_HALF), Number(whole >> 32n)];
    };
    if (kind === LOG_OP) {
      const block = blockRecord(a, b, c);
      const bytes = new Uint8Array(this.memory.buffer, block.host, block.length).slice();
      this.blocks.push({ ...block, bytes });
    } else if (kind === LOG_OUT_ASM) {
      this.regions.set(Number(a), { base: b, instructions: Number(c), blocks: this.blocks });
      this.blocks = [];
    } else if (kind === LOG_VERIFY_DATA) {
      this.data = [Number(a), Number(b), Number(c)];
    } else if (kind === LOG_VERIFY) {
      const [slot, flags] = halves(a);
      const [executed, left] = halves(c);
      const progress = left ? `, of which the interpreter came to ${executed - left}` : "";
      throw new RegionDifference(
        [
          `a region and the interpreter differ after ${executed} instructions from ${hex(b, 16)}${progress}`,
          `status flags of the region: ${hex(flags, 3)}`,
          ...this.differences(),
          ...this.describe(slot),
        ].join("\n"),
      );
    }
  }

  /** Fields and bytes of RAM that differ: the region's, the interpreter's. */
  private differences(): string[] {
    const [after, written, list] = this.data;
    const view = new DataView(this.memory.buffer);
    const lines: string[] = [];
    for (let at = 0; at < CPU_SCRATCH; at += 4) {
      const region = view.getUint32(after + at, true);
      const interpreter = view.getUint32(VCPU_BASE + at, true);
      if (region === interpreter || LEFTOVERS.some(([from, to]) => at >= from && at < to)) continue;
      lines.push(`${nameOf(VCPU_BASE + at)}: ${hex(region, 8)}, interpreter ${hex(interpreter, 8)}`);
    }
    for (let i = 0; i < VERIFY_PAGES; i++) {
      const page = view.getUint32(list + 4 * i, true);
      for (let at = 0; page && at < PAGE; at++) {
        const region = view.getUint8(written + i * PAGE + at);
        const interpreter = view.getUint8(page + at);
        if (region !== interpreter) {
          lines.push(`byte at host ${hex(page + at, 8)}: ${hex(region, 2)}, interpreter ${hex(interpreter, 2)}`);
        }
      }
    }
    return lines.length > TOLD ? [...lines.slice(0, TOLD), `and ${lines.length - TOLD} more`] : lines;
  }

  /** The region's guest code and its WebAssembly. */
  private describe(slot: number): string[] {
    const region = this.regions.get(slot);
    if (!region?.module) return [`region ${slot} is not known`];
    const texts: string[] = [];
    const log = new RegionLog((text) => texts.push(text), true, true);
    for (const { address, bytes, bits, left, interpreted } of region.blocks) {
      log.block(address, bytes, bits, left, interpreted);
    }
    log.region(slot, region.base, region.instructions);
    log.module(region.module.bytes, region.module.slots);
    return texts.filter((text) => text.includes(`\nregion ${slot}:`));
  }
}
