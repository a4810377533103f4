// What differs between Node and browsers, as far as this folder cares: clocks, waiting, randomness.
// Nothing here imports a Node module: Node's process object is found where there is one, its modules by name at run time.

interface NodeProcess {
  readonly versions?: { readonly node?: string };
  readonly hrtime?: { bigint(): bigint };
}

const node = (globalThis as { process?: NodeProcess }).process;

/** True under Node. */
export const isNode: boolean = typeof node?.versions?.node === "string";

/**
 * A module by its address at run time: one of Node's own, under Node, or one that lies beside this one. As an argument its
 * name is nothing that a bundler for browsers looks for.
 */
export function moduleAt<T>(address: string): Promise<T> {
  return import(/* @vite-ignore */ /* webpackIgnore: true */ address) as Promise<T>;
}

/** True where this thread may sleep in Atomics.wait: everywhere but on a browser page's main thread. */
export const canBlock: boolean = (() => {
  if (typeof SharedArrayBuffer === "undefined") return false;
  try {
    // The value differs, so this returns at once where sleeping is allowed and throws where it is not.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
})();

/**
 * Nanoseconds of a monotonic clock that all threads of this process share.
 * performance.now() counts from each thread's own start; hrtime (Node) and timeOrigin (browsers) join the threads.
 */
export function sharedClockNs(): bigint {
  if (isNode && node?.hrtime) return node.hrtime.bigint();
  return BigInt(Math.round(performance.timeOrigin * 1e6)) + BigInt(Math.round(performance.now() * 1e6));
}

/** The global is a getter, which costs more than the clock. */
const clock = performance;

/** Nanoseconds of a monotonic clock, from anywhere. */
export function hostNs(): number {
  return clock.now() * 1e6;
}

/**
 * A cheap clock: nanoseconds since `epochNs` of sharedClockNs(). It reads performance.now(), which makes no bigint.
 */
export function clockSince(epochNs: bigint): () => number {
  const offset = Number(sharedClockNs() - epochNs) - hostNs();
  return () => clock.now() * 1e6 + offset;
}

/** Nanoseconds since 1970, UTC, with the resolution that performance.now() has. */
export function wallNs(): number {
  // Date.now() follows changes of the system's clock; timeOrigin does not, so only the fraction comes from it.
  const coarse = Date.now();
  const fine = performance.timeOrigin + performance.now();
  return (Math.abs(fine - coarse) < 2 ? fine : coarse) * 1e6;
}

const entropy = new Uint32Array(256);
let entropyLeft = 0;

/** 32 bits from the host's cryptographic generator. */
export function randomU32(): number {
  if (entropyLeft === 0) {
    globalThis.crypto.getRandomValues(entropy);
    entropyLeft = entropy.length;
  }
  entropyLeft -= 1;
  const value = entropy[entropyLeft] as number;
  entropy[entropyLeft] = 0;
  return value;
}

interface WaitAsyncResult {
  readonly async: boolean;
  readonly value: Promise<string> | string;
}
type WaitAsync = (cells: Int32Array, index: number, value: number, timeoutMs?: number) => WaitAsyncResult;
/** What setTimeout can hold. */
const LONGEST_TIMER_MS = 0x7fff_ffff;
const waitAsync = (Atomics as { waitAsync?: WaitAsync }).waitAsync;

/** A wait that is under way: `done` resolves at its end, `cancel` gives it up and leaves nothing behind. */
export interface AsyncWait {
  readonly done: Promise<void>;
  cancel(): void;
}

/**
 * Waits until `cells[index]` no longer holds `value` and was notified, or `timeoutMs` have passed.
 * Where Atomics.waitAsync is missing it ends after 4 ms at the latest, and the caller looks again.
 * With `keepAlive` a Node process does not end while this waits.
 */
export function cellChanged(
  cells: Int32Array,
  index: number,
  value: number,
  timeoutMs: number,
  keepAlive = false,
): AsyncWait {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let end = () => {};
  const done = new Promise<void>((resolve) => {
    end = resolve;
  });
  const cancel = () => {
    clearTimeout(timer);
    end();
  };
  // With a limit of its own, the waiter does not stay behind when the timer or cancel() ends the wait.
  const limitMs = Number.isFinite(timeoutMs) ? timeoutMs : undefined;
  const notified = waitAsync && isShared(cells.buffer) ? waitAsync(cells, index, value, limitMs) : undefined;
  if (notified && !notified.async) {
    end();
    return { done, cancel };
  }
  const limit = notified ? LONGEST_TIMER_MS : 4;
  timer = setTimeout(end, Math.min(timeoutMs, limit));
  if (!keepAlive) (timer as { unref?: () => void }).unref?.();
  if (notified) void (notified.value as Promise<string>).then(cancel);
  return { done, cancel };
}

/** True for memory that several threads can see. */
export function isShared(buffer: ArrayBufferLike): boolean {
  return typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;
}

let immediate: ((callback: () => void) => void) | undefined;

/** Resolves after the event loop has run what is due: setImmediate under Node, a message to oneself elsewhere. */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => {
    immediate ??= makeImmediate();
    immediate(resolve);
  });
}

function makeImmediate(): (callback: () => void) => void {
  const own = (globalThis as { setImmediate?: (callback: () => void) => void }).setImmediate;
  if (own) return own;
  const waiting: (() => void)[] = [];
  const channel = new MessageChannel();
  channel.port1.onmessage = () => waiting.shift()?.();
  return (callback) => {
    waiting.push(callback);
    channel.port2.postMessage(0);
  };
}
