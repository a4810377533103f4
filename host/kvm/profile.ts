// What a translator has found hot, as bytes that outlive the VM: the table of assembly/translate/profile.ts without its gaps.
import {
  VM_JIT_PROFILE,
  VM_PROFILE,
  VM_PROFILE_ENTRIES,
  VM_PROFILE_ENTRY_SIZE,
  VM_PROFILE_MAX,
  VM_PROFILE_USED,
} from "../../assembly/layout.ts";
import { KvmError } from "./errors.ts";

// Header: 8 letters, u32 version, u32 entries. An entry: u32 key, u16 kind, u16 0.
const LETTERS = "wkvmprof";
const COUNT_AT = 12;
const HEADER_SIZE = 16;
/** Raised with what a key is made of, or a kind means. */
const VERSION = 1;
const KIND_AT = 4;
const MET_AT = 6;

/** Fills the table, and has the translator use it. Throws EINVAL for what saveProfile() has not made. */
export function loadProfile(memory: DataView, bytes: Uint8Array | undefined): void {
  for (let at = 0; at < VM_PROFILE_ENTRIES * VM_PROFILE_ENTRY_SIZE; at += 4) memory.setUint32(VM_PROFILE + at, 0, true);
  const entries =
    bytes === undefined
      ? new Map<number, number>()
      : parse(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  for (const [key, kind] of entries) {
    let index = key;
    let at = entryAt(index);
    while (memory.getUint32(at, true) !== 0) at = entryAt(++index);
    memory.setUint32(at, key, true);
    memory.setUint16(at + KIND_AT, kind, true);
  }
  memory.setUint32(VM_PROFILE_USED, entries.size, true);
  memory.setUint32(VM_JIT_PROFILE, 1, true);
}

function parse(file: DataView): Map<number, number> {
  const letters = [...LETTERS].every((letter, i) => i < file.byteLength && file.getUint8(i) === letter.charCodeAt(0));
  if (!letters || file.byteLength < HEADER_SIZE) throw new KvmError("EINVAL", "this is no profile of hot code");
  if (file.getUint32(LETTERS.length, true) !== VERSION) return new Map();
  const count = file.getUint32(COUNT_AT, true);
  if (count > VM_PROFILE_MAX || file.byteLength !== HEADER_SIZE + count * VM_PROFILE_ENTRY_SIZE)
    throw new KvmError("EINVAL", `a profile of ${count} entries does not have ${file.byteLength} bytes`);
  const entries = new Map<number, number>();
  for (let at = HEADER_SIZE; at < file.byteLength; at += VM_PROFILE_ENTRY_SIZE) {
    const key = file.getUint32(at, true);
    if (key !== 0) entries.set(key, file.getUint16(at + KIND_AT, true));
  }
  return entries;
}

function entryAt(index: number): number {
  return VM_PROFILE + (index & (VM_PROFILE_ENTRIES - 1)) * VM_PROFILE_ENTRY_SIZE;
}

/** The table's entries. Once it is half full, only those that were met since it was loaded: others make room. */
export function saveProfile(memory: DataView): Uint8Array<ArrayBuffer> {
  const all = memory.getUint32(VM_PROFILE_USED, true) <= VM_PROFILE_MAX / 2;
  const kept: number[] = [];
  for (let index = 0; index < VM_PROFILE_ENTRIES; index++) {
    const at = entryAt(index);
    if (memory.getUint32(at, true) !== 0 && (all || memory.getUint16(at + MET_AT, true) !== 0)) kept.push(at);
  }
  const bytes = new Uint8Array(HEADER_SIZE + kept.length * VM_PROFILE_ENTRY_SIZE);
  const file = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(LETTERS));
  file.setUint32(LETTERS.length, VERSION, true);
  file.setUint32(COUNT_AT, kept.length, true);
  kept.forEach((at, i) => {
    const to = HEADER_SIZE + i * VM_PROFILE_ENTRY_SIZE;
    file.setUint32(to, memory.getUint32(at, true), true);
    file.setUint16(to + KIND_AT, memory.getUint16(at + KIND_AT, true), true);
  });
  return bytes;
}
