// What the command line of `npm run bench` says.

import type { Bits } from "./peers/emulator.ts";

/** Names of the parts, in the order in which they run. */
export const PARTS = [
  "size",
  "start",
  "boot",
  "idle",
  "events",
  "vms",
  "counters",
  "programs",
  "traces",
  "profile",
] as const;
export type Part = (typeof PARTS)[number];
/** Counting traces takes long and changes seldom, and profiles are for reading: only where they are asked for. */
const USUAL = PARTS.filter((part) => part !== "traces" && part !== "profile");

/** What has a run in each round: two revisions are compared by it, and rounds can be added to it. */
const IN_ROUNDS: readonly Part[] = ["boot", "programs"];
const DEFAULT_TOLERANCE_PERCENT = 10;

const QUICK_SCALE = 1;
const FULL_SCALE = 8;
/** From the third run behind the first one on a guest gains hardly more (docs/decisions/0038). */
const FULL_LEARN = 3;

/** Names of what wkvm is measured against. */
export const PEERS = ["native", "kvm", "tcg", "v86", "bochs"] as const;
export type Peer = (typeof PEERS)[number];

const WIDTHS: readonly Bits[] = [64, 32];

export interface Options {
  /** Smaller programs, one round, the newest kernels only. */
  readonly quick: boolean;
  /** wkvm's accelerators to run; empty: all that it has. */
  readonly accelerators: readonly string[];
  /** Widths of guests. */
  readonly bits: readonly Bits[];
  /** Programs share a boot, instead of having a fresh process each. */
  readonly together: boolean;
  readonly peers: readonly Peer[];
  /** Parts to run. */
  readonly parts: readonly Part[];
  /** Programs to run; empty: all of them. */
  readonly programs: readonly string[];
  /** How much work one run of a program is; a unit takes a native processor about 5 ms. */
  readonly scale: number;
  /** Rounds: each runner has its turn once a round, in a fresh process. */
  readonly reps: number;
  /** Runs of a guest that are not measured come first, of what leaves something for its later runs. */
  readonly learn: number;
  /** A folder for the results instead of bench/results; "-": none are written. */
  readonly output: string | undefined;
  /** Another revision of this repository to compare with. */
  readonly base: string | undefined;
  /** The share by which times may grow against `base`. */
  readonly tolerance: number;
  /** A results file to write README's figures from, instead of measuring. */
  readonly readme: string | undefined;
  /** A results file that the rounds measured are added to, instead of a file of their own. */
  readonly onto: string | undefined;
}

export class OptionError extends Error {
  override readonly name = "OptionError";
}

export const HELP = `npm run bench -- [options]
  --quick        one round of smaller work, one kernel
  --peers LIST   which peers to run, of ${PEERS.join(",")} (default: all; none: wkvm alone)
  --accel LIST   which of wkvm's accelerators to run (default: all that -accel help lists, and NAME-first,
                 which keeps nothing for later processes: all others are measured behind runs of the same guest)
  --bits LIST    which guests to run, of ${WIDTHS.join(",")} (default: both)
  --only NAME    only this part (${PARTS.join(", ")})
                 or only this guest program; may be repeated or list several.
                 traces (counts of the core's own traces) runs only when named
  --together     the guest programs share one boot, so that only the first is cold;
                 --quick implies it. Otherwise each has a fresh process
  --scale N      how much work a run of a program is, N times about 5 ms of a native processor
                 (default ${FULL_SCALE}; ${QUICK_SCALE} with --quick)
  --reps N       rounds (default 3; 1 with --quick)
  --learn N      how many runs of the same guest those are (default ${FULL_LEARN}; 1 with --quick)
  --prof         tells instead which functions of the guest, and which parts of wkvm, take
                 the time of a boot, or of the programs that --only names
  --base REV     measures another revision of this repository in turn with this one, and
                 fails where this one is slower (without peers, boots and programs, and
                 without results written, unless the options for those say otherwise)
  --tolerance P  how many percent slower is too much (default ${DEFAULT_TOLERANCE_PERCENT})
  --output DIR   where the results go instead of bench/results; - writes none
  --onto FILE    adds the rounds measured to those of these results (.json), of the same
                 revision, processor and runners' versions; the file is written anew, with its
                 tables and picture (boots and programs, unless --only says otherwise)
  --readme FILE  measures nothing: writes README's figures from these results (.json),
                 and their tables and picture anew
`;

/** Throws OptionError for what is not understood. */
export function parseOptions(args: readonly string[], programs: readonly string[]): Options {
  const parts = new Set<Part>();
  const chosen: string[] = [];
  let quick = false;
  let peers: readonly Peer[] | undefined;
  let scale: number | undefined;
  let reps: number | undefined;
  let learn: number | undefined;
  let output: string | undefined;
  let accelerators: readonly string[] = [];
  let bits = WIDTHS;
  let together = false;
  let base: string | undefined;
  let prof = false;
  let readme: string | undefined;
  let onto: string | undefined;
  let tolerancePercent = DEFAULT_TOLERANCE_PERCENT;
  const rest = [...args];
  const value = (name: string): string => {
    const next = rest.shift();
    if (next === undefined) throw new OptionError(`${name}: a value is missing`);
    return next;
  };
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === "--quick") quick = true;
    else if (name === "--peers") peers = peerList(value(name));
    else if (name === "--accel") accelerators = value(name).split(",");
    else if (name === "--bits") bits = widthList(value(name));
    else if (name === "--together") together = true;
    else if (name === "--prof") prof = true;
    else if (name === "--base") base = value(name);
    else if (name === "--tolerance") tolerancePercent = percentage(value(name));
    else if (name === "--scale") scale = count("--scale", value(name));
    else if (name === "--reps") reps = count("--reps", value(name));
    else if (name === "--learn") learn = count("--learn", value(name));
    else if (name === "--output") output = value(name);
    else if (name === "--readme") readme = value(name);
    else if (name === "--onto") onto = value(name);
    else if (name === "--only") {
      for (const word of value(name).split(",")) {
        if ((PARTS as readonly string[]).includes(word)) parts.add(word as Part);
        else if (programs.includes(word)) chosen.push(word);
        else
          throw new OptionError(
            `--only ${word}: neither a part (${PARTS.join(", ")}) nor a program (${programs.join(", ")})`,
          );
      }
    } else throw new OptionError(`unknown option ${name}\n${HELP}`);
  }
  if (onto !== undefined) {
    const others = { "--output": output, "--base": base, "--readme": readme, "--prof": prof || undefined };
    for (const [name, other] of Object.entries(others))
      if (other !== undefined) throw new OptionError(`--onto ${onto}: not together with ${name}`);
    if (parts.size > 0 && chosen.length === 0 && !IN_ROUNDS.some((part) => parts.has(part)))
      throw new OptionError(`--onto ${onto}: of the parts only ${IN_ROUNDS.join(" and ")} have rounds`);
  }
  if (prof) {
    parts.clear();
    parts.add("profile");
    peers ??= [];
    output ??= "-";
  } else if (chosen.length > 0) parts.add("programs");
  const usual = base === undefined && onto === undefined ? USUAL : IN_ROUNDS;
  return {
    quick,
    peers: peers ?? (base === undefined ? PEERS : []),
    accelerators,
    bits,
    together: together || quick,
    parts: parts.size === 0 ? usual : PARTS.filter((part) => parts.has(part)),
    programs: chosen,
    scale: scale ?? (quick ? QUICK_SCALE : FULL_SCALE),
    reps: reps ?? (quick ? 1 : 3),
    learn: learn ?? (quick ? 1 : FULL_LEARN),
    output: output ?? (base === undefined ? undefined : "-"),
    base,
    tolerance: tolerancePercent / 100,
    readme,
    onto,
  };
}

function peerList(text: string): readonly Peer[] {
  if (text === "none") return [];
  return text.split(",").map((name) => {
    if (!(PEERS as readonly string[]).includes(name))
      throw new OptionError(`--peers ${name}: there are ${PEERS.join(", ")}`);
    return name as Peer;
  });
}

function widthList(text: string): readonly Bits[] {
  const words = text.split(",");
  for (const word of words) {
    if (!WIDTHS.some((bits) => String(bits) === word)) throw new OptionError(`--bits ${word}: there are 64 and 32`);
  }
  return WIDTHS.filter((bits) => words.includes(String(bits)));
}

function percentage(text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !(number >= 0 && number <= 1000)) throw new OptionError(`--tolerance ${text}: 0 to 1000`);
  return number;
}

function count(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 100) throw new OptionError(`${name} ${text}: 1 to 100`);
  return number;
}
