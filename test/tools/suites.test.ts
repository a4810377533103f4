// What `npm run suites` makes of a suite's list and of how its programs end: on folders made here, with a program that
// stands for the machine.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";

interface Machine {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly isQemu: boolean;
}

interface Outcome {
  readonly arch: string;
  readonly rows: { name: string; results: Record<string, { verdict: string; reason: string }> }[];
}

type RunSuite = (folder: string, machines: Machine[], options: object) => Promise<Outcome>;

const tool = (name: string) => import(pathToFileURL(join(process.env["WKVM_ROOT"] ?? "", "tools/suites", name)).href);
const folder = mkdtempSync(join(tmpdir(), "wkvm-suites-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A machine that is the program `source`, with the machine's arguments in `args` and `value(option)` of one. */
function machineOf(name: string, source: string): Machine {
  const path = join(folder, `${name}.mjs`);
  const head = "const args = process.argv.slice(2); const value = (o) => args[args.indexOf(o) + 1];";
  writeFileSync(path, `import { writeFileSync } from "node:fs"; ${head} ${source}`);
  return { name, command: process.execPath, args: [path], isQemu: false };
}

async function verdicts(run: RunSuite, path: string, machines: Machine[], timeoutSeconds: number) {
  const options = { only: [], timeoutSeconds, slowdown: 1, report: () => {} };
  const { rows } = await run(path, machines, options);
  return rows.map(({ name, results }) => [name, ...machines.map((machine) => results[machine.name]?.verdict)]);
}

test("kvm-unit-tests: entries of the architecture, judged by status and output", { timeout: 60_000 }, async () => {
  const source = join(folder, "kut");
  mkdirSync(join(source, "x86"), { recursive: true });
  writeFileSync(join(source, "config.mak"), `SRCDIR=${source}\nARCH=i386\n`);
  const entries = [
    ["good", "test_args = 'a b'", "qemu_params = -cpu max,+x"],
    ["bad", "smp = 2"],
    ["skipped"],
    ["silent"],
    ["other", "arch = x86_64"],
  ];
  const list = entries.map(([name, ...fields]) => [`[${name}]`, `file = ${name}.flat`, ...fields, ""].join("\n"));
  writeFileSync(join(source, "x86", "unittests.cfg"), list.join("\n"));
  const machine = machineOf(
    "stand-in",
    `const kernel = value("-kernel");
     if (kernel.endsWith("good.flat") && value("-append") === "a b" && value("-cpu") === "max,+x") console.log("PASS: x");
     if (kernel.endsWith("bad.flat")) { console.log("PASS: x\\nFAIL: y"); process.exit(3); }
     if (kernel.endsWith("skipped.flat")) { console.log("SKIP: nothing"); process.exit(77); }
     process.exit(1);`,
  );
  const { runUnitTests } = (await tool("kvm-unit-tests.mjs")) as { runUnitTests: RunSuite };
  assert.deepEqual(await verdicts(runUnitTests, source, [machine], 30), [
    ["good", "pass"],
    ["bad", "fail"],
    ["skipped", "skip"],
    ["silent", "fail"],
  ]);
});

test("test386: the last diagnostic code and the whole text are asked for", { timeout: 60_000 }, async () => {
  const source = join(folder, "test386");
  mkdirSync(join(source, "src"), { recursive: true });
  writeFileSync(join(source, "src", "configuration.asm"), "POST_PORT equ 0x190\nOUT_PORT equ 0xE9\n");
  writeFileSync(join(source, "test386-EE-reference.txt"), "one\ntwo\n");
  writeFileSync(join(source, "test386.bin"), "");
  // It goes on until it is ended, as the ROM does.
  const rom = (codes: number[], text: string) =>
    `const path = (id) => args.find((arg) => arg.startsWith("file,id=" + id)).split("path=")[1];
     if (!args.includes("isa-debugcon,iobase=0x190,chardev=post")) process.exit(1);
     writeFileSync(path("text"), ${JSON.stringify(text)});
     writeFileSync(path("post"), Uint8Array.from(${JSON.stringify(codes)}));
     setInterval(() => {}, 1000);`;
  const machines = [
    machineOf("right", rom([0, 0xee, 0xff], "one\ntwo\n")),
    machineOf("wrong", rom([0, 0xee, 0xff], "one\n2\n")),
    machineOf("stopped", rom([0, 0x20], "one\ntwo\n")),
  ];
  const { runTest386 } = (await tool("test386.mjs")) as { runTest386: RunSuite };
  assert.deepEqual(await verdicts(runTest386, source, machines, 6), [["test386.bin", "pass", "fail", "fail"]]);
});
