import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Context } from "./context.ts";
import type { SizeResult } from "./results.ts";

/** The core's size, as it is and as it goes over a network. */
export function sizePart(context: Context): SizeResult {
  const core = readFileSync(join(dirname(context.wkvm), "core.wasm"));
  return { coreBytes: core.length, coreGzippedBytes: gzipSync(core, { level: 9 }).length };
}
