// Runs system commands for the default guest: never through a shell, never with a prompt.
import { spawn } from "node:child_process";

export class CommandError extends Error {
  override readonly name = "CommandError";
}

export interface CommandOptions {
  readonly cwd?: string;
  /** Called with each line that the command writes to descriptor 3. */
  readonly onStatus?: (line: string) => void;
}

/** What the command wrote to standard output. Throws CommandError with the end of its error output when it fails. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    stdio: ["ignore", "pipe", "pipe", options.onStatus ? "pipe" : "ignore"],
    env: { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" },
  });
  const stop = (): void => void child.kill();
  process.on("exit", stop);
  let output = "";
  let complaints = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  if (options.onStatus) eachLine(child.stdio[3] as NodeJS.ReadableStream, options.onStatus);
  const failure = await new Promise<string | undefined>((resolve) => {
    child.on("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code === "ENOENT" ? "no such command" : error.message);
    });
    child.on("close", (code, signal) =>
      resolve(code === 0 ? undefined : (lastLines(complaints) ?? `${signal ?? code}`)),
    );
  });
  process.off("exit", stop);
  if (failure !== undefined) throw new CommandError(`${command} ${args.at(-1) ?? ""}: ${failure}`);
  return output;
}

function eachLine(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
}

function lastLines(text: string): string | undefined {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.length > 0 ? lines.slice(-3).join("; ") : undefined;
}
