// Instructions that follow each other so often that the interpreter has a case for both: where code is wide, finding the next case is
// a good part of what an instruction takes, as the processor guesses it wrong.
import type { Variant } from "./variant.ts";

/** W stands for 32 and for 64, M for the bytes of an operand in memory of that width. */
const MOVE = "mov.W gprWs0,gprWs1";
const LOAD = "mov.W gprWs0,memWmMs-1";
const STORE = "mov.W memWmMs-1,gprWs0";
const PUSH = "push.W gprWs0";
const POP = "pop.W gprWs0";
const CALL = "call.W immWs-1";
const TEST = "test.W gprWs0,gprWs1";

/** By how often a boot of Linux interprets them; a third of its instructions. */
const NEIGHBOURS: readonly (readonly [string, string])[] = [
  [POP, POP],
  [POP, "ret.W "],
  [PUSH, PUSH],
  [PUSH, MOVE],
  [MOVE, PUSH],
  [MOVE, MOVE],
  [MOVE, CALL],
  [MOVE, LOAD],
  [MOVE, STORE],
  [LOAD, LOAD],
  [LOAD, MOVE],
  [LOAD, STORE],
  [LOAD, TEST],
  [STORE, STORE],
  [STORE, LOAD],
  ["xor.32 gpr32s0,gpr32s1", "mov.32 gpr32s0,gpr32s1"],
  ["lea.W gprWs0,memWm16s-1", MOVE],
  [LOAD, "lea.W gprWs0,memWm16s-1"],
  ["add.W gprWs0,immWs-1", POP],
];

/** Comparisons, and the conditional jumps behind them. */
const COMPARISONS = [
  "test.W gprWs0,gprWs1",
  "test.32 gpr32s0,gpr32s1",
  "test.8 gpr8s0,gpr8s1",
  "test.8 gpr8s0,imm8s-1",
  "test.8 mem8m1s-1,imm8s-1",
  "cmp.W gprWs0,gprWs1",
  "cmp.W gprWs0,immWs-1",
  "cmp.32 gpr32s0,gpr32s1",
  "cmp.32 gpr32s0,imm32s-1",
  "cmp.8 gpr8s0,imm8s-1",
];
const CONDITIONS = ["jz", "jnz", "jb", "jnb"];

/** Two hot variants with a case of their own. */
export interface Pair {
  readonly first: Variant;
  readonly second: Variant;
}

/** The pairs among the hot variants, each once. */
export function pairsOf(hot: readonly Variant[]): Pair[] {
  const byKey = new Map(hot.map((v) => [v.key, v]));
  const pairs = new Map<string, Pair>();
  const add = (first: string, second: string): void => {
    for (const width of [32, 64]) {
      const key = (name: string): string => name.replaceAll("W", `${width}`).replace("mM", `m${width / 8}`);
      const pair = [byKey.get(key(first)), byKey.get(key(second))];
      if (!pair[0] || !pair[1]) throw new Error(`pairs: no hot case for ${key(first)} | ${key(second)}`);
      pairs.set(`${pair[0].key} | ${pair[1].key}`, { first: pair[0], second: pair[1] });
    }
  };
  for (const [first, second] of NEIGHBOURS) add(first, second);
  for (const comparison of COMPARISONS) {
    // A logical operation leaves no carry to ask for.
    const asked = comparison.startsWith("test") ? CONDITIONS.slice(0, 2) : CONDITIONS;
    for (const condition of asked) add(comparison, `${condition}.W immWs-1`);
  }
  return [...pairs.values()];
}
