// Sizes as QEMU writes them: "256", "1G", "1.5G", "0x10000000B".
import { UsageError } from "./usage-error.ts";

const SUFFIXES = "BKMGTPE";

/**
 * Bytes that `text` names; a number without suffix counts units of `unit` bytes.
 * Fractions are allowed for decimal numbers with a suffix or a unit above bytes. Throws UsageError naming `parameter`.
 */
export function parseSize(text: string, parameter: string, unit: number): number {
  const match = /^(?:(0[xX][0-9a-fA-F]+)|(\d+(?:\.\d*)?|\.\d+))([bBkKmMgGtTpPeE]?)$/.exec(text);
  // In a hexadecimal number a final B or E is a digit, as strtoull has it.
  if (!match) throw bad(parameter);
  const scale = match[3] ? 1024 ** SUFFIXES.indexOf(match[3].toUpperCase()) : unit;
  const number = match[1] ? Number.parseInt(match[1].slice(2), 16) : Number.parseFloat(match[2] as string);
  const bytes = Math.floor(number * scale);
  if (!(bytes < 2 ** 64) || (scale === 1 && !Number.isInteger(number))) throw bad(parameter);
  return bytes;
}

function bad(parameter: string): UsageError {
  return new UsageError(
    `Parameter '${parameter}' expects a non-negative number below 2^64, with an optional suffix B, K, M, G, T, P or E`,
  );
}
