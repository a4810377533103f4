// Installs the development packages where they are missing or differ from the lock file.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf, must, root } from "./project.mjs";

const STAMP = join(root, "node_modules", ".wkvm-installed");

/** Makes node_modules match package-lock.json; does nothing where it does already. */
export function ensureInstalled() {
  const wanted = digestOf(["package-lock.json"]);
  if (readStamp() === wanted) return;
  console.error("installing development packages (npm ci)");
  must("npm", ["ci", "--no-audit", "--no-fund"], { stdio: ["ignore", 2, 2] });
  writeFileSync(STAMP, wanted);
}

function readStamp() {
  try {
    return readFileSync(STAMP, "utf8");
  } catch {
    return "";
  }
}
