// Recorded vectors: for every form, code bytes, seeds, and a digest of what the named processor made
// of each. The state a seed stands for is state.ts's; so the file is small, and needs no oracle.
//
// gzip of: u32 length, JSON header {format, processor, revision, groups, cases}; then for each group
//   u8 length, name; u8 length, feature; u8 mode; u32 first seed; u8 codes; u8 seeds a code;
//   for each code: u8 length, bytes;  u16[codes * seeds] digests

import { gunzipSync, gzipSync } from "node:zlib";
import type { Revision } from "../differential/state.ts";

export const FORMAT = 1;

export interface Group {
  /** formName() of every code in it, or the key of the table's form. */
  name: string;
  /** Processor feature it needs in Linux's spelling, or "": what the table says. */
  feature: string;
  mode: number;
  /** Case n has seed firstSeed + n. */
  firstSeed: number;
  codes: Uint8Array[];
  seedsPerCode: number;
  /** In order of code, then seed. */
  digests: Uint16Array;
}

export interface Vectors {
  processor: string;
  /** What a seed stands for (state.ts). */
  revision: Revision;
  groups: Group[];
}

/** Packs vectors for a .bin.gz file. */
export function pack(vectors: Vectors): Uint8Array {
  const parts: Uint8Array[] = [];
  const cases = vectors.groups.reduce((sum, group) => sum + group.digests.length, 0);
  const header = Buffer.from(
    JSON.stringify({
      format: FORMAT,
      processor: vectors.processor,
      revision: vectors.revision,
      groups: vectors.groups.length,
      cases,
    }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  parts.push(length, header);
  for (const group of vectors.groups) {
    const seed = Buffer.alloc(4);
    seed.writeUInt32LE(group.firstSeed);
    parts.push(Uint8Array.of(group.name.length), Buffer.from(group.name));
    parts.push(Uint8Array.of(group.feature.length), Buffer.from(group.feature));
    parts.push(Uint8Array.of(group.mode), seed, Uint8Array.of(group.codes.length, group.seedsPerCode));
    for (const code of group.codes) parts.push(Uint8Array.of(code.length), code);
    parts.push(new Uint8Array(group.digests.buffer, group.digests.byteOffset, group.digests.byteLength));
  }
  return gzipSync(Buffer.concat(parts), { level: 9 });
}

/** Reads what pack() wrote. Throws where the format is another. */
export function unpack(packed: Uint8Array): Vectors {
  const bytes = gunzipSync(packed);
  let at = 4 + bytes.readUInt32LE(0);
  const header = JSON.parse(bytes.subarray(4, at).toString()) as {
    format: number;
    processor: string;
    revision?: Revision;
  };
  if (header.format !== FORMAT) throw new Error(`recorded vectors have format ${header.format}, not ${FORMAT}`);
  const take = (): Buffer => {
    const length = bytes[at]!;
    at += 1 + length;
    return bytes.subarray(at - length, at);
  };
  const groups: Group[] = [];
  while (at < bytes.length) {
    const name = take().toString();
    const feature = take().toString();
    const mode = bytes[at]!;
    const firstSeed = bytes.readUInt32LE(at + 1);
    const count = bytes[at + 5]!;
    const seedsPerCode = bytes[at + 6]!;
    at += 7;
    const codes = Array.from({ length: count }, () => new Uint8Array(take()));
    const digests = new Uint16Array(count * seedsPerCode);
    for (let i = 0; i < digests.length; i++, at += 2) digests[i] = bytes.readUInt16LE(at);
    groups.push({ name, feature, mode, firstSeed, codes, seedsPerCode, digests });
  }
  return { processor: header.processor, revision: header.revision ?? 1, groups };
}
