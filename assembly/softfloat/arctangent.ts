// FPATAN: the angle of the point (x, y), in all four quadrants (SDM volume 2, table 3-30 for the special operands).
import { addMagnitudes, outExp, outHigh, outLow, outSwapped, subMagnitudes } from "./arithmetic";
import { ATAN_TABLE, ODD_TABLE, ODD_TERMS, PI_HIGH, PI_LOW } from "./coefficients";
import {
  EXT_INFINITY, EXT_QUIET, EXT_ZERO, extClass, extDenormal, extDenormalStops, extExp, extPropagate, extRound,
  extSetZero, extSig, extUnpack,
} from "./extended";
import { divideWide, fixedLow, multiplyWide, timesSeries, toFixed } from "./wide-float";

/** pi / 4 * `quarters` (1 to 4) with a sign, rounded. */
function multipleOfPi(sign: u32, quarters: i32): void {
  if (quarters == 3) {
    addMagnitudes(0, PI_HIGH, PI_LOW, -1, PI_HIGH, PI_LOW);
    extRound(sign, outExp, outHigh, outLow, 64);
  } else {
    extRound(sign, quarters == 4 ? 1 : quarters == 2 ? 0 : -1, PI_HIGH, PI_LOW, 64);
  }
}

/** atan(t) for |t| <= 1/32 to the out* globals. */
function smallAngle(exp: i32, high: u64, low: u64): void {
  multiplyWide(exp, high, low, exp, high, low);
  const z = toFixed(outExp, outHigh, outLow);
  timesSeries(exp, high, low, ODD_TABLE, ODD_TERMS, z, fixedLow, true);
}

/** atan(q) for 0 < q <= 1 to the out* globals: by the nearest i / 16 and the difference to it. */
function angle(exp: i32, high: u64, low: u64): void {
  // i = round(16 q)
  const nearest: u64 = exp < -5 ? 0 : ((high >> (58 - exp)) + 1) >> 1;
  if (nearest == 0) {
    smallAngle(exp, high, low);
    return;
  }
  // atan(q) - atan(i/16) = atan((16 q - i) / (16 + i q))
  const shift = <i32>clz(nearest);
  const i = nearest << shift;
  const exponentI = 63 - shift;
  multiplyWide(exp, high, low, exponentI, i, 0);
  addMagnitudes(4, 0x8000000000000000, 0, outExp, outHigh, outLow);
  const denExp = outExp;
  const denHigh = outHigh;
  const denLow = outLow;
  subMagnitudes(exp + 4, high, low, exponentI, i, 0);
  const below = outSwapped;
  const at = ATAN_TABLE + (<usize>nearest << 4);
  const tableHigh = load<u64>(at);
  const tableLow = load<u64>(at, 8);
  const tableShift = <i32>clz(tableHigh);
  const baseHigh = tableShift ? (tableHigh << tableShift) | (tableLow >> (64 - tableShift)) : tableHigh;
  if (outHigh == 0) {
    subMagnitudes(-tableShift, baseHigh, tableLow << tableShift, -1000, 0, 0);
    return;
  }
  divideWide(outExp, outHigh, outLow, denExp, denHigh, denLow);
  smallAngle(outExp, outHigh, outLow);
  if (below) subMagnitudes(-tableShift, baseHigh, tableLow << tableShift, outExp, outHigh, outLow);
  else addMagnitudes(-tableShift, baseHigh, tableLow << tableShift, outExp, outHigh, outLow);
}

/** FPATAN: atan(y / x) in the quadrant of (x, y). */
export function extArctangent(sigX: u64, expX: u32, sigY: u64, expY: u32): void {
  extUnpack(sigY, expY);
  const classY = extClass;
  const exponentY = extExp;
  const partY = extSig;
  const denormal = extDenormal;
  extUnpack(sigX, expX);
  if (classY >= EXT_QUIET || extClass >= EXT_QUIET) {
    extPropagate(sigX, expX, extClass, sigY, expY, classY);
    return;
  }
  const left = expX >> 15;
  const sign = expY >> 15;
  if (extDenormalStops(denormal | extDenormal)) return;
  if (classY == EXT_INFINITY) {
    multipleOfPi(sign, extClass != EXT_INFINITY ? 2 : left ? 3 : 1);
    return;
  }
  if (classY == EXT_ZERO || extClass == EXT_INFINITY) {
    if (left) multipleOfPi(sign, 4);
    else extSetZero(sign);
    return;
  }
  if (extClass == EXT_ZERO) {
    multipleOfPi(sign, 2);
    return;
  }
  const exponentX = extExp;
  const partX = extSig;
  const steep = exponentY > exponentX || (exponentY == exponentX && partY > partX);
  if (steep) divideWide(exponentX, partX, 0, exponentY, partY, 0);
  else divideWide(exponentY, partY, 0, exponentX, partX, 0);
  angle(outExp, outHigh, outLow);
  if (steep) {
    // pi/2 less the angle to the y axis, or plus it on the left
    if (left) addMagnitudes(0, PI_HIGH, PI_LOW, outExp, outHigh, outLow);
    else subMagnitudes(0, PI_HIGH, PI_LOW, outExp, outHigh, outLow);
  } else if (left) {
    subMagnitudes(1, PI_HIGH, PI_LOW, outExp, outHigh, outLow);
  }
  // Never exact.
  extRound(sign, outExp, outHigh, outLow | 1, 64);
}
