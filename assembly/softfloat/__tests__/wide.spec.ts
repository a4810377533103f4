import { divWide, mulWide, shiftRightJam, sqrtWide, wideLow } from "../wide";

describe("128-bit integers", () => {
  test("a product has both halves", () => {
    expect(mulWide(0xffffffffffffffff, 0xffffffffffffffff)).toBe(0xfffffffffffffffe);
    expect(wideLow).toBe(1);
    expect(mulWide(0x123456789abcdef0, 16)).toBe(1);
    expect(wideLow).toBe(0x23456789abcdef00);
  });

  test("division undoes multiplication and keeps the remainder", () => {
    const divisor: u64 = 0xfedcba9876543211;
    const quotient: u64 = 0x123456789abcdef1;
    const high = mulWide(quotient, divisor);
    const low = wideLow + 5;
    expect(divWide(high, low, divisor)).toBe(quotient);
    expect(wideLow).toBe(5);
  });

  test("shifting right remembers lost bits in bit 0", () => {
    expect(shiftRightJam(1, 0, 64)).toBe(0);
    expect(wideLow).toBe(1);
    expect(shiftRightJam(0x8000000000000000, 1, 127)).toBe(0);
    expect(wideLow).toBe(1);
    expect(shiftRightJam(6, 0, 1)).toBe(3);
    expect(wideLow).toBe(0);
    expect(shiftRightJam(0, 2, 2)).toBe(0);
    expect(wideLow).toBe(1);
  });

  test("square roots say on which side of the half they are", () => {
    expect(sqrtWide(0x4000000000000000, 0)).toBe(0x8000000000000000);
    expect(wideLow).toBe(0);
    expect(sqrtWide(0xffffffffffffffff, 0xffffffffffffffff)).toBe(0xffffffffffffffff);
    expect(wideLow >> 63).toBe(1);
    expect(sqrtWide(0x4000000000000000, 1)).toBe(0x8000000000000000);
    expect(wideLow >> 63).toBe(0);
    expect(wideLow).not.toBe(0);
  });
});
