// npm run payloads: the payloads on wkvm and on the peers that are installed.
import { namesOption, readOptions } from "../../tools/options.mjs";
import { compilerMissing, listPayloads, PayloadBuilder } from "./build.ts";
import { type KnownFailure, knownChecks, WKVM } from "./known-failures.ts";
import { ACCELERATORS, runOnWkvm } from "./machine.ts";
import { PEERS } from "./peers.ts";
import { judge, type Run } from "./report.ts";

interface System {
  readonly name: string;
  readonly knownFailures: readonly KnownFailure[];
  run(image: string): Promise<Run>;
}

const ACCELERATOR_NAMES = ACCELERATORS.map(({ name }) => name);
const PEER_NAMES = PEERS.map(({ name }) => name);

const HELP = `npm run payloads -- [options] [PATTERN...]
  Runs the programs for the bare machine whose name contains a pattern (default: all).
  --accel LIST   on which of wkvm's accelerators, of ${ACCELERATOR_NAMES.join(",")} (default: all)
  --peers LIST   on which peers, of ${PEER_NAMES.join(",")} (default: all that are installed; none: wkvm alone)
  --show         prints what each program writes, and what it skips
`;
const { values, positionals: patterns } = readOptions(HELP, {
  options: { accel: { type: "string" }, peers: { type: "string" }, show: { type: "boolean", default: false } },
  allowPositionals: true,
});
const { show } = values;
const accelerators =
  values.accel === undefined ? ACCELERATOR_NAMES : namesOption("accel", values.accel, ACCELERATOR_NAMES);
const peerNames = values.peers === undefined ? PEER_NAMES : namesOption("peers", values.peers, [...PEER_NAMES, "none"]);

function systems(): System[] {
  const wanted = ACCELERATORS.filter(({ name }) => accelerators.includes(name));
  const found: System[] = wanted.map((accelerator) => ({
    name: `wkvm ${accelerator.name}`,
    knownFailures: WKVM,
    run: (image) => runOnWkvm(accelerator, image),
  }));
  for (const peer of PEERS.filter(({ name }) => peerNames.includes(name))) {
    const missing = peer.missing();
    if (missing === undefined) found.push(peer);
    else console.log(`skipped ${peer.name}: ${missing}`);
  }
  return found;
}

async function main(): Promise<number> {
  const missing = await compilerMissing();
  if (missing !== undefined) {
    console.error(missing);
    return 1;
  }
  const builder = new PayloadBuilder();
  const chosen = listPayloads().filter(
    ({ name }) => patterns.length === 0 || patterns.some((pattern) => name.includes(pattern)),
  );
  let failed = 0;
  for (const { name, knownFailures, run } of systems()) {
    const started = performance.now();
    let checks = 0;
    let known = 0;
    let skipped = 0;
    for (const payload of chosen) {
      const result = await run(await builder.build(payload));
      if (show) console.log(result.output);
      const verdict = judge(payload.name, result, knownChecks(knownFailures));
      checks += verdict.checks;
      known += verdict.known.length;
      skipped += verdict.skipped.length;
      failed += verdict.complaints.length;
      for (const text of verdict.complaints) console.log(`${name}: ${text}`);
      for (const text of verdict.mended) console.log(`${name}: ${text}: is on the list of known failures, and passes`);
      if (show) for (const text of verdict.skipped) console.log(`${name}: skipped ${text}`);
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${name}: ${checks} checks, ${known} known failures, ${skipped} skipped (${seconds} s)`);
  }
  return failed === 0 ? 0 : 1;
}

process.exit(await main());
