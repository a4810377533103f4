// The decoder: guest bytes to one record. What an instruction means comes from the printed tables; here is how its
// prefixes, ModRM, SIB, displacement and immediate are read. SDM volume 2, chapter 2.
import { cpu, SEG_CS, SEG_DS, SEG_FS, SEG_SS } from "../cpu";
import { hasFeature } from "../execute/cpuid";
import { ABOUT_BASE, ABOUT_CODE64, ABOUT_OFFSET, ABOUT_SEGMENT } from "../execute/x87/pointers";
import { FEAT_ABM, FEAT_BMI1 } from "../features";
import {
  CASE_GROUP, CANDIDATES, CANDIDATE_B0, CANDIDATE_L0, CANDIDATE_L1, CANDIDATE_MODRM, CANDIDATE_NOT64, CANDIDATE_ONLY64, CANDIDATE_W0, CANDIDATE_W1, CASES, KIND_A, KIND_Ap, KIND_B,
  KIND_C, KIND_C1, KIND_D, KIND_DX, KIND_E, KIND_G, KIND_H, KIND_I, KIND_I2, KIND_J, KIND_M, KIND_N, KIND_O, KIND_One, KIND_P, KIND_Q, KIND_R, KIND_S, KIND_SO, KIND_ST,
  KIND_U, KIND_V, KIND_W, KIND_X, KIND_Z, LEAF_AVX, LEAF_D64, LEAF_F64, LEAF_LONG, LEAF_MMX, LEAF_POP_RM, LEAF_PROTECTED, LEAF_SSE, LEAF_STACK, LEAF_VSIB, LEAF_X87, LEAVES, OPCODES, OP_FIRST_GROUP, OP_FIRST_HOT,
  SIZE_b, SIZE_s, SIZE_v, SIZE_w, SIZE_z,
} from "../generated/opcodes";
import {
  CPU_SEG_BASE, CPU_TRACE_RIP, CPU_ZERO, MODE_AVX, MODE_CODE16, MODE_CODE64, MODE_CODE_MASK, MODE_FLAT, MODE_FPU, MODE_REAL, MODE_SSE, MODE_VM86,
} from "../layout";
import { endsBefore } from "./extent";
import {
  ADDRESS_CHECKED, ADDRESS_FLAT32, EA_CHECKED, EA_FLAT32, EA_MOFFS, EA_RIP, EA_SIZE_SHIFT, PREFIX_ADDRESS_SHIFT, PREFIX_LOCK, PREFIX_OPSIZE, PREFIX_REP, PREFIX_REPNE, PREFIX_REX_W, R_BASE, R_BEHIND, R_CASE,
  R_DISP, R_EA, R_IMM, R_INDEX, R_LENGTH, R_NEXT, R_OFFSET, R_OP, R_PREFIX, R_R0, R_R1, R_R2, R_SCALE, R_SEGMENT, R_SEGNO, R_STACK, R_WIDE,
} from "./record";

/** What decode() says instead of a length. */
export const DECODE_UNDEFINED: i32 = -1;
/** The mode has not enabled its register file (LEAF_SSE, LEAF_AVX, LEAF_MMX, LEAF_X87 of leafFlags): #NM or #UD. */
export const DECODE_NO_DEVICE: i32 = -2;
/** The instruction is longer than 15 bytes: #GP(0). */
export const DECODE_TOO_LONG: i32 = -3;
/** More bytes are needed than there are. */
export const DECODE_SHORT: i32 = -4;

/** LEAF_* bits of the instruction decoded last. */
export let leafFlags: u32 = 0;
/** True if the table has no row for it, rather than its operands or the mode being wrong: -d unimp reports it. */
export let unknownOpcode: bool = false;

let at: usize = 0;
let end: usize = 0;
let short: bool = false;

function byte(): u32 {
  if (at >= end) {
    short = true;
    return 0;
  }
  return load<u8>(at++);
}

function immediate(bytes: u32): u64 {
  if (at + bytes > end) {
    short = true;
    at = end;
    return 0;
  }
  const from = at;
  at += bytes;
  if (bytes == 1) return load<u8>(from);
  if (bytes == 2) return load<u16>(from);
  return bytes == 4 ? <u64>load<u32>(from) : load<u64>(from);
}

/** Byte offset of a general register operand in the vCPU; without REX, 8-bit numbers 4 to 7 are AH, CH, DH, BH. */
function register(number: u32, byteWide: bool, rex: bool): u32 {
  return byteWide && !rex && number >= 4 && number < 8 ? ((number - 4) << 3) + 1 : number << 3;
}

/**
 * Decodes the instruction at host address `code`, of which `available` bytes may be read, into the record at `rec`.
 * `offset`: the instruction's distance from the start of its trace. Returns its length, or DECODE_*.
 */
export function decode(code: usize, available: usize, mode: u32, rec: usize, offset: u32): i32 {
  const limit: usize = 15;
  at = code;
  end = code + (available < limit ? available : limit);
  short = false;
  unknownOpcode = false;
  const length = decodeBytes(code, mode, rec, offset);
  const undefined = length == DECODE_UNDEFINED || length == DECODE_NO_DEVICE;
  if (undefined ? endsBefore(code, end, mode) : !short) return length;
  return available >= limit ? DECODE_TOO_LONG : DECODE_SHORT;
}

function decodeBytes(code: usize, mode: u32, rec: usize, offset: u32): i32 {
  const size = mode & MODE_CODE_MASK;
  const code64 = size == MODE_CODE64;
  let prefixes: u32 = 0;
  let segment: i32 = -1;
  let addressPrefix = false;
  let rex: u32 = 0;
  let opcode: u32 = 0;
  // 0: none; otherwise the mandatory prefix as numbered in PREFIXES.
  let mandatory: u32 = 0;
  for (;;) {
    opcode = byte();
    if (short) return 0;
    if (opcode == 0x66) {
      prefixes |= PREFIX_OPSIZE;
    } else if (opcode == 0x67) addressPrefix = true;
    else if (opcode == 0xf0) prefixes |= PREFIX_LOCK;
    else if (opcode == 0xf3 || opcode == 0xf2) {
      prefixes = (prefixes & ~(PREFIX_REP | PREFIX_REPNE)) | (opcode == 0xf3 ? PREFIX_REP : PREFIX_REPNE);
      mandatory = opcode == 0xf3 ? 3 : 4;
    } else if ((opcode & 0xe7) == 0x26) {
      // ES, CS, SS, DS overrides do nothing in 64-bit code.
      if (!code64) segment = (opcode >> 3) & 3;
    } else if (opcode == 0x64 || opcode == 0x65) segment = opcode - 0x60;
    else if (code64 && (opcode & 0xf0) == 0x40) {
      rex = opcode;
      continue;
    } else break;
    // A REX prefix counts only right before the opcode.
    rex = 0;
  }
  if (mandatory == 0) mandatory = prefixes & PREFIX_OPSIZE ? 2 : 1;

  // ---- opcode map
  let map: u32 = 0;
  let vvvv: u32 = 0;
  let vexL: u32 = 0;
  let vex = false;
  if (opcode == 0x0f) {
    opcode = byte();
    map = 1;
    if (opcode == 0x38) {
      opcode = byte();
      map = 2;
    } else if (opcode == 0x3a) {
      opcode = byte();
      map = 3;
    }
  } else if ((opcode == 0xc4 || opcode == 0xc5) && at < end && (code64 || (!(mode & (MODE_REAL | MODE_VM86)) && (load<u8>(at) & 0xc0) == 0xc0))) {
    if (rex || prefixes & (PREFIX_OPSIZE | PREFIX_LOCK | PREFIX_REP | PREFIX_REPNE)) return DECODE_UNDEFINED;
    vex = true;
    const p0 = byte();
    let p1 = p0;
    map = 1;
    // The register extension bits are stored inverted.
    rex = 0x40 | (p0 & 0x80 ? 0 : 4);
    if (opcode == 0xc4) {
      p1 = byte();
      rex |= (p0 & 0x40 ? 0 : 2) | (p0 & 0x20 ? 0 : 1) | (p1 & 0x80 ? 8 : 0);
      map = p0 & 31;
      if (map < 1 || map > 3) return DECODE_UNDEFINED;
    }
    if (!code64) rex &= 0x48;
    vvvv = (p1 >> 3) & 15 ^ 15;
    vexL = (p1 >> 2) & 1;
    const pp = p1 & 3;
    mandatory = pp == 0 ? 1 : pp == 1 ? 2 : pp == 2 ? 3 : 4;
    map += 3;
    opcode = byte();
  }
  if (short) return 0;
  const rexW = (rex & 8) != 0;
  if (rexW) prefixes |= PREFIX_REX_W;

  // ---- candidates
  const first = <u32>load<u16>(OPCODES + (((map << 8) | opcode) << 1));
  if (first == 0xffff) {
    unknownOpcode = true;
    return DECODE_UNDEFINED;
  }
  // The ModRM byte chooses between candidates.
  if (at >= end && load<u8>(CANDIDATES + (first << 3), 4) & CANDIDATE_MODRM) {
    short = true;
    return 0;
  }
  let modrm = at < end ? <u32>load<u8>(at) : 0;
  // Moves to and from control and debug registers take any ModRM.mod for a register.
  if (map == 1 && (opcode & 0xfc) == 0x20) modrm |= 0xc0;
  const isMemory = modrm < 0xc0;
  // TZCNT and LZCNT are BSF and BSR with a prefix that older processors ignore.
  if (map == 1 && (opcode & 0xfe) == 0xbc && mandatory == 3 && !hasFeature(opcode == 0xbc ? FEAT_BMI1 : FEAT_ABM)) {
    mandatory = prefixes & PREFIX_OPSIZE ? 2 : 1;
  }
  let candidate = CANDIDATES + (first << 3);
  for (;;) {
    const head = <u32>load<u8>(candidate);
    const flags = <u32>load<u8>(candidate, 4);
    const mod = <u32>load<u8>(candidate, 1);
    const digit = <u32>load<u8>(candidate, 2);
    const rm = <u32>load<u8>(candidate, 3);
    const prefix = head & 0x7f;
    const fits =
      (prefix == 0 || prefix == mandatory) &&
      (mod == 0 || (mod == 1) == isMemory) &&
      (digit == 0xff || digit == ((modrm >> 3) & 7)) &&
      (rm == 0xff || rm == (modrm & 7)) &&
      !(flags & CANDIDATE_NOT64 && code64) &&
      !(flags & CANDIDATE_ONLY64 && !code64) &&
      !(flags & CANDIDATE_W0 && rexW) &&
      !(flags & CANDIDATE_W1 && !rexW) &&
      !(flags & CANDIDATE_B0 && rex & 1) &&
      !(flags & CANDIDATE_L0 && vexL) &&
      !(flags & CANDIDATE_L1 && !vexL);
    if (fits) break;
    if (head & 0x80) {
      unknownOpcode = true;
      return DECODE_UNDEFINED;
    }
    candidate += 8;
  }
  const hasModrm = (load<u8>(candidate, 4) & CANDIDATE_MODRM) != 0;
  const leafNumber = <u32>load<u16>(candidate, 6);
  const leaf = LEAVES + (leafNumber << 4);
  leafFlags = <u32>load<u16>(leaf, 8);
  const refusal = refused(leaf, mode);
  // None of the instructions with a register file of their own may be locked, which counts first.
  if (refusal) return refusal == DECODE_NO_DEVICE && prefixes & PREFIX_LOCK ? DECODE_UNDEFINED : refusal;
  if (hasModrm) byte();
  if (short) return 0;

  // ---- operand and address size
  let log: u32 = size == MODE_CODE16 ? 1 : 2;
  // 66 as a mandatory prefix of an SSE instruction does not change operand size there; its rows have one width.
  if (prefixes & PREFIX_OPSIZE) log ^= 3;
  if (code64) {
    if (leafFlags & LEAF_F64) log = 3;
    else if (rexW) log = 3;
    else if (leafFlags & LEAF_D64 && log == 2) log = 3;
  } else if (vex) log = 2;
  if (vex && code64) log = rexW ? 3 : 2;
  const widths = <u32>load<u8>(leaf, 12);
  if (!(widths & (1 << log))) {
    // One width, or the nearest that the row has.
    if (popcnt<u32>(widths) == 1) log = ctz<u32>(widths);
    else if (log == 1) log = 2;
    else log = widths & 4 ? 2 : ctz<u32>(widths);
  }
  let addressSize: u32 = size;
  if (addressPrefix) addressSize = code64 ? 1 : size ^ 1;

  // ---- memory operand
  let base: u32 = CPU_ZERO;
  let index: u32 = CPU_ZERO;
  let scale: u32 = 0;
  let displacement: i32 = 0;
  let vectorIndex: u32 = 0;
  let eaFlags: u32 = 0;
  let defaultSegment: i32 = SEG_DS;
  const rexB = (rex & 1) << 3;
  const rm = (modrm & 7) | rexB;
  const reg = ((modrm >> 3) & 7) | ((rex & 4) << 1);
  // A gather's address has a SIB byte.
  if (leafFlags & LEAF_VSIB && (addressSize == 0 || (modrm & 7) != 4)) return DECODE_UNDEFINED;
  if (hasModrm && isMemory) {
    const mod = modrm >> 6;
    const low = modrm & 7;
    if (addressSize == 0) {
      // BX+SI BX+DI BP+SI BP+DI SI DI BP BX
      if (mod == 0 && low == 6) displacement = <i32><i16>immediate(2);
      else {
        if (low < 2 || low == 7) base = 3 << 3;
        else if (low == 2 || low == 3 || low == 6) {
          base = 5 << 3;
          defaultSegment = SEG_SS;
        }
        if (low == 0 || low == 2 || low == 4) index = 6 << 3;
        else if (low == 1 || low == 3 || low == 5) index = 7 << 3;
        if (mod == 1) displacement = <i32><i8>byte();
        else if (mod == 2) displacement = <i32><i16>immediate(2);
      }
    } else {
      let none = false;
      if (low == 4) {
        const sib = byte();
        const sibIndex = ((sib >> 3) & 7) | ((rex & 2) << 2);
        if (leafFlags & LEAF_VSIB) {
          vectorIndex = sibIndex;
          scale = sib >> 6;
        } else if (sibIndex != 4) {
          index = sibIndex << 3;
          scale = sib >> 6;
        }
        if ((sib & 7) == 5 && mod == 0) none = true;
        else {
          const number = (sib & 7) | rexB;
          base = number << 3;
          if (number == 4 || number == 5) defaultSegment = SEG_SS;
          // POP to memory computes its address with the stack pointer already raised.
          if (number == 4 && leafFlags & LEAF_POP_RM) displacement = 1 << log;
        }
      } else if (low == 5 && mod == 0) {
        none = true;
        if (code64) {
          base = CPU_TRACE_RIP;
          eaFlags |= EA_RIP;
        }
      } else {
        base = rm << 3;
        if (rm == 5) defaultSegment = SEG_SS;
      }
      if (none || mod == 2) displacement += <i32>immediate(4);
      else if (mod == 1) displacement += <i32><i8>byte();
    }
  }

  // ---- operands
  let slot: usize = R_R0;
  let memoryOperand = false;
  let usesVvvv = false;
  let relative = false;
  let value: u64 = 0;
  for (let i: usize = 0; i < 8; i += 2) {
    const kind = <u32>load<u8>(leaf + i);
    if (kind == 0) break;
    const operandSize = <u32>load<u8>(leaf + i, 1);
    const byteWide = operandSize == SIZE_b || (operandSize == SIZE_v && log == 0);
    let put: u32 = 0xffff;
    if (kind == KIND_E || kind == KIND_M || kind == KIND_R) {
      if (isMemory && kind != KIND_R) memoryOperand = true;
      else put = register(rm, byteWide, rex != 0);
    } else if (kind == KIND_G) put = register(reg, byteWide, rex != 0);
    else if (kind == KIND_Z) put = register((opcode & 7) | rexB, byteWide, rex != 0);
    else if (kind == KIND_A) put = 0;
    else if (kind == KIND_C1) put = 1 << 3;
    else if (kind == KIND_DX) put = 2 << 3;
    else if (kind == KIND_B) {
      put = (code64 ? vvvv : vvvv & 7) << 3;
      usesVvvv = true;
    }
    else if (kind == KIND_V) put = reg;
    else if (kind == KIND_H) {
      put = code64 ? vvvv : vvvv & 7;
      usesVvvv = true;
    }
    else if (kind == KIND_X) {
      memoryOperand = true;
      put = vectorIndex;
    } else if (kind == KIND_W || kind == KIND_U) {
      if (isMemory) memoryOperand = true;
      else put = rm;
    } else if (kind == KIND_P) put = reg & 7;
    else if (kind == KIND_Q || kind == KIND_N) {
      if (isMemory) memoryOperand = true;
      else put = rm & 7;
    } else if (kind == KIND_S) put = reg & 7;
    else if (kind == KIND_C || kind == KIND_D) put = reg;
    else if (kind == KIND_ST) put = modrm & 7;
    else if (kind == KIND_SO) put = (opcode >> 3) & 7;
    else if (kind == KIND_One) value = 1;
    else if (kind == KIND_O) {
      memoryOperand = true;
      value = immediate(addressSize == 0 ? 2 : addressSize == 1 ? 4 : 8);
      eaFlags |= EA_MOFFS | EA_CHECKED;
    } else if (kind == KIND_I2) {
      put = byte() & 0xff;
    } else if (kind == KIND_Ap) {
      const far = log == 1 ? immediate(2) : immediate(4);
      value = far | (immediate(2) << 32);
    } else if (kind == KIND_I || kind == KIND_J) {
      relative = kind == KIND_J;
      if (operandSize == SIZE_s) value = <u64><i64><i8>byte();
      else if (operandSize == SIZE_b) value = byte();
      else if (operandSize == SIZE_w) value = immediate(2);
      else if (operandSize == SIZE_z) value = log == 1 ? <u64><i64><i16>immediate(2) : <u64><i64><i32>immediate(4);
      else value = log == 1 ? immediate(2) : log == 2 ? immediate(4) : immediate(8);
    }
    if (put != 0xffff) {
      store<u8>(rec + slot, <u8>put);
      slot = slot == R_R0 ? R_R1 : R_R2;
    }
  }
  if (short) return 0;
  if (vvvv && !usesVvvv) return DECODE_UNDEFINED;
  const length = <u32>(at - code);

  // ---- which case executes it
  const locked = (prefixes & PREFIX_LOCK) != 0;
  const row = CASES + (leafNumber << 6);
  const word = load<u32>(row + (((locked ? 8 : 0) + log * 2 + (memoryOperand ? 1 : 0)) << 2));
  if (word == 0xffffffff) return DECODE_UNDEFINED;

  // ---- the record
  const next = offset + length;
  const seg = segment >= 0 ? segment : defaultSegment;
  if (eaFlags & EA_MOFFS && addressSize != 2) {
    displacement = <i32>value;
    eaFlags &= ~EA_MOFFS;
  }
  if (memoryOperand && !(eaFlags & EA_MOFFS)) {
    const flat = code64 ? addressSize == 2 : false;
    // What a flat code segment holds is not written.
    if (!code64 && addressSize == 1 && mode & MODE_FLAT && seg < SEG_FS && seg != SEG_CS) eaFlags = EA_FLAT32;
    else if (!flat) eaFlags |= EA_CHECKED;
    if (eaFlags & EA_RIP) {
      // Folded into the displacement where it fits; the trace's address is then the base.
      const folded = <i64>displacement + next;
      if (flat && folded == <i64><i32>folded) {
        displacement = <i32>folded;
        eaFlags &= ~EA_RIP;
      } else eaFlags |= EA_CHECKED;
    }
  } else if (hasModrm && isMemory && eaFlags & EA_RIP) eaFlags |= EA_CHECKED;
  if (eaFlags & EA_CHECKED) eaFlags |= addressSize << EA_SIZE_SHIFT;
  store<u16>(rec, caseOf(word), R_CASE);
  store<u32>(rec, word, R_OP);
  store<u8>(rec, <u8>length, R_LENGTH);
  store<u8>(rec, <u8>(prefixes | (addressSize << PREFIX_ADDRESS_SHIFT)), R_PREFIX);
  store<u16>(rec, <u16>offset, R_OFFSET);
  store<u16>(rec, <u16>next, R_NEXT);
  store<u8>(rec, <u8>base, R_BASE);
  store<u8>(rec, <u8>index, R_INDEX);
  store<u8>(rec, <u8>(scale | (!eaFlags ? 0 : eaFlags == EA_FLAT32 ? ADDRESS_FLAT32 : ADDRESS_CHECKED)), R_SCALE);
  // Only FS and GS have a base in 64-bit code.
  const segmentBase = code64 && seg < 4 ? CPU_ZERO : CPU_SEG_BASE + (seg << 3);
  store<u8>(rec, <u8>segmentBase, R_SEGMENT);
  store<u8>(rec, <u8>(!memoryOperand && leafFlags & LEAF_STACK ? SEG_SS : seg), R_SEGNO);
  store<u8>(rec, u8(memoryOperand && (leafFlags & LEAF_STACK) != 0), R_STACK);
  store<u8>(rec, <u8>eaFlags, R_EA);
  store<i32>(rec, displacement, R_DISP);
  if (leafFlags & LEAF_X87) {
    value = modrm | (opcode & 7) << 8 | offset << ABOUT_OFFSET | seg << ABOUT_SEGMENT | segmentBase << ABOUT_BASE;
    if (code64) value |= ABOUT_CODE64;
  }
  const wide = !relative && !(memoryOperand ? !(eaFlags & EA_MOFFS) : hasModrm && isMemory);
  store<u8>(rec, u8(wide), R_WIDE);
  if (wide) store<u64>(rec, value, R_IMM);
  else store<u32>(rec, <u32>value, R_IMM);
  if (relative) store<i32>(rec, next, R_BEHIND);
  return length;
}

/** R_CASE of a word of CASES. */
// @ts-ignore: decorator
@inline function caseOf(word: u32): u16 {
  const op = word & 0xffff;
  return <u16>(op < OP_FIRST_GROUP || op >= OP_FIRST_HOT ? op : (op - OP_FIRST_GROUP + 1) * CASE_GROUP + (word >> 16));
}

/** DECODE_* if the processor does not have the instruction in this mode, else 0. */
function refused(leaf: usize, mode: u32): i32 {
  const feature = <i32>load<u16>(leaf, 10);
  if (feature != 0xffff && !hasFeature(feature)) {
    unknownOpcode = true;
    return DECODE_UNDEFINED;
  }
  if (leafFlags & LEAF_PROTECTED && mode & (MODE_REAL | MODE_VM86)) return DECODE_UNDEFINED;
  if (leafFlags & LEAF_LONG && (mode & MODE_CODE_MASK) != MODE_CODE64) return DECODE_UNDEFINED;
  if (leafFlags & LEAF_SSE && !(mode & MODE_SSE)) return DECODE_NO_DEVICE;
  if (leafFlags & LEAF_AVX && !(mode & MODE_AVX)) return DECODE_NO_DEVICE;
  if (leafFlags & (LEAF_MMX | LEAF_X87) && !(mode & MODE_FPU)) return DECODE_NO_DEVICE;
  return 0;
}
