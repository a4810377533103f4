// What V8 made of the core, from one process to the next: recalled where it is whole and this user's, and nowhere else.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { CoreCode } from "../../host/cli/code-cache/core-code.ts";
import { tuneEngine } from "../../host/cli/engine.ts";
import { KVM_EXIT_HLT, KVM_EXIT_IO, Kvm } from "../../host/kvm/index.ts";
import { command, root } from "./session.ts";
import { multibootKernel, outByte, STOP } from "./tiny-kernel.ts";

const folder = mkdtempSync(join(tmpdir(), "wkvm-code-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const core = readFileSync(process.env["WKVM_CORE"] ?? join(root, "dist", "core.wasm"));
/** What the guest ends the command with. */
const STATUS = 0x21;
const optimizes = Number.parseInt(process.versions.v8, 10) < 14 || "this V8 has no serialiser that scripts can reach";
const unless = { skip: optimizes === true ? false : optimizes };

/** mov ecx, 60 million; loop to itself: some hundred milliseconds of interpretation. */
const kernel = join(folder, "kernel");
writeFileSync(
  kernel,
  multibootKernel([
    0xb9,
    ...Buffer.from(Uint32Array.of(60_000_000).buffer),
    0xe2,
    0xfe,
    ...outByte(0xf4, 0x10),
    ...STOP,
  ]),
);

/** The command with a cache folder of its own, and how many functions V8 says that it optimised, where it is asked. */
function run(cacheHome: string, accel: string, ...flags: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      ...[...flags, command, "-display", "none", "-serial", "none", "-monitor", "none"],
      ...["-accel", accel, "-kernel", kernel, "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"],
    ],
    { encoding: "utf8", env: { ...process.env, XDG_CACHE_HOME: cacheHome } },
  );
  return { status, errors: stderr, optimized: stdout.match(/using TurboFan/g)?.length ?? 0 };
}

const TELLS = "--trace-wasm-compilation-times";

test("the command keeps it in the user's cache folder, and the next run compiles less", unless, () => {
  const home = join(folder, "home");
  const off = run(home, "interp,code-cache=off", TELLS);
  assert.deepEqual([off.status, existsSync(home)], [STATUS, false]);
  const first = run(home, "interp", TELLS);
  assert.equal(first.status, STATUS);
  assert.ok(first.optimized > 1, "V8 optimised nothing");
  const [file = "", ...others] = readdirSync(join(home, "wkvm"));
  assert.match(file, /^core-[0-9a-f]{16}-[0-9a-f]+\.code$/);
  assert.deepEqual(others, []);
  assert.equal(statSync(join(home, "wkvm", file)).mode & 0o777, 0o600);
  const second = run(home, "interp", TELLS);
  assert.deepEqual([second.status, second.errors], [STATUS, ""]);
  assert.ok(second.optimized < first.optimized, `${first.optimized} functions, then ${second.optimized}`);
});

/** Folders of caches that another process filled, which had the flags that this one gets. */
const made = join(folder, "made", "wkvm");
if (optimizes === true) {
  run(join(folder, "made"), "interp");
  tuneEngine();
}

function filled(name: string): { path: string; file: string } {
  const path = join(folder, name);
  mkdirSync(path);
  const [file = ""] = readdirSync(made);
  copyFileSync(join(made, file), join(path, file));
  return { path, file: join(path, file) };
}

/** Whether a core is recalled from the folder; it executes a guest in any case. */
async function recalls(path: string, bytes: BufferSource = core): Promise<boolean> {
  const cache = new CoreCode(path);
  assert.equal(await runGuest(await cache.compile(bytes)), 0x21);
  return cache.isRecalled;
}

/** mov ecx, 1000; loop to itself; mov al, 0x21; out 0x42, al; hlt: what it writes. */
async function runGuest(module: WebAssembly.Module): Promise<number | undefined> {
  const kvm = await Kvm.open({ accel: "interp", core: module });
  const vm = kvm.createVm({ memorySize: 1 << 20 });
  const userspaceAddr = vm.allocate(0x1000);
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0x1000, memorySize: 0x1000, userspaceAddr });
  const loop = [0x66, 0xb9, 0xe8, 0x03, 0, 0, 0x67, 0xe2, 0xfd, 0xb0, 0x21, 0xe6, 0x42, 0xf4];
  new Uint8Array(vm.memory, userspaceAddr).set(loop);
  const vcpu = vm.createVcpu(0);
  const sregs = vcpu.getSregs();
  vcpu.setSregs({ ...sregs, cs: { ...sregs.cs, base: 0n, selector: 0 } });
  vcpu.setRegs({ ...vcpu.getRegs(), rip: 0x1000n });
  try {
    for (let written: number | undefined; ; ) {
      const exit = vcpu.run();
      if (exit.reason === KVM_EXIT_IO) written = exit.data[0];
      else if (exit.reason === KVM_EXIT_HLT) return written;
    }
  } finally {
    vm.close();
  }
}

test("code that is damaged, cut off, for others to write or another core's is not used", unless, async () => {
  const { path, file } = filled("bad");
  const whole = readFileSync(file);
  for (const at of [0, 40, whole.length - 1]) {
    const damaged = Buffer.from(whole);
    damaged[at]! ^= 1;
    writeFileSync(file, damaged);
    assert.equal(await recalls(path), false, `byte ${at} changed`);
  }
  for (const length of [0, 10, 32, whole.length - 1]) {
    writeFileSync(file, whole.subarray(0, length));
    assert.equal(await recalls(path), false, `${length} bytes`);
  }
  writeFileSync(file, whole);
  for (const mode of [0o620, 0o602]) {
    chmodSync(file, mode);
    assert.equal(await recalls(path), false, `mode ${mode.toString(8)}`);
  }
  chmodSync(file, 0o600);
  // A custom section with a name of one byte.
  const other = Buffer.concat([core, Buffer.of(0, 2, 1, 0x78)]);
  assert.equal(await recalls(path, other), false);
  assert.equal(await recalls(path), true, "the whole file again");
});

test("a core that nothing was executed on has nothing worth keeping", unless, async () => {
  const path = join(folder, "fresh");
  const cache = new CoreCode(path);
  // A custom section with a name of one byte, which no other test has: V8 has equal modules share what it made of them.
  await cache.compile(Buffer.concat([core, Buffer.of(0, 2, 1, 0x79)]));
  cache.keep();
  assert.equal(existsSync(path), false);
});

test("code is written again only where there is more of it", unless, async () => {
  const { path, file } = filled("again");
  const cache = new CoreCode(path);
  await cache.compile(core);
  cache.keep();
  utimesSync(file, 0, 0);
  cache.keep();
  assert.equal(statSync(file).mtimeMs, 0);
});

test("a cache keeps eight files, the newest, and what is not its own", unless, () => {
  const home = join(folder, "many");
  const path = join(home, "wkvm");
  mkdirSync(path, { recursive: true });
  const names = Array.from({ length: 10 }, (_, i) => `core-${i}.code`);
  for (const [i, name] of names.entries()) {
    writeFileSync(join(path, name), "");
    utimesSync(join(path, name), i, i);
  }
  writeFileSync(join(path, "not-a-core.code"), "");
  run(home, "interp");
  const [own = ""] = readdirSync(made);
  assert.deepEqual(readdirSync(path).sort(), [own, ...names.slice(-7), "not-a-core.code"].sort());
});

test("a cache that cannot be written is none", unless, () => {
  const home = join(folder, "file");
  writeFileSync(home, "");
  const { status, errors } = run(home, "interp");
  assert.deepEqual([status, errors], [STATUS, ""]);
});
