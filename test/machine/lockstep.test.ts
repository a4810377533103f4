// Machines whose two cores are compared as they go: a difference ends them with an error.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Kvm } from "../../host/kvm/index.ts";
import { startGuest } from "./guest-run.ts";

for (const [a, b] of [
  ["interp", "ts"],
  ["jit", "interp"],
] as const) {
  test(`the small guest runs on ${a} and ${b} in lockstep, to power off`, { timeout: 300_000 }, async () => {
    const kvm = await Kvm.open({ accel: "lockstep", threshold: 10, lockstep: { a, b, every: 20_000 } });
    const { console, ended } = await startGuest({ kvm, vm: { icountShift: 0 } });
    await console.expect("wkvm# ", 120_000);
    await console.ask("echo alike", "alike\r\n");
    console.type("poweroff\r");
    assert.equal((await ended).kind, "poweroff");
  });
}
