// A region is made again as an earlier run made it, as soon as its head is met: of the same blocks, by the same decisions, byte for byte.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KVM_EXIT_HLT, Kvm, KvmError } from "../../host/kvm/index.ts";
import { CODE, enter } from "../kvm/guest.ts";

const THRESHOLD = 1200;
const MANY = 5000;
/** More than what a head with a recipe waits for, and less than any other. */
const FEW = 60;
/** From this turn on the loop goes the other way, and calls. */
const TURN = 100;
const RAM = 0x2_0000;

const ADD_DX_AX = [0x01, 0xc2];
const SUB_DX_AX = [0x29, 0xc2];

/** xor dx, dx; mov cx, `turns`; loop: inc ax; cmp ax, TURN; jb next; call f; next: dec cx; jnz loop; hlt; f: `work`; smsw bx, which
 * the interpreter executes; ret. */
function loop(turns: number, work: readonly number[] = ADD_DX_AX): number[] {
  return [
    ...[0x31, 0xd2, 0xb9, turns & 0xff, turns >> 8],
    ...[0x40, 0x3d, TURN, 0, 0x72, 3],
    ...[0xe8, 4, 0],
    ...[0x49, 0x75, 0xf4, 0xf4],
    ...[...work, 0x0f, 0x01, 0xe3, 0xc3],
  ];
}

interface Outcome {
  readonly dx: bigint;
  readonly dropped: number;
  readonly modules: readonly string[];
  readonly hot: Uint8Array;
}

async function run(code: readonly number[], earlier?: Uint8Array, at = CODE): Promise<Outcome> {
  const kvm = await Kvm.open({ accel: "jit", threshold: THRESHOLD });
  using vm = kvm.createVm({ memorySize: 1 << 20 });
  const userspaceAddr = vm.allocate(RAM);
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0, memorySize: RAM, userspaceAddr });
  const ram = new Uint8Array(vm.memory, userspaceAddr, RAM);
  ram.set(code, at);
  vm.expectHotCode(earlier);
  const modules: string[] = [];
  vm.onModule = (module, slots) => {
    if (slots.length > 0) modules.push(Buffer.from(module).toString("hex"));
  };
  const vcpu = vm.createVcpu(0);
  enter(vcpu, ram, "real", at);
  let exit = vcpu.run();
  while (exit.reason !== KVM_EXIT_HLT) exit = vcpu.run();
  return { dx: vcpu.getRegs().rdx, modules, hot: vm.hotCode(), dropped: vm.getStats().counters.tracesDropped };
}

/** What the loop leaves in DX. */
function sum(turns: number, sign = 1): bigint {
  let dx = 0;
  for (let ax = TURN; ax <= turns; ax++) dx += sign * ax;
  return BigInt(dx & 0xffff);
}

test("a region is the same in the next run, before all of it has been executed, wherever its code lies", async () => {
  const first = await run(loop(MANY));
  assert.equal(first.dx, sum(MANY));
  assert.ok(first.modules.length > 0);
  for (const at of [CODE, CODE + 0x5000]) {
    const few = await run(loop(FEW), first.hot, at);
    assert.equal(few.dx, 0n);
    assert.equal(few.modules.length, 1, "one region, while the loop goes one way only");
    const again = await run(loop(MANY), first.hot, at);
    assert.equal(again.dx, sum(MANY));
    for (const module of few.modules) assert.ok(first.modules.includes(module), "it is one of the first run's");
    assert.deepEqual(again.modules, few.modules);
  }
});

test("it stays the same from run to run", async () => {
  let { hot, modules } = await run(loop(MANY));
  for (let i = 0; i < 3; i++) {
    const next = await run(loop(MANY), hot);
    assert.equal(next.modules.length, 1);
    assert.ok(modules.includes(next.modules[0]!));
    ({ hot, modules } = next);
  }
});

test("it is not made where one of its blocks is other code", async () => {
  const { hot } = await run(loop(MANY));
  const few = await run(loop(FEW, SUB_DX_AX), hot);
  assert.deepEqual([few.modules.length, few.dx], [0, 0n]);
  const many = await run(loop(MANY, SUB_DX_AX), hot);
  assert.equal(many.dx, sum(MANY, -1));
  assert.ok(many.modules.length > 0, "it becomes hot by itself");
});

test("hot code with recipes that are none is refused", async () => {
  const { hot } = await run(loop(MANY));
  const entries = new DataView(hot.buffer).getUint32(12, true);
  const recipe = 16 + entries * 12;
  // Bytes, blocks, decisions; what all entries have together; the same of one entry alone.
  for (const at of [recipe, recipe + 8, recipe + 12, 16 + 8]) {
    for (const value of [0, 100, 0x7fff_ffff, 0xffff_ffff]) {
      const bad = hot.slice();
      new DataView(bad.buffer).setUint32(at, value, true);
      if (Buffer.from(bad).equals(hot)) continue;
      await assert.rejects(
        run(loop(FEW), bad),
        (error: unknown) => error instanceof KvmError && error.code === "EINVAL",
        `${value} at ${at}`,
      );
    }
  }
});

test("whatever a recipe says, the guest does what its code says", async () => {
  const { hot } = await run(loop(MANY));
  const entries = new DataView(hot.buffer).getUint32(12, true);
  const first = 16 + entries * 12;
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
  for (let i = 0; i < 300; i++) {
    const spoilt = hot.slice();
    for (let n = 0; n < 1 + random(3); n++) spoilt[first + random(hot.length - first)] = random(256);
    let outcome: Outcome;
    try {
      outcome = await run(loop(MANY), spoilt);
    } catch (error) {
      assert.ok(error instanceof KvmError && error.code === "EINVAL", String(error));
      continue;
    }
    assert.equal(outcome.dx, sum(MANY), `case ${i}`);
  }
});

/** Hot code with another recipe in place of the only one. */
function withRecipe(hot: Uint8Array, change: (recipe: Buffer) => Buffer): Uint8Array {
  const bytes = Buffer.from(hot);
  const entries = Array.from({ length: bytes.readUInt32LE(12) }, (_, i) => 16 + i * 12);
  const [at = 0, ...others] = entries.filter((entry) => bytes.readUInt32LE(entry + 8) > 0);
  assert.deepEqual(others, []);
  const head = bytes.subarray(0, 16 + entries.length * 12);
  const recipe = change(bytes.subarray(head.length));
  recipe.writeUInt32LE(recipe.length, 0);
  const changed = Buffer.concat([head, recipe]);
  changed.writeUInt32LE(recipe.length, at + 8);
  return changed;
}

test("a recipe of more instructions than a region has room for is not followed", async () => {
  // mov cx, 60; loop: 30 times smsw bx, which the interpreter executes; dec cx; jnz loop.
  const body = Array.from({ length: 30 }, () => [0x0f, 0x01, 0xe3]).flat();
  const code = (turns: number): number[] => [
    ...[0x31, 0xd2, 0xb9, turns & 0xff, turns >> 8],
    ...[...body, 0x49, 0x75, (-body.length - 3) & 0xff, 0xf4],
  ];
  const { hot } = await run(code(MANY));
  const header = 20;
  const block = 28;
  const again = (times: number): Uint8Array =>
    withRecipe(hot, (recipe) => {
      assert.equal(recipe.readUInt32LE(8), 1);
      const first = recipe.subarray(header, header + block);
      const longer = Buffer.concat([
        recipe.subarray(0, header),
        ...Array.from({ length: times }, () => first),
        recipe.subarray(header + block),
      ]);
      longer.writeUInt32LE(times, 8);
      return longer;
    });
  assert.equal((await run(code(FEW), again(1))).modules.length, 1);
  assert.equal((await run(code(FEW), again(60))).modules.length, 0);
  const many = await run(code(MANY), again(60));
  assert.ok(many.modules.length > 0, "it becomes hot by itself");
});

test("code is known again that was decoded where other traces had been", async () => {
  // mov ecx, 30000; again: inc byte [changed + 1]; call changed; dec ecx; jnz again; jmp to the loop; changed: mov bl, ..; 28 times lea bx, [bp+si]; ret.
  // What is in `changed` is put together behind the other traces each time, and then moved to where it was before.
  const changed = CODE + 20;
  const before = [
    ...[0x66, 0xb9, 0x30, 0x75, 0, 0],
    ...[0xfe, 0x06, (changed + 1) & 0xff, changed >> 8, 0xe8, 7, 0, 0x66, 0x49, 0x75, 0xf5, 0xe9, 0xec, 1],
    ...[0xb3, 0, ...Array.from({ length: 28 }, () => [0x8d, 0x1a]).flat(), 0xc3],
  ];
  const offset = 0x200;
  const padding = Array.from({ length: offset - before.length }, () => 0x90);
  const long = await run([...before, ...padding, ...loop(MANY)]);
  assert.equal(long.dx, sum(MANY));
  assert.ok(long.dropped > 1000, "others were put together where its traces are decoded then");
  const few = await run(loop(FEW), long.hot, CODE + offset);
  assert.equal(few.modules.length, 1);
});
