// npm run fuzz -- --seconds N --seed S [--tiers A,B] [--only REGEX] [--native] [--report FILE] [--coverage FILE]
// Draws cases until the time is up, and ends with status 1 where wkvm and the host's processor
// disagree. --native runs the oracle alone; --only takes forms by name (as reports print them);
// --tiers names the ways of execution to be compared (all where absent).
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { processorName, siliconMissing } from "../oracle/silicon.ts";
import { type MismatchGroup, runCampaign } from "./campaign.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    native: { type: "boolean", default: false },
    sequences: { type: "string", default: "16" },
    report: { type: "string" },
    coverage: { type: "string" },
    tiers: { type: "string" },
    show: { type: "string", default: "20" },
  },
});

function print({ name, count, text }: MismatchGroup): string {
  return `== ${name}: ${count} mismatches\n${text}\n`;
}

async function main(): Promise<number> {
  const missing = siliconMissing();
  if (missing) {
    console.log(`fuzz: skipped: ${missing}`);
    return 0;
  }
  const { seed, only, native, report, coverage } = values;
  const show = Number(values.show);
  const result = await runCampaign({
    seconds: Number(values.seconds),
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
  if (report) writeFileSync(report, result.groups.map(print).join("\n"));
  if (coverage) {
    const rows = [...result.coverage].map(([form, counts]) => [form, Object.fromEntries(counts)] as const);
    writeFileSync(coverage, `${JSON.stringify(Object.fromEntries(rows.sort()), null, 1)}\n`);
  }
  console.log(
    `fuzz: ${result.cases} cases, ${result.coverage.size} forms, ${Math.round(result.casesPerSecond)} cases/s, ` +
      `${result.mismatches} mismatches in ${result.groups.length} groups`,
  );
  return result.mismatches ? 1 : 0;
}

process.exitCode = await main();
