// Installs the development packages where they are missing or differ from the lock file.
import { lstatSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf, must, root } from "./project.mjs";

const PACKAGES = join(root, "node_modules");
const STAMP = join(PACKAGES, ".wkvm-installed");

/**
 * Makes node_modules match package-lock.json; does nothing where it does already. Ends the process with status 1 where that
 * would go through a symbolic link: npm ci empties the folder first, which is then somebody else's.
 */
export function ensureInstalled() {
  const wanted = digestOf(["package-lock.json"]);
  if (readStamp() === wanted) return;
  if (lstatSync(PACKAGES, { throwIfNoEntry: false })?.isSymbolicLink()) {
    console.error("node_modules is a symbolic link to packages that differ from package-lock.json, and npm ci would");
    console.error("empty the folder that it points to: remove the link, or bring that folder up to date");
    process.exit(1);
  }
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
