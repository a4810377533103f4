// Code that is written over again and again: the room of its traces is used again, and what else was decoded stays good.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Accelerator, type CounterName, KVM_EXIT_HLT, Kvm } from "../../host/kvm/index.ts";
import { ACCELERATOR, CODE, enter, makeGuest, runUntil } from "./guest.ts";

const RAM = 0x6_0000;
const ROUNDS = 150_000;
/** A function that stays is called in so many rounds, one after the other: each is decoded between what is written over. */
const SHIFT = 9;
const FUNCTION = 16;
const FUNCTIONS = (ROUNDS >> SHIFT) + 1;
const TABLE = 0x1_0000;
const CHANGED = CODE + 0x200;
/** NOPs with a RET behind each LINE - 1 of them: entered at each address once. */
const NOPS = 0x2_0000;
const LINE = 32;

const u32 = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)];
const relative = (to: number, behind: number): number[] => u32((to - behind) >>> 0);

/** Code for the beginning of a round, of which ECX is left, at an address: it calls what is written over, and adds to EBX what that is worth. */
type Begin = (at: number) => number[];

/** inc dword [CHANGED + 1]; call CHANGED; add ebx, eax. */
const sameAddress: Begin = (at) => [
  ...[0xff, 0x05, ...relative(CHANGED + 1, at + 6)],
  ...[0xe8, ...relative(CHANGED, at + 11)],
  ...[0x01, 0xc3],
];

/** lea esi, [rcx + NOPS]; call rsi; lea esi, [rcx + NOPS]; mov al, [rsi]; mov [rsi], al; add ebx, ecx. */
const newAddress: Begin = () => [
  ...[0x8d, 0xb1, ...u32(NOPS), 0xff, 0xd6],
  ...[0x8a, 0x06, 0x88, 0x06],
  ...[0x01, 0xcb],
];

/** mov ecx, ROUNDS; again: what begins a round; then what calls the round's function; dec ecx; jnz again; then each function once more, the
 * last first; hlt. */
function program(begin: Begin): number[] {
  const code: number[] = [0xb9, ...u32(ROUNDS)];
  const here = (): number => CODE + code.length;
  const again = here();
  code.push(...begin(again));
  code.push(0x89, 0xce, 0xc1, 0xee, SHIFT, 0xc1, 0xe6, 4, 0x81, 0xc6, ...u32(TABLE), 0xff, 0xd6); // esi = TABLE + (ecx >> SHIFT) * 16; call rsi
  code.push(0xff, 0xc9, 0x0f, 0x85, ...relative(again, here() + 8));
  code.push(0xbe, ...u32(TABLE + (FUNCTIONS - 1) * FUNCTION));
  const once = here();
  code.push(
    0xff,
    0xd6,
    0x83,
    0xee,
    FUNCTION,
    0x81,
    0xfe,
    ...u32(TABLE),
    0x0f,
    0x83,
    ...relative(once, here() + 17),
    0xf4,
  );
  return code;
}

/** What function `n` of the table adds to EBX. */
const term = (n: number): number => n * 7919 + 1;

/** EBX in the end: both kinds of rounds are worth 1 to ROUNDS together. */
function expected(): number {
  let sum = 0;
  for (let round = ROUNDS; round > 0; round--) sum = (sum + round + term(round >> SHIFT)) >>> 0;
  for (let n = 0; n < FUNCTIONS; n++) sum = (sum + term(n)) >>> 0;
  return sum;
}

async function run(accel: Accelerator, begin: Begin): Promise<Record<CounterName, number>> {
  const kvm = await Kvm.open({ accel });
  using vm = kvm.createVm({ memorySize: 1 << 20 });
  const userspaceAddr = vm.allocate(RAM);
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0, memorySize: RAM, userspaceAddr });
  const ram = new Uint8Array(vm.memory, userspaceAddr, RAM);
  ram.set(program(begin), CODE);
  // mov eax, 0; 20 times nop; ret.
  ram.set([0xb8, ...u32(0), ...new Array<number>(20).fill(0x90), 0xc3], CHANGED);
  // add ebx, term; ret.
  for (let n = 0; n < FUNCTIONS; n++) ram.set([0x81, 0xc3, ...u32(term(n)), 0xc3], TABLE + n * FUNCTION);
  for (let at = 0; at <= ROUNDS + LINE; at++) ram[NOPS + at] = at % LINE === LINE - 1 ? 0xc3 : 0x90;
  const vcpu = vm.createVcpu(0);
  enter(vcpu, ram, "long");
  runUntil(vcpu, ({ reason }) => reason === KVM_EXIT_HLT);
  assert.equal(Number(vcpu.getRegs().rbx), expected());
  return vm.getStats().counters;
}

for (const accel of ACCELERATOR === "ts" ? (["ts"] as const) : (["interp", "jit"] as const)) {
  test(`what is decoded anew takes the place of what was there (${accel})`, async () => {
    const { tracesDropped, traceSweeps, traceFlushes } = await run(accel, sameAddress);
    // Before the first round nothing is decoded yet.
    assert.equal(tracesDropped, ROUNDS - 1);
    assert.equal(traceSweeps, 0);
    assert.ok(traceFlushes <= 1);
  });

  test(`what was written over leaves room for what is decoded elsewhere (${accel})`, async () => {
    const { tracesDropped, traceSweeps, traceFlushes, regionsBuilt, regionsDropped } = await run(accel, newAddress);
    assert.equal(tracesDropped, ROUNDS);
    assert.ok(traceSweeps >= 2, `${traceSweeps} sweeps`);
    assert.ok(traceFlushes <= 1, "nothing else was dropped");
    if (accel === "jit") assert.ok(regionsBuilt > regionsDropped, "there are regions, and they stay");
  });
}

test("a call that writes over its own trace and goes back to its beginning executes what is there then", async () => {
  // The return address, 0x10eb, is a short jump over 16 bytes: it takes the place of the NOPs that the trace begins with.
  const begin = 0x10de;
  const behind = 0x10eb;
  const nops = new Array<number>(8).fill(0x90);
  const { vm, vcpu, ram } = await makeGuest([], { mode: "long" });
  ram.set([...nops, 0xe8, ...relative(begin, behind)], begin);
  ram.set([0xbb, ...u32(42), 0xf4], begin + 2 + 0x10); // mov ebx, 42; hlt
  vcpu.setRegs({ ...vcpu.getRegs(), rip: BigInt(begin), rsp: BigInt(begin + nops.length) });
  assert.equal(vcpu.run({ maxNs: 1e9 }).reason, KVM_EXIT_HLT);
  assert.equal(vcpu.getRegs().rbx, 42n);
  assert.equal(vm.getStats().counters.tracesDropped, 1);
});
