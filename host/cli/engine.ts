// How V8 compiles what wkvm makes.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * What a region has to have executed, in V8's unit of bytes of code, before the optimising compiler takes it, for each byte of
 * its WebAssembly: what the compiler takes for a byte is then about what the first compiler's code of it has lost. By
 * V8's own figure (1.8 million for all functions) most regions of a boot are optimised for more time than they go on to run
 * (docs/decisions/0006, 0027).
 */
const BUDGET_A_BYTE = 50_000;
/** Of the functions of the core, and of the ways between regions: there are no more of them as the guest goes on (docs/decisions/0026). */
const CORE_BUDGET = 20_000_000;
const WAYS_BUDGET = 600_000_000;
const LARGEST_BUDGET = 2 ** 31 - 1;

/** The last of V8's major versions that takes hints on branches only where it is told to. */
const LAST_UNHINTED = 12;

/** Loops that the optimising compiler copies into themselves or in front of themselves are large as they are. */
const LARGE_LOOPS = ["--no-wasm-loop-unrolling", "--no-wasm-loop-peeling"];

/**
 * Sets what the whole process compiles WebAssembly by: for the command, not for the library. Before the core is compiled. Machine code is
 * good under the flags alone that it was made under, so they stay.
 */
export function tuneEngine(): void {
  setTieringBudget(CORE_BUDGET);
  // For the few functions of code-cache/machine-code.ts; the command makes no others of strings.
  setFlagsFromString("--allow-natives-syntax");
  for (const flag of LARGE_LOOPS) setFlagsFromString(flag);
  // docs/decisions/0009.
  if (Number.parseInt(process.versions.v8, 10) <= LAST_UNHINTED)
    setFlagsFromString("--experimental-wasm-branch-hinting");
}

/** Compiles a module of `regions` regions, 0: with the ways between them. `runs`: how many runs its optimised code is expected to serve. */
export function compileRegions(bytes: Uint8Array<ArrayBuffer>, regions: number, runs = 1): WebAssembly.Module {
  const budget = regions ? Math.round(((bytes.length / regions) * BUDGET_A_BYTE) / runs) : WAYS_BUDGET;
  setTieringBudget(Math.min(budget, LARGEST_BUDGET));
  try {
    return new WebAssembly.Module(bytes);
  } finally {
    setTieringBudget(CORE_BUDGET);
  }
}

function setTieringBudget(bytes: number): void {
  setFlagsFromString(`--wasm-tiering-budget=${bytes}`);
}

/** Has the memory of what is not needed any more given back now: a kernel was unpacked in a memory of its own, which
 * V8 would keep until it runs short of others. */
export function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  setFlagsFromString("--no-expose-gc");
}
