// Options of the tools: -h tells what there is, and what is not understood ends a tool with status 2 before it does anything.
import { parseArgs } from "node:util";

/** As parseArgs() of node:util. Ends the process for -h and --help, with `help`, and for words that it does not know. */
export function readOptions(help, config) {
  let parsed;
  try {
    parsed = parseArgs({ ...config, options: { ...config.options, help: { type: "boolean", short: "h" } } });
  } catch (error) {
    refuse(help, error.message);
  }
  if (parsed.values.help) {
    process.stdout.write(help);
    process.exit(0);
  }
  return parsed;
}

/** The value of an option that takes a number of at least `least`; ends the process for anything else. */
export function numberOption(help, name, text, least = 0) {
  const number = Number(text);
  if (text.trim() === "" || !Number.isFinite(number) || number < least) {
    refuse(help, `--${name} expects a number of at least ${least}, not '${text}'`);
  }
  return number;
}

/** The names that an option lists between commas; ends the process for one that is not among `known`. */
export function namesOption(name, text, known) {
  return text.split(",").map((one) => nameOption(name, one, known));
}

/** The name that an option takes; ends the process for one that is not among `known`, which the complaint lists. */
export function nameOption(name, text, known) {
  if (known.includes(text)) return text;
  process.stderr.write(`--${name} ${text}: there are ${known.join(", ")}\n`);
  process.exit(2);
}

function refuse(help, complaint) {
  process.stderr.write(`${complaint}\n\n${help}`);
  process.exit(2);
}
