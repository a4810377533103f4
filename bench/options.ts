// What the command line of `npm run bench` says.

/** Names of the parts, in the order in which they run. */
export const PARTS = ["size", "start", "boot", "idle", "counters", "programs", "traces"] as const;
export type Part = (typeof PARTS)[number];
/** Counting traces takes long and changes seldom: only where it is asked for. */
const USUAL = PARTS.filter((part) => part !== "traces");

/** Names of what wkvm is measured against. */
export const PEERS = ["native", "tcg", "bochs"] as const;
export type Peer = (typeof PEERS)[number];

export interface Options {
  /** Smaller programs, one round, the 6.12 kernel only. */
  readonly quick: boolean;
  readonly peers: readonly Peer[];
  /** Parts to run. */
  readonly parts: readonly Part[];
  /** Programs to run; empty: all of them. */
  readonly programs: readonly string[];
  /** Rounds: each runner has its turn once a round, in a fresh process. */
  readonly reps: number;
  /** A folder for the results instead of bench/results; "-": none are written. */
  readonly output: string | undefined;
}

export class OptionError extends Error {
  override readonly name = "OptionError";
}

export const HELP = `npm run bench -- [options]
  --quick        one round of smaller work, one kernel
  --peers LIST   which peers to run, of ${PEERS.join(",")} (default: all; none: wkvm alone)
  --only NAME    only this part (${PARTS.join(", ")})
                 or only this guest program; may be repeated or list several.
                 traces (counts of the core's own traces) runs only when named
  --reps N       rounds (default 3; 1 with --quick)
  --output DIR   where the results go instead of bench/results; - writes none
`;

/** Throws OptionError for what is not understood. */
export function parseOptions(args: readonly string[], programs: readonly string[]): Options {
  const parts = new Set<Part>();
  const chosen: string[] = [];
  let quick = false;
  let peers: readonly Peer[] = PEERS;
  let reps: number | undefined;
  let output: string | undefined;
  const rest = [...args];
  const value = (name: string): string => {
    const next = rest.shift();
    if (next === undefined) throw new OptionError(`${name}: a value is missing`);
    return next;
  };
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === "--quick") quick = true;
    else if (name === "--peers") peers = peerList(value(name));
    else if (name === "--reps") reps = count(value(name));
    else if (name === "--output") output = value(name);
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
  if (chosen.length > 0) parts.add("programs");
  return {
    quick,
    peers,
    parts: parts.size === 0 ? USUAL : PARTS.filter((part) => parts.has(part)),
    programs: chosen,
    reps: reps ?? (quick ? 1 : 3),
    output,
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

function count(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 100) throw new OptionError(`--reps ${text}: 1 to 100`);
  return number;
}
