// npm start: from a bare clone to the guest's shell. What follows `--` goes to the command.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "./build.mjs";
import { root } from "./project.mjs";

const command = join(root, "dist", "wkvm.js");
if (!existsSync(command)) console.error("building wkvm (once, about a minute)");
await build({ types: false });
// In this process, so that the guest has the terminal and its signals to itself.
process.argv[1] = command;
await import(pathToFileURL(command).href);
