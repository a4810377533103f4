// The compressed kernel inside a bzImage, unpacked on the host.
import { gunzipSync } from "fflate";
import { DecompressError } from "./decompress/error.ts";
import { type Decoder, hasDecoders, type UnpackedBytes, unpackWith } from "./decompress/unpacker.ts";
import { discard } from "./discard.ts";
import { BootError } from "./types.ts";

/** The kernel's build appends the unpacked size to every format but gzip, which has it anyway. */
const SIZE_BYTES = 4;
/** No kernel is larger; a larger number is damage. */
const SIZE_LIMIT = 2 ** 30;

interface Format {
  readonly name: string;
  readonly magic: readonly number[];
  /** Absent for formats that are known but not supported. */
  readonly unpack?: Decoder | "gunzip";
}

const FORMATS: readonly Format[] = [
  { name: "gzip", magic: [0x1f, 0x8b], unpack: "gunzip" },
  { name: "xz", magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], unpack: "unpackXz" },
  { name: "lz4", magic: [0x02, 0x21, 0x4c, 0x18], unpack: "unpackLz4" },
  { name: "zstd", magic: [0x28, 0xb5, 0x2f, 0xfd], unpack: "unpackZstd" },
  { name: "bzip2", magic: [0x42, 0x5a, 0x68] },
  { name: "lzma", magic: [0x5d, 0x00, 0x00] },
  { name: "lzo", magic: [0x89, 0x4c, 0x5a, 0x4f] },
];

/** What came out of a payload. */
export interface Unpacked extends UnpackedBytes {
  /** Name of the compression. */
  readonly format: string;
}

/** Whether a payload can be unpacked here. */
export function canUnpack(payload: Uint8Array): boolean {
  const unpack = findFormat(payload)?.unpack;
  return unpack === "gunzip" || (unpack !== undefined && hasDecoders());
}

/**
 * Unpacks the payload of a bzImage.
 * @throws BootError when the format is not supported or the data is damaged.
 */
export function unpackPayload(payload: Uint8Array, name: string): Unpacked {
  const format = findFormat(payload);
  if (format?.unpack === undefined) {
    throw new BootError(`${name}: the kernel is packed with ${format?.name ?? "an unknown format"}, not supported`);
  }
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const size = view.getUint32(payload.length - SIZE_BYTES, true);
  if (size === 0 || size > SIZE_LIMIT) {
    throw new BootError(`${name}: the packed kernel announces ${size} bytes; the file is damaged`);
  }
  const packed = format.name === "gzip" ? payload : payload.subarray(0, payload.length - SIZE_BYTES);
  try {
    const unpacked = format.unpack === "gunzip" ? gunzip(packed, size) : unpackWith(format.unpack, packed, size);
    return { format: format.name, ...unpacked };
  } catch (error) {
    // The libraries throw whatever their arrays throw on damaged input.
    const reason = error instanceof Error ? error.message : String(error);
    throw new BootError(`${name}: the ${format.name}-packed kernel cannot be unpacked: ${reason}`);
  }
}

function gunzip(packed: Uint8Array, size: number): UnpackedBytes {
  const bytes = gunzipSync(packed, { out: new Uint8Array(size) });
  if (bytes.length !== size) throw new DecompressError(`${bytes.length} bytes come out where ${size} are announced`);
  return { bytes, release: () => discard(bytes) };
}

function findFormat(payload: Uint8Array): Format | undefined {
  return FORMATS.find(({ magic }) => magic.every((byte, index) => payload[index] === byte));
}
