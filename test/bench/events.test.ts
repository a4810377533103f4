// The lines of bench/bare/events.c, and what follows from the times of its loops.
import assert from "node:assert/strict";
import { test } from "node:test";
import { followLoops, nanosecondsOf } from "../../bench/events.ts";
import { type MeasuredProcess, withProcess } from "../../bench/measured-process.ts";
import { shell } from "./fake-peers.ts";

const LOOPS = {
  pio: 1000.4,
  mmio: 2000,
  light: 100,
  exception: 600,
  hits: 1280,
  flushes: 500,
  misses: 1780 + 128 * 40,
};

test("a TLB miss is what flushed passes take longer, by page", () => {
  assert.deepEqual(nanosecondsOf([LOOPS]), {
    pio: 1000,
    mmio: 2000,
    inCore: 100,
    exception: 600,
    tlbMiss: 40,
    tlbFlush: 500,
  });
});

test("rounds are joined by their medians", () => {
  const rounds = [1, 5, 3].map((factor) => ({ ...LOOPS, light: 100 * factor }));
  assert.equal(nanosecondsOf(rounds).inCore, 300);
});

test("loops are followed to the last line", async () => {
  const lines: [line: string, cpuSeconds: number][] = [
    ["@begin pio 1000", 1],
    ["@end pio", 1.25],
    ["@begin light 10", 1.5],
    ["@end light", 1.5],
    ["@done", 2],
  ];
  const until: MeasuredProcess["until"] = async (pattern) => {
    const [line, cpuSeconds] = lines.shift()!;
    return { wallSeconds: 0, busiestThreadSeconds: 0, cpuSeconds, match: pattern.exec(`${line}\n`)! };
  };
  assert.deepEqual(await followLoops({ until }), { pio: 250_000, light: 0 });
});

test("an end that does not belong to the beginning is refused", async () => {
  await assert.rejects(withProcess(shell("echo '@begin pio 10'; echo '@end mmio'"), followLoops), /mmio/);
});
