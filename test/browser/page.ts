// The page: gets its assignments from the site, carries them out one after the other, and sends the results back.
import { prepare, runMachine, runProgram } from "./guest-runs.ts";
import type { Assignment, Task, WorkerOrder } from "./tasks.ts";

function here(task: Task): Promise<unknown> {
  if (task.do === "machine") return runMachine(task.options, task.session);
  if (task.do === "program") return runProgram(task.options);
  throw new Error("a VM is attached in a worker");
}

async function orderFor(task: Task): Promise<WorkerOrder> {
  if (task.do === "attached") {
    const { vm, ramAt } = await prepare(task.options);
    return { do: "attached", handle: vm.handle, ramAt };
  }
  if (task.do === "machine" || !task.core) return task;
  const core = await WebAssembly.compileStreaming(fetch("core.wasm"));
  return { do: "program", options: { ...task.options, core } };
}

async function inWorker(folder: string, task: Task): Promise<unknown> {
  const worker = new Worker(`/${folder}/worker.js`, { type: "module" });
  try {
    const order = await orderFor(task);
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(`worker: ${message}`));
      worker.onmessageerror = () => reject(new Error("worker: what was posted cannot be read"));
      worker.postMessage(order);
    });
  } finally {
    worker.terminate();
  }
}

const assignments = (await (await fetch("/assignments")).json()) as Assignment[];
const results: Record<string, unknown> = { isolated: crossOriginIsolated, browser: navigator.userAgent };
for (const { name, worker, task } of assignments) {
  try {
    results[name] = await (worker === undefined ? here(task) : inWorker(worker, task));
  } catch (error) {
    results[name] = { failed: String(error) };
  }
}
await fetch("/results", { method: "POST", body: JSON.stringify(results) });
