// npm run fuzz -- --coverage: what the recorded vectors cover of the instruction table. The vectors are played; that they
// give what was recorded is npm test's business.
import { Batch } from "../differential/case.ts";
import { guestCpuid } from "../oracle/guest-cpuid.ts";
import { WkvmRunner } from "../oracle/wkvm-runner.ts";
import { CASES_WANTED, Coverage, formsOf, readGaps, readVectors, wanted } from "./coverage.ts";
import { buildGroup, GROUP_MAX } from "./groups.ts";

/** Plays all vectors; a line for each file. */
export async function playVectors(): Promise<{ coverage: Coverage; lines: string[] }> {
  const runner = await WkvmRunner.create(await guestCpuid());
  const batch = new Batch(GROUP_MAX);
  const coverage = new Coverage();
  const lines: string[] = [];
  for (const [name, { groups, revision, processor }] of readVectors()) {
    let cases = 0;
    for (const group of groups) {
      const count = buildGroup(group, revision, batch.cases, 0);
      cases += count;
      const forms = formsOf(group);
      for (let i = 0; i < count; i++) {
        const { shape, form } = forms[Math.floor(i / group.seedsPerCode)]!;
        const test = batch.cases[i]!;
        if (form) coverage.add(test, shape, form, runner.run(test));
      }
    }
    lines.push(`${name}: ${cases} cases in ${groups.length} groups, from ${processor}`);
  }
  return { coverage, lines };
}

/** The report as text. */
export async function coverageReport(): Promise<string> {
  const { coverage, lines } = await playVectors();
  const keys = [...wanted().keys()];
  const counts = keys.map((key) => coverage.casesOf(key)).sort((a, b) => a - b);
  const enough = counts.filter((count) => count >= CASES_WANTED).length;
  const faults = [...wanted().values()].reduce((sum, set) => sum + set.size, 0);
  const missing = [...coverage.missing()];
  const lacks = missing.reduce((sum, [, list]) => sum + list.filter((lack) => lack.startsWith("#")).length, 0);
  lines.push(
    `${keys.length} forms by row, operands and size: ${enough} have ${CASES_WANTED} cases or more, median ${counts[counts.length >> 1]}`,
    `${faults} faults that they can raise: ${faults - lacks} have a case`,
    "",
    "Listed as missing:",
  );
  for (const [reason, byLack] of Object.entries(readGaps())) {
    lines.push(`  ${reason}`);
    for (const [lack, list] of Object.entries(byLack))
      lines.push(`    ${lack}: ${list.length}: ${[...new Set(list.map((key) => key.split(" ")[0]))].join(" ")}`);
  }
  return lines.join("\n");
}
