// Takes single files out of Debian packages. Where apt is, dpkg-deb and tar are.
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { CommandError } from "./command.ts";

/** Unpacks what `pattern` (with wildcards, beginning with "./") matches in the package `file` into `folder`. */
export async function unpackDeb(file: string, pattern: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const source = spawn("dpkg-deb", ["--fsys-tarfile", file], { stdio: ["ignore", "pipe", "ignore"] });
  const sink = spawn("tar", ["-x", "-C", folder, "--no-same-owner", "--wildcards", pattern], {
    stdio: ["pipe", "ignore", "pipe"],
  });
  // tar stops reading when it fails, which its status tells.
  sink.stdin.on("error", () => {});
  source.stdout.pipe(sink.stdin);
  let complaint = "";
  sink.stderr?.setEncoding("utf8").on("data", (text: string) => {
    complaint += text;
  });
  const ended = (child: typeof source | typeof sink): Promise<boolean> =>
    new Promise((resolve) => {
      child.on("error", () => resolve(false));
      child.on("close", (code) => resolve(code === 0));
    });
  const [unpacked, written] = await Promise.all([ended(source), ended(sink)]);
  if (!unpacked || !written) throw new CommandError(`${file}: cannot be unpacked ${complaint.trim()}`);
}
