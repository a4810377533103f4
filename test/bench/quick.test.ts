// What a quick run leaves out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Emulator, forQuickRun } from "../../bench/peers/emulator.ts";

function emulator(name: string, more: Partial<Emulator> = {}): Emulator {
  const command = () => ({ file: name, args: [] });
  return {
    name,
    description: "",
    guests: [64, 32],
    wantsUnpacked: false,
    idles: true,
    multiboot: true,
    command,
    ...more,
  };
}

test("of wkvm's accelerators the first runs everything, and fast peers do; the others only boot, in their plain form", () => {
  const all = [
    emulator("wkvm-jit", { oneOfSeveral: true }),
    emulator("wkvm-interp", { oneOfSeveral: true }),
    emulator("wkvm-ts", { oneOfSeveral: true, slow: true }),
    emulator("wkvm-jit-again", { oneOfSeveral: true, only: "boots and programs" }),
    emulator("tcg"),
    emulator("bochs", { slow: true, guests: [64] }),
  ];
  assert.deepEqual(
    forQuickRun(all).map(({ name, only, guests }) => [name, only === "boots", guests.length]),
    [
      ["wkvm-jit", false, 2],
      ["wkvm-interp", true, 1],
      ["wkvm-ts", true, 1],
      ["tcg", false, 2],
      ["bochs", true, 1],
    ],
  );
});

test("a slow accelerator that is the only one to be measured still only boots", () => {
  const [alone] = forQuickRun([emulator("wkvm-ts", { oneOfSeveral: true, slow: true })]);
  assert.equal(alone?.only, "boots");
});
