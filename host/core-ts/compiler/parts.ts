// JavaScript for 32-bit halves: expressions as text, simplified where operands are known.
//
// Every text is an int32 (or a float); a text that is a literal or a name may be repeated, any other is used once.

const LITERAL = /^-?\d+$/;
const ATOM = /^-?[\w$.]+$/;

/** True for text that may be written more than once. */
export const isAtom = (text: string): boolean => ATOM.test(text);

/** The number, where the text is a literal. */
export function known(text: string): number | undefined {
  return LITERAL.test(text) ? Number(text) : undefined;
}

const both = (a: string, b: string, f: (x: number, y: number) => number): string | undefined => {
  const [x, y] = [known(a), known(b)];
  return x === undefined || y === undefined ? undefined : `${f(x, y) | 0}`;
};

export function and(a: string, b: string): string {
  const folded = both(a, b, (x, y) => x & y);
  if (folded) return folded;
  if (a === "0" || b === "0") return "0";
  if (a === "-1") return b;
  return b === "-1" ? a : `(${a} & ${b})`;
}

export function or(a: string, b: string): string {
  const folded = both(a, b, (x, y) => x | y);
  if (folded) return folded;
  if (a === "-1" || b === "-1") return "-1";
  if (a === "0") return b;
  return b === "0" ? a : `(${a} | ${b})`;
}

export function xor(a: string, b: string): string {
  const folded = both(a, b, (x, y) => x ^ y);
  if (folded) return folded;
  if (a === "0") return b;
  return b === "0" ? a : `(${a} ^ ${b})`;
}

export function add(a: string, b: string): string {
  const folded = both(a, b, (x, y) => x + y);
  if (folded) return folded;
  if (a === "0") return b;
  if (b === "0") return a;
  const y = known(b);
  return y !== undefined && y < 0 ? `(${a} - ${-y} | 0)` : `(${a} + ${b} | 0)`;
}

export function sub(a: string, b: string): string {
  const folded = both(a, b, (x, y) => x - y);
  if (folded) return folded;
  return b === "0" ? a : `(${a} - ${b.startsWith("-") ? `(${b})` : b} | 0)`;
}

export function mul(a: string, b: string): string {
  const folded = both(a, b, Math.imul);
  if (folded) return folded;
  if (a === "1") return b;
  return b === "1" ? a : `Math.imul(${a}, ${b})`;
}

/** Shifts by a count below 32, or by text, of which the low five bits count. */
export function shl(a: string, n: string): string {
  if (n === "0") return a;
  return both(a, n, (x, y) => x << y) ?? (a === "0" ? "0" : `(${a} << ${n})`);
}

export function shrS(a: string, n: string): string {
  if (n === "0") return a;
  return both(a, n, (x, y) => x >> y) ?? (a === "0" ? "0" : `(${a} >> ${n})`);
}

/** Logical; by a literal above 0 the result of >>> is an int32 already. */
export function shrU(a: string, n: string): string {
  if (n === "0") return a;
  const folded = both(a, n, (x, y) => x >>> y);
  if (folded) return folded;
  if (a === "0") return "0";
  return known(n) !== undefined ? `(${a} >>> ${n})` : `(${a} >>> ${n} | 0)`;
}

/** As an unsigned number, for comparisons and conversions. */
export function unsigned(a: string): string {
  const x = known(a);
  return x === undefined ? `(${a} >>> 0)` : `${x >>> 0}`;
}
