// Reads the list of a built kvm-unit-tests tree: which program is started with which processor and arguments.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const DEFAULT_TIMEOUT_SECONDS = 90;

/** The variables of config.mak, which configure left in the build folder. */
function readConfiguration(folder) {
  const path = join(folder, "config.mak");
  if (!existsSync(path)) throw new Error(`${folder}: no config.mak: not a configured build folder of kvm-unit-tests`);
  const pairs = readFileSync(path, "utf8").matchAll(/^(\w+)=(.*)$/gm);
  return Object.fromEntries([...pairs].map(([, name, value]) => [name, value]));
}

/** What a shell makes of the one command substitution that the list has: to be called when the program starts. */
export function substituteDate(text) {
  return text.replaceAll("`date +%s`", String(Math.floor(Date.now() / 1000)));
}

/** Splits as a shell does. */
function shellWords(text) {
  const words = text.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g);
  return [...words].map(([word]) => word.replaceAll(/"([^"]*)"|'([^']*)'/g, "$1$2"));
}

/**
 * The entries for a build folder's architecture, in the list's order. `accel` is the one accelerator an entry is meant
 * for; `checks` are files of the host's KVM module that have to have a value.
 */
export function readUnitTests(folder) {
  const { ARCH: arch, SRCDIR: source } = readConfiguration(folder);
  const text = readFileSync(join(source, "x86", "unittests.cfg"), "utf8");
  const entries = [];
  for (const line of text.split("\n")) {
    const title = /^\[(.*)\]$/.exec(line);
    if (title) entries.push({ name: title[1], fields: {} });
    const field = /^(\w+)\s*=\s*(.*)$/.exec(line);
    if (field) entries.at(-1).fields[field[1]] = field[2];
  }
  const own = entries.filter(({ fields }) => fields.arch === undefined || fields.arch === arch);
  return { arch, source, entries: own.map(({ name, fields }) => entryOf(folder, name, fields)) };
}

function entryOf(folder, name, fields) {
  return {
    name,
    kernel: join(folder, "x86", fields.file),
    processors: Number(fields.smp ?? 1),
    append: fields.test_args?.replaceAll(/^(["'])(.*)\1$/g, "$2"),
    options: shellWords(fields.qemu_params ?? ""),
    groups: shellWords(fields.groups ?? ""),
    accel: fields.accel,
    timeoutSeconds: Number.parseInt(fields.timeout ?? "", 10) || DEFAULT_TIMEOUT_SECONDS,
  };
}
