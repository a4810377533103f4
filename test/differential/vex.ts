// The VEX-encoded vector instructions as the generator sees them: which opcodes are tried, and the processor feature
// that each belongs to (SDM volume 2, appendix A, the VEX columns).
import type { Shape } from "./shape.ts";

/** Opcodes of the maps 0F, 0F38 and 0F3A that are tried, ranges given by their ends. */
const RANGES: readonly (readonly [map: number, from: number, to: number])[] = [
  [1, 0x10, 0x17],
  [1, 0x28, 0x2f],
  [1, 0x50, 0x77],
  [1, 0x7c, 0x7f],
  [1, 0xae, 0xae],
  [1, 0xc2, 0xc2],
  [1, 0xc4, 0xc6],
  [1, 0xd0, 0xff],
  [2, 0x00, 0x1f],
  [2, 0x20, 0x47],
  [2, 0x58, 0x5a],
  [2, 0x78, 0x79],
  [2, 0x8c, 0x8f],
  [2, 0x90, 0x9f],
  [2, 0xa6, 0xaf],
  [2, 0xb6, 0xbf],
  [2, 0xdb, 0xdf],
  [3, 0x00, 0x0f],
  [3, 0x14, 0x1d],
  [3, 0x20, 0x22],
  [3, 0x38, 0x39],
  [3, 0x40, 0x46],
  [3, 0x4a, 0x4c],
  [3, 0x60, 0x63],
  [3, 0xdf, 0xdf],
];

/** Every [map, opcode] that is tried with each mandatory prefix. */
export function vexOpcodes(): [number, number][] {
  return RANGES.flatMap(([map, from, to]) =>
    Array.from({ length: to - from + 1 }, (_, i) => [map, from + i] as [number, number]),
  );
}

/** A VEX-encoded instruction on vector registers, rather than one of BMI1 and BMI2. */
export function isVexVector(shape: Shape): boolean {
  return shape.vex && !(shape.map === 2 && shape.opcode >= 0xf0) && !(shape.map === 3 && shape.opcode === 0xf0);
}

/** Gathers: SIB.index is a vector register. */
export function isGather({ vex, map, opcode }: Shape): boolean {
  return vex && map === 2 && opcode >= 0x90 && opcode <= 0x93;
}

/** Fused multiply-add, whose lanes VEX.W chooses. */
export function isFused({ vex, map, opcode }: Shape): boolean {
  return vex && map === 2 && opcode >= 0x96 && opcode <= 0xbf && (opcode & 15) >= 6;
}

const within = (value: number, from: number, to: number): boolean => value >= from && value <= to;

/** The features of a vector instruction, as featureOf() names them. */
export function vexFeature(shape: Shape): string {
  const { map, opcode } = shape;
  const wide = shape.vexL === 1;
  if (map === 1) {
    const integer =
      shape.operandOverride &&
      (within(opcode, 0x60, 0x6d) ||
        within(opcode, 0x71, 0x76) ||
        (opcode >= 0xd1 && ![0xd6, 0xe6, 0xe7].includes(opcode)));
    return wide && (integer || opcode === 0x70) ? "avx2" : "avx";
  }
  if (map === 2) {
    if (opcode === 0x13) return "f16c";
    if (isFused(shape)) return "fma";
    if (opcode === 0xcf) return "avx gfni";
    if (opcode === 0xdb) return "avx aes";
    if (within(opcode, 0xdc, 0xdf)) return wide ? "vaes" : "avx aes";
    if (within(opcode, 0x50, 0x53)) return "avx_vnni";
    const second =
      [0x16, 0x36, 0x8c, 0x8e].includes(opcode) ||
      within(opcode, 0x45, 0x47) ||
      within(opcode, 0x58, 0x5a) ||
      within(opcode, 0x78, 0x79) ||
      within(opcode, 0x90, 0x93) ||
      (within(opcode, 0x18, 0x1a) && !shape.memory);
    const integer =
      opcode <= 0x0b ||
      within(opcode, 0x1c, 0x1e) ||
      within(opcode, 0x20, 0x2b) ||
      within(opcode, 0x30, 0x35) ||
      within(opcode, 0x37, 0x40);
    return second || (wide && integer) ? "avx2" : "avx";
  }
  if (opcode === 0x1d) return "f16c";
  if (opcode === 0x44) return wide ? "vpclmulqdq" : "avx pclmulqdq";
  if (opcode === 0xce || opcode === 0xcf) return "avx gfni";
  if (opcode === 0xdf) return "avx aes";
  const second = [0x00, 0x01, 0x02, 0x38, 0x39, 0x46].includes(opcode);
  return second || (wide && [0x0e, 0x0f, 0x42, 0x4c].includes(opcode)) ? "avx2" : "avx";
}
