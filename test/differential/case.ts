// The binary form of a test case and of its result: what silicon.c and the wkvm runner both read
// and write. Everything is little endian; addresses are the same on the host and in the guest.

/** Two executable pages at CODE_BASE + 0x1000, nothing mapped around them. */
export const CODE_BASE = 0x10000000;
export const CODE_WINDOW = CODE_BASE + 0x1000;
export const CODE_BYTES = 0x2000;
/** DATA_BASE + 0x1000: two writable pages, a read-only one, a writable one; nothing around them. */
export const DATA_BASE = 0x20000000;
export const DATA_WINDOW = DATA_BASE + 0x1000;
export const DATA_BYTES = 0x4000;
/** Offset of the read-only page from DATA_WINDOW. */
export const READ_ONLY_OFFSET = 0x2000;
/** 64-bit segment bases where the FS and GS selectors are null. */
export const FS_BASE = 0x40;
export const GS_BASE = 0x80;
/** What the code window holds outside the case: INT3. */
export const CODE_FILL = 0xcc;

export const CASE_SIZE = 1024;
export const CASE_MODE = 0;
export const CASE_CODE_LENGTH = 1;
/** u16: where the code starts, from CODE_BASE. */
export const CASE_CODE_OFFSET = 2;
export const CASE_EFLAGS = 4;
export const CASE_MXCSR = 8;
export const CASE_FCW = 12;
export const CASE_FSW = 14;
export const CASE_FTW = 16;
export const CASE_OPTIONS = 17;
export const CASE_PATCH_COUNT = 18;
/** u16[6]: selectors of CS SS DS ES FS GS. */
export const CASE_CS = 20;
export const CASE_SS = 22;
export const CASE_DS = 24;
export const CASE_ES = 26;
export const CASE_FS = 28;
export const CASE_GS = 30;
export const CASE_CODE = 32;
export const CASE_CODE_MAX = 64;
/** u64[16]: RAX RCX RDX RBX RSP RBP RSI RDI R8..R15. */
export const CASE_GPR = 96;
/** Eight 16-byte slots, ST(0) first, as FXSAVE lays them out. */
export const CASE_X87 = 224;
/** Sixteen 32-byte YMM registers. */
export const CASE_YMM = 352;
/** Up to two {u32 address, u32 length, u8[64]}: memory contents that differ from the base image. */
export const CASE_PATCHES = 864;
export const PATCH_SIZE = 72;
export const PATCH_MAX_BYTES = 64;

/** TF stays clear: the case ends at the INT3 that follows it or that it jumps to. */
export const OPTION_NO_STEP = 1;
/** The code is several instructions. */
export const OPTION_SEQUENCE = 2;

export const MODE_64 = 0;
export const MODE_32 = 1;
export const MODE_16 = 2;
export const MODE_NAMES = ["64", "32", "16"];

export const RESULT_LENGTH = 0;
export const RESULT_VECTOR = 4;
export const RESULT_BLOCKS = 5;
export const RESULT_CHANGED = 6;
export const RESULT_ERROR = 8;
export const RESULT_EFLAGS = 12;
export const RESULT_RIP = 16;
export const RESULT_CR2 = 24;
export const RESULT_MXCSR = 32;
export const RESULT_FCW = 36;
export const RESULT_FSW = 38;
export const RESULT_FTW = 40;
export const RESULT_GPR = 48;
export const RESULT_SIZE = 176;
/** Blocks that follow only where they differ from the case's own. */
export const BLOCK_X87 = 1;
export const BLOCK_YMM = 2;
/** Vector of a case that did not end. */
export const VECTOR_TIMEOUT = 0xfe;
/** Vector of a case that made wkvm leave with an exit it should not have (RESULT_ERROR: the exit). */
export const VECTOR_EXIT = 0xfd;

/** A segment the cases use: the same descriptor lies in the host's LDT and in the guest's. */
export interface Segment {
  selector: number;
  base: number;
  limit: number;
  /** Descriptor bits 8..23 of the high word, limit bits left out (as KVM's attributes). */
  attributes: number;
}

/** The GDT selectors are Linux's; the LDT entries are made by silicon.c. */
export const SEGMENTS: readonly Segment[] = [
  { selector: 0x23, base: 0, limit: 0xffffffff, attributes: 0xc0fb },
  { selector: 0x2b, base: 0, limit: 0xffffffff, attributes: 0xc0f3 },
  { selector: 0x33, base: 0, limit: 0xffffffff, attributes: 0xa0fb },
  { selector: 0x07, base: CODE_BASE, limit: 0xffff, attributes: 0x00fb },
  { selector: 0x0f, base: DATA_BASE, limit: 0x4eff, attributes: 0x00f3 },
  { selector: 0x17, base: DATA_BASE, limit: 0xffff, attributes: 0x00f1 },
  { selector: 0x1f, base: DATA_BASE, limit: 0x1fff, attributes: 0x00f7 },
  { selector: 0x27, base: DATA_BASE, limit: 0x4eff, attributes: 0x40f3 },
  { selector: 0x2f, base: CODE_BASE, limit: 0x2fff, attributes: 0x40fb },
  { selector: 0x37, base: CODE_BASE, limit: 0xffff, attributes: 0x40f9 },
];

const byName = new Map(SEGMENTS.map((segment) => [segment.selector, segment]));

/** The segment behind a selector, or undefined for null. */
export function segmentOf(selector: number): Segment | undefined {
  return byName.get(selector);
}

/** Base of the code segment a case runs in: its rip counts from here. */
export function codeBaseOf(selector: number): number {
  return segmentOf(selector)?.base ?? 0;
}

/** One case inside a batch: its bytes and a view of them. */
export interface Case {
  bytes: Uint8Array;
  view: DataView;
}

/** A run of cases back to back, as the oracle's standard input takes it. */
export class Batch {
  readonly bytes: Uint8Array;
  readonly cases: Case[] = [];

  constructor(readonly capacity: number) {
    this.bytes = new Uint8Array(capacity * CASE_SIZE);
    for (let i = 0; i < capacity; i++) {
      const at = i * CASE_SIZE;
      this.cases.push({
        bytes: this.bytes.subarray(at, at + CASE_SIZE),
        view: new DataView(this.bytes.buffer, at, CASE_SIZE),
      });
    }
  }
}

/** The instruction bytes of a case. */
export function codeOf(test: Case): Uint8Array {
  return test.bytes.subarray(CASE_CODE, CASE_CODE + test.bytes[CASE_CODE_LENGTH]!);
}

/** One result inside a batch's answer. */
export interface Result {
  bytes: Uint8Array;
  view: DataView;
}

/** Splits the answer to a batch into its results. */
export function splitResults(bytes: Uint8Array): Result[] {
  const results: Result[] = [];
  const whole = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const length = whole.getUint32(at, true);
    results.push({
      bytes: bytes.subarray(at, at + length),
      view: new DataView(bytes.buffer, bytes.byteOffset + at, length),
    });
    at += length;
  }
  return results;
}
