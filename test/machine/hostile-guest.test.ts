import assert from "node:assert/strict";
import { test } from "node:test";
import type { PioSize } from "../../host/devices/bus.ts";
import { layOutMemory } from "../../host/machine/memory-map.ts";
import { Pc } from "../../host/machine/pc.ts";
import { MIB } from "../../host/machine/pc-hardware.ts";
import { FakeChardev, FakeRam, FakeTime } from "../devices/fakes.ts";

/** A small generator, so that a failure can be repeated. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Ports where something listens, so that most accesses hit. */
const BUSY = [0x60, 0x64, 0x70, 0x71, 0x92, 0xb2, 0xb3, 0x3f8, 0x510, 0x511, 0x514, 0x518, 0x600, 0xafe0, 0xcf8, 0xcfc];

test("random port and memory accesses never throw, hang or return what does not fit", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomFrom(seed);
    const time = new FakeTime();
    const levels = new Map<number, boolean>();
    const chardev = new FakeChardev();
    const counts = { resets: 0, offs: 0, exits: 0 };
    const pc = new Pc(
      {
        ram: new FakeRam(MIB),
        memoryMap: layOutMemory(16 * MIB),
        clock: time,
        timers: time,
        setIrq: (irq, level) => {
          assert.notEqual(levels.get(irq) ?? false, level, "a wire changes when it is set");
          levels.set(irq, level);
        },
        requestReset: () => {
          counts.resets += 1;
        },
        powerOff: () => {
          counts.offs += 1;
        },
        suspend: () => {},
        wake: () => {},
        debugExit: () => {
          counts.exits += 1;
        },
      },
      { cpus: 1, serial: [chardev], debugExits: [{ base: 0xf4, size: 4 }], debugcons: [{ base: 0xe9, chardev }] },
    );
    const data = new Uint8Array(8);
    for (let i = 0; i < 20_000; i++) {
      const port = random(4) === 0 ? random(0x10000) : (BUSY[random(BUSY.length)] as number) + random(4);
      const size = (1 << random(3)) as PioSize;
      if (random(2) === 0) {
        const value = pc.ports.read(port & 0xffff, size);
        assert.ok(Number.isInteger(value) && value >= 0 && value < 2 ** (8 * size), `port ${port}: ${value}`);
      } else {
        pc.ports.write(port & 0xffff, size, random(3) === 0 ? random(2 ** 32) : random(256));
      }
      const action = random(200);
      if (action === 0) {
        time.advance(random(5e9));
      } else if (action === 1) {
        chardev.type("x".repeat(random(40)));
      } else if (action === 2) {
        pc.keyboardController.keyboard.key(random(0x80), random(2) === 0);
        pc.keyboardController.mouse.move(random(600) - 300, random(600) - 300, random(20) - 10, random(32));
      } else if (action === 3) {
        pc.mmio.read(random(2 ** 32), data.subarray(0, 1 << random(4)));
      } else if (action === 4) {
        pc.acpi.pressPowerButton();
      } else if (action === 5 && random(10) === 0) {
        pc.reset();
      }
    }
    pc.reset();
    for (const [irq, level] of levels) {
      assert.equal(level, false, `interrupt ${irq} after a reset`);
    }
  }
});
