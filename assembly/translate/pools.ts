// The pool of a region, which it finds by the slot that it is in: the records that it has the interpreter execute, and how often it is
// entered yet where it is a part. Neither is in its code, so that the same guest code becomes the same WebAssembly in each run.
import { cpu } from "../cpu";
import { POOLS_SIZE, TR_POOLS, TR_POOLS_USED, TR_SLOT_POOL } from "./layout";
import { L_SLOT } from "./locals";
import { I32_LOAD, I32_SHL } from "./opcodes";
import { isAlive } from "./slots";
import { byte, i32const, localGet, memory as access } from "./writer";

// A pool: u32 slot, u32 bytes; u32 entries; then the addresses of records, u32 each. All pools lie one after the other.
const POOL_SLOT: usize = 0;
const POOL_SIZE: usize = 4;
/** u32: how often a part is entered until the whole is made (parts.ts). */
export const POOL_PART_LEFT: usize = 8;
const POOL_RECORDS: usize = 12;

/** Bytes that one pool takes at most: of the instructions that a region may have (blocks.ts). */
const MOST: u32 = 0xa00;

/** Records of the region being emitted. */
let records: u32 = 0;

function next(): usize {
  return cpu + TR_POOLS + load<u32>(cpu, TR_POOLS_USED);
}

/** True: the pool of one more region may have no room. */
export function poolsFull(): bool {
  return load<u32>(cpu, TR_POOLS_USED) + MOST > POOLS_SIZE;
}

/** Begins the pool of the function that is emitted. */
export function beginPool(): void {
  records = 0;
}

/** Pushes the address of the running region's pool. */
export function pushPool(): void {
  localGet(L_SLOT);
  i32const(2);
  byte(I32_SHL);
  access(I32_LOAD, 2, <u32>(cpu + TR_SLOT_POOL));
}

/** Pushes the address of a record, which goes into the pool. */
export function pushRecord(rec: usize): void {
  const at = POOL_RECORDS + (<usize>records << 2);
  store<u32>(next() + at, <u32>rec);
  records++;
  pushPool();
  access(I32_LOAD, 2, <u32>at);
}

/** Keeps the pool of the function last emitted, which goes into `slot`. */
export function keepPool(slot: u32, partLeft: u32): void {
  const pool = next();
  const size = <u32>POOL_RECORDS + (records << 2);
  store<u32>(pool, slot, POOL_SLOT);
  store<u32>(pool, size, POOL_SIZE);
  store<u32>(pool, partLeft, POOL_PART_LEFT);
  store<u32>(cpu + TR_SLOT_POOL + (slot << 2), <u32>pool);
  store<u32>(cpu, load<u32>(cpu, TR_POOLS_USED) + size, TR_POOLS_USED);
}

/** Leaves out the pools of regions that are not usable any more. */
export function compactPools(): void {
  const end = next();
  let to = cpu + TR_POOLS;
  for (let pool = to; pool < end; ) {
    const slot = load<u32>(pool, POOL_SLOT);
    const size = load<u32>(pool, POOL_SIZE);
    // A slot that is in use again has another pool, further behind.
    if (isAlive(slot) && load<u32>(cpu + TR_SLOT_POOL + (slot << 2)) == <u32>pool) {
      memory.copy(to, pool, size);
      store<u32>(cpu + TR_SLOT_POOL + (slot << 2), <u32>to);
      to += size;
    }
    pool += size;
  }
  store<u32>(cpu, <u32>(to - cpu - TR_POOLS), TR_POOLS_USED);
}

/** Forgets all of them. */
export function forgetPools(): void {
  store<u32>(cpu, 0, TR_POOLS_USED);
}
