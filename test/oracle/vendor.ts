// Whether the host's processor is of the vendor that wkvm's processor is of (docs/decisions/0003). Where the architecture leaves
// something open, the vendors differ (docs/QUIRKS.md), and another one's processor is no oracle for it.
import { existsSync, readFileSync } from "node:fs";

const MODELLED = "AuthenticAMD";
const CPUINFO = "/proc/cpuinfo";

/** Why what this host's processor does is not what wkvm's is to do in each detail; undefined where it is of the same vendor. */
export function otherVendor(): string | undefined {
  const info = existsSync(CPUINFO) ? readFileSync(CPUINFO, "utf8") : "";
  const vendor = /^vendor_id\s*: (.*)$/m.exec(info)?.[1] ?? "unknown";
  if (vendor === MODELLED) return undefined;
  return `the host's processor is ${vendor}, and wkvm's ${MODELLED}: the recorded vectors are of one of those`;
}
