// The machine that a result was measured on.
import { readFileSync } from "node:fs";
import { arch, cpus, loadavg, release, totalmem } from "node:os";

export interface HostInfo {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly architecture: string;
  readonly system: string;
  readonly kernel: string;
  readonly node: string;
  readonly v8: string;
  /** Load average over a minute before the run: well below the number of cores on a quiet machine. */
  readonly loadBefore: number;
}

export function describeHost(): HostInfo {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    architecture: arch(),
    system: systemName(),
    kernel: release(),
    node: process.versions.node,
    v8: process.versions.v8,
    loadBefore: Math.round(loadavg()[0]! * 100) / 100,
  };
}

function systemName(): string {
  try {
    return /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux";
  } catch {
    return "Linux";
  }
}
