// ADDSUB, HADD, HSUB and the dot products: lanes combined with one another.
import { CPU_SCRATCH2 } from "../../layout";
import { cpu } from "../../cpu";
import { addF32, mulF32, subF32 } from "./arith32";
import { addF64, mulF64, subF64 } from "./arith64";
import { sseBegin, sseCommit } from "./state";

/** dst = a with odd lanes added and even lanes subtracted b, `bytes` (16 or 32) of binary64. False: #XM raised. */
export function addSubF64(dst: usize, a: usize, b: usize, bytes: i32): bool {
  sseBegin();
  const to = cpu + CPU_SCRATCH2;
  for (let i = 0; i < bytes; i += 16) {
    store<u64>(to + i, subF64(load<u64>(a + i), load<u64>(b + i)));
    store<u64>(to + i, addF64(load<u64>(a + i, 8), load<u64>(b + i, 8)), 8);
  }
  return finish(dst, to, bytes);
}

/** ADDSUBPS likewise. */
export function addSubF32(dst: usize, a: usize, b: usize, bytes: i32): bool {
  sseBegin();
  const to = cpu + CPU_SCRATCH2;
  for (let i = 0; i < bytes; i += 8) {
    store<u32>(to + i, subF32(load<u32>(a + i), load<u32>(b + i)));
    store<u32>(to + i, addF32(load<u32>(a + i, 4), load<u32>(b + i, 4)), 4);
  }
  return finish(dst, to, bytes);
}

/** HADDPD (`subtract`: HSUBPD): neighbours of a, then neighbours of b, in each 16 bytes. False: #XM raised. */
export function horizontalF64(dst: usize, a: usize, b: usize, bytes: i32, subtract: i32): bool {
  sseBegin();
  const to = cpu + CPU_SCRATCH2;
  for (let i = 0; i < bytes; i += 16) {
    store<u64>(to + i, pairF64(a + i, subtract));
    store<u64>(to + i, pairF64(b + i, subtract), 8);
  }
  return finish(dst, to, bytes);
}

/** HADDPS (`subtract`: HSUBPS). */
export function horizontalF32(dst: usize, a: usize, b: usize, bytes: i32, subtract: i32): bool {
  sseBegin();
  const to = cpu + CPU_SCRATCH2;
  for (let i = 0; i < bytes; i += 16) {
    store<u32>(to + i, pairF32(a + i, subtract));
    store<u32>(to + i, pairF32(a + i + 8, subtract), 4);
    store<u32>(to + i, pairF32(b + i, subtract), 8);
    store<u32>(to + i, pairF32(b + i + 8, subtract), 12);
  }
  return finish(dst, to, bytes);
}

function pairF64(at: usize, subtract: i32): u64 {
  return subtract ? subF64(load<u64>(at), load<u64>(at, 8)) : addF64(load<u64>(at), load<u64>(at, 8));
}

function pairF32(at: usize, subtract: i32): u32 {
  return subtract ? subF32(load<u32>(at), load<u32>(at, 4)) : addF32(load<u32>(at), load<u32>(at, 4));
}

/** DPPD: the sum of the products that immediate bits 4-5 choose, into the lanes that bits 0-1 choose, 0 into the
 * others. An unmasked exception of the products stops before the addition. False: #XM raised. */
export function dotF64(dst: usize, a: usize, b: usize, immediate: i32): bool {
  sseBegin();
  const p0 = immediate & 0x10 ? mulF64(load<u64>(a), load<u64>(b)) : 0;
  const p1 = immediate & 0x20 ? mulF64(load<u64>(a, 8), load<u64>(b, 8)) : 0;
  if (!sseCommit()) return false;
  const sum = addF64(p0, p1);
  if (!sseCommit()) return false;
  store<u64>(dst, immediate & 1 ? sum : 0);
  store<u64>(dst, immediate & 2 ? sum : 0, 8);
  return true;
}

/** DPPS: as DPPD with immediate bits 4-7 and 0-3, on each 16 of `bytes`; products 0+1 and 2+3 are added first. Each step
 * is done for all of it before its exceptions are looked at. */
export function dotF32(dst: usize, a: usize, b: usize, immediate: i32, bytes: i32): bool {
  const to = cpu + CPU_SCRATCH2;
  sseBegin();
  for (let i = 0; i < bytes; i += 4) {
    const wanted = immediate & (0x10 << (i >> 2 & 3));
    store<u32>(to + i, wanted ? mulF32(load<u32>(a + i), load<u32>(b + i)) : 0);
  }
  if (!sseCommit()) return false;
  for (let i = 0; i < bytes; i += 16) {
    store<u32>(to + i, addF32(load<u32>(to + i), load<u32>(to + i, 4)));
    store<u32>(to + i, addF32(load<u32>(to + i, 8), load<u32>(to + i, 12)), 4);
  }
  if (!sseCommit()) return false;
  for (let i = 0; i < bytes; i += 16) {
    const sum = addF32(load<u32>(to + i), load<u32>(to + i, 4));
    for (let lane = 0; lane < 4; lane++) store<u32>(to + i + (lane << 2), immediate & (1 << lane) ? sum : 0);
  }
  return finish(dst, to, bytes);
}

function finish(dst: usize, from: usize, bytes: i32): bool {
  if (!sseCommit()) return false;
  memory.copy(dst, from, bytes);
  return true;
}
