// String instructions. Each iteration commits its registers, so that a fault, an exit or an interrupt leaves the
// instruction where it stands; runs inside one page of plain RAM go in blocks. SDM volume 2, MOVS STOS LODS CMPS SCAS INS OUTS.
import { clearFault, cpu, fault, FLAG_DF, gpr, RAX, RCX, RDI, RDX, RSI, SEG_ES, setGpr } from "../cpu";
import { addressSize, PREFIX_REP, PREFIX_REPNE, R_PREFIX, R_SEGNO, record } from "../decode/record";
import { KVM_EXIT_IO_IN, KVM_EXIT_IO_OUT } from "../exits";
import { CPU_CC_DST, CPU_CC_OP, CPU_CC_SRC, CPU_EFLAGS, CPU_FUEL, CPU_PIO_DATA, CPU_SLICE, RUN_IO_COUNT } from "../layout";
import { checkWrite, readMem, writeMem } from "../mmu/access";
import { LOG_PIO_IN, LOG_PIO_OUT, logFind, logReset } from "../mmu/access-log";
import { hitHost, pageRead, pageWrite } from "../mmu/translate";
import { chipPortRead } from "../irqchip/index";
import { cutOffset, linear } from "./address";
import { checkIoBreakpoint } from "./debug";
import { leaveForPort, portOutLight } from "./io";
import { ioAllowed } from "./privilege";
import { resumeLater } from "./request";

/** Iterations between two looks at pending requests. */
const PATIENCE: u64 = 4096;
/** Elements of one KVM_EXIT_IO. */
const PIO_MAX: u64 = 1024;
const PAGE: u64 = 4096;

// @ts-ignore: decorator
@inline function repeated(): u32 { return load<u8>(record, R_PREFIX) & (PREFIX_REP | PREFIX_REPNE); }
// @ts-ignore: decorator
@inline function source(): i32 { return load<u8>(record, R_SEGNO); }
// @ts-ignore: decorator
@inline export function backward(): bool { return (load<u32>(cpu, CPU_EFLAGS) & FLAG_DF) != 0; }

/** Bytes from one element to the next. */
function step(size: u32): u64 {
  return backward() ? 0 - <u64>size : size;
}

/** Adds to a register in the address size. */
function advance(register: i32, by: u64): void {
  const size = addressSize();
  const value = gpr(register) + by;
  if (size == 2) setGpr(register, value);
  else if (size == 1) setGpr(register, value & 0xffffffff);
  else store<u16>(cpu + (<usize>register << 3), <u16>value);
}

/** The run loop executes one instruction at a time: a trap may follow each iteration. */
// @ts-ignore: decorator
@inline function stepped(): bool { return load<u32>(cpu, CPU_SLICE) == 1; }

/** How many iterations are left: 1 without a repeat prefix. */
function left(): u64 {
  return repeated() ? cutOffset(gpr(RCX), addressSize()) : 1;
}

/** Counts down a repeated instruction, and forgets what the host answered for the iterations that are done. */
function done(iterations: u64): void {
  logReset();
  if (repeated()) advance(RCX, 0 - iterations);
}

/** Linear address of the element at SI or DI. */
function at(register: i32, seg: i32, size: u32, write: bool): u64 {
  return linear(seg, cutOffset(gpr(register), addressSize()), size, write);
}

/** Elements of `size` bytes from address to the end of its page in the direction given, at most `most`. */
export function inPage(address: u64, size: u32, most: u64): u64 {
  const offset = address & (PAGE - 1);
  let n: u64;
  if (backward()) n = offset + size > PAGE ? 0 : offset / size + 1;
  else n = (PAGE - offset) / size;
  return n < most ? n : most;
}

/** Elements for which the register does not wrap in a 16- or 32-bit address size. */
function beforeWrap(register: i32, size: u32, most: u64): u64 {
  const bits = addressSize();
  if (bits == 2) return most;
  const span: u64 = bits == 1 ? 0x100000000 : 0x10000;
  const offset = cutOffset(gpr(register), bits);
  const n = backward() ? offset / size + 1 : (span - offset) / size;
  return n < most ? n : most;
}

/** True: an interrupt or another request is waiting, and the rest of the instruction is for later. */
function interrupted(iterations: u64): bool {
  if (!stepped() && (iterations < PATIENCE || atomic.load<u32>(cpu + 4, CPU_FUEL) == 0)) return false;
  resumeLater();
  return true;
}

export function movs(size: u32): void {
  let since: u64 = 0;
  for (let n = left(); n > 0; ) {
    const from = at(RSI, source(), size, false);
    if (fault) return;
    const to = at(RDI, SEG_ES, size, true);
    if (fault) return sourceFirst(from, size);
    let run: u64 = 0;
    if (n > 1 && !stepped()) {
      run = beforeWrap(RSI, size, beforeWrap(RDI, size, inPage(from, size, inPage(to, size, n))));
      // The segment checks above were for one element: a limit is looked at again for a run.
      run = insideSegments(run, size, true, true);
    }
    if (run > 1) {
      const target = pageWrite(to);
      const origin = target ? pageRead(from) : 0;
      if (origin) copy(target, origin, size, run);
      else run = 0;
    }
    if (run <= 1) {
      run = 1;
      const value = readMem(from, size);
      if (fault || !writeMem(to, value, size)) return;
    }
    advance(RSI, step(size) * run);
    advance(RDI, step(size) * run);
    done(run);
    n -= run;
    since += run;
    if (n > 0 && interrupted(since)) return;
  }
}

/** MOVS to where it may not write: what is wrong with reading the source precedes that. */
function sourceFirst(from: u64, size: u32): void {
  clearFault();
  readMem(from, size);
  if (!fault) at(RDI, SEG_ES, size, true);
}

/** Copies elements one after the other, as the processor does: overlapping runs repeat the pattern. */
export function copy(to: usize, from: usize, size: u32, elements: u64): void {
  const bytes = <usize>elements * size;
  if (backward()) {
    for (let i: usize = 0; i < bytes; i += size) copyOne(to - i, from - i, size);
    return;
  }
  if (to <= from || to >= from + bytes) {
    memory.copy(to, from, bytes);
    return;
  }
  for (let i: usize = 0; i < bytes; i += size) copyOne(to + i, from + i, size);
}

function copyOne(to: usize, from: usize, size: u32): void {
  if (size == 1) store<u8>(to, load<u8>(from));
  else if (size == 2) store<u16>(to, load<u16>(from));
  else if (size == 4) store<u32>(to, load<u32>(from));
  else store<u64>(to, load<u64>(from));
}

/** Elements of a run that lie inside their segments: 1 where the last one does not. */
function insideSegments(elements: u64, size: u32, si: bool, di: bool): u64 {
  if (elements <= 1) return elements;
  const last = step(size) * (elements - 1);
  if (si) linear(source(), cutOffset(gpr(RSI) + last, addressSize()), size, false);
  if (di && !fault) linear(SEG_ES, cutOffset(gpr(RDI) + last, addressSize()), size, true);
  if (!fault) return elements;
  fault = 0;
  return 1;
}

export function stos(size: u32): void {
  let since: u64 = 0;
  const value = gpr(RAX);
  for (let n = left(); n > 0; ) {
    const to = at(RDI, SEG_ES, size, true);
    if (fault) return;
    let run: u64 = 0;
    if (n > 1 && !stepped()) run = insideSegments(beforeWrap(RDI, size, inPage(to, size, n)), size, false, true);
    if (run > 1) {
      const target = pageWrite(to);
      if (target) fill(target, value, size, run);
      else run = 0;
    }
    if (run <= 1) {
      run = 1;
      if (!writeMem(to, value, size)) return;
    }
    advance(RDI, step(size) * run);
    done(run);
    n -= run;
    since += run;
    if (n > 0 && interrupted(since)) return;
  }
}

export function fill(to: usize, value: u64, size: u32, elements: u64): void {
  const bytes = <usize>elements * size;
  const low = backward() ? to - (bytes - size) : to;
  const byte = <u8>value;
  const same = size == 1 || (size == 2 ? <u16>value == <u16>(byte * 0x0101) : size == 4 ? <u32>value == <u32>byte * 0x01010101 : value == <u64>byte * 0x0101010101010101);
  if (same) {
    memory.fill(low, byte, bytes);
    return;
  }
  for (let i: usize = 0; i < bytes; i += size) {
    if (size == 2) store<u16>(low + i, <u16>value);
    else if (size == 4) store<u32>(low + i, <u32>value);
    else store<u64>(low + i, value);
  }
}

function setAccumulator(value: u64, size: u32): void {
  if (size == 1) store<u8>(cpu, <u8>value);
  else if (size == 2) store<u16>(cpu, <u16>value);
  else setGpr(RAX, value);
}

export function lods(size: u32): void {
  let since: u64 = 0;
  for (let n = left(); n > 0; n--) {
    const from = at(RSI, source(), size, false);
    if (fault) return;
    const value = readMem(from, size);
    if (fault) return;
    setAccumulator(value, size);
    advance(RSI, step(size));
    done(1);
    if (n > 1 && interrupted(++since)) return;
  }
}

/** Notes the flags of x - y. */
function compare(x: u64, y: u64, size: u32): void {
  const shift = <u64>(64 - 8 * size);
  store<u32>(cpu, (3 << 2) | ctz<u32>(size), CPU_CC_OP);
  store<u64>(cpu, x << shift, CPU_CC_DST);
  store<u64>(cpu, y << shift, CPU_CC_SRC);
}

/** REPE goes on while equal, REPNE while different. */
function goesOn(x: u64, y: u64, size: u32): bool {
  const shift = <u64>(64 - 8 * size);
  return ((x ^ y) << shift == 0) == ((repeated() & PREFIX_REPNE) == 0);
}

export function cmps(size: u32): void {
  let since: u64 = 0;
  for (let n = left(); n > 0; n--) {
    // Processors look at ES:DI first, which shows where both operands fault.
    const to = at(RDI, SEG_ES, size, false);
    if (fault) return;
    const y = readMem(to, size);
    if (fault) return;
    const from = at(RSI, source(), size, false);
    if (fault) return;
    const x = readMem(from, size);
    if (fault) return;
    compare(x, y, size);
    advance(RSI, step(size));
    advance(RDI, step(size));
    done(1);
    if (!goesOn(x, y, size)) return;
    if (n > 1 && interrupted(++since)) return;
  }
}

export function scas(size: u32): void {
  let since: u64 = 0;
  for (let n = left(); n > 0; n--) {
    const to = at(RDI, SEG_ES, size, false);
    if (fault) return;
    const y = readMem(to, size);
    if (fault) return;
    compare(gpr(RAX), y, size);
    advance(RDI, step(size));
    done(1);
    if (!goesOn(gpr(RAX), y, size)) return;
    if (n > 1 && interrupted(++since)) return;
  }
}

// ---------------------------------------------------------------- strings and ports
export function ins(size: u32): void {
  const port = <u32>gpr(RDX) & 0xffff;
  if (!ioAllowed(port, size)) return;
  let since: u64 = 0;
  for (let n = left(); n > 0; ) {
    const to = at(RDI, SEG_ES, size, true);
    if (fault) return;
    // Faults come before the port is read.
    if (!checkWrite(to, size)) return;
    // Elements for a device are carried out one at a time: each is an exit of its own.
    const toRam = hitHost != 0;
    const chip = chipPortRead(port, size);
    let run: u64 = 1;
    if (chip >= 0) {
      if (!writeMem(to, <u64>chip, size)) return;
    } else {
      run = backward() || stepped() || !toRam ? 1 : beforeWrap(RDI, size, inPage(to, size, n < PIO_MAX ? n : PIO_MAX));
      run = insideSegments(run, size, false, true);
      if (run == 0) run = 1;
      if (!logFind(LOG_PIO_IN, port, size)) {
        leaveForPort(KVM_EXIT_IO_IN, port, size, <u32>run);
        return;
      }
      // What was asked for: the way here may have been another one.
      run = load<u32>(cpu, RUN_IO_COUNT);
      for (let i: u64 = 0; i < run; i++) {
        const offset = <usize>i * size;
        const value = size == 1 ? <u64>load<u8>(cpu + offset, CPU_PIO_DATA) : size == 2 ? <u64>load<u16>(cpu + offset, CPU_PIO_DATA) : <u64>load<u32>(cpu + offset, CPU_PIO_DATA);
        if (!writeMem(to + offset, value, size)) return;
      }
    }
    advance(RDI, step(size) * run);
    done(run);
    n -= run;
    since += run;
    checkIoBreakpoint(port, size);
    if (n > 0 && interrupted(since)) return;
  }
}

export function outs(size: u32): void {
  const port = <u32>gpr(RDX) & 0xffff;
  if (!ioAllowed(port, size)) return;
  let since: u64 = 0;
  for (let n = left(); n > 0; ) {
    const from = at(RSI, source(), size, false);
    if (fault) return;
    const first = readMem(from, size);
    if (fault) return;
    let run = backward() || stepped() || !pageRead(from) ? 1 : beforeWrap(RSI, size, inPage(from, size, n < PIO_MAX ? n : PIO_MAX));
    run = insideSegments(run, size, true, false);
    if (run == 0) run = 1;
    if (logFind(LOG_PIO_OUT, port, size)) run = load<u32>(cpu, RUN_IO_COUNT);
    else {
      if (portOutLight(port, <u32>first, size)) run = 1;
      else {
        for (let i: u64 = 0; i < run; i++) {
          // The first has been read, which a device is not asked for twice.
          const value = i ? readMem(from + i * size, size) : first;
          if (fault) return;
          const to = cpu + <usize>i * size;
          if (size == 1) store<u8>(to, <u8>value, CPU_PIO_DATA);
          else if (size == 2) store<u16>(to, <u16>value, CPU_PIO_DATA);
          else store<u32>(to, <u32>value, CPU_PIO_DATA);
        }
        leaveForPort(KVM_EXIT_IO_OUT, port, size, <u32>run);
        return;
      }
    }
    advance(RSI, step(size) * run);
    done(run);
    n -= run;
    since += run;
    checkIoBreakpoint(port, size);
    if (n > 0 && interrupted(since)) return;
  }
}

/** XLAT: AL from the table at BX. */
export function xlat(): void {
  const offset = cutOffset(gpr(3) + (gpr(RAX) & 0xff), addressSize());
  const from = linear(source(), offset, 1, false);
  if (fault) return;
  const value = readMem(from, 1);
  if (!fault) store<u8>(cpu, <u8>value);
}
