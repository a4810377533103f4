// EventFd: what stands in for eventfd(2): a counter in (shared) memory that can be signalled from any thread.

import { checkInteger } from "./errors.ts";
import { cellChanged, isShared } from "./platform.ts";

/** What an EventFd is made of; it can be posted to a worker. */
export interface EventFdHandle {
  readonly buffer: ArrayBufferLike;
  /** Index of the counter in an Int32Array over the buffer. */
  readonly index: number;
}

/**
 * A counter with consumers: callbacks in this thread, or a thread that waits.
 *
 * @example
 * const kickQueue = new EventFd();
 * kickQueue.onSignal(() => serveQueue());          // in this thread: a direct call
 * worker.postMessage(kickQueue.handle);            // there: EventFd.from(handle).wait()
 * vm.ioeventfd({ addr: 0xfee0_1000n, len: 4, fd: kickQueue });
 */
export class EventFd {
  /** Post this to another thread and open it there with `EventFd.from`. */
  readonly handle: EventFdHandle;
  readonly #cells: Int32Array;
  readonly #index: number;
  readonly #listeners = new Set<() => void>();

  /** @param initial the counter's first value, 0 or more. */
  constructor(initial = 0, handle?: EventFdHandle) {
    checkInteger(initial, 0, 0x7fff_ffff, "the initial count");
    this.handle = handle ?? { buffer: newCell(), index: 0 };
    this.#cells = new Int32Array(this.handle.buffer as ArrayBuffer);
    this.#index = this.handle.index;
    if (!handle) this.#cells[this.#index] = initial;
  }

  /**
   * Opens the counter of an EventFd that another thread made.
   *
   * @example
   * parentPort.on("message", (handle) => EventFd.from(handle).signal());
   */
  static from(handle: EventFdHandle): EventFd {
    return new EventFd(0, handle);
  }

  /** The counter now, without taking it. */
  get count(): number {
    return Atomics.load(this.#cells, this.#index);
  }

  /**
   * Adds `count` to the counter, wakes whoever waits in any thread, and calls this thread's callbacks: write(2).
   *
   * @example
   * fd.signal();
   */
  signal(count = 1): void {
    Atomics.add(this.#cells, this.#index, count);
    if (isShared(this.#cells.buffer)) Atomics.notify(this.#cells, this.#index);
    for (const listener of [...this.#listeners]) listener();
  }

  /**
   * Takes the counter: returns it and leaves 0, as read(2) does; 0 where nobody has signalled (read(2): EAGAIN).
   *
   * @example
   * const times = fd.read();
   */
  read(): number {
    return Atomics.exchange(this.#cells, this.#index, 0);
  }

  /**
   * Has `callback` called, in this thread, at each signal() made in this thread. Returns a function that ends it.
   *
   * @example
   * const end = fd.onSignal(() => console.log("signalled"));
   * end();
   */
  onSignal(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  /**
   * Sleeps until the counter is not 0, then takes it. Returns 0 when `timeoutMs` passed first.
   * Not for threads that must not block, such as a page's main thread (there: waitAsync).
   *
   * @example
   * while (fd.wait() > 0) serveQueue();
   */
  wait(timeoutMs = Number.POSITIVE_INFINITY): number {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const count = this.read();
      const left = end - performance.now();
      if (count !== 0 || left <= 0) return count;
      Atomics.wait(this.#cells, this.#index, 0, left);
    }
  }

  /**
   * Resolves to the counter, taken, once it is not 0; to 0 when `timeoutMs` passed first.
   *
   * @example
   * for (;;) serve(await fd.waitAsync());
   */
  async waitAsync(timeoutMs = Number.POSITIVE_INFINITY): Promise<number> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const count = this.read();
      const left = end - performance.now();
      if (count !== 0 || left <= 0) return count;
      await cellChanged(this.#cells, this.#index, 0, left).done;
    }
  }
}

function newCell(): ArrayBufferLike {
  return typeof SharedArrayBuffer === "undefined" ? new ArrayBuffer(4) : new SharedArrayBuffer(4);
}
