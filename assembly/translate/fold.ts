// Steps whose operands are constants.
import { immediateOf } from "../decode/record";
import { MICRO_CONST32, MICRO_CONST64, MICRO_IMM, MICRO_INDEX, MICRO_OP32, MICRO_OP64 } from "../generated/micro-ops";
import { opcodeOf, signedLeb, slotOf } from "./steps";
import { constOf, defineConst, isConst } from "./values";
import { I32, I64 } from "./writer";

/** Defines what a step of record `rec` defines where that is a constant. False: it is none. */
export function defineConstant(at: usize, rec: usize): bool {
  const a = <u32>load<u8>(at, 1);
  switch (opcodeOf(at)) {
    case MICRO_CONST32: defineConst(signedLeb(at + 1), I32); return true;
    case MICRO_CONST64: defineConst(signedLeb(at + 1), I64); return true;
    case MICRO_IMM: {
      const value = immediateOf(rec);
      defineConst(a == 0 ? value & 0xff : a == 1 ? value & 0xffff : value, a == 3 ? I64 : I32);
      return true;
    }
    case MICRO_INDEX: defineConst(slotOf(rec, a), I32); return true;
    case MICRO_OP32:
    case MICRO_OP64: return fold(at);
    default: return false;
  }
}

/** Computes what follows from constants alone, so that shifts by an immediate have no conditional bodies. */
function fold(at: usize): bool {
  const opcode = <u32>load<u8>(at, 1);
  const count = <u32>load<u8>(at, 2);
  const x = <u32>load<u8>(at, 3);
  if (count > 2 || !isConst(x) || (count == 2 && !isConst(load<u8>(at, 4)))) return false;
  const a = constOf(x);
  const b = count == 2 ? constOf(load<u8>(at, 4)) : 0;
  let value: i64;
  switch (opcode) {
    case 0x71:
    case 0x83: value = a & b; break;
    case 0x6b:
    case 0x7d: value = a - b; break;
    case 0x6a:
    case 0x7c: value = a + b; break;
    case 0x46:
    case 0x51: value = i64(a == b); break;
    case 0x47:
    case 0x52: value = i64(a != b); break;
    case 0x45:
    case 0x50: value = i64(a == 0); break;
    case 0xa7:
    case 0xac: value = a; break;
    case 0xad: value = a & 0xffffffff; break;
    default: return false;
  }
  defineConst(value, opcodeOf(at) == MICRO_OP64 ? I64 : I32);
  return true;
}
