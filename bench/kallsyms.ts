// The symbols that a Linux kernel carries in its own image (kernel/kallsyms_internal.h, scripts/kallsyms.c). Distributions
// strip the image of its ELF symbols, but not of these.
//
// Names are stored as indices into 256 tokens; every 256th name's offset is a marker. Addresses are 32-bit offsets to a
// base. Before Linux 6.4: offsets, base, number, names, markers, tokens, token index; stable releases of 6.1 have the
// names' order by letters, three bytes each, between markers and tokens. Since 6.4 the offsets and the base, and then that
// order, stand behind the token index.
import type { GuestSymbol } from "./symbols.ts";

const TOKENS = 256;
const NAMES_A_MARKER = 256;
/** More than any kernel has. */
const MOST_NAMES = 1_000_000;
/** More than the names between two markers take. */
const LONGEST_TAIL = NAMES_A_MARKER * 512;
const DIGITS = Buffer.from("\0" + [..."0123456789"].join("\0") + "\0", "latin1");
const DIGIT_ZERO = 0x30;

/** The functions (and data) of an unpacked vmlinux; empty where its tables are not found. */
export function kernelSymbols(image: Uint8Array, is64Bit: boolean): GuestSymbol[] {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
  const tokens = findTokens(bytes);
  if (!tokens) return [];
  let list: Names | undefined;
  for (const markers of possibleMarkers(bytes, tokens.start, is64Bit)) {
    list = findNames(bytes, markers, tokens.texts);
    if (list) break;
  }
  if (!list) return [];
  const addresses = findAddresses(bytes, list, tokens.indexEnd, is64Bit);
  if (!addresses) return [];
  // The first letter is the symbol's type, as nm has it; T and t are code.
  return list.names.flatMap((name, index) =>
    /^[TtWw]/.test(name) ? [{ address: addresses[index]!, name: name.slice(1) }] : [],
  );
}

interface Tokens {
  readonly start: number;
  readonly texts: readonly string[];
  /** End of the index behind them. */
  readonly indexEnd: number;
}

/** Digits stand for themselves, which is what the tokens are found by; that the index fits them shows that it is they. */
function findTokens(bytes: Buffer): Tokens | undefined {
  for (let at = bytes.indexOf(DIGITS); at >= 0; at = bytes.indexOf(DIGITS, at + 1)) {
    // Back to the second token: nothing has to be a zero before the first.
    let second = at + 1;
    for (let back = 1; back < DIGIT_ZERO; back++) second = bytes.lastIndexOf(0, second - 2) + 1;
    const starts: number[] = [];
    let end = second;
    for (let token = 1; token < TOKENS; token++) {
      starts.push(end);
      end = bytes.indexOf(0, end) + 1;
    }
    for (const alignment of [8, 4, 2]) {
      const index = alignUp(end, alignment);
      if (index + 2 * TOKENS > bytes.length) continue;
      const start = second - bytes.readUInt16LE(index + 2);
      starts.unshift(start);
      if (starts.every((offset, token) => bytes.readUInt16LE(index + 2 * token) === offset - start)) {
        const texts = starts.map((offset) => bytes.toString("latin1", offset, bytes.indexOf(0, offset)));
        return { start, texts, indexEnd: index + 2 * TOKENS };
      }
      starts.shift();
    }
  }
  return undefined;
}

/** Where markers may stand, and how many names they say there are, if that is known. */
interface Markers {
  readonly start: number;
  readonly count: number;
  readonly total?: number;
}

/** Right before the tokens, perhaps with zeros between; or with the names' order between. */
function* possibleMarkers(bytes: Buffer, tokens: number, is64Bit: boolean): Generator<Markers> {
  let at = alignUp(tokens - 3, 4) - 4;
  while (at > 0 && bytes.readUInt32LE(at) === 0) at -= 4;
  const end = at + 4;
  while (at > 0 && bytes.readUInt32LE(at) !== 0) at -= 4;
  if (rises(bytes, at, (end - at) / 4)) yield { start: at, count: (end - at) / 4 };
  const alignment = is64Bit ? 8 : 4;
  for (let total = 2 * NAMES_A_MARKER; total < MOST_NAMES; total++) {
    const order = Math.floor((tokens - 3 * total) / alignment) * alignment;
    const count = Math.ceil(total / NAMES_A_MARKER);
    const start = order - alignUp(4 * count, alignment);
    if (start < 0) return;
    if (rises(bytes, start, count)) yield { start, count, total };
  }
}

/** Whether markers may be there: offsets of every 256th name, from 0. */
function rises(bytes: Buffer, start: number, count: number): boolean {
  if (count < 2 || bytes.readUInt32LE(start) !== 0) return false;
  for (let i = 1; i < count; i++) {
    const step = bytes.readUInt32LE(start + 4 * i) - bytes.readUInt32LE(start + 4 * i - 4);
    if (step < 2 * NAMES_A_MARKER || step > LONGEST_TAIL) return false;
  }
  return true;
}

interface Names {
  /** Where the number of names stands. */
  readonly number: number;
  readonly names: readonly string[];
}

/** The number of names stands before them; the right one is that at which all markers fit. */
function findNames(bytes: Buffer, markers: Markers, tokens: readonly string[]): Names | undefined {
  const { start, count } = markers;
  const last = bytes.readUInt32LE(start + 4 * count - 4);
  for (let first = start - last - 4; first > start - last - LONGEST_TAIL && first > 8; first--) {
    // The number is aligned to a word of the processor, and what follows it too.
    for (const number of [first - 8, first - 4]) {
      const total = bytes.readUInt32LE(number);
      if (Math.ceil(total / NAMES_A_MARKER) !== count || (markers.total ?? total) !== total) continue;
      const names = readNames(bytes, first, total, start, tokens);
      if (names) return { number, names };
    }
  }
  return undefined;
}

function readNames(
  bytes: Buffer,
  first: number,
  total: number,
  markers: number,
  tokens: readonly string[],
): string[] | undefined {
  const names: string[] = [];
  let at = first;
  for (let index = 0; index < total; index++) {
    if (index % NAMES_A_MARKER === 0) {
      if (bytes.readUInt32LE(markers + (index / NAMES_A_MARKER) * 4) !== at - first) return undefined;
    }
    if (at >= markers) return undefined;
    let length = bytes[at++]!;
    // Long names have the upper bits of their length in a second byte.
    if (length & 0x80) length = (length & 0x7f) | (bytes[at++]! << 7);
    let name = "";
    for (let i = 0; i < length; i++) name += tokens[bytes[at + i]!];
    at += length;
    names.push(name);
  }
  return names;
}

/** Offsets are non-negative from the base; or, with per-processor symbols, those below zero count down from base - 1. */
function findAddresses(
  bytes: Buffer,
  { number, names }: Names,
  indexEnd: number,
  is64Bit: boolean,
): bigint[] | undefined {
  const size = is64Bit ? 8 : 4;
  const offsetsBytes = names.length * 4;
  const before = number - size;
  const behind = alignUp(alignUp(indexEnd, size) + offsetsBytes, size);
  const layouts = [
    { base: before, offsets: before - alignUp(offsetsBytes, size) },
    { base: behind, offsets: alignUp(indexEnd, size) },
  ];
  for (const { base, offsets } of layouts) {
    if (offsets < 0 || base + size > bytes.length) continue;
    const address = is64Bit ? bytes.readBigUInt64LE(base) : BigInt(bytes.readUInt32LE(base));
    if (is64Bit ? address < 0xffff_8000_0000_0000n : address < 0x8000_0000n) continue;
    return names.map((_, index) => {
      const offset = bytes.readInt32LE(offsets + 4 * index);
      return is64Bit && offset < 0 ? address - 1n - BigInt(offset) : address + BigInt(offset >>> 0);
    });
  }
  return undefined;
}

function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}
