// A run of the differential engine over a given time, with what it found grouped by form and field.
import { guestCpuid, guestFeatures } from "../oracle/guest-cpuid.ts";
import { hostFeatures, Silicon } from "../oracle/silicon.ts";
import { WkvmRunner } from "../oracle/wkvm-runner.ts";
import { Engine, type Mismatch } from "./engine.ts";
import { describe } from "./report.ts";

export interface CampaignOptions {
  seconds: number;
  seed: number;
  /** Only forms whose name matches. */
  only?: RegExp | undefined;
  /** The oracle alone. */
  native?: boolean;
  /** One case in this many is a sequence; 0: none. */
  sequences: number;
  /** Told once: the forms that do something, and those that only raise #UD. */
  onProbed?: (defined: number, undefinedForms: number) => void;
  /** Groups that are made minimal and described. */
  described?: number;
}

export interface MismatchGroup {
  /** Form and first differing field. */
  name: string;
  count: number;
  /** A minimal reproducer; "" beyond `described` groups. */
  text: string;
}

export interface CampaignResult {
  cases: number;
  casesPerSecond: number;
  mismatches: number;
  /** Most frequent first. */
  groups: MismatchGroup[];
  /** Cases by form and by vector. */
  coverage: ReadonlyMap<string, ReadonlyMap<number, number>>;
}

/** Runs a campaign. The host must be able to be the oracle (siliconMissing()). */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const host = hostFeatures();
  const cpuid = options.native ? [] : await guestCpuid();
  const features = options.native ? host : new Set([...guestFeatures(cpuid)].filter((name) => host.has(name)));
  const runner = options.native ? undefined : await WkvmRunner.create(cpuid);
  const silicon = new Silicon();
  try {
    return await campaign(new Engine(silicon, runner, { ...options, features }), options);
  } finally {
    silicon.close();
  }
}

async function campaign(engine: Engine, options: CampaignOptions): Promise<CampaignResult> {
  const probed = await engine.probe();
  options.onProbed?.(probed.defined, probed.undefined);

  const found = new Map<string, { count: number; first: Mismatch }>();
  const started = performance.now();
  const until = started + options.seconds * 1000;
  while (performance.now() < until) {
    for (const mismatch of await engine.step()) {
      const name = `${mismatch.form} ${mismatch.differences[0]!.field.replace(/[.+\d].*/, "")}`;
      const group = found.get(name);
      if (group) group.count++;
      else found.set(name, { count: 1, first: mismatch });
    }
  }
  const seconds = (performance.now() - started) / 1000;
  const groups: MismatchGroup[] = [];
  for (const [name, { count, first }] of [...found].sort((a, b) => b[1].count - a[1].count)) {
    const wanted = groups.length < (options.described ?? Number.POSITIVE_INFINITY);
    groups.push({ name, count, text: wanted ? describe(await engine.minimize(first)) : "" });
  }
  return {
    cases: engine.cases,
    casesPerSecond: engine.cases / seconds,
    mismatches: groups.reduce((sum, { count }) => sum + count, 0),
    groups,
    coverage: engine.coverage,
  };
}
