// What the manuals leave undefined after an instruction (SDM volume 2, each instruction's page):
// these bits are not compared.
import {
  CASE_CODE_OFFSET,
  CASE_GPR,
  type Case,
  CODE_BASE,
  CODE_BYTES,
  CODE_WINDOW,
  MODE_64,
  RESULT_ERROR,
  RESULT_VECTOR,
  type Result,
} from "./case.ts";
import type { Shape } from "./shape.ts";

const CF = 1;
const PF = 4;
const AF = 0x10;
const ZF = 0x40;
const SF = 0x80;
const OF = 0x800;
const ALL = CF | PF | AF | ZF | SF | OF;

/** x87 condition codes C0, C2 and C3; C1 is defined for arithmetic. */
const C023 = 0x4500;
const C1 = 0x200;
/** ModRM of D9 F0.. for F2XM1 FYL2X FPTAN FPATAN FYL2XP1 FSINCOS FSIN FCOS. */
const TRANSCENDENTAL = [0xf0, 0xf1, 0xf2, 0xf3, 0xf9, 0xfb, 0xfe, 0xff];

/** What not to compare. */
export interface Undefined {
  /** RFLAGS bits. */
  flags: number;
  /** x87 status word bits. */
  fsw: number;
  /** The whole result (registers and memory) is undefined. */
  result: boolean;
  /** After a fault: which of two accesses faults first is the processor's choice, so only that one does counts. */
  eitherFault: boolean;
  /** After a fault: registers may have been loaded already. */
  partial: boolean;
  /** Byte ranges of the memory operand that are not compared: [from, to). */
  memory: readonly (readonly [number, number])[];
  /** x87 registers may differ in the last place, and C1 and PE with them: transcendentals. */
  approximate: boolean;
  /** Singles that are good to 12 bits, in whatever way: RCPSS and its kin. */
  reciprocal: boolean;
}

function shiftFlags(shape: Shape, test: Case, size: number): number {
  const { map, opcode, reg } = shape;
  const one = opcode === 0xd0 || opcode === 0xd1;
  const raw = one ? 1 : opcode === 0xd2 || opcode === 0xd3 ? test.bytes[CASE_GPR + 8]! : shape.immediate;
  const count = raw & (size === 8 ? 63 : 31);
  if (count === 0 || map !== 0) return 0;
  let flags = count === 1 ? 0 : OF;
  if (reg >= 4) {
    flags |= AF;
    if (count >= size * 8 && reg !== 7) flags |= CF;
  }
  return flags;
}

function integerFlags(shape: Shape, test: Case): number {
  const { opcode, reg } = shape;
  const size = opcode & 1 ? shape.operandSize : 1;
  if (opcode < 0x40) {
    const row = opcode >> 3;
    if ((opcode & 7) < 6) return row === 1 || row === 4 || row === 6 ? AF : 0;
    if (opcode === 0x27 || opcode === 0x2f) return OF;
    if (opcode === 0x37 || opcode === 0x3f) return OF | SF | ZF | PF;
    return 0;
  }
  if (opcode >= 0x80 && opcode <= 0x83) return reg === 1 || reg === 4 || reg === 6 ? AF : 0;
  if (opcode === 0x84 || opcode === 0x85 || opcode === 0xa8 || opcode === 0xa9) return AF;
  if (opcode === 0x69 || opcode === 0x6b) return SF | ZF | AF | PF;
  if (opcode === 0xc0 || opcode === 0xc1 || (opcode >= 0xd0 && opcode <= 0xd3)) return shiftFlags(shape, test, size);
  if (opcode === 0xd4 || opcode === 0xd5) return OF | AF | CF;
  if (opcode === 0xf6 || opcode === 0xf7) {
    if (reg < 2) return AF;
    if (reg === 4 || reg === 5) return SF | ZF | AF | PF;
    if (reg >= 6) return ALL;
  }
  return 0;
}

function twoByteFlags(shape: Shape, test: Case): number {
  const { opcode, reg, repeat, operandSize } = shape;
  if (opcode === 0xa3 || opcode === 0xab || opcode === 0xb3 || opcode === 0xbb || (opcode === 0xba && reg >= 4)) {
    return OF | SF | AF | PF;
  }
  if (opcode === 0xaf) return SF | ZF | AF | PF;
  if (opcode === 0xbc || opcode === 0xbd) {
    return repeat === 0xf3 ? OF | SF | AF | PF : OF | SF | AF | PF | CF;
  }
  if (opcode === 0xa4 || opcode === 0xa5 || opcode === 0xac || opcode === 0xad) {
    const raw = opcode & 1 ? test.bytes[CASE_GPR + 8]! : shape.immediate;
    const count = raw & (operandSize === 8 ? 63 : 31);
    if (count === 0) return 0;
    return count > operandSize * 8 ? ALL : count === 1 ? AF : AF | OF;
  }
  return 0;
}

function vexFlags(shape: Shape): number {
  const { map, opcode } = shape;
  if (map !== 2) return 0;
  if (opcode === 0xf2 || opcode === 0xf3) return AF | PF;
  if (opcode === 0xf5 && !shape.repeat) return AF | PF;
  if (opcode === 0xf7 && !shape.repeat && !shape.operandOverride) return AF | SF | PF;
  return 0;
}

/** Condition codes that an x87 instruction leaves undefined. */
function x87Status(shape: Shape): number {
  const { opcode, reg, rm, memory } = shape;
  if (opcode === 0xd9 && !memory) {
    // FABS, FCHS, FXCH, FLD, loads of constants, stack moves: C1 is defined, the rest is not.
    if (reg === 4 && rm >= 4) return 0;
    if (reg === 7 && rm === 0) return 0;
    if (reg === 7 && rm === 5) return 0;
    if (reg === 6 && (rm === 2 || rm === 5)) return 0;
    if (reg === 7 && (rm === 3 || rm === 6 || rm === 7)) return 0x4100;
  }
  if (opcode === 0xd9 && memory && (reg === 4 || reg === 5 || reg >= 6)) return 0;
  const compares = reg === 2 || reg === 3;
  if (
    (opcode === 0xd8 || opcode === 0xdc || opcode === 0xda || opcode === 0xde) &&
    compares &&
    (memory || opcode === 0xd8 || opcode === 0xdc || (opcode === 0xde && reg === 3))
  ) {
    return 0;
  }
  if (opcode === 0xda && !memory && reg === 5) return 0;
  if (opcode === 0xdd && (memory ? reg === 4 || reg === 6 || reg === 7 : reg >= 4)) return 0;
  if (opcode === 0xdb && !memory && reg === 4) return C023 | C1;
  if (!memory && (opcode === 0xdb || opcode === 0xdf) && (reg === 5 || reg === 6)) return C023;
  return C023;
}

const NOTHING: Undefined = {
  flags: 0,
  fsw: 0,
  result: false,
  eitherFault: false,
  partial: false,
  memory: [],
  approximate: false,
  reciprocal: false,
};

/** Bytes of an instruction. */
const LONGEST = 15;
const POPA = 0x61;
const ARPL = 0x63;

/** What not to compare after an instruction that faulted. */
export function undefinedAfterFault(shape: Shape): Undefined {
  const { map, opcode, reg, mode, memory } = shape;
  // Alignment against a limit or a missing page, of operands with several parts: FXSAVE, FXRSTOR, MASKMOV.
  if (map === 1 && ((opcode === 0xae && reg < 2) || opcode === 0xf7)) return { ...NOTHING, eitherFault: true };
  if (map !== 0 || shape.vex) return NOTHING;
  // CMPS reads two operands; CALL checks its target and its stack; ARPL reads, and may not write.
  const eitherFault =
    opcode === 0xa6 ||
    opcode === 0xa7 ||
    opcode === 0xe8 ||
    (opcode === 0xff && reg === 2) ||
    // FLDENV FNSTENV FRSTOR FNSAVE
    (memory && (opcode === 0xd9 || opcode === 0xdd) && (reg === 4 || reg === 6)) ||
    (opcode === ARPL && mode !== MODE_64);
  return { ...NOTHING, eitherFault, partial: opcode === POPA };
}

/**
 * The result is #UD or a fault of the fetch, of code that runs off its pages: an instruction that is undefined anyway
 * may be found so before or after its last bytes are asked for.
 */
export function undefinedOrUnfetched(shape: Shape, test: Case, result: Result): boolean {
  // Behind a prefix that VEX does not allow, silicon reads on as if C4 and C5 were opcodes.
  const length = shape.spoiled ? LONGEST : shape.length;
  if (test.view.getUint16(CASE_CODE_OFFSET, true) + length <= CODE_WINDOW + CODE_BYTES - CODE_BASE) return false;
  const vector = result.bytes[RESULT_VECTOR];
  return vector === 6 || vector === 13 || (vector === 14 && (result.view.getUint32(RESULT_ERROR, true) & 16) !== 0);
}

/** What not to compare after an instruction that completed. */
export function undefinedAfter(shape: Shape, test: Case): Undefined {
  const { map, opcode, reg, memory } = shape;
  const reciprocal =
    map === 1 &&
    (opcode === 0x52 || opcode === 0x53) &&
    shape.repeat !== 0xf2 &&
    (shape.repeat !== 0 || !shape.operandOverride);
  if (shape.vex) return { ...NOTHING, flags: vexFlags(shape), reciprocal };
  if (map === 0) {
    if (opcode >= 0xd8 && opcode <= 0xdf) {
      // Pointers and opcode of the last x87 instruction: kept by some processors only while an
      // exception is pending.
      const short = shape.operandSize === 2;
      const pointers: [number, number] = short ? [6, 14] : [12, 28];
      const approximate = opcode === 0xd9 && !memory && TRANSCENDENTAL.includes(shape.modrm);
      const saves = memory && ((opcode === 0xd9 && reg === 6) || (opcode === 0xdd && reg === 6));
      const fsw = x87Status(shape) | (approximate ? C1 : 0);
      return { ...NOTHING, fsw, memory: saves ? [pointers] : [], approximate };
    }
    return { ...NOTHING, flags: integerFlags(shape, test) };
  }
  if (map === 1) {
    const flags = twoByteFlags(shape, test);
    // FXSAVE: FOP, FIP, FDP as above, and MXCSR_MASK, which names a feature of one vendor's.
    if (opcode === 0xae && reg === 0 && memory)
      return {
        ...NOTHING,
        memory: [
          [6, 24],
          [28, 32],
        ],
      };
    return { ...NOTHING, flags, result: flags === ALL, reciprocal };
  }
  return NOTHING;
}
