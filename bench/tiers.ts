// What parts of wkvm a process's time went to, from a profile of V8's.

/** What is needed of the profile that Profiler.stop answers with (Chrome DevTools Protocol, Profiler domain). */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples?: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas?: readonly number[];
}

/** Seconds. */
export interface Tiers {
  /** The core: interpreter, decoder, translator, MMU. */
  readonly core: number;
  /** Code that the translator has made. */
  readonly regions: number;
  /** Devices, the run loop, instantiation of modules; the core in plain TypeScript too. */
  readonly host: number;
  readonly garbageCollection: number;
  /** Other threads: V8's compilers, above all. */
  readonly otherThreads: number;
}

/** `processSeconds`: what all threads have used in the meantime. */
export function tiersOf({ nodes, samples = [], timeDeltas = [] }: CpuProfile, processSeconds: number): Tiers {
  const core = coreUrl(nodes);
  const own = new Map<number, number>();
  for (const [index, id] of samples.entries()) own.set(id, (own.get(id) ?? 0) + (timeDeltas[index] ?? 0) / 1e6);
  const sums = { core: 0, regions: 0, host: 0, garbageCollection: 0 };
  for (const { id, callFrame } of nodes) {
    const seconds = own.get(id) ?? 0;
    if (callFrame.functionName === "(idle)") continue;
    if (callFrame.functionName === "(garbage collector)") sums.garbageCollection += seconds;
    else if (!callFrame.url.startsWith("wasm:")) sums.host += seconds;
    else if (callFrame.url === core) sums.core += seconds;
    else sums.regions += seconds;
  }
  const main = sums.core + sums.regions + sums.host + sums.garbageCollection;
  return { ...sums, otherThreads: Math.max(0, processSeconds - main) };
}

/** The module that JavaScript calls is the core; it alone calls regions. */
function coreUrl(nodes: CpuProfile["nodes"]): string | undefined {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const isWasm = (url: string): boolean => url.startsWith("wasm:");
  for (const { callFrame, children = [] } of nodes) {
    if (isWasm(callFrame.url)) continue;
    const found = children.map((id) => byId.get(id)!.callFrame.url).find(isWasm);
    if (found !== undefined) return found;
  }
  return undefined;
}
