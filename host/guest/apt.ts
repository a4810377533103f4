// Fetches Debian packages with apt, which verifies them, in folders of its own: it needs no root and neither reads nor
// changes the system's lists and caches. The sources and keys are the system's.
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError, runCommand } from "./command.ts";
import type { Progress } from "./progress.ts";

export type DebianArchitecture = "amd64" | "i386";

export class Apt {
  private readonly folder: string;
  private readonly progress: Progress;
  private readonly options: string[];

  /** `folder` exists and is empty; the caller removes it. `architecture`: of the packages. */
  constructor(folder: string, progress: Progress, architecture: DebianArchitecture = "amd64") {
    this.folder = folder;
    this.progress = progress;
    const made = (name: string): string => {
      mkdirSync(join(folder, name, "partial"), { recursive: true });
      return join(folder, name);
    };
    // An empty status file: what this system has installed has no say in what the guest gets.
    writeFileSync(join(folder, "status"), "");
    this.options = Object.entries({
      "APT::Architecture": architecture,
      "APT::Architectures": architecture,
      "Dir::State": made("state"),
      "Dir::State::lists": made("lists"),
      "Dir::State::status": join(folder, "status"),
      "Dir::Cache": made("cache"),
      "Dir::Cache::archives": made("archives"),
      "Dir::Log": made("log"),
      // As root, apt fetches as a user that cannot write here.
      "APT::Sandbox::User": "root",
      "Acquire::Languages": "none",
      "Acquire::IndexTargets::deb-src::Sources::DefaultEnabled": "false",
      "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
      "Acquire::IndexTargets::deb::CNF::DefaultEnabled": "false",
      "Acquire::Retries": "2",
      "Acquire::http::Timeout": "20",
      "Acquire::https::Timeout": "20",
    }).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  }

  /** Fetches the lists of the system's sources. A source that fails is passed over: the lookup shows what is missing. */
  async update(): Promise<void> {
    await this.withProgress("fetching Debian's package lists", ["update"]).catch((error: unknown) => {
      if (!(error instanceof CommandError) || error.message.includes("no such command")) throw error;
    });
  }

  /** The value of a field of the newest version of a package; undefined without such a package. */
  async field(name: string, field: string): Promise<string | undefined> {
    const text = await runCommand("apt-cache", [...this.options, "show", "--no-all-versions", name]).catch(() => "");
    return new RegExp(`^${field}: (.*)$`, "m").exec(text)?.[1];
  }

  /** Downloads and verifies a package; returns the path of its file. */
  async download(name: string): Promise<string> {
    const folder = join(this.folder, `get-${name}`);
    mkdirSync(folder);
    await this.withProgress(`fetching ${name}`, ["download", name], folder);
    const file = readdirSync(folder).find((entry) => entry.endsWith(".deb"));
    if (!file) throw new CommandError(`apt-get download ${name}: no file came`);
    return join(folder, file);
  }

  private async withProgress(label: string, args: string[], cwd?: string): Promise<void> {
    this.progress.start(label);
    try {
      const onStatus = (line: string): void => {
        const percent = /^dlstatus:[^:]*:([\d.]+):/.exec(line)?.[1];
        if (percent) this.progress.update(Number(percent));
      };
      const quiet = ["-q", "-o", "APT::Status-Fd=3"];
      await runCommand("apt-get", [...this.options, ...quiet, ...args], { ...(cwd ? { cwd } : {}), onStatus });
    } finally {
      this.progress.done();
    }
  }
}
