import { extAdd, extDiv, extMul, extSqrt } from "../extended-arithmetic";
import { extFromDecimal, extToBinary, extToInteger } from "../extended-convert";
import { extRemainder, remainderPartial, remainderQuotient } from "../extended-remainder";
import { precision, resultExp, resultLow, setPrecision } from "../extended";
import {
  beginFloat, floatFlags, ROUND_CHOP, ROUND_NEAREST, ROUND_UP, roundedUp, X_ALL, X_DENORMAL, X_INEXACT, X_INVALID,
  X_OVERFLOW, X_UNDERFLOW, X_ZERO_DIVIDE,
} from "../status";

const ONE: u64 = 0x8000000000000000;
const BIAS: u32 = 0x3fff;

describe("80-bit arithmetic", () => {
  beforeEach(() => {
    setPrecision(64);
    beginFloat(ROUND_NEAREST, X_ALL);
  });

  test("1/3 is rounded up to nearest and inexact", () => {
    extDiv(ONE, BIAS, 0xc000000000000000, BIAS + 1, 0);
    expect(resultLow).toBe(0xaaaaaaaaaaaaaaab);
    expect(resultExp).toBe(BIAS - 2);
    expect(floatFlags).toBe(X_INEXACT);
    expect(roundedUp).toBe(1);
  });

  test("precision control keeps 24 or 53 bits", () => {
    setPrecision(24);
    extDiv(ONE, BIAS, 0xc000000000000000, BIAS + 1, 0);
    expect(resultLow).toBe(0xaaaaab0000000000);
    setPrecision(53);
    extDiv(ONE, BIAS, 0xc000000000000000, BIAS + 1, 0);
    expect(resultLow).toBe(0xaaaaaaaaaaaaa800);
    expect(precision).toBe(53);
  });

  test("division by zero, invalid and denormal operands are told apart", () => {
    extDiv(ONE, BIAS, 0, 0x8000, 0);
    expect(resultExp).toBe(0xffff);
    expect(floatFlags).toBe(X_ZERO_DIVIDE);
    beginFloat(ROUND_NEAREST, X_ALL);
    extDiv(0, 0, 0, 0, 0);
    expect(floatFlags).toBe(X_INVALID);
    expect(resultLow).toBe(0xc000000000000000);
    beginFloat(ROUND_NEAREST, X_ALL);
    extAdd(1, 0, 0, 0, 0, 0);
    expect(floatFlags).toBe(X_DENORMAL);
  });

  test("an unnormal is invalid", () => {
    extAdd(0x4000000000000000, BIAS, ONE, BIAS, 0, 0);
    expect(floatFlags).toBe(X_INVALID);
  });

  test("of two NaNs the larger significand survives", () => {
    extAdd(0xc000000000000001, 0x7fff, 0xc000000000000002, 0xffff, 0, 0);
    expect(resultLow).toBe(0xc000000000000002);
    expect(resultExp).toBe(0xffff);
    expect(floatFlags).toBe(0);
  });

  test("masked overflow goes to infinity or stops at the largest number", () => {
    extMul(ONE, 0x7ffe, ONE, 0x7ffe, 0);
    expect(resultExp).toBe(0x7fff);
    expect(floatFlags).toBe(X_OVERFLOW | X_INEXACT);
    beginFloat(ROUND_CHOP, X_ALL);
    extMul(ONE, 0x7ffe, ONE, 0x7ffe, 0);
    expect(resultExp).toBe(0x7ffe);
    expect(resultLow).toBe(0xffffffffffffffff);
  });

  test("unmasked underflow delivers the result with its exponent raised by 24576", () => {
    beginFloat(ROUND_NEAREST, X_ALL & ~X_UNDERFLOW);
    extMul(ONE, 1, ONE, BIAS - 1, 0);
    expect(floatFlags).toBe(X_UNDERFLOW);
    expect(resultExp).toBe(24576);
    expect(resultLow).toBe(ONE);
  });

  test("sqrt(2) by all modes", () => {
    extSqrt(ONE, BIAS + 1);
    expect(resultLow).toBe(0xb504f333f9de6484);
    beginFloat(ROUND_UP, X_ALL);
    extSqrt(ONE, BIAS + 1);
    expect(resultLow).toBe(0xb504f333f9de6485);
  });

  test("FPREM of distant exponents is partial, else it knows the quotient", () => {
    extRemainder(0xe000000000000000, BIAS + 2, ONE, BIAS + 1, false);
    expect(remainderPartial).toBe(0);
    expect(remainderQuotient).toBe(3);
    expect(resultLow).toBe(ONE);
    expect(resultExp).toBe(BIAS);
    extRemainder(ONE, BIAS + 100, 0xc000000000000000, BIAS, false);
    expect(remainderPartial).toBe(1);
  });

  test("conversions round, and say so", () => {
    expect(extToInteger(0xa000000000000000, BIAS + 1, 32, false)).toBe(2);
    expect(floatFlags).toBe(X_INEXACT);
    beginFloat(ROUND_NEAREST, X_ALL);
    expect(extToInteger(ONE, BIAS + 15, 16, false)).toBe(0x8000);
    expect(floatFlags).toBe(X_INVALID);
    beginFloat(ROUND_NEAREST, X_ALL);
    expect(extToBinary<u32>(0xffffffffffffffff, BIAS)).toBe(0x40000000);
    extFromDecimal(0x1234, 0x8000);
    expect(resultLow).toBe(<u64>1234 << 53);
    expect(resultExp).toBe(0x8000 | (BIAS + 10));
  });
});
