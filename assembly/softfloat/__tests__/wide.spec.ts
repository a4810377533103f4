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

  test("quotients and remainders are right at the ends of digits", () => {
    let state: u64 = 1;
    let wrong = 0;
    for (let i = 0; i < 4000; i++) {
      state = state * 6364136223846793005 + 1442695040888963407;
      let quotient = state ^ (state >> 29);
      state = state * 6364136223846793005 + 1442695040888963407;
      let divisor = (state ^ (state >> 31)) | (1 << 63);
      // A small upper half and a large lower one take most digits too large.
      if (i % 3 == 1) divisor |= 0xffffffff;
      if (i % 5 == 1) divisor &= ~0x7fffffff00000000;
      if (i % 7 == 1) quotient |= 0xffffffff;
      if (i % 11 == 1) quotient |= 0xffffffff00000000;
      if (i % 13 == 1) quotient &= ~0xffffffff;
      const remainder = i % 4 == 0 ? 0 : i % 4 == 1 ? divisor - 1 : state % divisor;
      let high = mulWide(quotient, divisor);
      const low = wideLow + remainder;
      high += u64(low < remainder);
      wrong += i32(divWide(high, low, divisor) != quotient || wideLow != remainder);
    }
    expect(wrong).toBe(0);
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

  test("square roots are right beside squares and halves, digit by digit", () => {
    let root: u64 = 0x8000000000000001;
    let wrong = 0;
    for (let i = 0; i < 2000; i++) {
      root = (root * 6364136223846793005 + 1442695040888963407) | (1 << 63);
      // Both digits at their ends, too.
      if (i % 3 == 1) root |= 0xffffffff;
      if (i % 5 == 1) root &= ~0xffffffff;
      if (i % 7 == 1) root |= 0xffffffff00000000;
      const high = mulWide(root, root);
      const low = wideLow;
      wrong += i32(sqrtWide(high, low) != root || wideLow != 0);
      const half = low + root;
      wrong += i32(sqrtWide(high + u64(half < low), half) != root || wideLow != 1);
      wrong += i32(sqrtWide(high + u64(half + 1 <= low), half + 1) != root || wideLow >> 63 != 1);
      if (high > 1 << 62) wrong += i32(sqrtWide(high - u64(low == 0), low - 1) != root - 1 || wideLow >> 63 != 1);
    }
    expect(wrong).toBe(0);
  });
});
