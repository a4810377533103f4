// QEMU's option lists: "value,key=value,flag", where ",," stands for a comma.
import { UsageError } from "./usage-error.ts";

/** The pairs of one option's argument; a key given twice keeps its last value, as in QEMU. */
export class KeyValues {
  private readonly pairs: Map<string, string>;
  private readonly used = new Set<string>();

  constructor(pairs: Map<string, string>) {
    this.pairs = pairs;
  }

  get(key: string): string | undefined {
    this.used.add(key);
    return this.pairs.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** "on" or "off" (also "yes", "no", "true", "false", "y", "n"); `fallback` where the key is absent. */
  boolean(key: string, fallback: boolean): boolean {
    const value = this.get(key);
    if (value === undefined) return fallback;
    if (["on", "yes", "true", "y"].includes(value)) return true;
    if (["off", "no", "false", "n"].includes(value)) return false;
    throw new UsageError(`Parameter '${key}' expects 'on' or 'off'`);
  }

  /** Decimal, 0x hexadecimal or 0 octal, as strtoull reads it. */
  integer(key: string, fallback: number): number {
    const value = this.get(key);
    if (value === undefined) return fallback;
    const number = parseInteger(value);
    if (number === undefined) throw new UsageError(`Parameter '${key}' expects a number`);
    return number;
  }

  /** Throws for the first key that nothing has asked for: an option is never ignored. */
  finish(describe: (key: string) => string = (key) => `Invalid parameter '${key}'`): void {
    for (const key of this.pairs.keys()) if (!this.used.has(key)) throw new UsageError(describe(key));
  }
}

/**
 * Splits an argument into pairs. `firstKey` names what a first item without "=" is the value of; any other item
 * without "=" is a flag, that is "on".
 */
export function parseKeyValues(text: string, firstKey?: string): KeyValues {
  const pairs = new Map<string, string>();
  for (const [index, item] of splitAtCommas(text).entries()) {
    const equals = item.indexOf("=");
    if (equals >= 0) pairs.set(item.slice(0, equals), item.slice(equals + 1));
    else if (index === 0 && firstKey !== undefined) pairs.set(firstKey, item);
    else if (item !== "") pairs.set(item, "on");
  }
  return new KeyValues(pairs);
}

/** Splits at single commas; a doubled one becomes a comma inside its item. */
export function splitAtCommas(text: string): string[] {
  const items: string[] = [];
  let item = "";
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== ",") {
      item += text[at];
    } else if (text[at + 1] === ",") {
      item += ",";
      at++;
    } else {
      items.push(item);
      item = "";
    }
  }
  items.push(item);
  return items;
}

/** A non-negative number below 2^53, or undefined. */
export function parseInteger(text: string): number | undefined {
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) return Number.parseInt(text.slice(2), 16);
  if (/^0[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  if (/^(0|[1-9][0-9]*)$/.test(text)) return Number.parseInt(text, 10);
  return undefined;
}
