// The direction of dependencies (docs/ARCHITECTURE.md), checked on every import. Layers, lowest first:
// isa -> assembly -> host/kvm -> devices, boot, block, net, chardev -> machine -> monitor -> guest -> cli, browser.
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { filesUnder, root } from "./project.mjs";

/** Folder prefixes with their rank: a file imports from its own rank or a lower one. First match counts. */
const RANKS = [
  // Integer constants that all sides share: they import nothing.
  ["assembly/layout.ts", 0],
  ["assembly/exits.ts", 0],
  ["assembly/features.ts", 0],
  ["assembly/isa/", 0],
  ["assembly/", 1],
  ["host/disassembler/", 2],
  ["host/kvm/", 2],
  ["host/core-ts/", 2],
  ["host/disassembler/", 2],
  ["host/chardev/types.ts", 3],
  ["host/devices/", 3],
  ["host/boot/", 3],
  ["host/block/", 3],
  ["host/net/", 3],
  ["host/display/", 3],
  ["host/chardev/", 3],
  ["host/machine/", 4],
  ["host/monitor/", 5],
  ["host/guest/", 6],
  ["host/index.ts", 7],
  ["host/cli/", 8],
  ["host/browser/", 8],
];

/** Only these may import a Node module; everything else also runs in browsers. */
const NODE_ONLY = [
  "assembly/isa/print.ts",
  "host/cli/",
  "host/guest/",
  "host/chardev/node/",
  "host/block/node/",
  "host/net/node/",
];

/** Runs at build time only, and is no part of what is shipped. */
const BUILD_TIME = ["host/core-ts/compiler/"];

/** Packages that browsers can use too. */
const PACKAGES = ["fflate"];

/** Folders of rank 3 that know nothing of each other but the character device interface. */
const SEPARATE = ["host/devices/", "host/boot/", "host/block/", "host/net/", "host/display/", "host/chardev/"];
const SHARED_BETWEEN_SEPARATE = ["host/chardev/types.ts"];

/** Bundlers for browsers look for these as well; in types they are nothing. */
const DYNAMIC_IMPORT = /(?<!typeof )\bimport\(\s*["']([^"']+)["']/g;
const STATIC_IMPORT = /^\s*(?:import|export)\b[^;"']*?\bfrom\s*["']([^"']+)["']|^\s*import\s*["']([^"']+)["']/gm;

function rank(path) {
  return RANKS.find(([prefix]) => path.startsWith(prefix))?.[1];
}

function resolve(from, specifier) {
  const path = normalize(join(dirname(from), specifier));
  return path.endsWith(".ts") ? path : `${path}.ts`;
}

function complaints(path) {
  const found = [];
  const own = rank(path);
  if (own === undefined) return [`${path}: lies in no layer (tools/check-layers.mjs)`];
  const text = readFileSync(join(root, path), "utf8");
  for (const match of [...text.matchAll(STATIC_IMPORT), ...text.matchAll(DYNAMIC_IMPORT)]) {
    const specifier = match[1] ?? match[2];
    if (!specifier.startsWith(".")) {
      if (BUILD_TIME.some((prefix) => path.startsWith(prefix))) continue;
      const node = specifier.startsWith("node:") && NODE_ONLY.some((prefix) => path.startsWith(prefix));
      if (!node && !PACKAGES.includes(specifier)) found.push(`${path}: imports ${specifier}`);
      continue;
    }
    const target = resolve(path, specifier);
    const other = rank(target);
    if (other === undefined || other > own) found.push(`${path}: imports ${target}, which is above it`);
    const home = SEPARATE.find((prefix) => path.startsWith(prefix));
    const away = SEPARATE.find((prefix) => target.startsWith(prefix));
    if (home && away && home !== away && !SHARED_BETWEEN_SEPARATE.includes(target)) {
      found.push(`${path}: imports ${target}; ${home} and ${away} do not know each other`);
    }
    if (BUILD_TIME.some((p) => target.startsWith(p)) && !BUILD_TIME.some((p) => path.startsWith(p))) {
      found.push(`${path}: imports ${target}, which is for the build`);
    }
    if (path.startsWith("assembly/") && target.startsWith("host/")) found.push(`${path}: the core imports ${target}`);
    if (NODE_ONLY.some((p) => target.startsWith(p)) && !NODE_ONLY.some((p) => path.startsWith(p))) {
      found.push(`${path}: imports ${target}, which needs Node`);
    }
  }
  return found;
}

const sources = ["assembly", "host"].flatMap((folder) =>
  filesUnder(folder, (path) => path.endsWith(".ts") && !path.includes("/__tests__/") && !path.includes("/generated/")),
);
const problems = sources.flatMap(complaints);
for (const problem of problems) console.error(problem);
console.log(`layers: ${sources.length} files, ${problems.length} imports against the direction`);
process.exitCode = problems.length > 0 ? 1 : 0;
