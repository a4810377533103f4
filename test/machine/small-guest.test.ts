import assert from "node:assert/strict";
import { test } from "node:test";
import { smallGuest } from "../../host/boot/small-guest/small-guest.ts";
import { startGuest } from "./guest-run.ts";

test("the small guest fits into 64 KiB", () => {
  assert.ok(smallGuest().length <= 64 * 1024);
});

test("it says hello, obeys its commands, sleeps at the prompt, and powers off", { timeout: 60_000 }, async () => {
  const { machine, console, ended } = await startGuest();
  await console.expect("memory: 32 MiB");
  await console.expect("wkvm# ");
  await console.ask("help", "poweroff");
  await console.ask("echo two words", "two words\r\n");
  await console.ask("mem", "0000000000100000-0000000001ffffff RAM");
  await console.ask("cpuid", "hypervisor: KVMKVMKVM");
  await console.ask("typo\x7fs\x08\x08\x08\x08\x08\x08echo ok", "ok\r\nwkvm# ");
  await console.ask("nonsense", "not a command");

  await console.ask("", "wkvm# ");
  const before = machine.vm.getStats().counters.instructions;
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.ok(machine.vm.getStats().counters.instructions - before < 1000n, "the prompt sleeps");

  console.type("poweroff\r");
  assert.deepEqual(await ended, { kind: "poweroff", status: 0 });
});

test("reboot starts it again; with noReboot it ends", { timeout: 60_000 }, async () => {
  const first = await startGuest();
  await first.console.expect("wkvm# ");
  first.console.type("reboot\r");
  await first.console.expect("own small guest", 20_000, first.console.output.length);
  await first.console.ask("echo again", "again\r\n");
  first.console.type("poweroff\r");
  assert.equal((await first.ended).kind, "poweroff");
  assert.deepEqual(
    first.events.filter(({ kind }) => kind !== "boot"),
    [
      { kind: "reset", reason: "guest-reset" },
      { kind: "end", end: { kind: "poweroff", status: 0 } },
    ],
  );

  const second = await startGuest({ noReboot: true });
  await second.console.expect("wkvm# ");
  second.console.type("reboot\r");
  assert.deepEqual(await second.ended, { kind: "reset", status: 0 });
});
