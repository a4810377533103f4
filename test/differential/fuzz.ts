// npm run fuzz -- --seconds N --seed S [--only REGEX] [--native] [--report FILE] [--coverage FILE]
// Draws cases until the time is up, and ends with status 1 where wkvm and the host's processor
// disagree. --native runs the oracle alone; --only takes forms by name (as reports print them).
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { guestCpuid, guestFeatures } from "../oracle/guest-cpuid.ts";
import { hostFeatures, processorName, Silicon, siliconMissing } from "../oracle/silicon.ts";
import { WkvmRunner } from "../oracle/wkvm-runner.ts";
import { Engine, type Mismatch } from "./engine.ts";
import { describe } from "./report.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    native: { type: "boolean", default: false },
    sequences: { type: "string", default: "16" },
    report: { type: "string" },
    coverage: { type: "string" },
    show: { type: "string", default: "20" },
  },
});

async function main(): Promise<number> {
  const missing = siliconMissing();
  if (missing) {
    console.log(`fuzz: skipped: ${missing}`);
    return 0;
  }
  const native = values.native;
  const host = hostFeatures();
  const cpuid = native ? [] : await guestCpuid();
  const features = native ? host : new Set([...guestFeatures(cpuid)].filter((name) => host.has(name)));
  const runner = native ? undefined : await WkvmRunner.create(cpuid);
  const silicon = new Silicon();
  const engine = new Engine(silicon, runner, {
    seed: Number(values.seed),
    features,
    only: values.only ? new RegExp(values.only) : undefined,
    sequences: values.only && !/sequence/.test(values.only) ? 0 : Number(values.sequences),
  });
  const probed = await engine.probe();
  console.log(
    `fuzz: ${probed.defined} forms and ${probed.undefined} undefined ones, seed ${values.seed}, against ${processorName()}`,
  );

  const groups = new Map<string, { count: number; first: Mismatch }>();
  const started = performance.now();
  const until = started + Number(values.seconds) * 1000;
  while (performance.now() < until) {
    for (const mismatch of await engine.step()) {
      const key = `${mismatch.form} ${mismatch.differences[0]!.field.replace(/[.+\d].*/, "")}`;
      const group = groups.get(key);
      if (group) group.count++;
      else groups.set(key, { count: 1, first: mismatch });
    }
  }
  const seconds = (performance.now() - started) / 1000;
  const sorted = [...groups.entries()].sort((a, b) => b[1].count - a[1].count);
  const texts: string[] = [];
  for (const [key, { count, first }] of sorted) {
    const text = `== ${key}: ${count} mismatches\n${describe(await engine.minimize(first))}\n`;
    texts.push(text);
    if (texts.length <= Number(values.show)) console.log(text);
  }
  if (values.report) writeFileSync(values.report, texts.join("\n"));
  if (values.coverage) {
    const rows = [...engine.coverage].map(([form, counts]) => [form, Object.fromEntries(counts)] as const);
    writeFileSync(values.coverage, `${JSON.stringify(Object.fromEntries(rows.sort()), null, 1)}\n`);
  }
  silicon.close();
  const total = sorted.reduce((sum, [, { count }]) => sum + count, 0);
  console.log(
    `fuzz: ${engine.cases} cases, ${engine.coverage.size} forms, ${Math.round(engine.cases / seconds)} cases/s, ` +
      `${total} mismatches in ${sorted.length} groups`,
  );
  return total ? 1 : 0;
}

process.exitCode = await main();
