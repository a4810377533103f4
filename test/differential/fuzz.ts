// npm run fuzz: random instructions against the host's own processor.
import { writeFileSync } from "node:fs";
import { nameOption, namesOption, numberOption, readOptions } from "../../tools/options.mjs";
import { processorName, siliconMissing } from "../oracle/silicon.ts";
import { otherVendor } from "../oracle/vendor.ts";
import { coverageReport } from "../vectors/coverage-report.ts";
import { type MismatchGroup, runCampaign } from "./campaign.ts";
import { runMutants } from "./mutants.ts";
import { save } from "./saved-case.ts";
import { TIER_NAMES } from "./tiers.ts";

const HELP = `npm run fuzz -- [options]
  Draws instructions until the time is up and compares what wkvm and this machine's processor
  make of them. Status 1: they differ.
  --seconds N     how long to draw (default 10; 600 with --mutants)
  --seed S        where the random numbers begin (default 1): a run is repeated by its seed
  --tiers LIST    ways of execution to compare (default: all)
  --reference T   compares with one of them in place of the processor
  --only REGEX    only the forms of this name, as reports print it
  --sequences N   one case in N is a sequence of instructions (default 16; 0: none)
  --native        runs the processor alone
  --show N        differences to print (default 20)
  --report FILE   writes all differences there
  --counts FILE   writes how often each form was drawn, and how it ended (JSON)
  --save          keeps what was found in test/differential/saved, for npm test to replay
  --coverage      draws nothing: what the recorded vectors cover of the instruction table
  --mutants N     seeds N errors into the instruction table instead. Status 1: one was not found
`;

const { values } = readOptions(HELP, {
  options: {
    seconds: { type: "string" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    native: { type: "boolean", default: false },
    reference: { type: "string" },
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
const tiers = values.tiers === undefined ? undefined : namesOption("tiers", values.tiers, TIER_NAMES);
const reference = values.reference === undefined ? undefined : nameOption("reference", values.reference, TIER_NAMES);

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
  const { only, native, report, counts } = values;
  const missing = reference === undefined ? siliconMissing() : undefined;
  if (missing) {
    console.log(`fuzz: skipped: ${missing}`);
    return 0;
  }
  const other = reference === undefined ? otherVendor() : undefined;
  if (other) console.log(`fuzz: ${other}; what the vendors differ in is counted as mismatches`);
  if (values.coverage) {
    console.log(await coverageReport());
    return 0;
  }
  const number = (name: "seconds" | "seed" | "sequences" | "show" | "mutants", fallback = "0") =>
    numberOption(HELP, name, values[name] ?? fallback);
  if (values.mutants) return huntMutants(number("mutants"), number("seconds", "600"), number("seed"));
  const show = number("show");
  const oracle = reference ?? processorName();
  const result = await runCampaign({
    seconds: number("seconds", "10"),
    seed: number("seed"),
    only: only ? new RegExp(only) : undefined,
    native,
    reference,
    sequences: only && !/sequence/.test(only) ? 0 : number("sequences"),
    ...(report ? {} : { described: show }),
    tiers,
    onStart: (known, unknown) =>
      console.log(
        `fuzz: ${known} forms of the table and ${unknown} encodings outside it, seed ${values.seed}, ` +
          `against ${oracle}`,
      ),
  });
  for (const group of result.groups.slice(0, show)) console.log(print(group));
  if (values.save)
    for (const { mismatch } of result.groups.slice(0, show)) console.log(`saved ${save(mismatch, oracle)}`);
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
