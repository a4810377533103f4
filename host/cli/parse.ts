// Splits a QEMU command line into options; knows names and whether they take an argument, not what they mean.
import { REFUSED, SECTIONS } from "./option-table.ts";
import { UsageError } from "./usage-error.ts";

export interface GivenOption {
  /** Canonical name, without the dash. */
  readonly name: string;
  /** Its argument; "" where it takes none. */
  readonly value: string;
}

interface Known {
  readonly name: string;
  readonly takesArgument: boolean;
  readonly refused: boolean;
}

const known = new Map<string, Known>();
for (const { options } of SECTIONS) {
  for (const { names, argument } of options) {
    const entry = { name: names[0] as string, takesArgument: argument !== undefined, refused: false };
    for (const name of names) known.set(name, entry);
  }
}
for (const item of REFUSED) {
  const name = item.replace(/=$/, "");
  known.set(name, { name, takesArgument: item.endsWith("="), refused: true });
}

/** The options in their order. Throws UsageError for what QEMU does not know and for what wkvm does not have. */
export function parseCommandLine(words: readonly string[]): GivenOption[] {
  const given: GivenOption[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (!word.startsWith("-") || word === "-") throw new UsageError(`${word}: disk images: not implemented yet`);
    // QEMU takes a second dash too.
    const option = known.get(word.replace(/^--?/, ""));
    if (!option) throw new UsageError(`${word}: invalid option`);
    if (option.takesArgument && at + 1 >= words.length) throw new UsageError(`${word}: requires an argument`);
    const value = option.takesArgument ? (words[++at] as string) : "";
    if (option.refused)
      throw new UsageError(`-${option.name}: not implemented yet: wkvm does not have this QEMU option`);
    given.push({ name: option.name, value });
  }
  return given;
}
