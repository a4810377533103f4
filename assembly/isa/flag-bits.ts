// The six status flags: SDM volume 1, section 3.4.3. Which of them each kind of flag-setting operation defines.
import type { FlagKind } from "./micro-op.ts";

export const CF = 1;
export const PF = 1 << 2;
export const AF = 1 << 4;
export const ZF = 1 << 6;
export const SF = 1 << 7;
export const OF = 1 << 11;
export const ALL_FLAGS = CF | PF | AF | ZF | SF | OF;

/** Flags that the sixteen conditions look at, by condition code shifted right by one. */
const CONDITION_READS = [OF, CF, ZF, CF | ZF, SF, PF, SF | OF, ZF | SF | OF];

/** Flags that condition `code` (tttn of Jcc) depends on. */
export function conditionReads(code: number): number {
  return CONDITION_READS[code >> 1]!;
}

/** Flags that an operation of a kind keeps as they were: INC and DEC leave CF. */
export function keptBy(kind: FlagKind): number {
  return kind === "inc" || kind === "dec" ? CF : 0;
}

/** Flags that the manual leaves undefined after an operation of a kind; this core sets them to some fixed value. */
export function undefinedAfter(kind: FlagKind): number {
  if (kind === "logic") return AF;
  // OF is defined for a count of 1 only.
  if (kind === "shl" || kind === "shr") return AF | OF;
  if (kind === "scan") return ALL_FLAGS & ~ZF;
  if (kind === "count") return ALL_FLAGS & ~(CF | ZF);
  return kind === "mul" ? SF | ZF | AF | PF : 0;
}

/** The six flags in six bits: CF PF AF ZF SF OF from bit 0. */
export function packFlags(flags: number): number {
  return [CF, PF, AF, ZF, SF, OF].reduce((bits, f, i) => bits | (flags & f ? 1 << i : 0), 0);
}
