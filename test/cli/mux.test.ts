import assert from "node:assert/strict";
import { test } from "node:test";
import { Mux } from "../../host/chardev/mux.ts";
import type { Chardev } from "../../host/chardev/types.ts";

/** A terminal under the test's fingers. */
class FakeTerminal implements Chardev {
  shown = "";
  private listener: ((bytes: Uint8Array) => void) | null = null;

  write(bytes: Uint8Array): void {
    this.shown += Buffer.from(bytes).toString("latin1");
  }

  onInput(listener: ((bytes: Uint8Array) => void) | null): void {
    this.listener = listener;
  }

  type(text: string): void {
    this.listener?.(Buffer.from(text, "latin1"));
  }
}

function setUp() {
  const terminal = new FakeTerminal();
  const called: string[] = [];
  const commands = {
    quit: () => called.push("quit"),
    saveDisks: () => called.push("save"),
    elapsedMs: () => 3_723_004,
  };
  const mux = new Mux({ backend: terminal, commands, escape: 1, program: "wkvm" });
  const received = ["", ""];
  const fronts = [mux.add(), mux.add({ onFocus: () => called.push("focus") })];
  fronts.forEach((front, index) => {
    front.onInput((bytes) => {
      received[index] += Buffer.from(bytes).toString("latin1");
    });
  });
  return { terminal, called, received, fronts };
}

test("input goes to the front end with the focus", () => {
  const { terminal, received, called } = setUp();
  terminal.type("ab\x01cde\x01cf");
  assert.deepEqual(received, ["abf", "de"]);
  assert.deepEqual(called, ["focus"]);
});

test("Ctrl-A x leaves, also when the two keys come apart", () => {
  const { terminal, called } = setUp();
  terminal.type("\x01");
  terminal.type("x");
  assert.deepEqual(called, ["quit"]);
  assert.match(terminal.shown, /wkvm: Terminated\r\n/);
});

test("Ctrl-A h lists the keys, Ctrl-A s saves, Ctrl-A Ctrl-A sends one", () => {
  const { terminal, called, received } = setUp();
  terminal.type("\x01h\x01s\x01\x01");
  assert.match(terminal.shown, /C-a x {4}leave the emulator/);
  assert.deepEqual(called, ["save"]);
  assert.equal(received[0], "\x01");
});

test("Ctrl-A t puts the time before each line", () => {
  const { terminal, fronts } = setUp();
  terminal.type("\x01t");
  fronts[0]?.write(Buffer.from("one\ntwo"));
  assert.equal(terminal.shown, "[01:02:03.004] one\n[01:02:03.004] two");
});

test("a front end that is not ready gets its input later, in order", () => {
  const { terminal, fronts, received } = setUp();
  fronts[0]?.setReady?.(false);
  terminal.type("abc");
  assert.equal(received[0], "");
  fronts[0]?.setReady?.(true);
  terminal.type("d");
  assert.equal(received[0], "abcd");
});
