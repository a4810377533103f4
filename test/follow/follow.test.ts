// The boot of Debian's kernel, followed: each instruction that QEMU's translator executes from the kernel's entry on, wkvm
// executes too, and the state after it is compared; in the end all memory is. wkvm's tiers and cores are compared with
// each other in lockstep, but have one source: this is where it meets another one. QEMU says what is right.
// WKVM_SOAK=1 follows ten million instructions.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CPU_GPR, VCPU_BASE } from "../../assembly/layout.ts";
import { smallGuest } from "../../host/boot/small-guest/small-guest.ts";
import { CommandError } from "../../host/guest/command.ts";
import { debianGuest } from "../../host/guest/debian.ts";
import { type CoreFactory, compileCore, instantiate, type LinearMemory, makeMemory } from "../../host/kvm/core.ts";
import { follow } from "./follow.ts";
import { Difference } from "./follower.ts";
import { findPeer } from "./peer.ts";

const SOAK = process.env["WKVM_SOAK"] !== undefined;
const INSTRUCTIONS = SOAK ? 10_000_000 : 200_000;
/** A kernel that clears its memory byte by byte does not get far in a short run. */
const ITERATIONS = SOAK ? Number.POSITIVE_INFINITY : 300_000;
const TIMEOUT = { timeout: SOAK ? 3_600_000 : 300_000 };
/** Where errors are put in, and how far one has to get at least to find them. */
const ERROR_AT = 2_000;
const FAR_ENOUGH = 3_000;
/** The small guest is at its prompt before that, and goes on only when something is typed. */
const BEYOND_PROMPT = 10_000;
const RBX = 3;

const peer = findPeer();
const qemu = "missing" in peer ? "" : peer.file;
const skip = "missing" in peer ? peer.missing : false;

async function kernel(): Promise<string | undefined> {
  const guest = await debianGuest().catch((error: unknown) => {
    // Without a network there is no kernel to follow.
    if (error instanceof CommandError) return undefined;
    throw error;
  });
  return guest?.kernel;
}

/** A core that makes one error: `err` comes after so many instructions. */
async function erring(after: number, err: (memory: LinearMemory) => void): Promise<CoreFactory> {
  const program = await compileCore();
  return {
    makeMemory: (bytes) => makeMemory(program, bytes),
    instantiate: (memory, imports) => {
      const core = instantiate(program, memory, imports);
      let left = after;
      const run = (maxNs: number, mayBlock: number): number => {
        const reason = core.run(maxNs, mayBlock);
        if (--left === 0) err(memory);
        return reason;
      };
      return { ...core, run };
    },
  };
}

test("Debian's kernel executes what it does in QEMU's translator", { skip, ...TIMEOUT }, async (context) => {
  const path = await kernel();
  if (path === undefined) return context.skip("there is no kernel");
  const { instructions, iterations, interrupts, outside, adopted } = await follow({
    qemu,
    kernel: path,
    instructions: INSTRUCTIONS,
    iterations: ITERATIONS,
  });
  const taken = [...adopted].map(([name, times]) => `${name} ${times}`).join(", ");
  context.diagnostic(
    `${instructions} instructions, ${iterations} with iterations; ${interrupts} interrupts and the values of ${outside} ` +
      `device accesses came from QEMU, and registers after ${taken || "none"}`,
  );
  assert.ok(instructions >= INSTRUCTIONS || iterations >= ITERATIONS);
});

test("the small guest's ports and interrupts are followed as well", { skip, ...TIMEOUT }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "wkvm-follow-"));
  try {
    const [path, input] = [join(folder, "guest"), join(folder, "input")];
    writeFileSync(path, smallGuest());
    writeFileSync(input, "echo followed\r".repeat(20));
    const { interrupts, outside } = await follow({ qemu, kernel: path, input, instructions: BEYOND_PROMPT });
    assert.ok(interrupts > 0, "no interrupt was delivered");
    assert.ok(outside > 0, "no port was read");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("one wrong bit of a register is found where it arises", { skip, ...TIMEOUT }, async (context) => {
  const path = await kernel();
  if (path === undefined) return context.skip("there is no kernel");
  const core = await erring(ERROR_AT, ({ buffer }) => {
    new Uint8Array(buffer)[VCPU_BASE + CPU_GPR + 8 * RBX + 5]! ^= 0x10;
  });
  await assert.rejects(follow({ qemu, kernel: path, instructions: FAR_ENOUGH, core }), (error: unknown) => {
    assert.ok(error instanceof Difference, String(error));
    assert.match(error.message, new RegExp(`\\(${ERROR_AT} with iterations\\)`));
    assert.match(error.message, /^RBX .* <--$/m);
    const listed = error.message.slice(error.message.indexOf("the last instructions:")).split("\n");
    assert.equal(listed.length, 1 + 20);
    return true;
  });
});

test("one wrong bit of memory that nothing reads is found in the end", { skip, ...TIMEOUT }, async (context) => {
  const path = await kernel();
  if (path === undefined) return context.skip("there is no kernel");
  const core = await erring(ERROR_AT, ({ buffer }) => {
    new Uint8Array(buffer)[buffer.byteLength - 0x1_0000]! ^= 1;
  });
  await assert.rejects(follow({ qemu, kernel: path, instructions: FAR_ENOUGH, core }), /memory differs at 7ff0000/);
});
