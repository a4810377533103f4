// npm run fuzz -- --seconds N --seed S [--tiers A,B] [--only REGEX] [--native] [--report FILE] [--counts FILE] [--save]
//             -- --coverage: what the recorded vectors cover of the instruction table
//             -- --mutants N [--seconds N] [--seed S]: the errors of mutants.ts; status 1 where one is not found
// Draws cases until the time is up, and ends with status 1 where wkvm and the host's processor
// disagree. --native runs the oracle alone; --only takes forms by name (as reports print them);
// --save keeps what was found in saved/, for npm test to replay; --tiers names the ways of execution to be compared (all where absent).
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { processorName, siliconMissing } from "../oracle/silicon.ts";
import { coverageReport } from "../vectors/coverage-report.ts";
import { type MismatchGroup, runCampaign } from "./campaign.ts";
import { runMutants } from "./mutants.ts";
import { save } from "./saved-case.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    native: { type: "boolean", default: false },
    sequences: { type: "string", default: "16" },
    report: { type: "string" },
    coverage: { type: "boolean", default: false },
    counts: { type: "string" },
    tiers: { type: "string" },
    mutants: { type: "string" },
    save: { type: "boolean", default: false },
    show: { type: "string", default: "20" },
  },
});

function print({ name, count, text }: MismatchGroup): string {
  return `== ${name}: ${count} mismatches\n${text}\n`;
}

/** Status 1 where an error survives. */
async function huntMutants(count: number, seconds: number, seed: number): Promise<number> {
  const started = performance.now();
  const mutants = await runMutants({
    count,
    seconds,
    seed,
    onBuilt: (taken) =>
      console.log(`mutants: a core with ${count} errors, seed ${seed}, built in ${taken.toFixed(0)} s`),
    onFound: ({ number, mutation, reached, cases, found }) =>
      console.log(
        `mutant ${number}: ${mutation.kind}: ${mutation.variant.key}: ${mutation.what}\n` +
          `found after ${cases} cases, ${reached} of its instruction:\n${found}\n`,
      ),
  });
  const survivors = mutants.filter(({ found }) => found === undefined);
  for (const { number, mutation, reached } of survivors)
    console.log(`SURVIVED ${number}: ${mutation.kind}: ${mutation.variant.key}: ${mutation.what} (${reached} cases)`);
  const taken = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`mutants: ${count - survivors.length} of ${count} found in ${taken} s`);
  return survivors.length ? 1 : 0;
}

async function main(): Promise<number> {
  const missing = siliconMissing();
  if (missing) {
    console.log(`fuzz: skipped: ${missing}`);
    return 0;
  }
  const { seed, only, native, report, counts } = values;
  if (values.coverage) {
    console.log(await coverageReport());
    return 0;
  }
  if (values.mutants) return huntMutants(Number(values.mutants), Number(values.seconds ?? 600), Number(seed));
  const show = Number(values.show);
  const result = await runCampaign({
    seconds: Number(values.seconds ?? 10),
    seed: Number(seed),
    only: only ? new RegExp(only) : undefined,
    native,
    sequences: only && !/sequence/.test(only) ? 0 : Number(values.sequences),
    ...(report ? {} : { described: show }),
    tiers: values.tiers?.split(","),
    onStart: (known, unknown) =>
      console.log(
        `fuzz: ${known} forms of the table and ${unknown} encodings outside it, seed ${seed}, ` +
          `against ${processorName()}`,
      ),
  });
  for (const group of result.groups.slice(0, show)) console.log(print(group));
  if (values.save)
    for (const { mismatch } of result.groups.slice(0, show)) console.log(`saved ${save(mismatch, processorName())}`);
  if (report) writeFileSync(report, result.groups.map(print).join("\n"));
  if (counts) {
    const rows = [...result.coverage].map(([form, ends]) => [form, Object.fromEntries(ends)] as const);
    writeFileSync(counts, `${JSON.stringify(Object.fromEntries(rows.sort()), null, 1)}\n`);
  }
  console.log(
    `fuzz: ${result.cases} cases, ${result.coverage.size} forms, ${Math.round(result.casesPerSecond)} cases/s, ` +
      `${result.mismatches} mismatches in ${result.groups.length} groups`,
  );
  return result.mismatches ? 1 : 0;
}

process.exitCode = await main();
