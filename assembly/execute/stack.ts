// Stack frames that system instructions and event delivery build and take apart. A frame is opened on
// the current or on a new stack; the stack registers change only when the caller commits it.
import { RSP, SEG_SS, SS, cpu, fault, gpr, raiseError, segAttr, segBase, segLimit, setGpr } from "../cpu";
import { CPU_GPR } from "../layout";
import { readMem, writeMem } from "../mmu/access";
import { ATTR_DB, attrOf, baseOf, eventExt, limitOf } from "./descriptors";
import { canonical, code64 } from "./privilege";
import { insideLimit } from "./segments";

const MASK16: u64 = 0xffff;
const MASK32: u64 = 0xffffffff;
const MASK64: u64 = 0xffffffffffffffff;

/** Stack pointer of the open frame, cut to the stack's width. */
export let frameSp: u64 = 0;
let frameMask: u64 = 0;
let frameBase: u64 = 0;
let frameLimit: u32 = 0;
let frameAttr: u32 = 0;
/** Error code of the #SS that a frame outside its stack raises. */
let frameError: i32 = 0;

/** Opens a frame at the current SS:RSP; #SS(EXT) where it does not fit. */
export function openFrame(): void {
  if (code64()) {
    openFrame64(gpr(RSP));
    return;
  }
  frameBase = segBase(SEG_SS);
  frameLimit = segLimit(SEG_SS);
  frameAttr = segAttr(SEG_SS);
  frameMask = frameAttr & ATTR_DB ? MASK32 : MASK16;
  frameSp = gpr(RSP) & frameMask;
  frameError = eventExt;
}

/** Opens a frame at `sp` of the stack segment with this descriptor; #SS(`error`) where it does not fit. */
export function openFrameAt(low: u32, high: u32, sp: u64, error: i32): void {
  frameBase = baseOf(low, high);
  frameLimit = limitOf(low, high);
  frameAttr = attrOf(high);
  frameMask = frameAttr & ATTR_DB ? MASK32 : MASK16;
  frameSp = sp & frameMask;
  frameError = error;
}

/** Opens a frame on a 64-bit stack: no base, no limit; #SS(EXT) for a non-canonical address. */
export function openFrame64(sp: u64): void {
  frameBase = 0;
  frameMask = MASK64;
  frameSp = sp;
  frameError = eventExt;
}

/** Pushes `size` (2, 4, 8) bytes. False: fault raised. */
export function pushFrame(value: u64, size: i32): bool {
  const sp = (frameSp - size) & frameMask;
  if (!frameAllows(sp, size)) return false;
  if (!writeMem(linear(sp), value, size)) return false;
  frameSp = sp;
  return true;
}

/** Pops `size` bytes; look at `fault`. */
export function popFrame(size: i32): u64 {
  const sp = frameSp;
  if (!frameAllows(sp, size)) return 0;
  const value = readMem(linear(sp), size);
  if (!fault) frameSp = (sp + size) & frameMask;
  return value;
}

/** Moves over `bytes` without looking at them. */
export function skipFrame(bytes: u32): void {
  frameSp = (frameSp + bytes) & frameMask;
}

/** Makes the frame's pointer the stack pointer: RSP, ESP (upper half cleared) or SP (the rest stays). */
export function commitFrame(): void {
  setStackPointer(frameSp, frameMask);
}

/** Sets the stack pointer of the stack whose SS has just been loaded, as wide as that stack is. */
export function setOuterStackPointer(sp: u64): void {
  setStackPointer(sp, code64() ? MASK64 : segAttr(SEG_SS) & ATTR_DB ? MASK32 : MASK16);
}

function setStackPointer(sp: u64, mask: u64): void {
  if (mask == MASK16) store<u16>(cpu, <u16>sp, CPU_GPR + 8 * RSP);
  else setGpr(RSP, sp & mask);
}

function linear(sp: u64): u64 {
  return frameMask == MASK64 ? sp : (frameBase + sp) & MASK32;
}

function frameAllows(sp: u64, size: i32): bool {
  const fits = frameMask == MASK64 ?
    canonical(sp) && canonical(sp + <u64>(size - 1)) :
    insideLimit(frameLimit, frameAttr, sp, size);
  if (!fits) raiseError(SS, frameError);
  return fits;
}
