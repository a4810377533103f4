// FNSTENV, FLDENV, FNSAVE, FRSTOR: the 14- and 28-byte environments in their real-address and protected formats (SDM
// volume 1, figures 8-9 to 8-12). A frame is built in scratch memory and moved as one block, so a fault has no effect.
import {
  CPU_FCS, CPU_FCW, CPU_FDP, CPU_FDS, CPU_FIP, CPU_FOP, CPU_FTAG, CPU_MODE, CPU_SCRATCH2, CPU_X87, MODE_REAL,
  MODE_VM86,
} from "../../layout";
import { cpu } from "../../cpu";
import { readBytes, writeBytes } from "../../mmu/block";
import { EXT_NUMBER, EXT_ZERO, extClass, extDenormal, extUnpack } from "../../softfloat/extended";
import { X_ALL } from "../../softfloat/status";
import { settlePointers } from "./pointers";
import { cleanFcw, fninit } from "./stack";
import { checkAccess } from "./store-memory";
import { FSW_BUSY, FSW_SUMMARY, fcw, fsw, setFsw, setStatusWord, stAddress, statusWord } from "./state";

const REGISTER_BYTES: i32 = 10;

/** The full tag word: two bits a physical register: 0 valid, 1 zero, 2 special, 3 empty. */
export function tagWord(): u32 {
  const tags = load<u32>(cpu, CPU_FTAG);
  let word: u32 = 0;
  for (let i = 0; i < 8; i++) {
    let tag: u32 = 3;
    if (tags >> i & 1) {
      const at = cpu + CPU_X87 + (<usize>i << 4);
      extUnpack(load<u64>(at), load<u16>(at, 8));
      tag = extClass == EXT_ZERO ? 1 : extClass == EXT_NUMBER && !extDenormal ? 0 : 2;
    }
    word |= tag << (i << 1);
  }
  return word;
}

/** Takes over the empty marks of a full tag word; what is not empty is classified by its contents when asked for. */
export function setTagWord(word: u32): void {
  let tags: u32 = 0;
  for (let i = 0; i < 8; i++) {
    if ((word >> (i << 1) & 3) != 3) tags |= 1 << i;
  }
  store<u32>(cpu, tags, CPU_FTAG);
}

/** Bytes of an environment for an operand size of 2 or 4. */
// @ts-ignore: decorator
@inline function environmentBytes(size: i32): i32 { return size == 2 ? 14 : 28; }

// @ts-ignore: decorator
@inline function realFormat(): bool { return (load<u32>(cpu, CPU_MODE) & (MODE_REAL | MODE_VM86)) != 0; }

function buildEnvironment(at: usize, size: i32): void {
  settlePointers();
  let ip = load<u64>(cpu, CPU_FIP);
  let dp = load<u64>(cpu, CPU_FDP);
  let selectorAndOpcode = load<u32>(cpu, CPU_FCS) & 0xffff;
  let dataSelector = load<u32>(cpu, CPU_FDS) & 0xffff;
  const opcode = load<u32>(cpu, CPU_FOP);
  if (realFormat()) {
    ip = (ip + (selectorAndOpcode << 4)) & 0xffffffff;
    dp = (dp + (dataSelector << 4)) & 0xffffffff;
    selectorAndOpcode = <u32>(ip >> 16) << 12 | opcode;
    dataSelector = <u32>(dp >> 16) << 12;
    ip &= 0xffff;
    dp &= 0xffff;
  } else if (size == 4) {
    selectorAndOpcode |= opcode << 16;
    dataSelector |= 0xffff0000;
  }
  if (size == 2) {
    store<u16>(at, <u16>fcw());
    store<u16>(at, <u16>statusWord(), 2);
    store<u16>(at, <u16>tagWord(), 4);
    store<u16>(at, <u16>ip, 6);
    store<u16>(at, <u16>selectorAndOpcode, 8);
    store<u16>(at, <u16>dp, 10);
    store<u16>(at, <u16>dataSelector, 12);
  } else {
    store<u32>(at, 0xffff0000 | fcw());
    store<u32>(at, 0xffff0000 | statusWord(), 4);
    store<u32>(at, 0xffff0000 | tagWord(), 8);
    store<u32>(at, <u32>ip, 12);
    store<u32>(at, selectorAndOpcode, 16);
    store<u32>(at, <u32>dp, 20);
    store<u32>(at, dataSelector, 24);
  }
}

function takeEnvironment(at: usize, size: i32): void {
  let status: u32;
  let ip: u32;
  let dp: u32;
  let selectorAndOpcode: u32;
  let dataSelector: u32;
  if (size == 2) {
    store<u32>(cpu, cleanFcw(load<u16>(at)), CPU_FCW);
    status = load<u16>(at, 2);
    setTagWord(load<u16>(at, 4));
    ip = load<u16>(at, 6);
    selectorAndOpcode = load<u16>(at, 8);
    dp = load<u16>(at, 10);
    dataSelector = load<u16>(at, 12);
  } else {
    store<u32>(cpu, cleanFcw(load<u16>(at)), CPU_FCW);
    status = load<u16>(at, 4);
    setTagWord(load<u16>(at, 8));
    ip = load<u32>(at, 12);
    selectorAndOpcode = load<u32>(at, 16);
    dp = load<u32>(at, 20);
    dataSelector = load<u32>(at, 24);
  }
  setStatusWord(status);
  if (realFormat()) {
    // Linear addresses: kept as offsets from segment 0.
    store<u32>(cpu, selectorAndOpcode & 0x7ff, CPU_FOP);
    ip = (ip & 0xffff) | (selectorAndOpcode & 0x0ffff000) << 4;
    dp = (dp & 0xffff) | (dataSelector & 0x0ffff000) << 4;
    selectorAndOpcode = 0;
    dataSelector = 0;
  } else if (size == 4) {
    store<u32>(cpu, selectorAndOpcode >> 16 & 0x7ff, CPU_FOP);
  }
  store<u64>(cpu, ip, CPU_FIP);
  store<u64>(cpu, dp, CPU_FDP);
  store<u32>(cpu, selectorAndOpcode & 0xffff, CPU_FCS);
  store<u32>(cpu, dataSelector & 0xffff, CPU_FDS);
}

// Access to the first field and to the last byte: silicon looks at both before it moves anything, and CR2 tells.
function checkFrame(address: u64, size: i32, bytes: i32, write: bool): bool {
  return checkAccess(address, size, write) && checkAccess(address + <u64>(bytes - 1), 1, write);
}

/** FNSTENV to linear `address` with an operand size of 2 or 4 bytes; masks all exceptions afterwards. False:
 * fault set. */
export function fnstenv(address: u64, size: i32): bool {
  const frame = cpu + CPU_SCRATCH2;
  buildEnvironment(frame, size);
  const bytes = environmentBytes(size);
  if (!checkFrame(address, size, bytes, true) || !writeBytes(address, frame, bytes)) return false;
  store<u32>(cpu, fcw() | X_ALL, CPU_FCW);
  setFsw(fsw() & ~(FSW_SUMMARY | FSW_BUSY));
  return true;
}

/** FLDENV from linear `address`. False: fault set. */
export function fldenv(address: u64, size: i32): bool {
  const frame = cpu + CPU_SCRATCH2;
  const bytes = environmentBytes(size);
  if (!checkFrame(address, size, bytes, false) || !readBytes(address, frame, bytes)) return false;
  takeEnvironment(frame, size);
  return true;
}

/** FNSAVE: environment, then ST0..ST7 in 10 bytes each, then as FNINIT. False: fault set. */
export function fnsave(address: u64, size: i32): bool {
  const frame = cpu + CPU_SCRATCH2;
  const head = environmentBytes(size);
  buildEnvironment(frame, size);
  for (let i = 0; i < 8; i++) memory.copy(frame + head + i * REGISTER_BYTES, stAddress(i), REGISTER_BYTES);
  const bytes = head + 8 * REGISTER_BYTES;
  if (!checkFrame(address, size, bytes, true) || !writeBytes(address, frame, bytes)) return false;
  fninit();
  return true;
}

/** FRSTOR. False: fault set. */
export function frstor(address: u64, size: i32): bool {
  const frame = cpu + CPU_SCRATCH2;
  const head = environmentBytes(size);
  const bytes = head + 8 * REGISTER_BYTES;
  if (!checkFrame(address, size, bytes, false) || !readBytes(address, frame, bytes)) return false;
  takeEnvironment(frame, size);
  for (let i = 0; i < 8; i++) memory.copy(stAddress(i), frame + head + i * REGISTER_BYTES, REGISTER_BYTES);
  return true;
}
