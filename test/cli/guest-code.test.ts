// What a guest's code became, from one process to the next: the regions, and V8's code of them.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { GuestCode } from "../../host/cli/code-cache/guest-code.ts";
import { tuneEngine } from "../../host/cli/engine.ts";
import { KVM_EXIT_HLT, Kvm } from "../../host/kvm/index.ts";
import { CODE, enter } from "../kvm/guest.ts";
import { command } from "./session.ts";
import { multibootKernel, outByte, STOP } from "./tiny-kernel.ts";

const folder = mkdtempSync(join(tmpdir(), "wkvm-guest-code-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const optimizes = Number.parseInt(process.versions.v8, 10) < 14 || "this V8 has no serialiser that scripts can reach";
const unless = { skip: optimizes === true ? false : optimizes };

const TURNS = 20_000_000;
const RAM = 0x2_0000;

tuneEngine();

interface Outcome {
  readonly rax: bigint;
  readonly recalled: number;
}

/** Runs `inc eax; add eax, ebx; dec ecx; jnz`, TURNS times, with what was kept under a name; keeps what there is then. */
async function run(where: string, name = "guest", core = "core"): Promise<Outcome> {
  const guest = new GuestCode(where, name, core);
  const kvm = await Kvm.open({ accel: "jit" });
  using vm = kvm.createVm({ memorySize: 1 << 20 });
  const userspaceAddr = vm.allocate(RAM);
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0, memorySize: RAM, userspaceAddr });
  const ram = new Uint8Array(vm.memory, userspaceAddr, RAM);
  const turns = [...Buffer.from(Uint32Array.of(TURNS).buffer)];
  ram.set([0x31, 0xc0, 0xbb, 3, 0, 0, 0, 0xb9, ...turns, 0xff, 0xc0, 0x01, 0xd8, 0xff, 0xc9, 0x75, 0xf8, 0xf4], CODE);
  guest.expect(vm);
  vm.instantiateRegions = (module, imports, regions) => guest.instantiate(module, imports, regions);
  const vcpu = vm.createVcpu(0);
  enter(vcpu, ram, "protected");
  let exit = vcpu.run();
  while (exit.reason !== KVM_EXIT_HLT) {
    // The optimising compiler is on another thread.
    await new Promise((resolve) => setImmediate(resolve));
    exit = vcpu.run();
  }
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  guest.keep(vm);
  return { rax: vcpu.getRegs().rax, recalled: guest.recalled };
}

const RESULT = BigInt((4 * TURNS) >>> 0);
const files = (where: string): string[] => readdirSync(where).filter((name) => name.startsWith("guest-"));

test("regions of the next process have the code that this one's had", unless, async () => {
  const where = join(folder, "two");
  assert.deepEqual(await run(where), { rax: RESULT, recalled: 0 });
  const [file = "", ...others] = files(where);
  assert.match(file, /^guest-[0-9a-f]{16}\.code$/);
  assert.deepEqual(others, []);
  assert.equal(statSync(join(where, file)).mode & 0o777, 0o600);
  assert.deepEqual(await run(where), { rax: RESULT, recalled: 1 });
  assert.deepEqual(await run(where), { rax: RESULT, recalled: 1 });
});

test("what another guest, or another core, left is not used", unless, async () => {
  const where = join(folder, "other");
  await run(where);
  assert.equal((await run(where, "another")).recalled, 0);
  assert.equal((await run(where, "guest", "another")).recalled, 0);
  assert.equal(files(where).length, 3);
  assert.equal((await run(where)).recalled, 1);
});

test("a file that is damaged, cut off or for others to write is not used", unless, async () => {
  const where = join(folder, "bad");
  await run(where);
  const [name = ""] = files(where);
  const file = join(where, name);
  const whole = readFileSync(file);
  const spoilt = [0, 33, 40, whole.length >> 1, whole.length - 1].map((at) => {
    const bytes = Buffer.from(whole);
    bytes[at]! ^= 1;
    return bytes;
  });
  for (const bytes of [...spoilt, Buffer.alloc(0), whole.subarray(0, 32), whole.subarray(0, -1)]) {
    writeFileSync(file, bytes);
    assert.equal(new GuestCode(where, "guest", "core").isEmpty, true);
  }
  writeFileSync(file, whole);
  chmodSync(file, 0o622);
  assert.equal(new GuestCode(where, "guest", "core").isEmpty, true);
  chmodSync(file, 0o600);
  assert.equal(new GuestCode(where, "guest", "core").isEmpty, false);
});

test("a machine in which nothing became hot leaves the file as it is", async () => {
  const where = join(folder, "cold");
  const guest = new GuestCode(where, "guest", "core");
  const kvm = await Kvm.open({ accel: "jit" });
  using vm = kvm.createVm({ memorySize: 1 << 20 });
  guest.expect(vm);
  guest.keep(vm);
  assert.equal(existsSync(where), false);
});

test("the command keeps a file for each kernel, and none with code-cache=off", () => {
  const home = join(folder, "home");
  const loop = [0xb9, ...Buffer.from(Uint32Array.of(3_000_000).buffer), 0x49, 0x75, 0xfd];
  const kept = (kernel: string, accel: string): number => {
    const path = join(folder, `${kernel}.kernel`);
    writeFileSync(path, multibootKernel([...loop, ...outByte(0xf4, 0x10), ...STOP]));
    const { status, stderr } = spawnSync(
      process.execPath,
      [
        ...[command, "-display", "none", "-serial", "none", "-monitor", "none", "-accel", accel, "-kernel", path],
        ...["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"],
      ],
      { encoding: "utf8", env: { ...process.env, XDG_CACHE_HOME: home } },
    );
    assert.deepEqual([status, stderr], [0x21, ""]);
    return existsSync(join(home, "wkvm")) ? files(join(home, "wkvm")).length : 0;
  };
  assert.equal(kept("one", "jit,code-cache=off"), 0);
  assert.equal(kept("one", "interp"), 0);
  assert.equal(kept("one", "jit"), 1);
  assert.equal(kept("one", "jit"), 1);
  assert.equal(kept("two", "jit"), 2);
});
