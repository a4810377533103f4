// XSAVE, XSAVEOPT, XSAVEC, XSAVES, XRSTOR, XRSTORS (SDM volume 1, chapter 13), and the image the host reads and writes.
// Components: x87 (0), SSE (1), AVX (2), PKRU (9); no supervisor components exist, so XSAVES differs from XSAVEC by its
// privilege alone.
import {
  CPU_CR0, CPU_CR4, CPU_FCW, CPU_FSW, CPU_FTAG, CPU_FTOP, CPU_MXCSR, CPU_PKRU, CPU_X87,
  CPU_XCR0, CPU_XMM,
} from "../layout";
import { cpu, CR0_TS, CR4_OSXSAVE, GP, gpr, NM, raise, raiseError, RAX, RDX, UD } from "../cpu";
import { FEAT_XSAVEC } from "../features";
import { readBytes, writeBytes } from "../mmu/block";
import { tlbPkruChanged } from "../mmu/registers";
import { hasFeature, supportedXcr0 } from "./cpuid";
import { MXCSR_RESET, MXCSR_VALID } from "./float/state";
import {
  buildWholeX87, buildX87, buildXmm, imageBuffer, LEGACY_BYTES, LEGACY_MXCSR, LEGACY_MXCSR_MASK, LEGACY_ST, LEGACY_XMM, takeX87,
  takeXmm, vectorRegisters,
} from "./fxsave";
import { requireCpl0 } from "./privilege";
import { FCW_INIT } from "./x87/state";
import { fninit } from "./x87/stack";

const X87: u64 = 1;
const SSE: u64 = 2;
const AVX: u64 = 4;
const PKRU: u64 = 1 << 9;
const COMPACTED: u64 = <u64>1 << 63;
const HEADER_COMPACTION: usize = 520;
const HEADER_END: usize = 576;
const AVX_OFFSET: usize = 576;
const AVX_BYTES: usize = 256;
/** In the standard format; as CPUID.(D,9).EBX says. */
const PKRU_OFFSET: usize = 2688;
const EINVAL: i32 = 22;

function pkruOffset(layout: u64): usize {
  if (!(layout & COMPACTED)) return PKRU_OFFSET;
  return layout & AVX ? AVX_OFFSET + AVX_BYTES : AVX_OFFSET;
}

/** The components that are not in their initial configuration (XINUSE), whatever MXCSR is and whichever x87 instruction
 * was the last. */
export function componentsInUse(): u64 {
  let used: u64 = 0;
  if (
    load<u32>(cpu, CPU_FCW) != FCW_INIT ||
    (load<u32>(cpu, CPU_FSW) | load<u32>(cpu, CPU_FTOP) | load<u32>(cpu, CPU_FTAG)) != 0
  ) {
    used = X87;
  } else {
    let all: u64 = 0;
    for (let i: usize = 0; i < 128; i += 8) all |= load<u64>(cpu + CPU_X87 + i);
    if (all) used = X87;
  }
  let low: u64 = 0;
  let high: u64 = 0;
  for (let i: usize = 0; i < 512; i += 32) {
    const at = cpu + CPU_XMM + i;
    low |= load<u64>(at) | load<u64>(at, 8);
    high |= load<u64>(at, 16) | load<u64>(at, 24);
  }
  if (low) used |= SSE;
  if (high) used |= AVX;
  if (load<u32>(cpu, CPU_PKRU)) used |= PKRU;
  return used;
}

/** #UD without CR4.OSXSAVE, #NM for CR0.TS, #GP(0) off a 64-byte boundary. False: raised. */
function checkXsave(address: u64): bool {
  if (!(load<u64>(cpu, CPU_CR4) & CR4_OSXSAVE)) {
    raise(UD);
    return false;
  }
  if (load<u64>(cpu, CPU_CR0) & CR0_TS) {
    raise(NM);
    return false;
  }
  if (address & 63) {
    raiseError(GP, 0);
    return false;
  }
  return true;
}

/** The requested components: EDX:EAX and XCR0. */
function requested(): u64 {
  return ((gpr(RDX) << 32) | (gpr(RAX) & 0xffffffff)) & load<u64>(cpu, CPU_XCR0);
}

function buildAvx(at: usize, count: i32): void {
  for (let i = 0; i < count; i++) memory.copy(at + AVX_OFFSET + (i << 4), cpu + CPU_XMM + (i << 5) + 16, 16);
}

function takeAvx(at: usize, count: i32): void {
  for (let i = 0; i < count; i++) memory.copy(cpu + CPU_XMM + (i << 5) + 16, at + AVX_OFFSET + (i << 4), 16);
}

// Writes the bytes [from, to) of the image.
function put(address: u64, image: usize, from: usize, to: usize): bool {
  return writeBytes(address + from, image + from, <i32>(to - from));
}

// Saves `components` of the image to linear address; `withMxcsr` apart, since it belongs to SSE and to AVX. The pieces
// are written in order; a fault half-way leaves the earlier ones written, as silicon may.
function saveComponents(address: u64, components: u64, withMxcsr: bool, layout: u64, wide: i32): bool {
  const image = imageBuffer();
  const count = vectorRegisters();
  if (components & X87) {
    buildX87(image, wide);
    if (!put(address, image, 0, LEGACY_MXCSR) || !put(address, image, LEGACY_ST, LEGACY_XMM)) return false;
  }
  if (withMxcsr) {
    store<u32>(image, load<u32>(cpu, CPU_MXCSR), LEGACY_MXCSR);
    store<u32>(image, MXCSR_VALID, LEGACY_MXCSR_MASK);
    if (!put(address, image, LEGACY_MXCSR, LEGACY_ST)) return false;
  }
  if (components & SSE) {
    buildXmm(image, count);
    if (!put(address, image, LEGACY_XMM, LEGACY_XMM + (count << 4))) return false;
  }
  if (components & AVX) {
    buildAvx(image, count);
    if (!put(address, image, AVX_OFFSET, AVX_OFFSET + (count << 4))) return false;
  }
  if (components & PKRU) {
    const at = pkruOffset(layout);
    store<u64>(image + at, load<u32>(cpu, CPU_PKRU));
    if (!put(address, image, at, at + 8)) return false;
  }
  return true;
}

/** XSAVE (`wide`: XSAVE64) to linear `address`; XSAVEOPT with `optimize` leaves out what is in its initial
 * configuration. False: fault set. */
export function xsave(address: u64, wide: i32, optimize: i32): bool {
  if (!checkXsave(address)) return false;
  const mask = requested();
  const used = componentsInUse();
  const image = imageBuffer();
  // The other components' bits of XSTATE_BV stay as they are.
  if (!readBytes(address + LEGACY_BYTES, image + LEGACY_BYTES, 8)) return false;
  const old = load<u64>(image + LEGACY_BYTES);
  const saved = optimize ? mask & used : mask;
  if (!saveComponents(address, saved, (mask & (SSE | AVX)) != 0, 0, wide)) return false;
  store<u64>(image + LEGACY_BYTES, (old & ~mask) | (mask & used));
  return put(address, image, LEGACY_BYTES, LEGACY_BYTES + 8);
}

/** XSAVEC (`wide`: XSAVEC64): the compacted format, only what is in use. False: fault set. */
export function xsavec(address: u64, wide: i32): bool {
  if (!checkXsave(address)) return false;
  const mask = requested();
  const layout = mask | COMPACTED;
  let saved = mask & componentsInUse();
  if (load<u32>(cpu, CPU_MXCSR) != MXCSR_RESET) saved |= mask & SSE;
  if (!saveComponents(address, saved, (saved & SSE) != 0, layout, wide)) return false;
  const image = imageBuffer();
  store<u64>(image + LEGACY_BYTES, saved);
  store<u64>(image + HEADER_COMPACTION, layout);
  return put(address, image, LEGACY_BYTES, HEADER_COMPACTION + 8);
}

/** XSAVES: XSAVEC for CPL 0. */
export function xsaves(address: u64, wide: i32): bool {
  return requireCpl0() && xsavec(address, wide);
}

/** XRSTORS: XRSTOR of the compacted format for CPL 0. */
export function xrstors(address: u64, wide: i32): bool {
  return requireCpl0() && restore(address, wide, true);
}

/** XRSTOR (`wide`: XRSTOR64) from linear `address`. False: fault set, nothing loaded. */
export function xrstor(address: u64, wide: i32): bool {
  return restore(address, wide, false);
}

// #GP(0) rules of SDM volume 1, 13.8 and 13.12: the whole header is right, or nothing is loaded.
function headerOk(image: usize, compactedOnly: bool): bool {
  const present = load<u64>(image + LEGACY_BYTES);
  const layout = load<u64>(image, HEADER_COMPACTION);
  const enabled = load<u64>(cpu, CPU_XCR0);
  if (!(layout & COMPACTED)) {
    return !compactedOnly && !(present & ~enabled) && layout == 0 && load<u64>(image, HEADER_COMPACTION + 8) == 0;
  }
  if (!hasFeature(FEAT_XSAVEC) || (layout & ~COMPACTED & ~enabled) || (present & ~layout)) return false;
  for (let at = HEADER_COMPACTION + 8; at < HEADER_END; at += 8) {
    if (load<u64>(image + at)) return false;
  }
  return true;
}

function restore(address: u64, wide: i32, compactedOnly: bool): bool {
  if (!checkXsave(address)) return false;
  const image = imageBuffer();
  if (!readBytes(address, image, <i32>HEADER_END)) return false;
  if (!headerOk(image, compactedOnly)) {
    raiseError(GP, 0);
    return false;
  }
  const mask = requested();
  const present = load<u64>(image + LEGACY_BYTES) & mask;
  const layout = load<u64>(image, HEADER_COMPACTION);
  const count = vectorRegisters();
  const pkruAt = pkruOffset(layout);
  if (present & AVX && !readBytes(address + AVX_OFFSET, image + AVX_OFFSET, count << 4)) return false;
  if (present & PKRU && !readBytes(address + pkruAt, image + pkruAt, 8)) return false;
  // MXCSR comes from a standard image whenever SSE or AVX is asked for, from a compacted one as a part of SSE.
  const loadsMxcsr = layout & COMPACTED ? (present & SSE) != 0 : (mask & (SSE | AVX)) != 0;
  const control = load<u32>(image, LEGACY_MXCSR);
  if (loadsMxcsr && control & ~MXCSR_VALID) {
    raiseError(GP, 0);
    return false;
  }
  if (loadsMxcsr) store<u32>(cpu, control, CPU_MXCSR);
  else if (mask & SSE) store<u32>(cpu, MXCSR_RESET, CPU_MXCSR);
  takeComponents(image, mask, present, pkruAt, count, wide);
  return true;
}

// Loads the components of `present`, and gives those of `mask` that are absent their initial configuration.
function takeComponents(image: usize, mask: u64, present: u64, pkruAt: usize, count: i32, wide: i32): void {
  if (present & X87) takeX87(image, wide);
  else if (mask & X87) initX87();
  if (present & SSE) takeXmm(image, count);
  else if (mask & SSE) for (let i = 0; i < count; i++) memory.fill(cpu + CPU_XMM + (i << 5), 0, 16);
  if (present & AVX) takeAvx(image, count);
  else if (mask & AVX) for (let i = 0; i < count; i++) memory.fill(cpu + CPU_XMM + (i << 5) + 16, 0, 16);
  if (mask & PKRU) setPkru(present & PKRU ? load<u32>(image + pkruAt) : 0);
}

function setPkru(value: u32): void {
  if (value == load<u32>(cpu, CPU_PKRU)) return;
  store<u32>(cpu, value, CPU_PKRU);
  tlbPkruChanged();
}

function initX87(): void {
  fninit();
  memory.fill(cpu + CPU_X87, 0, 128);
}

/** KVM_GET_XSAVE: the standard-format image at host `address` (4 KiB), every component of the processor marked as in
 * use. */
export function saveXsave(address: usize): void {
  memory.fill(address, 0, 4096);
  buildWholeX87(address, 1);
  store<u32>(address, load<u32>(cpu, CPU_MXCSR), LEGACY_MXCSR);
  store<u32>(address, MXCSR_VALID, LEGACY_MXCSR_MASK);
  buildXmm(address, 16);
  buildAvx(address, 16);
  store<u32>(address + PKRU_OFFSET, load<u32>(cpu, CPU_PKRU));
  store<u64>(address + LEGACY_BYTES, supportedXcr0() | X87 | SSE);
}

/** KVM_SET_XSAVE from host `address`: 0, or -EINVAL for components the processor has not, a compacted image or
 * reserved bits of MXCSR. Components absent from XSTATE_BV get their initial configuration. */
export function loadXsave(address: usize): i32 {
  const known = supportedXcr0() | X87 | SSE;
  const present = load<u64>(address + LEGACY_BYTES);
  if (present & ~known || load<u64>(address, HEADER_COMPACTION)) return -EINVAL;
  const control = load<u32>(address, LEGACY_MXCSR);
  if (present & (SSE | AVX) && control & ~MXCSR_VALID) return -EINVAL;
  store<u32>(cpu, present & (SSE | AVX) ? control : MXCSR_RESET, CPU_MXCSR);
  takeComponents(address, X87 | SSE | AVX | PKRU, present, PKRU_OFFSET, 16, 1);
  return 0;
}
