// A worker of the page: carries out one order and posts the result.
import { runAttached, runMachine, runProgram } from "./guest-runs.ts";
import type { WorkerOrder } from "./tasks.ts";

async function carryOut(order: WorkerOrder): Promise<unknown> {
  if (order.do === "attached") return runAttached(order.handle, order.ramAt);
  return order.do === "machine" ? runMachine(order.options, order.session) : runProgram(order.options);
}

addEventListener("message", ({ data }: MessageEvent<WorkerOrder>) => {
  void carryOut(data).then((result) => postMessage(result));
});
