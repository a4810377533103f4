// Adds up how often each trace was entered, from the core's trace arena.
import {
  LINE,
  RECORD_SIZE,
  T_COUNT,
  T_ENTRIES,
  T_GPA,
  T_MODE,
  T_RECORDS,
  T_ROOM_END,
} from "../assembly/decode/trace-layout.ts";

const PAGE_SHIFT = 12n;

/** How the instructions of a boot lie in its traces. */
export interface TraceDistribution {
  /** Different heads: physical address and mode. */
  readonly heads: number;
  readonly pages: number;
  readonly entries: number;
  readonly instructions: number;
  /** Instructions a trace, by how often it is entered. */
  readonly averageLength: number;
  /** Share of all instructions in the traces that have most of them. */
  readonly hottest: readonly { readonly heads: number; readonly share: number }[];
  /** Heads entered more than `times` times, and their share of all instructions. */
  readonly over: readonly { readonly times: number; readonly heads: number; readonly share: number }[];
  readonly top: readonly {
    readonly gpa: string;
    readonly length: number;
    readonly entries: number;
    readonly share: number;
  }[];
}

const HOTTEST = [1, 2, 10, 50, 200, 1000, 5000, 20000];
const THRESHOLDS = [1, 10, 50, 100, 200, 500, 1000, 5000, 10000, 100000];
const TOP = 12;

interface Head {
  readonly gpa: bigint;
  entries: number;
  instructions: number;
}

export class TraceCounts {
  private readonly heads = new Map<string, Head>();

  /** Takes the traces between two addresses of linear memory. */
  add(memory: ArrayBufferLike, start: number, end: number): void {
    const view = new DataView(memory);
    for (let at = start; at < end; ) {
      const count = view.getUint16(at + T_COUNT, true);
      if (count === 0) {
        at = view.getUint32(at + T_ROOM_END, true);
        continue;
      }
      const entries = view.getUint32(at + T_ENTRIES, true);
      const gpa = view.getBigUint64(at + T_GPA, true);
      const key = `${gpa.toString(16)} ${view.getUint16(at + T_MODE, true)}`;
      const head = this.heads.get(key) ?? { gpa, entries: 0, instructions: 0 };
      head.entries += entries;
      head.instructions += entries * count;
      this.heads.set(key, head);
      const end = at + T_RECORDS + (count + 1) * RECORD_SIZE;
      // The second half of the next header begins a line.
      at = (Math.ceil((end - LINE / 2) / LINE) + 0.5) * LINE;
    }
  }

  distribution(): TraceDistribution {
    const heads = [...this.heads.values()].sort((a, b) => b.instructions - a.instructions);
    const sum = (list: readonly Head[], of: (head: Head) => number): number =>
      list.reduce((s, head) => s + of(head), 0);
    const instructions = sum(heads, (head) => head.instructions);
    const entries = sum(heads, (head) => head.entries);
    const share = (list: readonly Head[]): number => sum(list, (head) => head.instructions) / instructions;
    return {
      heads: heads.length,
      pages: new Set(heads.map(({ gpa }) => gpa >> PAGE_SHIFT)).size,
      entries,
      instructions,
      averageLength: instructions / entries,
      hottest: HOTTEST.map((number) => ({ heads: number, share: share(heads.slice(0, number)) })),
      over: THRESHOLDS.map((times) => {
        const hot = heads.filter((head) => head.entries > times);
        return { times, heads: hot.length, share: share(hot) };
      }),
      top: heads.slice(0, TOP).map((head) => ({
        gpa: `0x${head.gpa.toString(16)}`,
        length: Math.round((head.instructions / head.entries) * 10) / 10,
        entries: head.entries,
        share: head.instructions / instructions,
      })),
    };
  }
}
