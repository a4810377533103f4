// `info jit`: what the translator has done, in the manner of QEMU's command of that name.
import { describeObstacle, type TranslationObstacle, type VcpuStats } from "../kvm/index.ts";

/** The counters of all vCPUs together as lines of text, and why there is little to count. */
export function describeTranslation({ counters }: VcpuStats, obstacle: TranslationObstacle | undefined): string {
  const { instructions, regionInstructions, regionsBuilt, regionModules, regionEntries, regionMisses } = counters;
  const { regionsDropped, regionsRefused, regionsEvicted, modulesLive, modulesEvicted } = counters;
  const lines: [string, string][] = [
    ...(obstacle ? [["interpreting", describeObstacle(obstacle)] as [string, string]] : []),
    ["traces decoded", `${counters.tracesBuilt} (${counters.tracesDropped} dropped)`],
    ["regions", `${regionsBuilt} (${regionsDropped} dropped, ${regionsEvicted} evicted, ${regionsRefused} refused)`],
    ["modules", `${regionModules} (${ratio(regionsBuilt, regionModules)} regions each, ${modulesEvicted} evicted)`],
    ["live modules", `${modulesLive}`],
    ...verification(counters),
    ["region entries", `${regionEntries} (${ratio(regionInstructions, regionEntries)} instructions each)`],
    ["left for the interpreter", `${regionMisses} (${percent(regionMisses, regionEntries)} of the entries)`],
    ["instructions", `${instructions} (${percent(regionInstructions, instructions)} in regions)`],
    ["trace cache flushes", `${counters.traceFlushes} (${counters.traceSweeps} sweeps)`],
    ["TLB flushes", `${counters.tlbFlushes}`],
    ["TLB misses", `${counters.tlbMisses}`],
    ["writes to code", `${counters.codeWrites}`],
  ];
  return `Translation state:\n${lines.map(([name, value]) => `${name.padEnd(25)}${value}\n`).join("")}`;
}

/** What verify=on has compared. */
function verification(counters: VcpuStats["counters"]): [string, string][] {
  const { regionsVerified, entriesVerified, instructionsVerified } = counters;
  if (!entriesVerified) return [];
  return [["verified", `${regionsVerified} regions, ${entriesVerified} entries, ${instructionsVerified} instructions`]];
}

function ratio(a: number, b: number): string {
  return b ? (a / b).toFixed(1) : "0";
}

function percent(a: number, b: number): string {
  return `${b ? ((100 * a) / b).toFixed(1) : "0"}%`;
}
