// Debian's kernel in a worker of Chromium, from the files that `npm start` boots in Node.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { defaultGuest } from "../../host/guest/default-guest.ts";
import { DEFAULT_TSC_KHZ } from "../../host/kvm/memory.ts";
import type { SessionResult } from "./guest-runs.ts";
import { findChromium, Site } from "./site.ts";

const chromium = findChromium() ?? "";
const missing = chromium === "" ? "Chromium (package chromium) is not installed" : false;
const skip = process.env["WKVM_SOAK"] ? missing : "npm run soak runs it";

let site: Site;
before(async () => {
  if (!skip) site = await Site.open();
});
after(() => site?.close());

test("Debian's 6.12 cloud kernel boots to a shell in a browser", { skip, timeout: 600_000 }, async (context) => {
  const { files, notice } = await defaultGuest({ tscKhz: DEFAULT_TSC_KHZ });
  if (notice) return context.skip(notice);
  const { kernel, initrd, commandLine } = files();
  assert.ok(initrd);
  site.add("kernel", kernel);
  site.add("initrd", initrd);
  const session = {
    linux: { kernel: "kernel", initrd: "initrd", commandLine },
    mebibytes: 256,
    prompt: "# ",
    commands: ["seq 1 1000 | sha256sum", "poweroff -f"],
  };
  const results = await site.visit(chromium, "open", [
    { name: "boot", worker: "open", task: { do: "machine", options: {}, session } },
  ]);
  const { output, end, bootMs, counters } = results["boot"] as SessionResult;
  assert.equal(end, "poweroff", JSON.stringify(results["boot"]));
  assert.match(output, /67d4ff71d43921d5739f387da09746f405e425b07d727e4c69d029461d1f051f/);
  const share = counters.regionInstructions / counters.instructions;
  context.diagnostic(`${bootMs.toFixed(0)} ms to the shell, ${(100 * share).toFixed(1)}% in regions`);
  assert.ok(share > 0.5, `${share} in regions`);
});
