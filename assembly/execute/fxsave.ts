// FXSAVE and FXRSTOR, and the legacy area that XSAVE images begin with. SDM volume 1, 10.5.1 and 13.4.1.
import {
  CPU_CR0, CPU_FCS, CPU_FCW, CPU_FDP, CPU_FDS, CPU_FIP, CPU_FOP, CPU_FTAG, CPU_MXCSR, CPU_XMM, CPU_XSAVE_AREA,
} from "../layout";
import { AC, cpu, CR0_EM, CR0_TS, GP, NM, raise, raiseError } from "../cpu";
import { FEAT_ZERO_FCS_FDS } from "../features";
import { readBytes, writeBytes } from "../mmu/block";
import { alignmentChecked } from "../mmu/contexts";
import { hasFeature, isAmd } from "./cpuid";
import { MXCSR_VALID } from "./float/state";
import { code64 } from "./privilege";
import { cleanFcw } from "./x87/stack";
import { checkAccess } from "./x87/store-memory";
import { settlePointers } from "./x87/pointers";
import { FSW_SUMMARY, fsw, setStatusWord, stAddress, statusWord } from "./x87/state";

// Offsets in the legacy area.
export const LEGACY_MXCSR: usize = 24;
export const LEGACY_MXCSR_MASK: usize = 28;
export const LEGACY_ST: usize = 32;
export const LEGACY_XMM: usize = 160;
export const LEGACY_BYTES: i32 = 512;

/** XMM registers that can be named: 16 in 64-bit code, else 8. */
export function vectorRegisters(): i32 {
  return code64() ? 16 : 8;
}

/** Host address of a page where an image is put together. The host uses it only while the guest does not run. */
export function imageBuffer(): usize {
  return cpu + CPU_XSAVE_AREA;
}

/** x87 part of the legacy area (bytes 0-23 and 32-159) as instructions store it; `wide`: 64-bit instruction pointers
 * (REX.W). AMD's processors show the last instruction only while an exception is pending, and zeros otherwise. */
export function buildX87(at: usize, wide: i32): void {
  buildWholeX87(at, wide);
  if (!isAmd() || fsw() & FSW_SUMMARY) return;
  store<u16>(at, 0, 6);
  store<u64>(at, 0, 8);
  store<u64>(at, 0, 16);
}

/** The same with the last instruction in any case. */
export function buildWholeX87(at: usize, wide: i32): void {
  settlePointers();
  store<u16>(at, load<u16>(cpu, CPU_FCW));
  store<u16>(at, <u16>statusWord(), 2);
  store<u16>(at, load<u8>(cpu, CPU_FTAG), 4);
  store<u16>(at, <u16>load<u32>(cpu, CPU_FOP), 6);
  const selectors = !hasFeature(FEAT_ZERO_FCS_FDS);
  let ip = load<u64>(cpu, CPU_FIP);
  let dp = load<u64>(cpu, CPU_FDP);
  if (!wide) {
    ip = (ip & 0xffffffff) | (selectors ? <u64>(load<u32>(cpu, CPU_FCS) & 0xffff) << 32 : 0);
    dp = (dp & 0xffffffff) | (selectors ? <u64>(load<u32>(cpu, CPU_FDS) & 0xffff) << 32 : 0);
  }
  store<u64>(at, ip, 8);
  store<u64>(at, dp, 16);
  for (let i = 0; i < 8; i++) {
    const to = at + LEGACY_ST + (<usize>i << 4);
    const from = stAddress(i);
    store<u64>(to, load<u64>(from));
    store<u64>(to, load<u16>(from, 8), 8);
  }
}

/** Silicon keeps 57 bits of its pointers. */
// @ts-ignore: decorator
@inline function canonicalPointer(value: u64): u64 { return <u64>(<i64>(value << 7) >> 7); }

/** Loads what buildX87() stores. */
export function takeX87(at: usize, wide: i32): void {
  store<u32>(cpu, cleanFcw(load<u16>(at)), CPU_FCW);
  setStatusWord(load<u16>(at, 2));
  store<u32>(cpu, load<u8>(at, 4), CPU_FTAG);
  store<u32>(cpu, load<u16>(at, 6) & 0x7ff, CPU_FOP);
  if (wide) {
    store<u64>(cpu, canonicalPointer(load<u64>(at, 8)), CPU_FIP);
    store<u64>(cpu, canonicalPointer(load<u64>(at, 16)), CPU_FDP);
    store<u32>(cpu, 0, CPU_FCS);
    store<u32>(cpu, 0, CPU_FDS);
  } else {
    store<u64>(cpu, load<u32>(at, 8), CPU_FIP);
    store<u64>(cpu, load<u32>(at, 16), CPU_FDP);
    store<u32>(cpu, load<u16>(at, 12), CPU_FCS);
    store<u32>(cpu, load<u16>(at, 20), CPU_FDS);
  }
  for (let i = 0; i < 8; i++) {
    const from = at + LEGACY_ST + (<usize>i << 4);
    const to = stAddress(i);
    store<u64>(to, load<u64>(from));
    store<u64>(to, load<u16>(from, 8), 8);
  }
}

/** Copies `count` XMM registers to a legacy area. */
export function buildXmm(at: usize, count: i32): void {
  for (let i = 0; i < count; i++) memory.copy(at + LEGACY_XMM + (i << 4), cpu + CPU_XMM + (i << 5), 16);
}

/** Loads `count` XMM registers from a legacy area; the upper halves of the YMM registers stay. */
export function takeXmm(at: usize, count: i32): void {
  for (let i = 0; i < count; i++) memory.copy(cpu + CPU_XMM + (i << 5), at + LEGACY_XMM + (i << 4), 16);
}

/** #NM for CR0.EM or CR0.TS; off a 16-byte boundary #GP(0), or #AC(0) where alignment is checked and it is no multiple
 * of 4 either; #PF for the last of the 512 bytes, which silicon looks at first. False: raised. */
function checkFxsave(address: u64, write: bool): bool {
  if (load<u64>(cpu, CPU_CR0) & (CR0_EM | CR0_TS)) {
    raise(NM);
    return false;
  }
  if (address & 15) {
    raiseError(alignmentChecked && address & 3 ? AC : GP, 0);
    return false;
  }
  return checkAccess(address + LEGACY_BYTES - 1, 1, write);
}

/** FXSAVE (`wide`: FXSAVE64) to linear `address`. XMM8-15 and what lies behind are left alone outside 64-bit code.
 * Pending x87 exceptions do not matter. False: fault set. */
export function fxsave(address: u64, wide: i32): bool {
  if (!checkFxsave(address, true)) return false;
  const image = imageBuffer();
  const count = vectorRegisters();
  buildX87(image, wide);
  store<u32>(image, load<u32>(cpu, CPU_MXCSR), LEGACY_MXCSR);
  store<u32>(image, MXCSR_VALID, LEGACY_MXCSR_MASK);
  buildXmm(image, count);
  return writeBytes(address, image, <i32>LEGACY_XMM + (count << 4));
}

/** FXRSTOR (`wide`: FXRSTOR64) from linear `address`. #GP(0) for reserved bits of MXCSR. False: fault set. */
export function fxrstor(address: u64, wide: i32): bool {
  if (!checkFxsave(address, false)) return false;
  const image = imageBuffer();
  if (!readBytes(address, image, LEGACY_BYTES)) return false;
  const control = load<u32>(image, LEGACY_MXCSR);
  if (control & ~MXCSR_VALID) {
    raiseError(GP, 0);
    return false;
  }
  takeX87(image, wide);
  store<u32>(cpu, control, CPU_MXCSR);
  takeXmm(image, vectorRegisters());
  return true;
}
