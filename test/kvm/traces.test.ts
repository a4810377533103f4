// The arena of traces can be gone through from outside, as the bench does.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LOG_COUNT, REQ_CODE_FLUSH } from "../../assembly/layout.ts";
import { TraceCounts } from "../../bench/trace-counts.ts";
import { KVM_EXIT_HLT } from "../../host/kvm/index.ts";
import { requestCell } from "../../host/kvm/kicker.ts";
import { makeGuest } from "./guest.ts";

const ROUNDS = 10;
/** Instructions between two jumps, so that traces of each length up to a line's worth follow one another. */
const LENGTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8];

/** mov ecx,ROUNDS; again: NOPs, each run of them ended by a jump to the next instruction; dec ecx; jnz again; hlt. */
function program(): number[] {
  const body = LENGTHS.flatMap((n) => [...new Array<number>(n).fill(0x90), 0xeb, 0x00]);
  const loop = [...body, 0xff, 0xc9, 0x0f, 0x85];
  const back = -(loop.length + 4);
  return [0xb9, ROUNDS, 0, 0, 0, ...loop, back & 255, (back >> 8) & 255, 255, 255, 0xf4];
}

test("traces are counted one after the other, whatever their lengths", async () => {
  const { vm, vcpu } = await makeGuest(program(), { mode: "long" });
  const counts = new TraceCounts();
  vm.onTrace = (kind, start, end) => {
    if (kind === LOG_COUNT) counts.add(vm.memory, Number(start), Number(end));
  };
  vcpu.setLog(LOG_COUNT);
  assert.equal(vcpu.run().reason, KVM_EXIT_HLT);
  Atomics.or(new Int32Array(vm.memory), requestCell(vcpu.id), REQ_CODE_FLUSH);
  vcpu.run({ maxNs: 1e6 });
  const { heads, entries, instructions, top } = counts.distribution();
  const perRound = LENGTHS.reduce((sum, n) => sum + n + 1, 0) + 2;
  assert.equal(instructions, 1 + ROUNDS * perRound + 1);
  // The first round's first trace begins with the MOV in front of it.
  assert.equal(heads, LENGTHS.length + 3);
  assert.equal(entries, ROUNDS * (LENGTHS.length + 1) + 1);
  assert.equal(top[0]!.entries, ROUNDS);
  vm.close();
});
