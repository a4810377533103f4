// npm run suites: a public suite that somebody has fetched and built outside this repository.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "../build.mjs";
import { namesOption, readOptions } from "../options.mjs";
import { runUnitTests } from "./kvm-unit-tests.mjs";
import { MACHINE_NAMES, machineNamed } from "./machines.mjs";
import { markdownSums, textTable } from "./scoreboard.mjs";
import { runTest386 } from "./test386.mjs";

const SUITES = { "kvm-unit-tests": runUnitTests, test386: runTest386 };
/** Longer than the longest limit that an entry has of its own. */
const DEFAULT_TIMEOUT = 240;

const HELP = `npm run suites -- --path DIR [options]
  --suite NAME      of ${Object.keys(SUITES).join(", ")} (default kvm-unit-tests)
  --path DIR        where it was built (docs/SUITES.md); may be repeated
  --machines LIST   on which machines, of ${MACHINE_NAMES.join(",")} (default interp)
  --only NAME,...   only these entries
  --slowdown N      multiplies the entries' own limits of time
  --timeout S       limit of the entries that have none (default ${DEFAULT_TIMEOUT})
  --json FILE       writes the results there
  --logs DIR        writes each entry's output there
  --markdown        prints the sums as a table for docs/SUITES.md
`;

const { values } = readOptions(HELP, {
  options: {
    suite: { type: "string", default: "kvm-unit-tests" },
    path: { type: "string", multiple: true, default: [] },
    machines: { type: "string", default: "interp" },
    only: { type: "string", default: "" },
    slowdown: { type: "string", default: "1" },
    timeout: { type: "string", default: String(DEFAULT_TIMEOUT) },
    json: { type: "string" },
    logs: { type: "string" },
    markdown: { type: "boolean", default: false },
  },
});

const runSuite = SUITES[values.suite];
if (!runSuite || values.path.length === 0) {
  console.error(HELP);
  process.exit(2);
}

const machineNames = namesOption("machines", values.machines, MACHINE_NAMES);

await build({ types: false });
const machines = machineNames.map(machineNamed);
const runs = [];
for (const folder of values.path) {
  runs.push(
    await runSuite(folder, machines, {
      only: values.only === "" ? [] : values.only.split(","),
      timeoutSeconds: Number(values.timeout),
      slowdown: Number(values.slowdown),
      report: reportOne,
    }),
  );
}
console.log(values.markdown ? markdownSums(runs) : runs.map(textTable).join("\n\n"));
if (values.json) writeFileSync(values.json, JSON.stringify(withoutOutput(runs), null, 1));

/** One line as each ends, and its output beside it where --logs asks for that. */
function reportOne(arch, row, machine) {
  const { verdict, reason, seconds, output } = row.results[machine];
  console.error(`${arch} ${row.name} on ${machine}: ${verdict} (${seconds} s) ${reason}`);
  if (!values.logs) return;
  mkdirSync(values.logs, { recursive: true });
  writeFileSync(join(values.logs, `${arch}-${row.name}-${machine.replaceAll(/[^\w.]+/g, "-")}.txt`), output);
}

function withoutOutput(results) {
  return results.map((result) => ({
    ...result,
    rows: result.rows.map((row) => ({
      ...row,
      results: Object.fromEntries(Object.entries(row.results).map(([name, { output, ...rest }]) => [name, rest])),
    })),
  }));
}
