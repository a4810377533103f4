// The command as a process, around guests of a few instructions.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { command, runToEnd, Session } from "./session.ts";
import { multibootKernel, outByte, outText, STOP, TRIPLE_FAULT } from "./tiny-kernel.ts";

const folder = mkdtempSync(join(tmpdir(), "wkvm-cli-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function kernel(name: string, code: readonly number[]): string {
  const path = join(folder, name);
  writeFileSync(path, multibootKernel(code));
  return path;
}

const DEBUG_EXIT = ["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"];
const QUIET = ["-display", "none", "-serial", "none", "-monitor", "none"];
const stop = kernel("stop", STOP);

test("isa-debug-exit ends with (v << 1) | 1", async () => {
  const { status } = await runToEnd([
    ...QUIET,
    ...DEBUG_EXIT,
    "-kernel",
    kernel("exit", [...outByte(0xf4, 0x10), ...STOP]),
  ]);
  assert.equal(status, 0x21);
});

/** 64 KiB whose last 16 bytes are at the reset vector; `code` runs at f000:0000, below 1 MiB. */
function firmware(name: string, code: readonly number[]): string {
  const path = join(folder, name);
  const image = Buffer.alloc(0x10000, 0xf4);
  image.set(code);
  // jmp f000:0000
  image.set([0xea, 0x00, 0x00, 0x00, 0xf0], 0xfff0);
  writeFileSync(path, image);
  return path;
}

test("-bios starts an image at the reset vector, shows it below 1 MiB, and keeps it as it is", async () => {
  // mov byte cs:[0x100], 1 (to a ROM: nothing happens); mov ax, cs:[0x100] (the fill, 0xf4f4); mov dx, 0xf4; out dx, ax
  const write = [0x2e, 0xc6, 0x06, 0x00, 0x01, 0x01];
  const code = [...write, 0x2e, 0xa1, 0x00, 0x01, 0xba, 0xf4, 0x00, 0xef, 0xf4];
  const { status, errors } = await runToEnd([...QUIET, ...DEBUG_EXIT, "-bios", firmware("rom", code)]);
  assert.deepEqual([status, errors], [((0xf4f4 << 1) | 1) & 0xff, ""]);
});

test("a firmware image of an odd size is refused", async () => {
  const path = join(folder, "odd");
  writeFileSync(path, Buffer.alloc(1000));
  const { status, errors } = await runToEnd([...QUIET, "-bios", path]);
  assert.equal(status, 1);
  assert.match(errors, /multiple of 64 KiB/);
});

test("pc-testdev's echo register answers a guest", async () => {
  // mov eax, 0x12345603; out 0xe0, eax; xor eax, eax; in al, 0xe0; out 0xf4, al
  const code = [0xb8, 0x03, 0x56, 0x34, 0x12, 0xe7, 0xe0, 0x31, 0xc0, 0xe4, 0xe0, 0xe6, 0xf4, ...STOP];
  const { status } = await runToEnd([
    ...[...QUIET, "-device", "pc-testdev", ...DEBUG_EXIT],
    ...["-kernel", kernel("echo", code)],
  ]);
  assert.equal(status, 7);
});

test("serial port and debug console reach their files", async () => {
  const path = kernel("talk", [
    ...outText(0x3f8, "serial\n"),
    ...outText(0xe9, "debug\n"),
    ...outByte(0xf4, 0),
    ...STOP,
  ]);
  const serial = join(folder, "serial.txt");
  const debug = join(folder, "debug,con.txt");
  const args = ["-serial", `file:${serial}`, "-debugcon", `file:${debug}`, "-display", "none", "-monitor", "none"];
  const { status } = await runToEnd([...args, ...DEBUG_EXIT, "-kernel", path]);
  assert.equal(status, 1);
  assert.equal(readFileSync(serial, "utf8"), "serial\n");
  assert.equal(readFileSync(debug, "utf8"), "debug\n");
});

test("-serial stdio shows what the guest writes", async () => {
  const path = kernel("hello", [...outText(0x3f8, "hello"), ...outByte(0xf4, 1), ...STOP]);
  const { status, output } = await runToEnd(["-serial", "stdio", "-display", "none", ...DEBUG_EXIT, "-kernel", path]);
  assert.deepEqual([status, output], [3, "hello"]);
});

test("a triple fault under -no-reboot ends with status 0", async () => {
  const { status } = await runToEnd([...QUIET, "-no-reboot", "-kernel", kernel("triple", TRIPLE_FAULT)]);
  assert.equal(status, 0);
});

test("Ctrl-A h helps, Ctrl-A c reaches the monitor, Ctrl-A x leaves", async () => {
  const session = new Session(["-nographic", "-kernel", stop]);
  session.type("\x01h");
  await session.see(/C-a x {4}leave the emulator/);
  session.type("\x01c");
  await session.see(/\(qemu\) /);
  session.type("info status\r");
  await session.see(/VM status: running/);
  session.type("stop\rinfo status\r");
  await session.see(/VM status: paused/);
  session.type("info registers\r");
  await session.see(/RIP=/);
  session.type("info jit\r");
  await session.see(/regions +\d+ \(\d+ dropped, \d+ evicted, \d+ refused\)/);
  session.type("\x01x");
  const { status, output } = await session.finish();
  assert.equal(status, 0);
  assert.match(output, /wkvm: Terminated/);
});

test("the monitor's quit leaves a machine that never started", async () => {
  const session = new Session(["-S", "-display", "none", "-serial", "none", "-monitor", "stdio", "-kernel", stop]);
  await session.see(/\(qemu\) /);
  session.type("info status\n");
  await session.see(/VM status: paused/);
  session.type("quit\n");
  assert.equal((await session.finish()).status, 0);
});

test("-no-shutdown keeps a machine that switched itself off", async () => {
  // mov dx, 0x604; mov ax, 0x2000; out dx, ax: the sleep command of the PM1a control register (S5).
  const powerOff = [0x66, 0xba, 0x04, 0x06, 0x66, 0xb8, 0x00, 0x20, 0x66, 0xef];
  const path = kernel("off", [...powerOff, ...STOP]);
  assert.equal((await runToEnd([...QUIET, "-kernel", path])).status, 0);
  const console = ["-display", "none", "-serial", "none", "-monitor", "stdio"];
  const session = new Session([...console, "-no-shutdown", "-kernel", path]);
  await session.see(/\(qemu\) /);
  await new Promise((resolve) => setTimeout(resolve, 500));
  session.type("info status\n");
  await session.see(/VM status: paused \(shutdown\)/);
  session.type("system_reset\nquit\n");
  await session.see(/has switched itself off/);
  assert.equal((await session.finish()).status, 0);
});

test("a signal ends it in order", async () => {
  const session = new Session(["-nographic", "-kernel", kernel("ready", [...outText(0x3f8, "ready"), ...STOP])]);
  await session.see(/ready/);
  session.signal("SIGTERM");
  const { status, errors } = await session.finish();
  assert.equal(status, 0);
  assert.match(errors, /terminating on signal 15/);
});

test("-accel jit,profile=FILE keeps what was hot from one run to the next", async () => {
  const profile = join(folder, "hot");
  // mov ecx, 3000000; dec ecx; jnz back
  const busy = [0xb9, 0xc0, 0xc6, 0x2d, 0x00, 0x49, 0x75, 0xfd];
  const path = kernel("busy", [...busy, ...outByte(0xf4, 0x10), ...STOP]);
  const run = (file: string) => runToEnd([...QUIET, ...DEBUG_EXIT, "-accel", `jit,profile=${file}`, "-kernel", path]);
  for (const when of ["first", "second"]) {
    assert.equal((await run(profile)).status, 0x21, when);
    assert.ok(readFileSync(profile).length > 16, `${when} run: nothing was hot`);
  }
  writeFileSync(profile, "something else");
  const { status, errors } = await run(profile);
  assert.equal(status, 1);
  assert.match(errors, /profile '.*hot': this is no profile of hot code; remove it/);
  assert.equal(readFileSync(profile, "utf8"), "something else");
  assert.match((await run(folder)).errors, /could not open profile '.*': Is a directory/);
  assert.match(
    (await run(join(folder, "none", "hot"))).errors,
    /could not write profile '.*': No such file or directory/,
  );
});

test("-d and -trace log to a file", async () => {
  const log = join(folder, "log.txt");
  const path = kernel("log", [...outByte(0xf4, 0), ...STOP]);
  await runToEnd([...QUIET, ...DEBUG_EXIT, "-d", "in_asm,cpu,exec", "-trace", "kvm_*", "-D", log, "-kernel", path]);
  const text = readFileSync(log, "utf8");
  assert.match(text, /^kvm_io out port 00f4 size 1 count 1$/m);
  assert.match(text, /^kvm_exit vcpu 0 reason /m);
  assert.match(text, /^0x[0-9a-f]{16}: {2}b0 00 +mov al,0x0$/m);
  assert.match(text, /^Trace 0: \[0000000000100020\]$/m);
  assert.match(text, /^RIP=0000000000100020 /m);
});

// mov eax, ADDRESS; jmp eax
const jumpTo = (address: number): number[] => [
  0xb8,
  ...[0, 8, 16, 24].map((at) => (address >>> at) & 0xff),
  0xff,
  0xe0,
];

for (const [what, code] of [
  ["jumps into MMIO", jumpTo(0xfec00000)],
  ["runs off RAM", jumpTo(0x08000000 - 1)],
  ["jumps to where nothing is", jumpTo(0xd0000000)],
] as const) {
  test(`a guest that ${what} ends with its registers, not with a trap`, async () => {
    const { status, errors } = await runToEnd([...QUIET, "-no-reboot", "-kernel", kernel("wild", code)]);
    assert.ok(status === 0 || status === 1, `${status}`);
    if (status === 1) assert.match(errors, /^wkvm: [\s\S]*RIP=/);
    assert.doesNotMatch(errors, /\n {4}at |internal error:|RuntimeError/);
  });
}

const NOT_FOUND = join(folder, "missing");
const empty = join(folder, "empty");
writeFileSync(empty, "");
const text = join(folder, "text");
writeFileSync(text, "this is no kernel\n".repeat(200));
const aarch64 = join(folder, "aarch64");
writeFileSync(aarch64, elfHeader(183));
const truncated = join(folder, "truncated");
writeFileSync(truncated, multibootKernel(STOP).subarray(0, 20));
const large = join(folder, "large");
writeFileSync(large, new Uint8Array(40 * 2 ** 20));

/** The header of a 64-bit ELF executable for a machine (EM_*), and nothing more. */
function elfHeader(machine: number): Uint8Array {
  const header = Buffer.alloc(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeUInt16LE(64, 52);
  return header;
}

const BAD: [what: string, args: string[], message: RegExp][] = [
  ["a missing kernel", ["-kernel", NOT_FOUND], /could not open kernel file '.*missing': No such file or directory/],
  ["a kernel that is a folder", ["-kernel", folder], /could not open kernel file/],
  ["an empty kernel", ["-kernel", empty], /empty/],
  ["a kernel that is a text", ["-kernel", text], /not a kernel/],
  ["a kernel for another architecture", ["-kernel", aarch64], /./],
  ["a truncated kernel", ["-kernel", truncated], /./],
  ["a missing initrd", ["-kernel", stop, "-initrd", NOT_FOUND], /could not open initrd '.*missing'/],
  ["an initrd larger than RAM", ["-kernel", stop, "-m", "32", "-initrd", large], /./],
  ["-m 0", ["-m", "0", "-kernel", stop], /0 MiB of RAM/],
  ["-m 1", ["-m", "1", "-kernel", stop], /1 MiB of RAM/],
  ["-m over the limit", ["-m", "64G", "-kernel", stop], /65536 MiB of RAM/],
  ["an unknown processor", ["-cpu", "nope", "-kernel", stop], /unable to find CPU model 'nope'/],
  ["an unknown feature", ["-cpu", "max,+nope", "-kernel", stop], /nope/],
  ["stdio twice", ["-serial", "stdio", "-serial", "stdio", "-kernel", stop], /cannot use stdio by multiple/],
  ["a log that cannot be written", ["-d", "int", "-D", join(folder, "no", "log"), "-kernel", stop], /log/],
  ["an option of QEMU that is not there yet", ["-hda", "x"], /-hda: not implemented yet/],
  ["an option that QEMU does not have", ["-foo"], /-foo: invalid option/],
];

for (const [what, args, message] of BAD) {
  test(`bad input: ${what}`, async () => {
    const { status, errors, output } = await runToEnd(args);
    assert.equal(status, 1, errors);
    assert.match(errors, /^wkvm: /);
    assert.match(errors, message);
    assert.equal(output, "");
    assert.doesNotMatch(errors, /\n {4}at |internal error|RuntimeError/);
  });
}

test("-version and -h answer", async () => {
  assert.match((await runToEnd(["-version"])).output, /^wkvm version \d+\.\d+\.\d+\n$/);
  assert.match((await runToEnd(["-h"])).output, /-kernel FILE/);
});

test("install-alias makes a link that acts as QEMU", async () => {
  const made = await runToEnd(["install-alias", folder]);
  assert.equal(made.status, 0, made.errors);
  const link = join(folder, "qemu-system-x86_64");
  assert.equal(readlinkSync(link), command);
  const asQemu = { program: link };
  assert.match((await runToEnd(["--version"], asQemu)).output, /^QEMU emulator version \d+\.\d+/);
  const wrong = await runToEnd(["-foo"], asQemu);
  assert.deepEqual([wrong.status, wrong.errors], [1, "qemu-system-x86_64: -foo: invalid option\n"]);
  assert.equal((await runToEnd(["install-alias", folder])).status, 0, "a second time");
});

test("install-alias touches nothing that is not its own", async () => {
  const other = mkdtempSync(join(folder, "other-"));
  symlinkSync("/bin/true", join(other, "qemu-system-x86_64"));
  const { status, errors } = await runToEnd(["install-alias", other]);
  assert.equal(status, 1);
  assert.match(errors, /is there already/);
  assert.equal(readlinkSync(join(other, "qemu-system-x86_64")), "/bin/true");
});

/** Why there is no terminal to test with; false: there is one. */
function noTerminal(): string | false {
  if (!existsSync("/usr/bin/script")) return "no script(1)";
  const { status } = spawnSync("script", ["-qec", "stty -g", "/dev/null"]);
  return status === 0 ? false : "script(1) makes no terminal here";
}

test("the terminal is raw while the guest runs and put back afterwards", { skip: noTerminal() }, () => {
  const shell = [
    "stty -g",
    `${process.execPath} ${command} -nographic ${DEBUG_EXIT.join(" ")} -kernel ${kernel("bye", [...outByte(0xf4, 0), ...STOP])}`,
    "stty -g",
    `timeout --foreground -s TERM 2 ${process.execPath} ${command} -nographic -kernel ${stop}`,
    "stty -g",
  ].join("; ");
  const { stdout } = spawnSync("script", ["-qec", shell, "/dev/null"], { encoding: "utf8", timeout: 30_000 });
  const states = stdout.match(/^[0-9a-f]+(?::[0-9a-f]+){10,}/gm) ?? [];
  assert.equal(states.length, 3, stdout);
  assert.equal(new Set(states).size, 1, stdout);
});

/** A module that the command's process starts with. */
function preload(name: string, source: string): NodeJS.ProcessEnv {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, source);
  return { NODE_OPTIONS: `--import=${pathToFileURL(path).href}` };
}

/** A module of one function that calls itself by a tail call: (func (return_call 0)). */
const TAIL_CALL = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 6, 1, 4, 0, 0x12, 0, 0x0b];

/** True where such a process cannot make that module, and says nothing of its own. */
function isLimited(env: NodeJS.ProcessEnv): boolean {
  const attempt = `try { new WebAssembly.Module(Uint8Array.from(${JSON.stringify(TAIL_CALL)})); } catch { process.exit(3); }`;
  const { status, stderr } = spawnSync(process.execPath, ["-e", attempt], { env: { ...process.env, ...env } });
  return status === 3 && stderr.length === 0;
}

for (const [host, source, reason] of [
  [
    "an engine without tail calls",
    'import v8 from "node:v8"; v8.setFlagsFromString("--no-experimental-wasm-return-call");',
    /no WebAssembly tail calls.*Node 20/,
  ],
  [
    "a host that forbids WebAssembly made at run time",
    `import { createContext, runInContext } from "node:vm";
     const context = createContext({}, { codeGeneration: { wasm: false } });
     WebAssembly.Module = runInContext("WebAssembly.Module", context);`,
    /forbids WebAssembly made at run time.*wasm-unsafe-eval/,
  ],
] as const) {
  test(`one warning under ${host}, and the guest is interpreted`, async (context) => {
    const env = preload(host.replaceAll(" ", "-"), source);
    const path = kernel("warned", [...outByte(0xf4, 3), ...STOP]);
    const args = [...QUIET, ...DEBUG_EXIT, "-kernel", path];
    if (!isLimited(env)) return context.skip("this engine does not let itself be limited so");
    for (const accel of [[], ["-accel", "jit"], ["-accel", "kvm:tcg"]]) {
      const { status, errors } = await runToEnd([...accel, ...args], { env });
      assert.equal(status, 7, errors);
      assert.match(errors, /^wkvm: warning: the guest is interpreted, [^\n]*\n$/);
      assert.match(errors, reason);
    }
    assert.deepEqual(await runToEnd(["-accel", "interp", ...args], { env }), { status: 7, output: "", errors: "" });
    const verifying = await runToEnd(["-accel", "jit,verify=on", ...args], { env });
    assert.deepEqual([verifying.status, verifying.errors.match(/nothing can be verified/)?.length], [1, 1]);
    const session = new Session(["-S", "-display", "none", "-serial", "none", "-monitor", "stdio", ...args.slice(-2)], {
      env,
    });
    session.type("info jit\nquit\n");
    await session.see(/interpreting +this /);
    assert.equal((await session.finish()).status, 0);
  });
}
