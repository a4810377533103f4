// QEMU's log of `-d exec,cpu,int,nochain`, taken apart as it comes in: states, and what came between them.
import { Row } from "./row.ts";

const NEWLINE = 10;
const LETTER_E = 0x45;
const LETTER_R = 0x52;
const LETTER_S = 0x53;
const LETTER_T = 0x54;
const LETTER_C = 0x63;
/** The last line of a state. */
const LAST_LINE = "\nEFER=";
const SERVICING = "Servicing hardware INT=0x";

/** Calls `onRow` for each instruction that the peer is about to execute. */
export class LogParser {
  private rest = Buffer.alloc(0);
  private readonly row = new Row();
  /** A block was announced: the state that follows is the one it starts from. */
  private announced = false;

  constructor(private readonly onRow: (row: Row) => void) {}

  push(chunk: Buffer): void {
    const text = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    let at = 0;
    while (at < text.length) {
      const next = this.take(text, at);
      if (next < 0) break;
      at = next;
    }
    this.rest = Buffer.from(text.subarray(at));
  }

  /** Takes a line, or a whole state; returns where the next one starts, or -1 where it is not complete yet. */
  private take(text: Buffer, at: number): number {
    const first = text[at];
    const isState = (first === LETTER_R || first === LETTER_E) && text[at + 2] === 0x58 && text[at + 3] === 0x3d;
    let line = isState ? text.indexOf(LAST_LINE, at, "latin1") : at;
    if (line < 0) return -1;
    if (isState) line++;
    const end = text.indexOf(NEWLINE, line);
    if (end < 0) return -1;
    if (isState) this.state(text, at, end);
    else this.note(text, first ?? 0, at, end);
    return end + 1;
  }

  private state(text: Buffer, at: number, end: number): void {
    // The other states are those of an interrupt's or exception's delivery.
    if (!this.announced) return;
    this.announced = false;
    const { row } = this;
    row.read(text, at, end);
    this.onRow(row);
    row.interrupt = -1;
    row.retried = false;
  }

  private note(text: Buffer, first: number, at: number, end: number): void {
    if (first === LETTER_T) this.announced = true;
    else if (first === LETTER_S) {
      const line = text.toString("latin1", at, end);
      if (line.startsWith("Stopped execution")) this.row.retried = true;
      else if (line.startsWith(SERVICING)) this.row.interrupt = Number.parseInt(line.slice(SERVICING.length), 16);
    } else if (first === LETTER_C && text.toString("latin1", at, end).startsWith("cpu_io_recompile")) {
      this.row.retried = true;
    }
  }
}
