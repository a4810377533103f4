// What devices are given in tests in place of a machine.
import type { Chardev } from "../../host/chardev/types.ts";
import type { GuestMemory, IrqLine } from "../../host/devices/bus.ts";
import type { Clock, Timer, Timers } from "../../host/devices/clock.ts";

/** A wire that remembers its level and how often it rose. */
export class FakeIrq implements IrqLine {
  level = false;
  rises = 0;

  set(level: boolean): void {
    if (level && !this.level) {
      this.rises += 1;
    }
    this.level = level;
  }
}

/** Guest time that moves when told to, firing timers on its way. */
export class FakeTime implements Clock, Timers {
  private ns = 0;
  private readonly armed = new Map<object, { at: number; callback: () => void }>();

  nowNs(): number {
    return this.ns;
  }

  create(callback: () => void): Timer {
    const key = {};
    return {
      arm: (at) => {
        this.armed.set(key, { at, callback });
      },
      cancel: () => {
        this.armed.delete(key);
      },
    };
  }

  advance(ns: number): void {
    const end = this.ns + ns;
    for (;;) {
      const due = [...this.armed].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (due === undefined) {
        break;
      }
      const [key, { at, callback }] = due;
      this.armed.delete(key);
      this.ns = Math.max(this.ns, at);
      callback();
    }
    this.ns = end;
  }

  nextAt(): number {
    return Math.min(...[...this.armed.values()].map(({ at }) => at));
  }
}

/** Collects output; `type` is somebody typing. */
export class FakeChardev implements Chardev {
  output = "";
  ready = true;
  private listener: ((bytes: Uint8Array) => void) | null = null;

  write(bytes: Uint8Array): void {
    this.output += String.fromCharCode(...bytes);
  }

  onInput(listener: ((bytes: Uint8Array) => void) | null): void {
    this.listener = listener;
  }

  setReady(ready: boolean): void {
    this.ready = ready;
  }

  type(text: string): void {
    this.listener?.(new TextEncoder().encode(text));
  }
}

/** RAM from address 0. */
export class FakeRam implements GuestMemory {
  readonly bytes: Uint8Array;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  read(gpa: number, into: Uint8Array): boolean {
    if (gpa + into.length > this.bytes.length) {
      return false;
    }
    into.set(this.bytes.subarray(gpa, gpa + into.length));
    return true;
  }

  write(gpa: number, from: Uint8Array): boolean {
    if (gpa + from.length > this.bytes.length) {
      return false;
    }
    this.bytes.set(from, gpa);
    return true;
  }
}
