// What building programs is like, for ten minutes: the guest's shell generates, sorts, edits, packs, unpacks, splits and
// hashes files in a loop. Node says what the checksums have to be; the host's memory has to stay what it was.
// WKVM_SOAK_SECONDS is for how long.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { Session } from "../cli/session.ts";

const SECONDS = Number(process.env["WKVM_SOAK_SECONDS"] ?? 600);
const BOOT_MS = 300_000;
const ROUND_MS = 300_000;
const LINES = 4000;
/** Rounds until the guest's programs, and what was translated of them, are in memory. */
const WARM_UP = 3;
/** MiB that host memory may vary by, the guest's RAM not counted. */
const ROOM = 48;
/** A mapping as large as the guest's RAM, MiB. */
const RAM = 256;

const skip = process.env["WKVM_SOAK"]
  ? existsSync("/usr/bin/apt-get") && existsSync("/proc/self/smaps")
    ? false
    : "no apt-get or no /proc"
  : "npm run soak runs it";

// Each round has its own text, so that nothing can be answered from an earlier one.
const SCRIPT = `
cd /tmp; rm -rf w; mkdir w; cd w
seq 1 ${LINES} | awk -v s=$1 '{ printf "%05d word%d %x\\n", ($1 * 7919 + s * 104729) % 65521, $1 % 97, $1 * s }' > a
sort a > b
sed 's/word/w_/g' b > c
gzip -c c > d.gz
gzip -dc d.gz > e
cmp c e || echo DIFFERENT
for n in $(seq 1 200 ${LINES}); do sed -n "$n,$((n + 199))p" e > part; sha256sum < part; done | sha256sum | cut -c1-64 > g
echo "round $1: $(sha256sum < b | cut -c1-64) $(sha256sum < e | cut -c1-64) $(cat g) $(grep -c w_7 e) end"
`;

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** What the guest has to say of a round. */
function expected(seed: number): string {
  const lines = Array.from({ length: LINES }, (_, i) => {
    const n = i + 1;
    const key = `${(n * 7919 + seed * 104729) % 65521}`.padStart(5, "0");
    return `${key} word${n % 97} ${(n * seed).toString(16)}\n`;
  });
  const sorted = lines.sort();
  const edited = sorted.map((line) => line.replaceAll("word", "w_"));
  const parts: string[] = [];
  for (let at = 0; at < LINES; at += 200) parts.push(`${sha256(edited.slice(at, at + 200).join(""))}  -\n`);
  const matching = edited.filter((line) => line.includes("w_7")).length;
  return [sha256(sorted.join("")), sha256(edited.join("")), sha256(parts.join("")), matching].join(" ");
}

/** MiB of a process's memory that is resident, without the guest's RAM. */
function residentBesideRam(pid: number): number {
  let total = 0;
  let size = 0;
  for (const line of readFileSync(`/proc/${pid}/smaps`, "utf8").split("\n")) {
    const [, name, kib] = /^(Size|Rss): +(\d+) kB/.exec(line) ?? [];
    if (name === "Size") size = Number(kib) / 1024;
    else if (name === "Rss" && size < RAM) total += Number(kib) / 1024;
  }
  return total;
}

test(`a guest that builds and hashes files for ${SECONDS} s`, { skip }, async (t) => {
  const session = new Session(["-m", `${RAM}`, "-nographic", "-no-reboot"]);
  await session.see(/busybox shell;[\s\S]*# /, BOOT_MS);
  session.type(`mkdir -p /tmp; cat > /load <<'EOF'${SCRIPT}EOF\n`);
  const started = performance.now();
  const memory: number[] = [];
  let round = 0;
  do {
    round++;
    session.type(`sh /load ${round}\n`);
    const text = await session.see(new RegExp(`^round ${round}: (.*) end\\r?$`, "m"), ROUND_MS);
    assert.ok(text.includes(`: ${expected(round)} end`), `round ${round}: ${text.slice(-400)}`);
    assert.doesNotMatch(text, /^DIFFERENT/m);
    memory.push(residentBesideRam(session.pid));
  } while (performance.now() - started < SECONDS * 1000 || round < 2 * WARM_UP);

  session.type("\x01cinfo jit\n");
  const counters = await session.see(/writes to code +\d+/);
  session.type("quit\n");
  assert.equal((await session.finish()).status, 0);
  const late = memory.slice(WARM_UP);
  const half = Math.ceil(late.length / 2);
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const [early, later] = [mean(late.slice(0, half)), mean(late.slice(half))];
  t.diagnostic(
    `${round} rounds; beside RAM ${early.toFixed(0)} MiB, then ${later.toFixed(0)}; at most ${Math.max(...memory).toFixed(0)}`,
  );
  t.diagnostic(counters.slice(counters.indexOf("Translation")).replaceAll(/\r?\n/g, "; "));
  assert.ok(later < early + ROOM, `${early} MiB, then ${later}`);
  assert.ok(Math.max(...memory) < 300, `${Math.max(...memory)} MiB beside the guest's RAM`);
});
