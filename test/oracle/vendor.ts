// Whether the host's processor is of the vendor that wkvm's processor is of (docs/decisions/0003). Where the architecture leaves
// something open, the vendors differ (docs/QUIRKS.md), and another one's processor is no oracle for it.
import { existsSync, readFileSync } from "node:fs";

const MODELLED = "AuthenticAMD";
const CPUINFO = "/proc/cpuinfo";

/** What Linux says of this host's first processor under a name, such as "vendor_id"; undefined elsewhere. */
export function processorField(name: string): string | undefined {
  if (!existsSync(CPUINFO)) return undefined;
  return new RegExp(`^${name}\\s*: (.*)$`, "m").exec(readFileSync(CPUINFO, "utf8"))?.[1];
}

/** Why what this host's processor does is not what wkvm's is to do in each detail; undefined where it is of the same vendor. */
export function otherVendor(): string | undefined {
  const vendor = processorField("vendor_id") ?? "unknown";
  if (vendor === MODELLED) return undefined;
  return `the host's processor is ${vendor}, and wkvm's ${MODELLED}: the recorded vectors are of one of those`;
}
