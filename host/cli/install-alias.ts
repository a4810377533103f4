// wkvm install-alias DIR: a link by which tools that start QEMU start wkvm. Never done by an installation itself: it
// would stand before the real one.
import { lstatSync, realpathSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "./usage-error.ts";
import { QEMU_NAME } from "./version.ts";

/** Makes the link, replacing one that points here already; returns its path. Throws UsageError where it cannot. */
export function installAlias(args: readonly string[]): string {
  const [folder] = args;
  if (args.length !== 1 || folder === undefined) throw new UsageError("usage: wkvm install-alias DIR");
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new UsageError(`${folder}: no such directory`);
  const target = realpathSync(process.argv[1] as string);
  const link = join(folder, QEMU_NAME);
  const existing = lstatSync(link, { throwIfNoEntry: false });
  if (existing) {
    if (!existing.isSymbolicLink() || realpathOrNothing(link) !== target) {
      throw new UsageError(`${link}: is there already and is not wkvm's; remove it first`);
    }
    rmSync(link);
  }
  symlinkSync(target, link);
  return link;
}

function realpathOrNothing(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
