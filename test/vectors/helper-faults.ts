// Which exceptions a helper of the core can raise, found in its source: what it calls, down to raise() and to the
// accesses of memory. It errs on the side of too many.
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

interface Source {
  /** Functions that are called: by "module.name" where it is known, so that names may be used twice. */
  calls: Set<string>;
  raises: Set<string>;
}

/** What accesses and address computations raise; they are not looked into. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  readSlow: ["#PF read"],
  vectorReadSlow: ["#PF read"],
  writeSlow: ["#PF write"],
  rmwReadSlow: ["#PF write"],
  vectorWriteSlow: ["#PF write"],
  linear: ["#GP", "#SS"],
  linearChecked: ["#GP", "#SS"],
  resolve: [],
  // Descriptor tables and what they describe are ring 0's.
  sysRead: [],
  sysWrite: [],
};
const SKIPPED = /[\\/](generated|isa|__tests__)[\\/]/;

let sources: Map<string, Source> | undefined;

function bodyEnd(text: string, from: number): number {
  let depth = 0;
  for (let at = text.indexOf("{", from); at < text.length; at++) {
    if (text[at] === "{") depth++;
    else if (text[at] === "}" && --depth === 0) return at;
  }
  return text.length;
}

/** What the names that a module imports stand for. */
function importsOf(module: string, text: string): Map<string, string> {
  const names = new Map<string, string>();
  for (const [, list, path] of text.matchAll(/import \{([^}]*)\} from "(\.[^"]*)"/g)) {
    const from = posix.join(posix.dirname(module), path!);
    for (const item of list!.split(",")) {
      const [name, as] = item.trim().split(/\s+as\s+/);
      if (name) names.set(as ?? name, `${from}.${name}`);
    }
  }
  return names;
}

/** Every function under assembly/, as "module.name". */
function readSources(): Map<string, Source> {
  const folder = join(process.env["WKVM_ROOT"] ?? process.cwd(), "assembly");
  const found = new Map<string, Source>();
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!path.endsWith(".ts") || SKIPPED.test(`/${path}`)) continue;
    const module = path.replaceAll("\\", "/").slice(0, -".ts".length);
    const text = readFileSync(join(folder, path), "utf8");
    const imports = importsOf(module, text);
    for (const match of text.matchAll(/\bfunction (\w+)[^(]*\(/g)) {
      const body = text.slice(match.index + match[0].length, bodyEnd(text, match.index));
      const source: Source = { calls: new Set(), raises: new Set() };
      for (const [, argument] of body.matchAll(/\braise(?:Error)?\((.*?)\);/g))
        for (const [vector] of argument!.matchAll(/\b[A-Z]{2}\b/g)) source.raises.add(`#${vector}`);
      for (const [, called] of body.matchAll(/\b(\w+)(?:<[^>()]*>)?\(/g))
        source.calls.add(imports.get(called!) ?? `${module}.${called}`);
      found.set(`${module}.${match[1]}`, source);
    }
  }
  return found;
}

const answers = new Map<string, ReadonlySet<string>>();

/** Exceptions that the helper `name` of `module` (its path under assembly/) can raise: "#DE", "#PF read", and so on. */
export function helperFaults(module: string, name: string): ReadonlySet<string> {
  const helper = `${module}.${name}`;
  const known = answers.get(helper);
  if (known) return known;
  sources ??= readSources();
  const faults = new Set<string>();
  const seen = new Set<string>();
  const visit = (called: string): void => {
    if (seen.has(called)) return;
    seen.add(called);
    const fixed = KNOWN[called.slice(called.lastIndexOf(".") + 1)];
    if (fixed) {
      for (const fault of fixed) faults.add(fault);
      return;
    }
    const source = sources!.get(called);
    if (!source) return;
    for (const fault of source.raises) faults.add(fault);
    for (const inner of source.calls) visit(inner);
  };
  visit(helper);
  answers.set(helper, faults);
  return faults;
}
