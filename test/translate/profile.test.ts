// What was hot in one run is translated earlier in the next.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KVM_EXIT_HLT, Kvm, KvmError, type Vm } from "../../host/kvm/index.ts";
import { CODE, enter } from "../kvm/guest.ts";

const THRESHOLD = 1200;
const MANY = 5000;
/** More than a twelfth of the threshold, and less than the threshold. */
const FEW = 500;
const RAM = 0x2_0000;
const LOOP = 3;

/** mov cx, `count`; loop: dec cx; jnz loop; then `behind`; hlt. */
function loop(count: number, behind: readonly number[] = []): number[] {
  return [0xb9, count & 0xff, count >> 8, 0x49, 0x75, 0xfd, ...behind, 0xf4];
}

/** mov byte [`at`], `value`. */
function storeByte(at: number, value: number): number[] {
  return [0xc6, 0x06, at & 0xff, at >> 8, value];
}

interface Outcome {
  readonly built: number;
  readonly hot: Uint8Array;
}

/** Runs each piece of code to its HLT, at the addresses given. */
async function run(
  pieces: ReadonlyMap<number, readonly number[]>,
  earlier?: Uint8Array,
  options: { readonly keepsCode?: boolean } = {},
): Promise<Outcome> {
  const kvm = await Kvm.open({ accel: "jit", threshold: THRESHOLD });
  using vm = kvm.createVm({ memorySize: 1 << 20 });
  const userspaceAddr = vm.allocate(RAM);
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0, memorySize: RAM, userspaceAddr });
  const ram = new Uint8Array(vm.memory, userspaceAddr, RAM);
  for (const [at, code] of pieces) ram.set(code, at);
  vm.expectHotCode(earlier, options);
  const vcpu = vm.createVcpu(0);
  for (const at of pieces.keys()) {
    enter(vcpu, ram, "real", at);
    let exit = vcpu.run();
    while (exit.reason !== KVM_EXIT_HLT) exit = vcpu.run();
    assert.equal(vcpu.getRegs().rcx, 0n);
  }
  return { built: vm.getStats().counters["regionsBuilt"]!, hot: vm.hotCode() };
}

const one = (code: readonly number[], at = CODE): Promise<Outcome> => run(new Map([[at, code]]));
const entriesOf = (hot: Uint8Array): number => new DataView(hot.buffer).getUint32(12, true);

test("code that was hot in an earlier run is translated earlier, on whichever page it lies", async () => {
  assert.equal((await one(loop(FEW))).built, 0, "it is not hot by itself");
  const { built, hot } = await one(loop(MANY));
  assert.ok(built > 0 && entriesOf(hot) > 0);
  for (const at of [CODE, CODE + 0x3000]) {
    const again = await run(new Map([[at, loop(FEW)]]), hot);
    assert.ok(again.built > 0, `at ${at.toString(16)}`);
    assert.equal(entriesOf(again.hot), entriesOf(hot));
  }
  const elsewhere = await run(new Map([[CODE + 0x10, loop(FEW)]]), hot);
  assert.equal(elsewhere.built, 0, "another place in the page is other code");
  assert.equal((await run(new Map([[CODE, loop(FEW, [0x90])]]), hot)).built > 0, true, "its head is what it was");
});

test("where code is kept, what is new is translated after a third of the entries", async () => {
  const { hot } = await one(loop(MANY));
  const elsewhere = (count: number, earlier?: Uint8Array) =>
    run(new Map([[CODE + 0x10, loop(count)]]), earlier, { keepsCode: true });
  assert.ok((await elsewhere(FEW, hot)).built > 0);
  assert.equal((await elsewhere(THRESHOLD / 3 - 50, hot)).built, 0);
  assert.equal((await elsewhere(FEW)).built, 0, "nothing was kept yet");
});

test("code that is written over is not translated earlier", async () => {
  const { hot } = await one(loop(MANY, storeByte(CODE + LOOP, 0x49)));
  assert.ok(entriesOf(hot) > 0);
  assert.equal((await run(new Map([[CODE, loop(FEW)]]), hot)).built, 0);
});

test("what is met again and again is expected to be hot eight times", async () => {
  const { hot } = await one(loop(MANY));
  const pages = Array.from({ length: 12 }, (_, i): [number, number[]] => [CODE + (i + 1) * 0x1000, loop(FEW)]);
  assert.equal((await run(new Map(pages), hot)).built, 8);
});

test("expectHotCode() refuses what hotCode() has not made, and begins anew for another version's", async () => {
  const { hot } = await one(loop(MANY));
  const kvm = await Kvm.open({ accel: "jit" });
  const loads = (bytes: Uint8Array) => () => withVm(kvm, (vm) => vm.expectHotCode(bytes));
  const tooMany = hot.slice();
  new DataView(tooMany.buffer).setUint32(12, 0xffff_ffff, true);
  for (const bad of [new Uint8Array(), hot.slice(0, 10), hot.slice(0, -1), tooMany, new Uint8Array(64)])
    assert.throws(loads(bad), (error: unknown) => error instanceof KvmError && error.code === "EINVAL");
  const other = hot.slice();
  new DataView(other.buffer).setUint32(8, 999, true);
  assert.equal((await run(new Map([[CODE, loop(FEW)]]), other)).built, 0);
  loads(other)();
  const twice = (vm: Vm): void => {
    vm.expectHotCode(hot, { keepsCode: true });
    vm.expectHotCode(hot, { keepsCode: true });
  };
  assert.throws(
    () => withVm(kvm, twice),
    (error: unknown) => error instanceof KvmError && error.code === "EBUSY",
  );
});

test("hotCode() is empty where nobody asked for it", async () => {
  const kvm = await Kvm.open({ accel: "jit" });
  assert.equal(
    withVm(kvm, (vm) => entriesOf(vm.hotCode())),
    0,
  );
});

function withVm<T>(kvm: Kvm, use: (vm: Vm) => T): T {
  using vm = kvm.createVm({ memorySize: 1 << 20 });
  return use(vm);
}
