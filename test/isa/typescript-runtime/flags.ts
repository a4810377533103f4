// Lazy flags in TypeScript, written from SDM volume 1, section 3.4.3, over the same three fields as execute/flags.ts.
import { CPU_CC_DST, CPU_CC_OP, CPU_CC_SRC } from "../../../assembly/layout.ts";
import { c, view } from "./machine.ts";

const [FLAGS, ADD, ADC1, SUB, SBB1, LOGIC, INC, DEC, SHL, SHR] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const STATUS = 0x8d5;

const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);

/** CF PF AF ZF SF OF in RFLAGS layout. */
export function statusFlags(): number {
  const op = view.getUint32(c + CPU_CC_OP, true);
  const kind = op >> 2;
  const dst = view.getBigUint64(c + CPU_CC_DST, true);
  const src = view.getBigUint64(c + CPU_CC_SRC, true);
  if (kind === FLAGS) return Number(src) & STATUS;
  const width = 8n << BigInt(op & 3);
  const one = 1n << (64n - width);
  const top = (x: bigint): boolean => ((x >> 63n) & 1n) === 1n;
  let result = dst;
  let carry = false;
  let overflow = false;
  let adjust = false;
  const nibble = (a: bigint, b: bigint, r: bigint): boolean => (((a ^ b ^ r) >> (64n - width)) & 16n) !== 0n;
  if (kind === ADD || kind === ADC1) {
    const first = wrap(dst - src - (kind === ADC1 ? one : 0n));
    carry = kind === ADD ? dst < src : dst <= src;
    overflow = top(first) === top(src) && top(dst) !== top(src);
    adjust = nibble(first, src, dst);
  } else if (kind === SUB || kind === SBB1) {
    result = wrap(dst - src - (kind === SBB1 ? one : 0n));
    carry = kind === SUB ? dst < src : dst <= src;
    overflow = top(dst) !== top(src) && top(result) !== top(dst);
    adjust = nibble(dst, src, result);
  } else if (kind === INC || kind === DEC) {
    carry = src !== 0n;
    overflow = kind === INC ? dst === 1n << 63n : wrap(dst + one) === 1n << 63n;
    adjust = ((dst >> (64n - width)) & 15n) === (kind === INC ? 0n : 15n);
  } else if (kind === SHL || kind === SHR) {
    carry = kind === SHL ? top(src) : ((src >> (64n - width)) & 1n) !== 0n;
    overflow = top(src) !== top(dst);
  } else if (kind !== LOGIC) carry = overflow = src !== 0n;
  let ones = 0;
  for (let low = Number((result >> (64n - width)) & 0xffn); low; low >>= 1) ones += low & 1;
  return (
    (carry ? 1 : 0) |
    (ones & 1 ? 0 : 4) |
    (adjust ? 16 : 0) |
    (result === 0n ? 64 : 0) |
    (top(result) ? 128 : 0) |
    (overflow ? 2048 : 0)
  );
}

/** Sets the six flags from a value in RFLAGS layout. */
export function setStatusFlags(value: number): void {
  view.setUint32(c + CPU_CC_OP, 0, true);
  view.setBigUint64(c + CPU_CC_SRC, BigInt(value & STATUS), true);
}

/** One of the sixteen conditions of Jcc, as 0 or 1. */
export function condition(code: number): number {
  const f = statusFlags();
  const less = ((f >> 7) ^ (f >> 11)) & 1;
  const plain = [f >> 11, f, f >> 6, f | (f >> 6), f >> 7, f >> 2, less, less | (f >> 6)][code >> 1]! & 1;
  return plain ^ (code & 1);
}
