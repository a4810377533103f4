// wkvm as a runner of the bench: what its command can be asked for is measured, each build with its own core.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { withProcess } from "../../bench/measured-process.ts";
import { acceleratorOf, wkvm } from "../../bench/peers/wkvm.ts";

test("one runner an accelerator, started with the core beside the program", async () => {
  const folder = mkdtempSync(join(tmpdir(), "wkvm-test-"));
  try {
    const program = join(folder, "wkvm.mjs");
    const help =
      "Accelerators supported in wkvm:\\ninterp (default)\\njit[,threshold=N][,profile=FILE][,code-cache=off]\\n";
    writeFileSync(
      program,
      `console.log(process.argv.includes("help") ? "${help}" : process.env.WKVM_CORE + " " + process.argv.slice(2, 4));`,
    );
    const runners = wkvm(program, "1.2.3", "other-");
    assert.deepEqual(
      runners.map(({ name }) => name),
      ["other-interp", "other-jit", "other-jit-first"],
    );
    assert.match(runners[1]!.description, /wkvm 1\.2\.3, -accel jit/);
    const command = runners[1]!.command({ kernel: "k", initrd: "", append: "" });
    const { match } = await withProcess(command, (running) => running.until(/(.*)\n/, 30));
    assert.equal(match[1], `${join(folder, "core.wasm")} -accel,jit`);
    const first = runners[2]!;
    assert.deepEqual(
      runners.map(({ keepsCode, learns }) => [keepsCode ?? false, learns ?? false]),
      [
        [false, false],
        [true, true],
        [false, false],
      ],
    );
    assert.equal(first.only, "boots and programs");
    assert.deepEqual(first.command({ kernel: "k", initrd: "", append: "" }).args.slice(1, 3), [
      "-accel",
      "jit,code-cache=off",
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("runners of other programs have no accelerator", () => {
  assert.equal(acceleratorOf({ name: "wkvm-jit" } as Parameters<typeof acceleratorOf>[0]), "jit");
  assert.equal(acceleratorOf({ name: "base-jit" } as Parameters<typeof acceleratorOf>[0]), undefined);
});
