import assert from "node:assert/strict";
import { test } from "node:test";
import { KVM_CLOCK_REALTIME, KVM_EXIT_HLT, KvmError } from "../../host/kvm/index.ts";
import { makeGuest } from "./guest.ts";

const hasCode = (code: string) => (error: unknown) => error instanceof KvmError && error.code === code;

test("getClock() runs with the host's clock, and setClock() moves it", async () => {
  const { vm } = await makeGuest([0xf4]);
  const first = vm.getClock();
  await new Promise((resolve) => setTimeout(resolve, 30));
  const passed = Number(vm.getClock().clock - first.clock) / 1e6;
  assert.ok(passed > 20 && passed < 500, `${passed} ms`);
  vm.setClock({ clock: 1_000_000_000_000n, flags: 0 });
  const moved = vm.getClock().clock;
  assert.ok(moved >= 1_000_000_000_000n && moved < 1_001_000_000_000n, String(moved));
  assert.throws(() => vm.setClock({ clock: 0n, flags: 0x80 }), hasCode("EINVAL"));
});

test("setClock() with REALTIME adds the wall-clock time that has passed", async () => {
  const { vm } = await makeGuest([0xf4]);
  const saved = vm.getClock();
  assert.ok(saved.flags & KVM_CLOCK_REALTIME && saved.realtime !== undefined);
  const anHourAgo = { ...saved, realtime: (saved.realtime as bigint) - 3_600_000_000_000n };
  vm.setClock(anHourAgo);
  const hours = Number(vm.getClock().clock - saved.clock) / 3.6e12;
  assert.ok(hours > 0.999 && hours < 1.01, `${hours} hours`);
});

test("the guest's TSC follows the clock, at its rate", async () => {
  const { vcpu } = await makeGuest([0x0f, 0x31, 0xf4, 0x0f, 0x31, 0xf4], { mode: "protected" }); // rdtsc; hlt; rdtsc; hlt
  const tsc = () => {
    assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
    const { rax, rdx } = vcpu.getRegs();
    return (rdx << 32n) | rax;
  };
  const first = tsc();
  await new Promise((resolve) => setTimeout(resolve, 30));
  const ms = Number(tsc() - first) / 1e6;
  assert.ok(ms > 20 && ms < 500, `${ms} ms at 1 GHz`);
});

test("with icountShift, time is a function of instructions", async () => {
  const run = async () => {
    // rdtsc; mov ebx, eax; mov ecx, 1000; again: loop again; rdtsc; hlt  (32-bit)
    const code = [0x0f, 0x31, 0x89, 0xc3, 0xb9, 0xe8, 0x03, 0x00, 0x00, 0xe2, 0xfe, 0x0f, 0x31, 0xf4];
    const { vcpu } = await makeGuest(code, { mode: "protected", icountShift: 3 });
    assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
    const { rax, rbx } = vcpu.getRegs();
    return Number(rax - rbx);
  };
  const first = await run();
  assert.equal(await run(), first, "two runs agree");
  // What counts is known at the beginning of a trace of up to 32 instructions.
  assert.ok(Math.abs(first - 1003 * 8) <= 32 * 8, `${first} ns for 1003 instructions of 8 ns`);
});

test("setTssAddr() and setIdentityMapAddr() check what they are given", async () => {
  const { vm } = await makeGuest([0xf4], {
    beforeVcpu: (vm) => vm.setIdentityMapAddr(0xfffb_c000),
  });
  vm.setTssAddr(0xfffb_d000);
  assert.throws(() => vm.setTssAddr(0xffff_f000), hasCode("EINVAL"));
  assert.throws(() => vm.setIdentityMapAddr(0xfffb_c000), hasCode("EINVAL"), "a vCPU exists");
});
