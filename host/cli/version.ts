// The names under which the command runs, and its version.
import { basename } from "node:path";

export const VERSION = "0.1.0";
export const QEMU_NAME = "qemu-system-x86_64";
/** The QEMU whose options and exit statuses the command follows: what scripts that ask for a version get to see. */
const QEMU_VERSION = "10.0.0";

/** The name the user called: wkvm, or qemu-system-x86_64 through a link. */
export function programName(): string {
  return basename(process.argv[1] ?? "") === QEMU_NAME ? QEMU_NAME : "wkvm";
}

/** The text of -version. */
export function versionText(program: string): string {
  if (program === QEMU_NAME) return `QEMU emulator version ${QEMU_VERSION} (wkvm ${VERSION} with QEMU's options)\n`;
  return `wkvm version ${VERSION}\n`;
}
