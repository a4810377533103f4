// How V8 compiles what wkvm makes.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * What a function has to have executed, in V8's unit of bytes of code, before the optimising compiler takes it: regions. By
 * V8's own figure (1.8 million) most regions of a boot are optimised for more time than they go on to run
 * (docs/decisions/0006).
 */
const REGION_BUDGET = 600_000_000;
/** The same of the core's functions: they are small, and there are no more of them as the guest goes on (docs/decisions/0026). */
const CORE_BUDGET = 20_000_000;

/** The last of V8's major versions that takes hints on branches only where it is told to. */
const LAST_UNHINTED = 12;

/** Loops that the optimising compiler copies into themselves or in front of themselves are large as they are. */
const LARGE_LOOPS = ["--no-wasm-loop-unrolling", "--no-wasm-loop-peeling"];

/** Sets what the whole process compiles WebAssembly by: for the command, not for the library. Before the core is compiled. */
export function tuneEngine(): void {
  setTieringBudget(CORE_BUDGET);
  for (const flag of LARGE_LOOPS) setFlagsFromString(flag);
  // docs/decisions/0009.
  if (Number.parseInt(process.versions.v8, 10) <= LAST_UNHINTED)
    setFlagsFromString("--experimental-wasm-branch-hinting");
}

/** Sets it for regions. Behind the instantiation of all vCPUs' cores, at which their functions are given theirs. */
export function tuneForRegions(): void {
  setTieringBudget(REGION_BUDGET);
}

function setTieringBudget(bytes: number): void {
  setFlagsFromString(`--wasm-tiering-budget=${bytes}`);
}

/** Has the memory of what is not needed any more given back now: a kernel was unpacked in a memory of its own, which
 * V8 would keep until it runs short of others. */
export function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}
