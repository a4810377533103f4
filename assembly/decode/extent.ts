// How far the bytes of an instruction reach that the processor does not have. It is fetched to its end before it is found
// undefined, so what cannot be fetched, or the limit of 15 bytes, counts first. SDM volume 2, appendix A, the opcode maps.
import { MODE_CODE16, MODE_CODE64, MODE_CODE_MASK, MODE_REAL, MODE_VM86 } from "../layout";

const PREFIX_OPSIZE: u32 = 1;
const PREFIX_ADDRESS: u32 = 2;
/** That of XOP's maps whose instructions have an immediate of four bytes. */
const XOP_LONG_MAP: u32 = 10;
/** A map that nothing is in, which VEX and EVEX can name: a ModRM byte follows there as well. */
const NO_MAP: u32 = 4;

let at: usize = 0;
let end: usize = 0;

/** Whether the instruction at `code`, of at least a byte, ends at `limit` or before. */
export function endsBefore(code: usize, limit: usize, mode: u32): bool {
  at = code;
  end = limit;
  const code64 = (mode & MODE_CODE_MASK) == MODE_CODE64;
  let prefixes: u32 = 0;
  let opcode: u32 = 0;
  let rex = false;
  for (;;) {
    if (at >= end) return false;
    opcode = load<u8>(at++);
    if (code64 && (opcode & 0xf0) == 0x40) {
      rex = true;
      continue;
    }
    if (opcode == 0x66) prefixes |= PREFIX_OPSIZE;
    else if (opcode == 0x67) prefixes |= PREFIX_ADDRESS;
    else if (!isOtherPrefix(opcode)) break;
    rex = false;
  }
  let map: u32 = 0;
  if (opcode == 0x0f) {
    if (at >= end) return false;
    opcode = load<u8>(at++);
    map = 1;
    if (opcode == 0x38 || opcode == 0x3a) {
      if (at >= end) return false;
      map = opcode == 0x38 ? 2 : 3;
      opcode = load<u8>(at++);
    }
  } else if ((opcode & 0xfe) == 0xc4 && !rex) {
    // Of the prefixes that VEX does not allow, REX alone makes it the opcode that it was once.
    if (at >= end) return false;
    if (code64 || (!(mode & (MODE_REAL | MODE_VM86)) && load<u8>(at) >= 0xc0)) {
      map = opcode == 0xc4 ? <u32>load<u8>(at++) & 31 : 1;
      if (map == 0 || map > NO_MAP) map = NO_MAP;
      at++;
      if (at >= end) return false;
      opcode = load<u8>(at++);
    }
  } else if (opcode == 0x8f && !rex) {
    // XOP, where POP has another digit than its own.
    if (at >= end) return false;
    if (load<u8>(at) & 0x38) {
      map = max<u32>(load<u8>(at) & 31, NO_MAP);
      at += 2;
      if (at >= end) return false;
      opcode = load<u8>(at++);
    }
  } else if (opcode == 0x62 && !rex) {
    // EVEX, where BOUND has a register or is none.
    if (at >= end) return false;
    if (code64 || (!(mode & (MODE_REAL | MODE_VM86)) && load<u8>(at) >= 0xc0)) {
      map = <u32>load<u8>(at) & 7;
      if (map == 0 || map > NO_MAP) map = NO_MAP;
      at += 3;
      if (at >= end) return false;
      opcode = load<u8>(at++);
    }
  }
  if (hasModrm(map, opcode, code64)) skipModrm(mode, prefixes);
  at += immediateBytes(map, opcode, mode, prefixes);
  return at <= end;
}

/** LOCK, REP and segments. */
function isOtherPrefix(opcode: u32): bool {
  return opcode == 0xf0 || opcode == 0xf2 || opcode == 0xf3 || (opcode & 0xe7) == 0x26 || opcode == 0x64 || opcode == 0x65;
}

/** Of opcodes that are undefined, or whose operands are. */
function hasModrm(map: u32, opcode: u32, code64: bool): bool {
  if (map >= 2) return true;
  if (map == 1) {
    const row = opcode & 0xf8;
    if (row == 0x80 || row == 0x88 || row == 0xc8 || row == 0x30 || row == 0x38) return false;
    return !((opcode >= 0x04 && opcode <= 0x0c) || opcode == 0x0e || (opcode >= 0x24 && opcode <= 0x27) || opcode == 0x77 || (opcode & 0xfe) == 0x7a || (opcode >= 0xa0 && opcode <= 0xa2) || (opcode >= 0xa6 && opcode <= 0xaa));
  }
  if (opcode < 0x40) return (opcode & 7) < 4;
  if (opcode >= 0x80 && opcode <= 0x8f) return true;
  if ((opcode & 0xf8) == 0xd8 || (opcode & 0xfc) == 0xd0) return true;
  if (opcode == 0xc4 || opcode == 0xc5) return true;
  if (opcode == 0x62) return !code64;
  return opcode == 0x63 || opcode == 0x69 || opcode == 0x6b || (opcode & 0xfe) == 0xc0 || (opcode & 0xfe) == 0xc6 || (opcode & 0xf6) == 0xf6;
}

function skipModrm(mode: u32, prefixes: u32): void {
  if (at >= end) {
    at = end + 1;
    return;
  }
  const modrm = <u32>load<u8>(at++);
  const mod = modrm >> 6;
  const rm = modrm & 7;
  if (mod == 3) return;
  const size = mode & MODE_CODE_MASK;
  if ((size == MODE_CODE16) != ((prefixes & PREFIX_ADDRESS) != 0 && size != MODE_CODE64)) {
    at += mod == 1 ? 1 : mod == 2 || rm == 6 ? 2 : 0;
    return;
  }
  let wide = mod == 2 || (mod == 0 && rm == 5);
  if (rm == 4) {
    if (at < end && mod == 0 && (load<u8>(at) & 7) == 5) wide = true;
    at++;
  }
  at += wide ? 4 : mod == 1 ? 1 : 0;
}

function immediateBytes(map: u32, opcode: u32, mode: u32, prefixes: u32): u32 {
  if (map == 3) return 1;
  if (map == XOP_LONG_MAP) return 4;
  if (map >= 2) return 0;
  const full: u32 = ((mode & MODE_CODE_MASK) == MODE_CODE16) != ((prefixes & PREFIX_OPSIZE) != 0) ? 2 : 4;
  if (map == 1) {
    if ((opcode & 0xf0) == 0x80) return full;
    return u32((opcode >= 0x70 && opcode <= 0x73) || opcode == 0xa4 || opcode == 0xac || opcode == 0xba || opcode == 0xc2 || (opcode >= 0xc4 && opcode <= 0xc6) || opcode == 0x0f);
  }
  if (opcode < 0x40) return (opcode & 7) == 4 ? 1 : (opcode & 7) == 5 ? full : 0;
  if (opcode == 0x9a || opcode == 0xea) return full + 2;
  if (opcode == 0xd4 || opcode == 0xd5 || opcode == 0x6b || opcode == 0x80 || opcode == 0x82 || opcode == 0x83 || (opcode & 0xfe) == 0xc0 || opcode == 0xc6) return 1;
  return opcode == 0x69 || opcode == 0x81 || opcode == 0xc7 ? full : 0;
}
