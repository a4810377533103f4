// What the host's processor is not asked about, each with its reason; and the processor feature
// that each remaining instruction belongs to.
import { MODE_64 } from "./case.ts";
import type { Shape } from "./shape.ts";
import { isVexVector, vexFeature } from "./vex.ts";

export interface Exclusion {
  reason: string;
  matches(shape: Shape): boolean;
}

const inMap =
  (map: number, ...opcodes: number[]) =>
  (shape: Shape): boolean =>
    shape.map === map && !shape.vex && opcodes.includes(shape.opcode);

/** The list may only shrink. */
export const EXCLUSIONS: readonly Exclusion[] = [
  {
    reason: "enters the host's kernel",
    matches: (s) => inMap(1, 0x05, 0x07, 0x34, 0x35)(s) || (inMap(0, 0xcd)(s) && s.immediate === 0x80),
  },
  {
    reason: "far transfer: selectors are the host kernel's",
    matches: (s) => inMap(0, 0x9a, 0xea, 0xca, 0xcb, 0xcf)(s) || (inMap(0, 0xff)(s) && (s.reg === 3 || s.reg === 5)),
  },
  {
    reason: "loads a segment register: descriptors are the host kernel's",
    matches: (s) =>
      inMap(0, 0x07, 0x17, 0x1f, 0x8e)(s) ||
      inMap(1, 0xa1, 0xa9, 0xb2, 0xb4, 0xb5)(s) ||
      (inMap(0, 0xc4, 0xc5)(s) && s.mode !== MODE_64),
  },
  {
    reason: "reads the host kernel's descriptor tables or is emulated by it (UMIP)",
    matches: (s) => inMap(1, 0x00, 0x01, 0x02, 0x03)(s),
  },
  {
    reason: "answers differ from run to run",
    matches: (s) => inMap(1, 0x31, 0x33, 0xa2)(s) || (inMap(1, 0xc7)(s) && s.reg >= 6),
  },
  {
    reason: "XSAVE state differs between machines",
    matches: (s) =>
      (inMap(1, 0xae)(s) && s.memory && s.reg >= 4 && s.reg <= 6) || (inMap(1, 0xc7)(s) && s.reg >= 3 && s.reg <= 5),
  },
  {
    reason: "writes FS or GS base, which the oracle needs",
    matches: (s) => inMap(1, 0xae)(s) && !s.memory && s.repeat === 0xf3,
  },
  {
    reason: "belongs to a feature one vendor has",
    matches: (s) =>
      inMap(
        1,
        0x0d,
        0x0e,
        0x0f,
        0x24,
        0x25,
        0x26,
        0x27,
        0x36,
        0x37,
        0x39,
        0x3b,
        0x3c,
        0x3d,
        0x3e,
        0x3f,
        0x78,
        0x79,
        0x7a,
        0x7b,
        0x04,
        0x0a,
        0x0c,
        0xa6,
        0xa7,
      )(s) ||
      (inMap(1, 0x2b)(s) && s.repeat !== 0) ||
      (inMap(0, 0x8f)(s) && s.reg !== 0) ||
      (inMap(0, 0x62)(s) && (s.mode === MODE_64 || !s.memory)) ||
      (inMap(0, 0x82)(s) && s.mode === MODE_64),
  },
  { reason: "UD0 and UD1 fetch a ModRM byte on one vendor's processors only", matches: (s) => inMap(1, 0xff, 0xb9)(s) },
  { reason: "INT1's return address is the instruction itself under some hypervisors", matches: inMap(0, 0xf1) },
  {
    reason: "a repeat prefix on LOOPcc changes its condition on one vendor's processors",
    matches: (s) => inMap(0, 0xe0, 0xe1)(s) && s.repeat !== 0,
  },
  {
    reason: "hint space whose later meanings differ between processors",
    matches: (s) =>
      (inMap(1, 0xae)(s) && (s.operandOverride || s.repeat !== 0)) ||
      (inMap(1, 0x1c)(s) && s.memory) ||
      (inMap(1, 0x1e)(s) && s.repeat !== 0) ||
      (inMap(1, 0xc7)(s) && !s.memory) ||
      inMap(1, 0x09)(s) ||
      inMap(1, 0x01)(s),
  },
  {
    reason: "CET, MOVDIRI, INVPCID and ENQCMD share this space",
    matches: (s) => inMap(2, 0x80, 0x81, 0x82, 0xf5, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc)(s),
  },
  {
    reason: "near branches with a 16-bit operand in 64-bit mode: the vendors disagree",
    matches: (s) =>
      s.mode === MODE_64 &&
      s.operandOverride &&
      !s.vex &&
      ((s.map === 0 &&
        ((s.opcode >= 0x70 && s.opcode <= 0x7f) ||
          (s.opcode >= 0xe0 && s.opcode <= 0xe3) ||
          [0xe8, 0xe9, 0xeb, 0xc2, 0xc3].includes(s.opcode) ||
          (s.opcode === 0xff && (s.reg === 2 || s.reg === 4)))) ||
        (s.map === 1 && s.opcode >= 0x80 && s.opcode <= 0x8f)),
  },
  { reason: "RSM, GETSEC, and what only system mode defines", matches: inMap(1, 0xaa, 0x37) },
  {
    reason: "MOV to and from control and debug registers has its own suite",
    matches: inMap(1, 0x20, 0x21, 0x22, 0x23),
  },
];

/** Why a form is left out, or undefined. */
export function excluded(shape: Shape): string | undefined {
  for (const { reason, matches } of EXCLUSIONS) if (matches(shape)) return reason;
  return undefined;
}

/** Whether a processor offers what featureOf() names. */
export function offers(features: ReadonlySet<string>, wanted: string): boolean {
  return wanted === "" || wanted.split(" ").every((feature) => features.has(feature));
}

/** The processor features an instruction needs, in Linux's spelling; "" for what every x86-64 has. */
export function featureOf(shape: Shape): string {
  const { map, opcode, repeat, operandOverride, reg } = shape;
  if (isVexVector(shape)) return vexFeature(shape);
  if (shape.vex) {
    if (map === 2 && (opcode === 0xf2 || opcode === 0xf3 || (opcode === 0xf7 && !repeat && !operandOverride)))
      return "bmi1";
    return "bmi2";
  }
  if (map === 1) {
    if (opcode === 0xb8 && repeat === 0xf3) return "popcnt";
    if (opcode === 0xbc && repeat === 0xf3) return "bmi1";
    if (opcode === 0xbd && repeat === 0xf3) return "abm";
    if (opcode === 0xc7 && reg === 1 && shape.operandSize === 8) return "cx16";
    if (
      opcode === 0x7c ||
      opcode === 0x7d ||
      opcode === 0xd0 ||
      opcode === 0xf0 ||
      opcode === 0x12 ||
      opcode === 0x16
    ) {
      return repeat || opcode > 0x16 ? "pni" : "";
    }
    return "";
  }
  if (map === 2) {
    if (opcode <= 0x0b || (opcode >= 0x1c && opcode <= 0x1e)) return "ssse3";
    if (opcode === 0x37) return "sse4_2";
    if (opcode >= 0xc8 && opcode <= 0xcd) return "sha_ni";
    if (opcode === 0xcf) return "gfni";
    if (opcode >= 0xdb && opcode <= 0xdf) return "aes";
    if (opcode === 0xf0 || opcode === 0xf1) return repeat === 0xf2 ? "sse4_2" : "movbe";
    if (opcode === 0xf6) return "adx";
    return "sse4_1";
  }
  if (map === 3) {
    if (opcode === 0x0f) return "ssse3";
    if (opcode === 0x44) return "pclmulqdq";
    if (opcode >= 0x60 && opcode <= 0x63) return "sse4_2";
    if (opcode === 0xcc) return "sha_ni";
    if (opcode === 0xce || opcode === 0xcf) return "gfni";
    if (opcode === 0xdf) return "aes";
    return "sse4_1";
  }
  if ((opcode === 0x9e || opcode === 0x9f) && shape.mode === MODE_64) return "lahf_lm";
  return "";
}
