// Code that is written over again and again: the room of its traces is used again, and what else was decoded stays good.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KVM_EXIT_HLT, Kvm } from "../../host/kvm/index.ts";
import { ACCELERATOR, CODE, enter, runUntil } from "./guest.ts";

const RAM = 0x2_0000;
const ROUNDS = 150_000;
/** A function that stays is called in so many rounds, one after the other: each is decoded between what is written over. */
const SHIFT = 9;
const FUNCTION = 16;
const FUNCTIONS = (ROUNDS >> SHIFT) + 1;
const TABLE = 0x1_0000;
const CHANGED = CODE + 0x200;

const u32 = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)];
const relative = (to: number, behind: number): number[] => u32((to - behind) >>> 0);

/** mov ecx, ROUNDS; again: inc dword [CHANGED + 1]; call CHANGED; add ebx, eax; then what calls the function of the round; dec ecx;
 * jnz again; then each function once more, the last first; hlt. */
function program(): number[] {
  const code: number[] = [0xb9, ...u32(ROUNDS)];
  const here = (): number => CODE + code.length;
  const again = here();
  code.push(0xff, 0x05, ...relative(CHANGED + 1, here() + 6));
  code.push(0xe8, ...relative(CHANGED, here() + 5));
  code.push(0x01, 0xc3);
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

function expected(): number {
  let sum = 0;
  for (let round = ROUNDS; round > 0; round--) sum = (sum + (ROUNDS - round + 1) + term(round >> SHIFT)) >>> 0;
  for (let n = 0; n < FUNCTIONS; n++) sum = (sum + term(n)) >>> 0;
  return sum;
}

for (const accel of ACCELERATOR === "ts" ? (["ts"] as const) : (["interp", "jit"] as const)) {
  test(`what is written over leaves room for what is decoded next (${accel})`, async () => {
    const kvm = await Kvm.open({ accel });
    using vm = kvm.createVm({ memorySize: 1 << 20 });
    const userspaceAddr = vm.allocate(RAM);
    vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0, memorySize: RAM, userspaceAddr });
    const ram = new Uint8Array(vm.memory, userspaceAddr, RAM);
    ram.set(program(), CODE);
    // mov eax, 0; 20 times nop; ret.
    ram.set([0xb8, ...u32(0), ...new Array<number>(20).fill(0x90), 0xc3], CHANGED);
    // add ebx, term; ret.
    for (let n = 0; n < FUNCTIONS; n++) ram.set([0x81, 0xc3, ...u32(term(n)), 0xc3], TABLE + n * FUNCTION);
    const vcpu = vm.createVcpu(0);
    enter(vcpu, ram, "long");
    runUntil(vcpu, ({ reason }) => reason === KVM_EXIT_HLT);
    assert.equal(Number(vcpu.getRegs().rbx), expected());
    const { traceSweeps, traceFlushes, tracesDropped, regionsBuilt, regionsDropped } = vm.getStats().counters;
    // Before the first round nothing is decoded yet.
    assert.equal(tracesDropped, ROUNDS - 1);
    assert.ok(traceSweeps >= 2, `${traceSweeps} sweeps`);
    assert.ok(traceFlushes <= 1, "nothing else was dropped");
    if (accel === "jit") assert.ok(regionsBuilt > regionsDropped, "there are regions, and they stay");
  });
}
