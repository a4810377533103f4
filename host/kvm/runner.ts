// KVM_RUN around the core's run(): completes the access of the last exit, decodes the next one, gives turns to the event loop.

import {
  KVM_EXIT_INTERNAL_ERROR,
  KVM_EXIT_INTR,
  KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON,
} from "../../assembly/exits.ts";
import { REQ_EVENT, REQ_KICK } from "../../assembly/layout.ts";
import type { Callbacks } from "./callbacks.ts";
import type { CoreExports } from "./core.ts";
import type { InternalErrorExit, VcpuExit } from "./exits.ts";
import { kickCount, requestCell } from "./kicker.ts";
import type { KvmRun } from "./kvm-run.ts";
import { canBlock, cellChanged, eventLoopTurn } from "./platform.ts";
import { readRegs } from "./registers.ts";
import { completeAccess, decodeExit, type PendingAccess, pendingAccess } from "./run.ts";
import type { VcpuState } from "./vcpu-state.ts";

/** Options of `run()`. */
export interface RunOptions {
  /** Host time to run for at most, ns; default: no limit. */
  readonly maxNs?: number;
  /** Whether a halted guest may put this thread to sleep; default: wherever the platform allows it. */
  readonly block?: boolean;
}

/** Options of `runAsync()`. */
export interface RunAsyncOptions {
  /** When it aborts, `runAsync()` resolves to an INTR exit. */
  readonly signal?: AbortSignal;
  /** Host time between turns of the event loop, ns; default 2 ms. */
  readonly sliceNs?: number;
}

/** What a runner needs of its VM. */
export interface RunnerOwner {
  readonly callbacks: Pick<Callbacks, "ringDeferred" | "takeError">;
  /** Guest time in ns. */
  nowNs(): number;
  /** Some doorbells may have to wait until the core is back. */
  mayDefer(): boolean;
}

const DEFAULT_SLICE_NS = 2e6;
/** Timers of the event loop are a millisecond or more late: a shorter sleep blocks, where blocking is allowed. */
const SHORTEST_TIMER_NS = 1.5e6;

/** Runs a vCPU. */
export class Runner {
  readonly #owner: RunnerOwner;
  readonly #state: VcpuState;
  readonly #core: CoreExports;
  readonly #kvmRun: KvmRun;
  #pending: PendingAccess | undefined;
  #held: VcpuExit | undefined;
  #broken: InternalErrorExit | undefined;
  #running = false;
  #hasRun = false;
  #kicksSeen: number;
  /** When the event loop last had a turn, by performance.now(). */
  #turnedAtMs = performance.now();

  constructor(owner: RunnerOwner, state: VcpuState, core: CoreExports, kvmRun: KvmRun) {
    this.#owner = owner;
    this.#state = state;
    this.#core = core;
    this.#kvmRun = kvmRun;
    this.#kicksSeen = this.#kicks;
  }

  /** The core is executing: whoever asks was called from inside it. */
  get isRunning(): boolean {
    return this.#running;
  }

  /** The guest has executed something, or was about to. */
  get hasRun(): boolean {
    return this.#hasRun;
  }

  /** The vCPU is reset: nothing is left of the last exit. */
  reset(): void {
    this.#pending = undefined;
    this.#held = undefined;
  }

  /** As `vcpu.run()`. */
  run(options: RunOptions): VcpuExit {
    const { maxNs = Number.POSITIVE_INFINITY, block = canBlock } = options;
    if (this.#broken) return this.#broken;
    const held = this.#held;
    if (held) {
      this.#held = undefined;
      return held;
    }
    if (this.#pending) completeAccess(this.#state, this.#pending);
    this.#pending = undefined;
    this.#hasRun = true;
    const exit = this.#runUntilExit(maxNs, block && canBlock);
    this.#pending = pendingAccess(this.#state, exit);
    if (exit.reason === KVM_EXIT_INTR) this.#kicksSeen = this.#kicks;
    const thrown = this.#owner.callbacks.takeError();
    if (thrown) {
      // The exit is not lost: the next run() returns it.
      this.#held = exit;
      throw thrown.error;
    }
    return exit;
  }

  /** Goes on where the core left only to have a deferred doorbell rung. */
  #runUntilExit(maxNs: number, block: boolean): VcpuExit {
    const end = this.#owner.mayDefer() ? performance.now() * 1e6 + maxNs : 0;
    let leftNs = maxNs;
    for (;;) {
      const exit = this.#enter(leftNs, block);
      if (!this.#owner.callbacks.ringDeferred() || exit.reason !== KVM_EXIT_INTR) return exit;
      leftNs = end - performance.now() * 1e6;
      if (this.#kicks !== this.#kicksSeen || this.#kvmRun.immediateExit || leftNs <= 0) return exit;
    }
  }

  /** How often somebody has kicked. */
  get #kicks(): number {
    return kickCount(this.#state.memory.i32, this.#state.index);
  }

  #enter(maxNs: number, block: boolean): VcpuExit {
    this.#running = true;
    try {
      return decodeExit(this.#state, this.#core.run(maxNs, block ? 1 : 0));
    } catch (error) {
      if (!isStop(error)) throw error;
      // A broken invariant of the core: this vCPU stops, with what there is to say about it.
      this.#broken = {
        reason: KVM_EXIT_INTERNAL_ERROR,
        suberror: KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON,
        internalData: [],
        message: `${error.message} at rip 0x${readRegs(this.#state).rip.toString(16)}`,
      };
      return this.#broken;
    } finally {
      this.#running = false;
    }
  }

  /** As `vcpu.runAsync()`. `run`: the vCPU's, which refuses when the handle is closed in the meantime. */
  async runAsync(options: RunAsyncOptions, run: (options: RunOptions) => VcpuExit): Promise<VcpuExit> {
    const { signal, sliceNs = DEFAULT_SLICE_NS } = options;
    let blockNs = 0;
    // A guest that keeps leaving for devices has its turns counted across calls.
    if ((performance.now() - this.#turnedAtMs) * 1e6 > sliceNs) await this.#turn();
    for (;;) {
      const kicksBefore = this.#kicksSeen;
      const exit = run(blockNs > 0 ? { maxNs: blockNs + sliceNs, block: true } : { maxNs: sliceNs, block: false });
      blockNs = 0;
      if (exit.reason !== KVM_EXIT_INTR || this.#kicksSeen !== kicksBefore || this.#kvmRun.immediateExit) return exit;
      if (signal?.aborted) return exit;
      const waitNs = exit.halted ? exit.wakeAtNs - this.#owner.nowNs() : 0;
      if (waitNs > SHORTEST_TIMER_NS) await this.#sleep(waitNs, signal);
      else {
        // Sleeping in the core is the only way to be in time for a near deadline.
        if (waitNs > 0 && canBlock) blockNs = waitNs;
        await this.#turn();
      }
      if (signal?.aborted) return { reason: KVM_EXIT_INTR, halted: exit.halted, wakeAtNs: exit.wakeAtNs };
    }
  }

  /** Lets the event loop do what is due. */
  async #turn(): Promise<void> {
    await eventLoopTurn();
    this.#turnedAtMs = performance.now();
  }

  /** Waits, without blocking, for the request word to change or the time to pass. */
  async #sleep(waitNs: number, signal: AbortSignal | undefined): Promise<void> {
    const { i32 } = this.#state.memory;
    const cell = requestCell(this.#state.index);
    const requests = Atomics.load(i32, cell);
    if (requests & (REQ_EVENT | REQ_KICK)) return;
    const changed = cellChanged(i32, cell, requests, waitNs / 1e6, true);
    if (!signal) return changed.done;
    let abort = () => {};
    const aborted = new Promise<void>((resolve) => {
      abort = resolve;
    });
    signal.addEventListener("abort", abort, { once: true });
    await Promise.race([changed.done, aborted]);
    signal.removeEventListener("abort", abort);
    changed.cancel();
  }
}

/** True for what a core throws: a trap of WebAssembly, or of the TypeScript core, where there may be no WebAssembly. */
function isStop(error: unknown): error is Error {
  if (error instanceof RangeError || (error instanceof Error && error.message === "unreachable")) return true;
  return typeof WebAssembly !== "undefined" && error instanceof WebAssembly.RuntimeError;
}
