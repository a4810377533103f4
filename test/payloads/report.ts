// What a payload said about its checks, and whether that is what is known of the system that it ran on.

/** How a machine ended, or that it did not. */
export type Ending = "exit" | "shutdown" | "hung";

export interface Run {
  readonly output: string;
  readonly ending: Ending;
}

export interface Verdict {
  readonly checks: number;
  /** Checks that fail and are not known to, and anything else that is wrong with the run. */
  readonly complaints: readonly string[];
  /** Known failures that have failed as known. */
  readonly known: readonly string[];
  /** Known failures that have passed. */
  readonly mended: readonly string[];
  readonly skipped: readonly string[];
}

const LINE = /^(ok|not ok|skip) ([^:\n]+?)(?:: (.*))?$/gm;
const LAST_LINE = /^(done|shutdown) ([0-9a-f]+)$/m;

/** Names, among known failures, a payload that does not come to its end. */
const THE_END = "the end";

/** Judges one payload's run; `knownFailures`: "payload: check". */
export function judge(payload: string, { output, ending }: Run, knownFailures: ReadonlySet<string>): Verdict {
  const complaints: string[] = [];
  const known: string[] = [];
  const mended: string[] = [];
  const skipped: string[] = [];
  const names = new Set<string>();
  const text = output.replaceAll("\r", "");
  for (const [line, word, name, rest] of text.matchAll(LINE)) {
    const key = `${payload}: ${name}`;
    if (word === "skip") {
      skipped.push(`${key}: ${rest}`);
      continue;
    }
    if (names.has(name!)) complaints.push(`${key}: two checks have this name`);
    names.add(name!);
    if (knownFailures.has(key)) (word === "ok" ? mended : known).push(key);
    else if (word === "not ok") complaints.push(`${payload}: ${line}`);
  }
  const end = wrongEnd(payload, text, ending, names.size);
  if (knownFailures.has(`${payload}: ${THE_END}`)) (end.length === 0 ? mended : known).push(`${payload}: ${THE_END}`);
  else complaints.push(...end);
  return { checks: names.size, complaints, known, mended, skipped };
}

function wrongEnd(payload: string, text: string, ending: Ending, checks: number): string[] {
  const last = LAST_LINE.exec(text);
  const want = last?.[1] === "shutdown" ? "shutdown" : "exit";
  if (last === null) return [`${payload}: ended (${ending}) before its last line, after:\n${lastChecks(text)}`];
  const found: string[] = [];
  if (ending !== want) found.push(`${payload}: ${ending} instead of ${want}`);
  if (Number.parseInt(last[2]!, 16) !== checks) found.push(`${payload}: ${checks} of 0x${last[2]} checks were printed`);
  return found;
}

/** The last lines that the payload itself wrote, or what else there is. */
function lastChecks(text: string): string {
  const lines = text.split("\n").filter((line) => /^(ok|not ok|skip|#) /.test(line));
  return lines.length === 0 ? text.slice(-500) : lines.slice(-3).join("\n");
}
