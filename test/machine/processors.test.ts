// Machines with several processors, which take turns on one thread.
import assert from "node:assert/strict";
import { test } from "node:test";
import { elf, filesFor } from "../boot/kernels.ts";
import { startGuest } from "./guest-run.ts";

const LIMIT = { timeout: 30_000 };
const DEBUG_EXIT = { debugExits: [{ base: 0xf4, size: 1 }] };
/** Where the other processors begin in real mode, and what they and the first one tell each other. */
const TRAMPOLINE = 0x3000;
const STARTED = 0x3100;
const GO = 0x3101;
const DONE = 0x3102;
const BEFORE = 0x3200;

const word = (address: number): number[] => [address & 0xff, address >> 8];
const wide = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);

/** In real mode: counts itself, waits for GO, counts itself again, and sleeps. */
const OTHERS = [
  ...[0xf0, 0xfe, 0x06, ...word(STARTED)], // lock inc byte [STARTED]
  ...[0xf3, 0x90, 0x80, 0x3e, ...word(GO), 0, 0x74, 0xf7], // again: pause; cmp byte [GO], 0; je again
  ...[0xf0, 0xfe, 0x06, ...word(DONE), 0xf4, 0xeb, 0xfd], // lock inc byte [DONE]; again: hlt; jmp again
];

/** Writes to a register of the local APIC. */
const lapic = (register: number, value: number): number[] => [
  0xc7,
  0x05,
  ...wide(0xfee00000 + register),
  ...wide(value),
];
/** Stores a byte. */
const put = (address: number, value: number): number[] => [0xc6, 0x05, ...wide(address), value];
/** again: pause; cmp byte [address], value; jne again */
const waitFor = (address: number, value: number): number[] => [
  0xf3,
  0x90,
  0x80,
  0x3d,
  ...wide(address),
  value,
  0x75,
  0xf5,
];

/** In 32-bit protected mode: starts the others, has them answer, and ends with how many came. */
const first = (others: number): number[] => [
  ...[STARTED, GO, DONE].flatMap((address) => put(address, 0)),
  ...OTHERS.flatMap((byte, i) => put(TRAMPOLINE + i, byte)),
  ...lapic(0xf0, 0x1ff),
  ...lapic(0x300, 0xc4500), // INIT to all but this one
  ...lapic(0x300, 0xc4603), // SIPI at TRAMPOLINE
  ...waitFor(STARTED, others),
  ...put(GO, 1),
  ...waitFor(DONE, others),
  ...[0xa0, ...wide(DONE), 0xe6, 0xf4], // mov al, [DONE]; out 0xf4, al
];

function kernel(...code: number[]) {
  const data = Uint8Array.from([...code, 0xf4, 0xeb, 0xfd]);
  return filesFor(elf({ is64Bit: false, entry: 0x100000, load: { paddr: 0x100000, data }, pvhEntry: 0x100000 }));
}

for (const cpus of [2, 5]) {
  test(`${cpus} processors start each other, wait for each other and end`, LIMIT, async () => {
    const { ended } = await startGuest({ cpus, ...DEBUG_EXIT }, kernel(...first(cpus - 1)));
    assert.deepEqual(await ended, { kind: "debug-exit", status: ((cpus - 1) << 1) | 1 });
  });
}

test("after a reset the others wait to be started again", LIMIT, async () => {
  // cmp byte [BEFORE], 2; je on; inc byte [BEFORE]; start the others; lidt with nothing, ud2; on: start them and end
  const start = first(1).slice(0, -7);
  const fault = [0xfe, 0x05, ...wide(BEFORE), ...start, 0x0f, 0x01, 0x1d, ...wide(BEFORE + 8), 0x0f, 0x0b];
  const code = [0x80, 0x3d, ...wide(BEFORE), 2, 0x0f, 0x84, ...wide(fault.length), ...fault, ...first(1)];
  const { ended, events } = await startGuest({ cpus: 2, ...DEBUG_EXIT }, kernel(...code));
  assert.equal((await ended).status, 3);
  assert.deepEqual(
    events.filter(({ kind }) => kind === "reset"),
    [1, 2].map(() => ({ kind: "reset", reason: "triple-fault" })),
  );
});

test("processors that all sleep leave the thread alone", LIMIT, async () => {
  const { machine, ended } = await startGuest({ cpus: 3 }, kernel(0xfa, 0xf4));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const before = machine.vm.getStats();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const after = machine.vm.getStats();
  assert.equal(after.counters.instructions, before.counters.instructions);
  assert.ok((after.exits["INTR"] ?? 0) - (before.exits["INTR"] ?? 0) < 100, "they are not entered again and again");
  machine.quit();
  assert.equal((await ended).kind, "quit");
});
