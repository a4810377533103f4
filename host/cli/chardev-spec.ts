// What -serial, -debugcon, -monitor and -chardev name, before anything is opened.
import { type KeyValues, parseKeyValues } from "./key-values.ts";
import { UsageError } from "./usage-error.ts";

export type ChardevSpec =
  | { readonly kind: "none" }
  | { readonly kind: "null" }
  | { readonly kind: "file"; readonly path: string; readonly append: boolean }
  | StdioSpec
  | { readonly kind: "reference"; readonly id: string };

export interface StdioSpec {
  readonly kind: "stdio";
  /** Can be shared, and has the escape character. */
  readonly mux: boolean;
  /** Ctrl-C ends the program instead of going to the guest. */
  readonly signals: boolean;
  /** The monitor is there too. */
  readonly monitor: boolean;
}

const NOT_YET = ["vc", "pty", "pipe", "tcp", "udp", "unix", "telnet", "websocket", "con", "msmouse", "braille", "tty"];

/** The short form that -serial and its kin take: "stdio", "mon:stdio", "file:F", "null", "none", "chardev:ID". */
export function parseChardev(text: string): ChardevSpec {
  if (text === "none") return { kind: "none" };
  if (text === "null") return { kind: "null" };
  if (text === "stdio") return { kind: "stdio", mux: false, signals: true, monitor: false };
  // With the monitor on it, Ctrl-C belongs to the guest.
  if (text === "mon:stdio") return { kind: "stdio", mux: true, signals: false, monitor: true };
  if (text.startsWith("file:")) return fileSpec(text.slice("file:".length));
  if (text.startsWith("chardev:")) return { kind: "reference", id: text.slice("chardev:".length) };
  const scheme = text.replace(/^mon:/, "").split(":")[0] as string;
  if (NOT_YET.includes(scheme) || scheme.startsWith("/dev/") || text.startsWith("mon:")) {
    throw new UsageError(`'${text}': not implemented yet; there are stdio, mon:stdio, file:FILE, null and none`);
  }
  throw new UsageError(`'${text}' is not a valid char driver`);
}

function fileSpec(path: string): ChardevSpec {
  if (path === "") throw new UsageError("'file:' needs a file name");
  return { kind: "file", path, append: false };
}

/** The long form: -chardev BACKEND,id=ID[,KEY=VALUE...]. */
export function parseChardevOption(text: string): { id: string; spec: ChardevSpec } {
  const values = parseKeyValues(text, "backend");
  const id = values.get("id");
  if (!id) throw new UsageError("Parameter 'id' is missing");
  const spec = backend(values.get("backend") ?? "", values);
  values.finish();
  return { id, spec };
}

function backend(name: string, values: KeyValues): ChardevSpec {
  switch (name) {
    case "null":
      return { kind: "null" };
    case "stdio": {
      const mux = values.boolean("mux", false);
      return { kind: "stdio", mux, signals: values.boolean("signal", true), monitor: false };
    }
    case "file": {
      const path = values.get("path");
      if (!path) throw new UsageError("chardev: file: no filename given");
      return { kind: "file", path, append: values.boolean("append", false) };
    }
    default:
      throw new UsageError(`chardev '${name}': not implemented yet; there are stdio, file and null`);
  }
}
