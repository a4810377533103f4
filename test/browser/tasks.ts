// What the test asks of a page: tasks, each done on the page's main thread or in a worker of one of the site's folders.
import type { KvmOptions, VmHandle } from "../../host/kvm/index.ts";
import type { Session } from "./guest-runs.ts";

/** One thing to do. `core`: the core is compiled on the page and posted, where the worker may not compile it itself. */
export type Task =
  | { readonly do: "program"; readonly options: KvmOptions; readonly core?: "posted" }
  | { readonly do: "attached"; readonly options: KvmOptions }
  | MachineTask;

interface MachineTask {
  readonly do: "machine";
  readonly options: KvmOptions;
  readonly session: Session;
}

/** Where: undefined is the main thread, a text the folder that the worker's script comes from. */
export interface Assignment {
  readonly name: string;
  readonly worker?: string;
  readonly task: Task;
}

/** What the page posts to a worker. */
export type WorkerOrder =
  | { readonly do: "program"; readonly options: KvmOptions }
  | MachineTask
  | { readonly do: "attached"; readonly handle: VmHandle; readonly ramAt: number };
