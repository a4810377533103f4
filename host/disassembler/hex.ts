// Numbers as the log has them.

/** A number in hexadecimal, of at least `digits` digits; a bigint as 64 bits without a sign. */
export function hex(value: bigint | number, digits: number): string {
  const whole = typeof value === "bigint" ? BigInt.asUintN(64, value) : value;
  return whole.toString(16).padStart(digits, "0");
}
