// The texts that -h and -cpu help print.
import { featureNames } from "../kvm/cpu-features.ts";
import { cpuModels } from "../kvm/cpu-models.ts";
import { SECTIONS } from "./option-table.ts";

const COLUMN = 34;

/** The text of -h. */
export function helpText(program: string): string {
  const lines = [
    `usage: ${program} [options]`,
    `       ${program} install-alias DIR    put a link named qemu-system-x86_64 into DIR`,
    "",
    "An x86-64 machine on a processor in WebAssembly, with QEMU's options.",
    "Without -kernel, Debian's cloud kernel boots to a shell on this terminal.",
  ];
  for (const { title, options } of SECTIONS) {
    lines.push("", `${title}:`);
    for (const { names, argument, help } of options) {
      const spelled = `${names.map((name) => `-${name}`).join(", ")}${argument ? ` ${argument}` : ""}`;
      if (spelled.length < COLUMN) lines.push(`${spelled.padEnd(COLUMN)}${help}`);
      else lines.push(spelled, `${" ".repeat(COLUMN)}${help}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** The text of -cpu help. */
export function cpuHelp(): string {
  const lines = cpuModels().map(({ name, description }) => `x86 ${name.padEnd(20)} ${description}`);
  return `Available CPUs:\n${lines.join("\n")}\n\nRecognized CPUID flags:\n${wrapped(featureNames())}\n`;
}

/** Words in lines of at most 78 columns, indented by two. */
function wrapped(words: readonly string[]): string {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    if (line.length + 1 + word.length > 76) {
      lines.push(line);
      line = "";
    }
    line += line ? ` ${word}` : `  ${word}`;
  }
  return [...lines, line].join("\n");
}
