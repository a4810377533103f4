// npm run bench: measures wkvm beside its peers in one interleaved run, and writes what it found.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandError } from "../host/guest/command.ts";
import { buildBase } from "./base.ts";
import { bootPart, keepCode } from "./boot.ts";
import { chart } from "./chart.ts";
import { BASE, compare, comparisonTable } from "./compare.ts";
import type { Context } from "./context.ts";
import { countersPart, tracesPart } from "./counters.ts";
import { eventsPart } from "./events.ts";
import { type GuestFiles, guestFiles } from "./guest-files.ts";
import { describeHost, type HostInfo } from "./host-info.ts";
import { idlePart } from "./idle.ts";
import { differences, joined } from "./join.ts";
import { markdown } from "./markdown.ts";
import { killAll } from "./measured-process.ts";
import { HELP, OptionError, type Options, type Part, parseOptions } from "./options.ts";
import { bochs } from "./peers/bochs.ts";
import { type Emulator, type EmulatorOrReason, forQuickRun } from "./peers/emulator.ts";
import { tcg } from "./peers/qemu.ts";
import { v86 } from "./peers/v86.ts";
import { WKVM, wkvm } from "./peers/wkvm.ts";
import { profilePart } from "./profile.ts";
import { PROGRAMS } from "./program-list.ts";
import { programsPart } from "./programs.ts";
import { withFigures } from "./readme.ts";
import { FORMAT, type Results } from "./results.ts";
import { sizePart } from "./size.ts";
import { startPart } from "./start.ts";
import { vmsPart } from "./vms.ts";

const root = process.env["WKVM_ROOT"] ?? process.cwd();

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(HELP);
    return 0;
  }
  const options = parseOptions(args, Object.keys(PROGRAMS));
  if (options.readme !== undefined) {
    quote(options.readme);
    return 0;
  }
  if (process.platform !== "linux")
    throw new OptionError("the bench reads /proc and runs Debian's packages: Linux only");
  const earlier = options.onto === undefined ? undefined : readResults("--onto", options.onto);
  const work = mkdtempSync(join(tmpdir(), "wkvm-bench-"));
  process.on("exit", () => {
    killAll();
    rmSync(work, { recursive: true, force: true });
  });
  for (const [signal, number] of [
    ["SIGINT", 2],
    ["SIGTERM", 15],
    ["SIGHUP", 1],
  ] as const) {
    process.on(signal, () => process.exit(128 + number));
  }
  const host = describeHost();
  const notRun: string[] = [];
  const context = await contextOf(options, work, notRun);
  const conditions = conditionsOf(context, host, notRun);
  const unlike = earlier ? differences(earlier, conditions) : [];
  if (unlike.length > 0) throw new OptionError(`--onto ${options.onto}: ${unlike.join("; ")}`);
  const results = { ...conditions, ...(await measure(context)) };
  if (earlier) save(stemOf(options.onto!), joined(earlier, results));
  else write(results, options);
  return options.base === undefined ? 0 : judge(results, context);
}

async function contextOf(options: Options, work: string, notRun: string[]): Promise<Context> {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const program = join(root, "dist", "wkvm.js");
  const bundle = (name: string): string => join(dirname(fileURLToPath(import.meta.url)), name);
  const guests = await availableGuests(options, notRun);
  const firmware = guests.find(({ bits }) => bits === 32)?.firmware;
  const peers: EmulatorOrReason[] = [];
  if (options.peers.includes("tcg")) peers.push(...tcg());
  if (options.peers.includes("v86") && options.bits.includes(32)) peers.push(v86(bundle("v86-runner.mjs"), firmware));
  if (options.peers.includes("bochs")) peers.push(bochs(join(work, "bochs")));
  const emulators: Emulator[] = chosen(wkvm(program, version), options.accelerators);
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const base = options.base === undefined ? undefined : buildBase(root, options.base, say);
  if (base) emulators.push(...wkvm(base.program, base.commit, BASE).filter(counterpart(emulators)));
  for (const peer of peers) {
    if ("missing" in peer) notRun.push(`${peer.name}: ${peer.missing}`);
    else emulators.push(peer);
  }
  return {
    options,
    guests,
    root,
    work,
    wkvm: program,
    probe: bundle("probe.mjs"),
    profileProbe: bundle("profile-probe.mjs"),
    vmsProbe: bundle("vms-probe.mjs"),
    emulators: options.quick && options.base === undefined ? forQuickRun(emulators) : emulators,
    skip: (what) => void notRun.push(what),
    say,
    base: base?.commit,
  };
}

/** Writes README's figures from a file of results, and what lies beside that file anew. */
function quote(path: string): void {
  const file = relative(root, resolve(path));
  if (file.startsWith("..") || !file.endsWith(".json"))
    throw new OptionError(`--readme ${path}: no .json of this checkout`);
  const results = readResults("--readme", path);
  const readme = join(root, "README.md");
  writeFileSync(readme, withFigures(readFileSync(readme, "utf8"), file, results));
  writeReports(stemOf(path), results);
}

/** Results from the file that an option names. Throws OptionError for what is none. */
function readResults(option: string, path: string): Results {
  if (!path.endsWith(".json") || !existsSync(path)) throw new OptionError(`${option} ${path}: no such .json`);
  const results = parsed(readFileSync(path, "utf8")) as Partial<Results> | undefined;
  if (results?.format !== FORMAT) throw new OptionError(`${option} ${path}: of another form than this bench's`);
  return results as Results;
}

/** Undefined for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A results file's path without its ".json": what lies beside it is named alike. */
function stemOf(path: string): string {
  return path.slice(0, -".json".length);
}

/** Files for each width that is asked for; what cannot be had is noted, if the other can. */
async function availableGuests({ bits }: Options, notRun: string[]): Promise<GuestFiles[]> {
  const found: GuestFiles[] = [];
  for (const width of bits) {
    try {
      found.push(await guestFiles(width));
    } catch (error) {
      if (!(error instanceof CommandError) || (width === bits.at(-1) && found.length === 0)) throw error;
      notRun.push(`${width}-bit guests: ${error.message}`);
    }
  }
  return found;
}

/** Those of wkvm's runners that are asked for. Throws OptionError for one that there is not. */
function chosen(all: readonly Emulator[], accelerators: readonly string[]): Emulator[] {
  for (const name of accelerators) {
    if (all.some((runner) => runner.name === WKVM + name)) continue;
    throw new OptionError(
      `--accel ${name}: there are ${all.map((runner) => runner.name.slice(WKVM.length)).join(", ")}`,
    );
  }
  return all.filter(({ name }) => accelerators.length === 0 || accelerators.includes(name.slice(WKVM.length)));
}

/** Whether a runner of the base has one of this revision to be compared with. */
function counterpart(emulators: readonly Emulator[]): (base: Emulator) => boolean {
  return ({ name }) => emulators.some((own) => own.name === WKVM + name.slice(BASE.length));
}

/** Results before anything is measured. */
function conditionsOf({ options, emulators }: Context, host: HostInfo, notRun: string[]): Results {
  const native: Record<string, string> = options.peers.includes("native")
    ? { native: "this machine, without any emulation" }
    : {};
  const kvm: Record<string, string> = options.peers.includes("kvm")
    ? { kvm: "this machine's /dev/kvm, flat ring-3 code without a kernel" }
    : {};
  return {
    format: FORMAT,
    date: new Date().toISOString(),
    revision: revision(),
    host,
    options: {
      quick: options.quick,
      reps: options.reps,
      scale: options.scale,
      learn: options.learn,
      together: options.together,
    },
    runners: {
      ...native,
      ...kvm,
      ...Object.fromEntries(emulators.map(({ name, description }) => [name, description])),
    },
    notRun,
  };
}

/** The parts that are asked for. */
async function measure(context: Context): Promise<Partial<Results>> {
  const { parts } = context.options;
  const wants = (part: Part): boolean => parts.includes(part);
  if (parts.some((part) => part !== "size")) await keepCode(context);
  return {
    ...(wants("size") ? { size: sizePart(context) } : {}),
    ...(wants("start") ? { start: await startPart(context) } : {}),
    ...(wants("boot") ? { boot: await bootPart(context) } : {}),
    ...(wants("idle") ? { idle: await idlePart(context) } : {}),
    ...(wants("events") ? { events: await eventsPart(context) } : {}),
    ...(wants("vms") ? { vms: await vmsPart(context) } : {}),
    ...(wants("counters") ? { counters: await countersPart(context) } : {}),
    ...(wants("programs") ? { programs: await programsPart(context) } : {}),
    ...(wants("profile") ? { profiles: await profilePart(context) } : {}),
    ...(wants("traces") ? { traces: await tracesPart(context) } : {}),
  };
}

/** The commit, with "+" behind it where files differ from it. */
function revision(): string {
  const git = (...args: string[]): string =>
    spawnSync("git", args, { cwd: root, encoding: "utf8" }).stdout?.trim() ?? "";
  const dirty = git("status", "--porcelain", "--untracked-files=no", "--", "assembly", "host") !== "";
  return `${git("rev-parse", "--short", "HEAD") || "unknown"}${dirty ? "+" : ""}`;
}

/** Tells how this revision compares with the base; the exit status: 1 if it is slower, or nothing could be compared. */
function judge(results: Results, { options, base }: Context): number {
  const comparisons = compare(results, options.tolerance);
  process.stdout.write(`\n${comparisonTable(comparisons, base ?? "", options.tolerance)}`);
  return comparisons.length === 0 || comparisons.some(({ slower }) => slower) ? 1 : 0;
}

/** Into a file named after the day and the machine, unless none is wanted; the Markdown is printed anyway. */
function write(results: Results, { output }: Options): void {
  const { host, date } = results;
  const machine = `${host.processor
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "")}-${host.cores}`;
  const name = `${date.slice(0, 10)}-${machine}`;
  if (output === "-") {
    process.stdout.write(`${markdown(results, `${name}.svg`)}\n`);
    return;
  }
  const folder = output ?? join(root, "bench", "results");
  mkdirSync(folder, { recursive: true });
  const stem = join(folder, name);
  save(stem, withFormerParts(results, `${stem}.json`));
}

/** JSON, Markdown and picture beside one another; the Markdown is printed too. */
function save(stem: string, results: Results): void {
  process.stdout.write(`${markdown(results, `${basename(stem)}.svg`)}\n`);
  writeFileSync(`${stem}.json`, `${JSON.stringify(results, null, 2)}\n`);
  writeReports(stem, results);
  process.stderr.write(`written: ${stem}.{json,md,svg}\n`);
}

/** Tables and picture of results, beside their JSON. */
function writeReports(stem: string, results: Results): void {
  writeFileSync(`${stem}.md`, markdown(results, `${basename(stem)}.svg`));
  writeFileSync(`${stem}.svg`, chart(results));
}

/** Parts that a former run of the day measured on the same revision in the same way, and this one did not. */
function withFormerParts(results: Results, path: string): Results {
  if (!existsSync(path)) return results;
  const former = JSON.parse(readFileSync(path, "utf8")) as Results;
  const same = (of: (r: Results) => unknown): boolean => JSON.stringify(of(former)) === JSON.stringify(of(results));
  if (!same((r) => [r.format, r.revision, r.options])) return results;
  return {
    ...former,
    ...results,
    runners: { ...former.runners, ...results.runners },
    notRun: [...new Set([...former.notRun, ...results.notRun])],
  };
}

try {
  process.exitCode = await main();
} catch (error) {
  killAll();
  const expected = error instanceof OptionError || error instanceof CommandError;
  process.stderr.write(`bench: ${expected ? (error as Error).message : (error as Error).stack}\n`);
  process.exitCode = 1;
}
