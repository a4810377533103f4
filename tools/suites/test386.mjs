// test386.asm: a ROM in place of the BIOS, which names each test on a diagnostic port and prints what instructions gave.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runToEnd } from "./child.mjs";

/** The last diagnostic code: everything before it was right. */
const POST_DONE = 0xff;
const COMMON = ["-nodefaults", "-no-reboot", "-display", "none", "-serial", "none"];

/** Runs each ROM of a built folder on the chosen machines; `report` hears of each as it ends. */
export async function runTest386(folder, machines, { only, timeoutSeconds, report }) {
  const ports = readPorts(join(folder, "src", "configuration.asm"));
  const reference = readFileSync(join(folder, "test386-EE-reference.txt"), "latin1");
  const roms = readdirSync(folder).filter(
    (name) => name.endsWith(".bin") && (only.length === 0 || only.includes(name)),
  );
  if (roms.length === 0) throw new Error(`${folder}: no ROM: not a built folder of test386.asm`);
  const arch = "80386";
  const rows = [];
  for (const name of roms) {
    const row = { name, processors: 1, results: {} };
    for (const machine of machines) {
      row.results[machine.name] = await runRom(join(folder, name), machine, ports, reference, timeoutSeconds);
      report(arch, row, machine.name);
    }
    rows.push(row);
  }
  return { suite: "test386.asm", arch, source: folder, rows };
}

async function runRom(rom, machine, { post, out }, reference, timeoutSeconds) {
  const scratch = mkdtempSync(join(tmpdir(), "wkvm-suite-"));
  const codes = join(scratch, "post");
  const text = join(scratch, "text");
  const console = (id, port, path) => [
    ...["-chardev", `file,id=${id},path=${path}`],
    ...["-device", `isa-debugcon,iobase=0x${port.toString(16)},chardev=${id}`],
  ];
  const lastCode = () => (existsSync(codes) ? (readFileSync(codes).at(-1) ?? 0) : 0);
  try {
    const end = await runToEnd(
      machine.command,
      [...machine.args, ...COMMON, "-bios", rom, ...console("post", post, codes), ...console("text", out, text)],
      // The ROM ends in HLT.
      { timeoutSeconds, cwd: scratch, isDone: () => lastCode() === POST_DONE },
    );
    const output = existsSync(text) ? readFileSync(text, "latin1") : "";
    return { ...judge(lastCode(), output, reference), seconds: Number(end.seconds.toFixed(1)), output: end.errors };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function judge(code, text, reference) {
  if (code !== POST_DONE) return { verdict: "fail", reason: `stopped at diagnostic code 0x${code.toString(16)}` };
  if (text === reference) return { verdict: "pass", reason: "" };
  const lines = text.split("\n");
  const first = reference.split("\n").findIndex((line, i) => line !== lines[i]);
  return { verdict: "fail", reason: `line ${first + 1} of the text is not the reference's` };
}

/** The ports that the ROM was assembled for. */
function readPorts(path) {
  const text = readFileSync(path, "utf8");
  const port = (name) => Number(new RegExp(`^${name}\\s+equ\\s+(\\w+)`, "m").exec(text)?.[1] ?? 0);
  const ports = { post: port("POST_PORT"), out: port("OUT_PORT") };
  if (!ports.post || !ports.out) throw new Error(`${path}: POST_PORT and OUT_PORT have to be set`);
  return ports;
}
