import assert from "node:assert/strict";
import { test } from "node:test";
import { startGuest } from "./guest-run.ts";

test("with icount the guest's clock follows its instructions, and input still arrives", {
  timeout: 60_000,
}, async () => {
  const { machine, console, ended } = await startGuest({ vm: { icountShift: 3 } });
  await console.expect("wkvm# ");
  await console.ask("echo deterministic", "deterministic\r\n");
  const before = machine.vm.nowNs();
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(machine.vm.nowNs(), before, "the clock stands still at the prompt");
  console.type("poweroff\r");
  assert.equal((await ended).kind, "poweroff");
});
