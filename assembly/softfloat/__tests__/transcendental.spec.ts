import { extArctangent } from "../arctangent";
import { extTwoToXMinusOne, extYLog2X } from "../exponential";
import { extUnpack, resultExp, resultLow, setPrecision } from "../extended";
import { extCosine, extSine, extTangent } from "../trigonometric";
import { beginFloat, floatFlags, ROUND_NEAREST, X_ALL, X_INEXACT } from "../status";

const ONE: u64 = 0x8000000000000000;
const BIAS: u32 = 0x3fff;
const PI: u64 = 0xc90fdaa22168c235;

describe("transcendental functions", () => {
  beforeEach(() => {
    setPrecision(64);
    beginFloat(ROUND_NEAREST, X_ALL);
  });

  test("atan(1) is pi/4, atan2(1, -1) is 3 pi/4", () => {
    extArctangent(ONE, BIAS, ONE, BIAS);
    expect(resultLow).toBe(PI);
    expect(resultExp).toBe(BIAS - 1);
    expect(floatFlags).toBe(X_INEXACT);
    extArctangent(ONE, 0x8000 | BIAS, ONE, BIAS);
    expect(resultLow).toBe(0x96cbe3f9990e91a8);
    expect(resultExp).toBe(BIAS + 1);
  });

  test("log2(8) is 3, and inexact as silicon reports it", () => {
    extYLog2X(ONE, BIAS + 3, ONE, BIAS);
    expect(resultLow).toBe(0xc000000000000000);
    expect(resultExp).toBe(BIAS + 1);
    expect(floatFlags).toBe(X_INEXACT);
  });

  test("2^0.5 - 1 and 2^-1 - 1", () => {
    extTwoToXMinusOne(ONE, BIAS - 1);
    expect(resultLow).toBe(0xd413cccfe7799211);
    expect(resultExp).toBe(BIAS - 2);
    extTwoToXMinusOne(ONE, 0x8000 | BIAS);
    expect(resultLow).toBe(ONE);
    expect(resultExp).toBe(0x8000 | (BIAS - 1));
  });

  test("sine of pi shows the 66 bits of the argument reduction", () => {
    // pi rounded to 64 bits exceeds the 66-bit pi by 2^-64.
    extUnpack(PI, BIAS + 1);
    extSine(0);
    expect(resultExp).toBe(0x8000 | (BIAS - 64));
    expect(resultLow).toBe(ONE);
  });

  test("cosine and tangent of 1", () => {
    extUnpack(ONE, BIAS);
    extCosine();
    expect(resultLow).toBe(0x8a51407da8345c92);
    extUnpack(ONE, BIAS);
    extTangent(0);
    expect(resultLow).toBe(0xc75922e5f71d2dc5);
    expect(resultExp).toBe(BIAS);
  });
});
