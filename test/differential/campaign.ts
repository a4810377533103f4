// A run of the differential engine over a given time, with what it found grouped by form and field.
import type { KvmCpuidEntry } from "../../host/kvm/cpuid-table.ts";
import { guestCpuid, guestFeatureBits, guestFeatures } from "../oracle/guest-cpuid.ts";
import { hostFeatureBits, hostFeatures, Silicon } from "../oracle/silicon.ts";
import type { Oracle } from "./drawn-batches.ts";
import { copyResult, Engine, type Mismatch } from "./engine.ts";
import { type Features, Generator } from "./generator.ts";
import { describe } from "./report.ts";
import { createTiers, TIER_NAMES, type Tier } from "./tiers.ts";

export interface CampaignOptions {
  seconds: number;
  seed: number;
  /** Only forms whose name matches. */
  only?: RegExp | undefined;
  /** The oracle alone. */
  native?: boolean;
  /** The tier that says what is expected of the others, where it is not the host's processor. */
  reference?: string | undefined;
  /** One case in this many is a sequence; 0: none. */
  sequences: number;
  /** Tiers by name; all where absent. */
  tiers?: readonly string[] | undefined;
  /** Told once: the table's forms in all modes, and the encodings that it has nothing for. */
  onStart?: (known: number, unknown: number) => void;
  /** Groups that are made minimal and described. */
  described?: number;
}

export interface MismatchGroup {
  /** Tier, form and first differing field. */
  name: string;
  count: number;
  /** A minimal reproducer; "" beyond `described` groups. */
  text: string;
  /** The mismatch that the text describes. */
  mismatch: Mismatch;
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

/** Runs a campaign. Without a tier for reference the host must be able to be the oracle (siliconMissing()). */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const cpuid = await guestCpuid();
  const { reference, native } = options;
  const features = native ? hostProcessor() : reference ? guestProcessor(cpuid) : commonFeatures(cpuid);
  const tiers = native ? [] : await createTiers(options.tiers ?? TIER_NAMES, cpuid);
  const oracle = reference ? oracleOf((await createTiers([reference], cpuid))[0]!) : new Silicon();
  try {
    return await campaign(new Engine(oracle, tiers, new Generator({ ...options, features })), options);
  } finally {
    oracle.close();
  }
}

/** A tier that is believed: what the others are compared with. */
function oracleOf(tier: Tier): Oracle {
  return {
    submit: async (batch, count) => {
      const results = batch.cases.slice(0, count).map((test) => copyResult(tier.run(test)));
      return { answer: Promise.resolve(results) };
    },
    close: () => {},
  };
}

function guestProcessor(cpuid: readonly KvmCpuidEntry[]): Features {
  return { names: guestFeatures(cpuid), bits: guestFeatureBits(cpuid) };
}

function hostProcessor(): Features {
  return { names: hostFeatures(), bits: hostFeatureBits() };
}

/** What both the host's processor and a guest with that CPUID table have. */
export function commonFeatures(cpuid: readonly KvmCpuidEntry[]): Features {
  const both = <T>(x: ReadonlySet<T>, y: ReadonlySet<T>): Set<T> => new Set([...x].filter((value) => y.has(value)));
  const host = hostProcessor();
  const guest = guestProcessor(cpuid);
  return { names: both(host.names, guest.names), bits: both(host.bits, guest.bits) };
}

async function campaign(engine: Engine, options: CampaignOptions): Promise<CampaignResult> {
  options.onStart?.(engine.generator.known.length, engine.generator.unknown.length);

  const found = new Map<string, { count: number; first: Mismatch }>();
  const started = performance.now();
  const until = started + options.seconds * 1000;
  while (performance.now() < until) {
    for (const mismatch of await engine.step()) {
      const name = `${mismatch.tier.name}: ${mismatch.form} ${mismatch.differences[0]!.field.replace(/[.+\d].*/, "")}`;
      const group = found.get(name);
      if (group) group.count++;
      else found.set(name, { count: 1, first: mismatch });
    }
  }
  const seconds = (performance.now() - started) / 1000;
  const groups: MismatchGroup[] = [];
  for (const [name, { count, first }] of [...found].sort((a, b) => b[1].count - a[1].count)) {
    const wanted = groups.length < (options.described ?? Number.POSITIVE_INFINITY);
    const mismatch = wanted ? await engine.minimize(first) : first;
    groups.push({ name, count, text: wanted ? describe(mismatch) : "", mismatch });
  }
  return {
    cases: engine.cases,
    casesPerSecond: engine.cases / seconds,
    mismatches: groups.reduce((sum, { count }) => sum + count, 0),
    groups,
    coverage: engine.coverage,
  };
}
