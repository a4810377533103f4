// Which lanes of XMM registers hold ordinary numbers, as far as the running block knows: zero, normal or infinite, so that
// nothing need be asked of them as operands. Results that were computed in line are, and operands that were looked at.

// Lanes, a number of the masks below: a bit for each register.
export const DOUBLE_LOW: u32 = 0;
export const DOUBLE_HIGH: u32 = 1;
export const SINGLE_LOW: u32 = 2;
/** All four singles. */
export const SINGLES: u32 = 3;

let doubleLow: u32 = 0;
let doubleHigh: u32 = 0;
let singleLow: u32 = 0;
let singles: u32 = 0;

/** Begins a block, or goes on behind code that may not have been executed. */
export function forgetOrdinary(): void {
  doubleLow = 0;
  doubleHigh = 0;
  singleLow = 0;
  singles = 0;
}

/** A register has a new value, of which nothing is known. */
export function forgetRegister(index: u32): void {
  const others = ~((<u32>1) << index);
  doubleLow &= others;
  doubleHigh &= others;
  singleLow &= others;
  singles &= others;
}

export function isOrdinary(lane: u32, index: u32): bool {
  const known = lane == DOUBLE_LOW ? doubleLow : lane == DOUBLE_HIGH ? doubleHigh : lane == SINGLES ? singles : singleLow | singles;
  return ((known >> index) & 1) != 0;
}

export function noteOrdinary(lane: u32, index: u32): void {
  const bit = (<u32>1) << index;
  if (lane == DOUBLE_LOW) doubleLow |= bit;
  else if (lane == DOUBLE_HIGH) doubleHigh |= bit;
  else if (lane == SINGLES) singles |= bit;
  else singleLow |= bit;
}

/** Register `to` becomes a copy of register `from`: what is known of one is known of the other. */
export function copyOrdinary(to: u32, from: u32): void {
  for (let lane = DOUBLE_LOW; lane <= SINGLES; lane++) if (isOrdinary(lane, from)) noteOrdinary(lane, to);
}
