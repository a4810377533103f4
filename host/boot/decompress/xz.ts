// The .xz container (The .xz File Format, version 1.1.0) with the two filters that kernels use: LZMA2, alone or
// behind the x86 branch filter.
import { undoX86Filter } from "./bcj-x86.ts";
import { crc32 } from "./crc32.ts";
import { DecompressError } from "./error.ts";
import { LzmaDecoder } from "./lzma.ts";
import { RangeDecoder } from "./range-decoder.ts";

const STREAM_HEADER_BYTES = 12;
const CHECK_CRC32 = 1;
const FILTER_X86 = 0x04;
const FILTER_LZMA2 = 0x21;

// LZMA2 control bytes.
const CONTROL_END = 0x00;
const CONTROL_STORED_RESET = 0x01;
const CONTROL_STORED = 0x02;
const CONTROL_LZMA = 0x80;

/**
 * Unpacks the first stream of `input`.
 * @param size length of the result in bytes, known from elsewhere
 * @throws DecompressError when the data is damaged or uses what is not supported.
 */
export function unpackXz(input: Uint8Array, size: number): Uint8Array {
  if (input.length < STREAM_HEADER_BYTES + 4) {
    throw new DecompressError("the xz stream is truncated");
  }
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  if (crc32(input.subarray(6, 8)) !== view.getUint32(8, true)) {
    throw new DecompressError("the xz stream header is damaged");
  }
  const check = (input[7] as number) & 0x0f;
  const output = new Uint8Array(size);
  let at = STREAM_HEADER_BYTES;
  let written = 0;
  // A block header starts with its size; the index that follows the blocks starts with a zero.
  while (input[at] !== 0) {
    const header = readBlockHeader(input, at);
    const dataAt = at + header.size;
    const decoder = new LzmaDecoder(output.subarray(written));
    const end = decodeLzma2(input, dataAt, decoder, size - written);
    const block = output.subarray(written, written + decoder.position);
    if (header.x86) {
      undoX86Filter(block);
    }
    const checkAt = dataAt + Math.ceil((end - dataAt) / 4) * 4;
    // Other checks than CRC-32 are passed over, as the kernel's own unpacker does.
    if (check === CHECK_CRC32 && (checkAt + 4 > input.length || view.getUint32(checkAt, true) !== crc32(block))) {
      throw new DecompressError("the checksum of an xz block is wrong");
    }
    written += block.length;
    at = checkAt + checkBytes(check);
    if (at >= input.length) {
      throw new DecompressError("the xz stream is truncated");
    }
  }
  if (written !== size) {
    throw new DecompressError(`xz gives ${written} bytes where ${size} are announced`);
  }
  return output;
}

function checkBytes(check: number): number {
  return check === 0 ? 0 : 4 << Math.floor((check - 1) / 3);
}

function readBlockHeader(input: Uint8Array, at: number): { size: number; x86: boolean } {
  const size = ((input[at] as number) + 1) * 4;
  if (at + size > input.length) {
    throw new DecompressError("the xz stream is truncated");
  }
  const flags = input[at + 1] as number;
  let next = at + 2;
  const readNumber = (): number => {
    let value = 0;
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = input[next++] as number;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        break;
      }
    }
    return value;
  };
  // Compressed and uncompressed size, where present; the data says both itself.
  for (const present of [0x40, 0x80]) {
    if (flags & present) {
      readNumber();
    }
  }
  const filters = Array.from({ length: (flags & 3) + 1 }, () => {
    const id = readNumber();
    const propertiesSize = readNumber();
    next += propertiesSize;
    return { id, propertiesSize };
  });
  const last = filters.at(-1);
  const x86 = filters.length === 2 && filters[0]?.id === FILTER_X86 && filters[0].propertiesSize === 0;
  if (last?.id !== FILTER_LZMA2 || !(filters.length === 1 || x86)) {
    const ids = filters.map(({ id }) => `0x${id.toString(16)}`).join(", ");
    throw new DecompressError(`the xz filter chain ${ids} is not supported, only LZMA2 and x86 + LZMA2`);
  }
  return { size, x86 };
}

/** Decodes LZMA2 chunks and returns the position behind them. */
function decodeLzma2(input: Uint8Array, start: number, decoder: LzmaDecoder, limit: number): number {
  const damaged = () => new DecompressError("the LZMA2 data is damaged");
  const range = new RangeDecoder();
  const word = (at: number) => ((input[at] as number) << 8) | (input[at + 1] as number);
  let at = start;
  for (;;) {
    if (at >= input.length) {
      throw new DecompressError("the xz stream is truncated");
    }
    const control = input[at++] as number;
    if (control === CONTROL_END) {
      return at;
    }
    if (control < CONTROL_LZMA) {
      const length = word(at) + 1;
      at += 2;
      if (control > CONTROL_STORED || decoder.position + length > limit || at + length > input.length) {
        throw damaged();
      }
      if (control === CONTROL_STORED_RESET) {
        decoder.resetDictionary();
      }
      decoder.store(input.subarray(at, at + length));
      at += length;
      continue;
    }
    const unpacked = ((control & 0x1f) << 16) + word(at) + 1;
    const packed = word(at + 2) + 1;
    at += 4;
    // Bits 5-6: 0 nothing, 1 reset state, 2 and new properties, 3 and a new dictionary.
    const reset = (control >> 5) & 3;
    if (reset === 3) {
      decoder.resetDictionary();
    }
    if (reset >= 2 && !decoder.setProperties(input[at++] as number)) {
      throw damaged();
    }
    if (reset >= 1) {
      decoder.resetState();
    }
    if (at + packed > input.length || decoder.position + unpacked > limit) {
      throw damaged();
    }
    range.start(input, at);
    if (!decoder.decode(range, decoder.position + unpacked) || range.position > at + packed) {
      throw damaged();
    }
    at += packed;
  }
}
