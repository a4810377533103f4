import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startGuest } from "./guest-run.ts";

test("with icount the guest's clock follows its instructions, and input still arrives", {
  timeout: 60_000,
}, async () => {
  const { machine, console, ended } = await startGuest({ vm: { icountShift: 3 } });
  await console.expect("wkvm# ");
  await console.ask("echo deterministic", "\ndeterministic\r\nwkvm# ");
  // Between the prompt's last character and HLT there are instructions left, and whatever else
  // this machine gives its time to: the clock has to come to stand still, and then to stay so.
  let before = machine.vm.nowNs();
  for (let waits = 0; waits < 50; waits++) {
    await delay(100);
    const now = machine.vm.nowNs();
    if (now === before) {
      break;
    }
    before = now;
  }
  await delay(200);
  assert.equal(machine.vm.nowNs(), before, "the clock stands still at the prompt");
  console.type("poweroff\r");
  assert.equal((await ended).kind, "poweroff");
});
