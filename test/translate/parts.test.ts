// How many regions are made of the same code, and of which parts of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KVM_EXIT_HLT, Kvm } from "../../host/kvm/index.ts";
import { CODE, enter } from "../kvm/guest.ts";

const THRESHOLD = 1200;
const RAM = 0x2_0000;
const SECOND = 0x200;

const INC_AX = 0x40;
const DEC_CX = 0x49;
const DEC_DX = 0x4a;
const HLT = 0xf4;
const RET = 0xc3;

function word(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff];
}
const movCx = (value: number): number[] => [0xb9, ...word(value)];
const movDx = (value: number): number[] => [0xba, ...word(value)];
/** A jump of three bytes at offset `from` to offset `to`. */
const jump = (from: number, to: number): number[] => [0xe9, ...word(to - from - 3)];
/** A call of three bytes. */
const call = (from: number, to: number): number[] => [0xe8, ...word(to - from - 3)];
/** JNZ, of two bytes. */
const jumpUnlessZero = (from: number, to: number): number[] => [0x75, (to - from - 2) & 0xff];

/** Sizes of the modules of regions that each of the starts, at offsets from CODE, has made. */
async function modulesOf(code: ReadonlyMap<number, readonly number[]>, starts: readonly number[]): Promise<number[][]> {
  const kvm = await Kvm.open({ accel: "jit", threshold: THRESHOLD });
  using vm = kvm.createVm({ memorySize: 1 << 20 });
  const userspaceAddr = vm.allocate(RAM);
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0, memorySize: RAM, userspaceAddr });
  const ram = new Uint8Array(vm.memory, userspaceAddr, RAM);
  for (const [at, bytes] of code) ram.set(bytes, CODE + at);
  let sizes: number[] = [];
  vm.onModule = (module, slots) => {
    for (const _ of slots) sizes.push(module.length / slots.length);
  };
  const vcpu = vm.createVcpu(0);
  return starts.map((start) => {
    sizes = [];
    enter(vcpu, ram, "real", CODE + start);
    let exit = vcpu.run();
    while (exit.reason !== KVM_EXIT_HLT) exit = vcpu.run();
    assert.deepEqual([vcpu.getRegs().rcx, vcpu.getRegs().rdx], [0n, 0n]);
    return sizes;
  });
}

test("blocks of a loop that are entered equally often have one region", async () => {
  const code = [
    ...movCx(5000),
    ...movDx(0),
    ...jump(6, 9),
    ...jump(9, 12),
    ...jump(12, 15),
    DEC_CX,
    ...jumpUnlessZero(16, 9),
    HLT,
  ];
  const [sizes] = await modulesOf(new Map([[0, code]]), [0]);
  assert.equal(sizes?.length, 1);
});

test("what leads to a region becomes a part, and the whole when it has been entered often", async () => {
  // At 0x100: forty instructions, as often as CX says, and back. At 0x240: what goes there, and is called as often as DX says.
  const body = Array<number>(40).fill(INC_AX);
  const caller = (at: number): number[] => [...call(at, 0x240), DEC_DX, ...jumpUnlessZero(at + 4, at), HLT];
  const code = new Map([
    [0, [...movDx(500), ...movCx(10), ...call(6, 0x100), DEC_DX, ...jumpUnlessZero(10, 3), HLT]],
    [0x100, [...body, DEC_CX, ...jumpUnlessZero(0x129, 0x100), RET]],
    [SECOND, [...movDx(3000), ...caller(SECOND + 3)]],
    [0x240, [...movCx(1), ...jump(0x243, 0x100)]],
    [0x300, [...movDx(60_000), ...jump(0x303, SECOND + 3)]],
  ]);
  const [first, parts, whole] = await modulesOf(code, [0, SECOND, 0x300]);
  assert.equal(first?.length, 1);
  const least = first?.[0] ?? 0;
  assert.ok(parts && parts.length > 0 && Math.max(...parts) < least / 2, `${parts} are less than half of ${least}`);
  assert.ok(whole && whole.length > 0 && Math.max(...whole) > least / 2, `${whole} are more than half of ${least}`);
});
