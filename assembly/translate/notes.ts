// What a region finds by the slot that it is in: the records that it has the interpreter execute, and how often it is entered yet where it is
// a part. Neither is in its code, so that the same guest code becomes the same WebAssembly in each run.
import { cpu } from "../cpu";
import { REGION_NOTES_SIZE, TR_REGION_NOTES, TR_REGION_NOTES_USED, TR_SLOT_NOTES } from "./layout";
import { L_SLOT } from "./locals";
import { I32_LOAD, I32_SHL } from "./opcodes";
import { isAlive } from "./slots";
import { byte, i32const, localGet, memory as access } from "./writer";

// The notes of a region: u32 slot, u32 bytes of them; u32 entries; then the addresses of records, u32 each. Those of all regions lie one after the other.
const N_SLOT: usize = 0;
const N_SIZE: usize = 4;
/** u32: how often a part is entered until the whole is made (parts.ts). */
export const N_PART_LEFT: usize = 8;
const N_RECORDS: usize = 12;

/** Bytes that the notes of one region take at most: of 600 instructions. */
const MOST: u32 = 0xa00;

/** Records of the region being emitted. */
let records: u32 = 0;

function next(): usize {
  return cpu + TR_REGION_NOTES + load<u32>(cpu, TR_REGION_NOTES_USED);
}

/** True: the notes of one more region may have no room. */
export function notesFull(): bool {
  return load<u32>(cpu, TR_REGION_NOTES_USED) + MOST > REGION_NOTES_SIZE;
}

/** Begins the notes of the function that is emitted. */
export function beginNotes(): void {
  records = 0;
}

/** Pushes the address of the running region's notes. */
export function pushNotes(): void {
  localGet(L_SLOT);
  i32const(2);
  byte(I32_SHL);
  access(I32_LOAD, 2, <u32>(cpu + TR_SLOT_NOTES));
}

/** Pushes the address of a record, which is noted. */
export function pushRecord(rec: usize): void {
  const at = N_RECORDS + (<usize>records << 2);
  store<u32>(next() + at, <u32>rec);
  records++;
  pushNotes();
  access(I32_LOAD, 2, <u32>at);
}

/** Keeps the notes of the function last emitted, which goes into `slot`. */
export function keepNotes(slot: u32, partLeft: u32): void {
  const notes = next();
  const size = <u32>N_RECORDS + (records << 2);
  store<u32>(notes, slot, N_SLOT);
  store<u32>(notes, size, N_SIZE);
  store<u32>(notes, partLeft, N_PART_LEFT);
  store<u32>(cpu + TR_SLOT_NOTES + (slot << 2), <u32>notes);
  store<u32>(cpu, load<u32>(cpu, TR_REGION_NOTES_USED) + size, TR_REGION_NOTES_USED);
}

/** Leaves out the notes of regions that are not usable any more. */
export function compactNotes(): void {
  const end = next();
  let to = cpu + TR_REGION_NOTES;
  for (let notes = to; notes < end; ) {
    const slot = load<u32>(notes, N_SLOT);
    const size = load<u32>(notes, N_SIZE);
    // A slot that is in use again has other notes, further behind.
    if (isAlive(slot) && load<u32>(cpu + TR_SLOT_NOTES + (slot << 2)) == <u32>notes) {
      memory.copy(to, notes, size);
      store<u32>(cpu + TR_SLOT_NOTES + (slot << 2), <u32>to);
      to += size;
    }
    notes += size;
  }
  store<u32>(cpu, <u32>(to - cpu - TR_REGION_NOTES), TR_REGION_NOTES_USED);
}

/** Forgets all of them. */
export function forgetNotes(): void {
  store<u32>(cpu, 0, TR_REGION_NOTES_USED);
}
