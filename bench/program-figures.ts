// Figures of the guest programs: seconds, and ratios within one run of the bench.
import { geometricMean, median } from "./median.ts";
import type { ProgramResult, ProgramRun } from "./results.ts";

/** Cold: the first run in a process. Warm: the later ones. */
export type Temperature = "cold" | "warm";

/** Of several measurements, the one that stands for them: median(), or Math.min where others on the machine only lengthen them. */
export type Typical = (...values: number[]) => number;
const middle: Typical = (...values) => median(values);

/** Whose programs have a process with no system around them, and tell their own time exactly. */
const BARE = ["native", "kvm"];

/** Processor time of a run: of the whole process, compile threads included; without an emulator, of the program alone. */
export function processorSeconds(run: ProgramRun, runner: string): number {
  return BARE.includes(runner) ? run.guestCpuSeconds : run.cpuSeconds;
}

/** A program's results under a runner. */
export interface Cell {
  readonly program: string;
  readonly runner: string;
  readonly bits: 32 | 64;
}

/** The median of a cell's runs, or what `typical` says; NaN where there are none. */
export function programSeconds(
  results: readonly ProgramResult[],
  { program, runner, bits }: Cell,
  temperature: Temperature,
  of: (run: ProgramRun, runner: string) => number = processorSeconds,
  typical: Typical = middle,
): number {
  const result = results.find((r) => r.program === program && r.runner === runner && r.bits === bits);
  const runs = (result?.runs ?? []).filter(({ repeat }) => repeat > 0 === (temperature === "warm"));
  return runs.length === 0 ? Number.NaN : typical(...runs.map((run) => of(run, runner)));
}

/** A cell's time as a multiple of the warm time of `base` (cold ones natively measure page faults and caches). */
export function ratio(
  results: readonly ProgramResult[],
  cell: Cell,
  base: string,
  temperature: Temperature,
  typical: Typical = middle,
): number {
  const seconds = (of: Cell, heat: Temperature) => programSeconds(results, of, heat, processorSeconds, typical);
  return seconds(cell, temperature) / seconds({ ...cell, runner: base }, base === "native" ? "warm" : temperature);
}

/** The geometric mean of ratios over the programs that both have run; NaN where there are none. */
export function meanRatio(
  results: readonly ProgramResult[],
  programs: readonly string[],
  cell: Omit<Cell, "program">,
  base: string,
  temperature: Temperature,
  typical: Typical = middle,
): number {
  const ratios = programs.map((program) => ratio(results, { ...cell, program }, base, temperature, typical));
  return geometricMean(ratios.filter((value) => Number.isFinite(value) && value > 0));
}
