// Runs one machine to its end or to a limit, and keeps what it said.
import { spawn } from "node:child_process";

const KILL_AFTER_MS = 2000;
const LOOK_EVERY_MS = 200;

/**
 * Resolves to `{ status, timedOut, output, errors, seconds }`; `status` is null where a signal ended the program. A
 * program that does not end by itself is ended when `isDone()`, which is asked now and then.
 */
export function runToEnd(command, args, { timeoutSeconds, cwd, isDone = () => false }) {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let errors = "";
    let timedOut = false;
    child.stdout.setEncoding("latin1").on("data", (text) => {
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      errors += text;
    });
    let hard;
    const end = () => {
      child.kill("SIGTERM");
      hard ??= setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
    };
    const soft = setTimeout(() => {
      timedOut = true;
      end();
    }, timeoutSeconds * 1000);
    const look = setInterval(() => isDone() && end(), LOOK_EVERY_MS);
    const finish = (status) => {
      clearTimeout(soft);
      clearInterval(look);
      clearTimeout(hard);
      resolve({ status, timedOut, output, errors, seconds: (performance.now() - started) / 1000 });
    };
    child.on("error", (error) => {
      errors += error.message;
      finish(null);
    });
    child.on("close", (status) => finish(status));
  });
}
