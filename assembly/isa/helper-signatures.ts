// The signatures of helpers, read from their sources: a translated call has to be of exactly the function's type, and a
// body that passes something else stops the build.
import type { Type } from "./micro-op.ts";

export interface Signature {
  readonly parameters: readonly Type[];
  readonly result: Type;
}

/** Gives the source of a module by its path under assembly/, without extension. */
export type ReadSource = (module: string) => string;

const TYPES: Record<string, Type> = {
  u8: "i32",
  i8: "i32",
  u16: "i32",
  i16: "i32",
  u32: "i32",
  i32: "i32",
  bool: "i32",
  usize: "i32",
  isize: "i32",
  u64: "i64",
  i64: "i64",
  f32: "f32",
  f64: "f64",
  v128: "v128",
  void: "void",
};

function typeOf(name: string, where: string): Type {
  const type = TYPES[name.trim()];
  if (!type) throw new Error(`${where}: type '${name}'`);
  return type;
}

/** Resolves "./x" and "../y/x" against the module that says so. */
function resolve(from: string, path: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** Signatures by module and name, following re-exports. */
export class Signatures {
  private readonly known = new Map<string, Signature>();
  private readonly sources = new Map<string, string>();

  constructor(private readonly read: ReadSource) {}

  /** The signature of an exported function. Throws where there is none. */
  of(module: string, name: string): Signature {
    const key = `${module}.${name}`;
    let signature = this.known.get(key);
    if (!signature) this.known.set(key, (signature = this.find(module, name)));
    return signature;
  }

  private source(module: string): string {
    let text = this.sources.get(module);
    if (text === undefined) this.sources.set(module, (text = this.read(module)));
    return text;
  }

  private find(module: string, name: string): Signature {
    const text = this.source(module);
    const found = new RegExp(`export function ${name}\\(([^)]*)\\): (\\w+)`).exec(text);
    if (found) {
      const where = `${module}.${name}`;
      const parameters = found[1]!
        .split(",")
        .filter((p) => p.trim())
        .map((p) => typeOf(p.split(":")[1]!.split("=")[0]!, where));
      return { parameters, result: typeOf(found[2]!, where) };
    }
    for (const [, names, from] of text.matchAll(/export \{([^}]*)\} from "([^"]+)"/g)) {
      if (names!.split(",").some((n) => n.trim() === name)) return this.of(resolve(module, from!), name);
    }
    throw new Error(`helper ${module}.${name} is not exported`);
  }
}
