// Zstandard frames and blocks (RFC 8878, section 3). Dictionaries are not supported; content checksums are passed over.
import { DecompressError } from "../error.ts";
import { decodeHuffman, type HuffmanTable, readHuffmanTable } from "./huffman.ts";
import { decodeSequences, type FrameOutput, SequenceState } from "./sequences.ts";

const MAGIC = 0xfd2fb528;
/** Sixteen magic numbers begin a frame that is to be skipped. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const BLOCK_LIMIT = 128 * 1024;
/** Bit readers look up to this far behind what they use. */
const PADDING = 8;

const BLOCK_RAW = 0;
const BLOCK_RLE = 1;
const BLOCK_COMPRESSED = 2;

const LITERALS_RAW = 0;
const LITERALS_RLE = 1;
const LITERALS_COMPRESSED = 2;

/**
 * Unpacks all frames of `packed`.
 * @param size length of the result in bytes, known from elsewhere
 * @throws DecompressError when the data is damaged or needs a dictionary.
 */
export function unpackZstd(packed: Uint8Array, size: number): Uint8Array {
  const padded = new Uint8Array(packed.length + PADDING);
  padded.set(packed);
  const input = new DataView(padded.buffer);
  const output = { bytes: new Uint8Array(size), frameStart: 0, position: 0 };
  let at = 0;
  try {
    while (at + 4 <= packed.length) {
      const magic = input.getUint32(at, true);
      if (magic === MAGIC) {
        at = new Frame(input, packed.length, output).decode(at + 4);
      } else if ((magic & ~15) >>> 0 === SKIPPABLE_MAGIC) {
        at += 8 + input.getUint32(at + 4, true);
      } else {
        throw new DecompressError("the zstd data does not begin with a frame");
      }
    }
  } catch (error) {
    // A position in damaged data may lie anywhere.
    throw error instanceof RangeError ? new DecompressError("the zstd data is damaged or truncated") : error;
  }
  if (output.position !== size) {
    throw new DecompressError(`zstd gives ${output.position} bytes where ${size} are announced`);
  }
  return output.bytes;
}

/** One frame with what its blocks share. */
class Frame {
  private readonly input: DataView;
  private readonly end: number;
  private readonly output: FrameOutput;
  private readonly state = new SequenceState();
  private readonly literals = new Uint8Array(BLOCK_LIMIT);
  private huffman: HuffmanTable | null = null;

  constructor(input: DataView, end: number, output: FrameOutput) {
    this.input = input;
    this.end = end;
    this.output = output;
    output.frameStart = output.position;
  }

  /** Decodes from behind the magic number; returns the position behind the frame. */
  decode(start: number): number {
    const { input } = this;
    const descriptor = input.getUint8(start);
    let at = start + headerBytes(descriptor);
    if (descriptor & 3) {
      throw new DecompressError("zstd data with a dictionary is not supported");
    }
    for (;;) {
      const header = input.getUint16(at, true) | (input.getUint8(at + 2) << 16);
      at += 3;
      const length = header >>> 3;
      const type = (header >> 1) & 3;
      const next = at + (type === BLOCK_RLE ? 1 : length);
      if (next > this.end) {
        throw new DecompressError("the zstd data is truncated");
      }
      this.decodeBlock(type, at, length);
      at = next;
      if (header & 1) {
        break;
      }
    }
    // The optional checksum.
    return at + (descriptor & 4);
  }

  private decodeBlock(type: number, at: number, length: number): void {
    const { output, input } = this;
    if (type === BLOCK_COMPRESSED) {
      this.decodeCompressed(at, at + length);
      return;
    }
    const end = output.position + length;
    if (end > output.bytes.length || length > BLOCK_LIMIT || type > BLOCK_COMPRESSED) {
      throw new DecompressError("a block of the zstd data is damaged");
    }
    if (type === BLOCK_RAW) {
      output.bytes.set(bytesOf(input, at, length), output.position);
    } else {
      output.bytes.fill(input.getUint8(at), output.position, end);
    }
    output.position = end;
  }

  private decodeCompressed(at: number, end: number): void {
    const { count, next } = this.decodeLiterals(at, end);
    decodeSequences(this.input, next, end, this.literals, count, this.state, this.output);
  }

  /** Fills `literals` (section 3.1.1.3.1). */
  private decodeLiterals(at: number, end: number): { count: number; next: number } {
    const { input, literals } = this;
    const first = input.getUint8(at);
    const type = first & 3;
    const format = (first >> 2) & 3;
    if (type === LITERALS_RAW || type === LITERALS_RLE) {
      const bytes = format === 1 ? 2 : format === 3 ? 3 : 1;
      const count = littleEndian(input, at, bytes) >>> (bytes === 1 ? 3 : 4);
      const dataAt = at + bytes;
      const stored = type === LITERALS_RAW ? count : 1;
      if (count > BLOCK_LIMIT || dataAt + stored > end) {
        throw new DecompressError("the literals of the zstd data are damaged");
      }
      if (type === LITERALS_RAW) {
        literals.set(bytesOf(input, dataAt, count));
      } else {
        literals.fill(input.getUint8(dataAt), 0, count);
      }
      return { count, next: dataAt + stored };
    }
    return this.decodePackedLiterals(at, end, type, format);
  }

  private decodePackedLiterals(at: number, end: number, type: number, format: number): { count: number; next: number } {
    const { input } = this;
    const headerSize = format < 2 ? 3 : format + 2;
    const sizeBits = format < 2 ? 10 : format === 2 ? 14 : 18;
    const header = littleEndian(input, at, headerSize);
    const count = Math.floor(header / 16) % 2 ** sizeBits;
    const next = at + headerSize + (Math.floor(header / 2 ** (4 + sizeBits)) % 2 ** sizeBits);
    let streamsAt = at + headerSize;
    if (next > end || count > BLOCK_LIMIT) {
      throw new DecompressError("the literals of the zstd data are damaged");
    }
    if (type === LITERALS_COMPRESSED) {
      const tree = readHuffmanTable(input, streamsAt);
      this.huffman = tree.table;
      streamsAt = tree.next;
    }
    const table = this.huffman;
    if (table === null) {
      throw new DecompressError("the zstd data repeats a table that it never gave");
    }
    if (format === 0) {
      decodeHuffman(input, streamsAt, next, table, this.literals, 0, count);
    } else {
      this.decodeFourStreams(streamsAt, next, table, count);
    }
    return { count, next };
  }

  /** A jump table gives the sizes of the first three. */
  private decodeFourStreams(at: number, end: number, table: HuffmanTable, count: number): void {
    const { input, literals } = this;
    const quarter = (count + 3) >> 2;
    let from = at + 6;
    for (let stream = 0; stream < 4; stream++) {
      const stop = stream < 3 ? from + input.getUint16(at + stream * 2, true) : end;
      const start = quarter * stream;
      if (stop > end || start > count) {
        throw new DecompressError("the literals of the zstd data are damaged");
      }
      decodeHuffman(input, from, stop, table, literals, start, stream < 3 ? start + quarter : count);
      from = stop;
    }
  }
}

/** Bytes of the frame header, descriptor included: window, dictionary, content size. */
function headerBytes(descriptor: number): number {
  const singleSegment = (descriptor >> 5) & 1;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? singleSegment : 1 << sizeFlag;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number;
  return 1 + (1 - singleSegment) + dictionaryBytes + sizeBytes;
}

function bytesOf(input: DataView, at: number, length: number): Uint8Array {
  return new Uint8Array(input.buffer, input.byteOffset + at, length);
}

/** Up to five bytes. */
function littleEndian(input: DataView, at: number, count: number): number {
  let value = 0;
  for (let i = count - 1; i >= 0; i--) {
    value = value * 256 + input.getUint8(at + i);
  }
  return value;
}
