// What the cores of a VM call in this thread: doorbells, records of the log, modules of translated code.

import { LOG_VERIFY, REQ_KICK, VM_JIT_VERIFY } from "../../assembly/layout.ts";
import { type CoreExports, type CoreProgram, instantiate } from "./core.ts";
import type { Doorbells } from "./doorbells.ts";
import type { VmMemory } from "./memory.ts";
import type { TranslationObstacle } from "./obstacle.ts";
import { clockSince } from "./platform.ts";
import type { InstantiateRegions } from "./regions.ts";
import { VcpuState } from "./vcpu-state.ts";
import { Verifier } from "./verifier.ts";

/** An event of `-d`: LOG_* kind and three values whose meaning goes with it. */
export type TraceListener = (kind: number, a: bigint, b: bigint, c: bigint) => void;

/** What a VM's user may listen to. */
export interface VmListeners {
  /** Receives what the vCPUs of this thread report after `vcpu.setLog()`. */
  onTrace: TraceListener | undefined;
  /** Receives each module of translated code before it is compiled, and the slots of its regions: those of LOG_OUT_ASM. */
  onModule: ((module: Uint8Array, slots: Uint32Array) => void) | undefined;
  /** Makes the instances of those modules, in place of `new WebAssembly.Instance(new WebAssembly.Module(module), imports)`: for who keeps
   * compiled code. What it throws is taken for what the engine threw. */
  instantiateRegions: InstantiateRegions | undefined;
  /** Is told that modules are about to be given up: the engine frees those that nobody else has. */
  onDiscard: (() => void) | undefined;
  /** Is told when a vCPU of this thread finds that the host makes no more code: from then on the VM is interpreted. */
  onObstacle: ((obstacle: TranslationObstacle) => void) | undefined;
}

/** Makes the cores of a VM's thread, and takes their calls. What a callback throws waits until the core is back. */
export class Callbacks {
  readonly #program: CoreProgram;
  readonly #memory: VmMemory;
  readonly #clock: () => number;
  readonly #doorbells: Doorbells;
  readonly #listeners: VmListeners;
  readonly #verifier: Verifier | undefined;
  readonly #deferred: number[] = [];
  #error: { error: unknown } | undefined;

  constructor(program: CoreProgram, memory: VmMemory, doorbells: Doorbells, listeners: VmListeners) {
    this.#program = program;
    this.#memory = memory;
    this.#clock = clockSince(memory.epochNs);
    this.#doorbells = doorbells;
    this.#listeners = listeners;
    if (memory.u32(VM_JIT_VERIFY)) this.#verifier = new Verifier(memory.memory);
  }

  /** Makes a core: vCPU `vcpu`'s, or the VM's own. */
  instantiate(vcpu?: number): CoreExports {
    const listeners = this.#listeners;
    const core: CoreExports = instantiate(this.#program, this.#memory.memory, {
      nowNs: this.#clock,
      doorbell: (index) => {
        if (!this.#ring(index) && vcpu !== undefined) new VcpuState(this.#memory, core, vcpu).request(REQ_KICK);
      },
      trace: (kind, a, b, c) =>
        this.#guard(() => {
          this.#verifier?.record(kind, a, b, c);
          if (kind < LOG_VERIFY) this.#listeners.onTrace?.(kind, a, b, c);
        }),
      onModule: (module, slots) =>
        this.#guard(() => {
          this.#listeners.onModule?.(module, slots);
          this.#verifier?.module(module, slots);
        }),
      get instantiateRegions() {
        return listeners.instantiateRegions;
      },
      onDiscard: () => this.#guard(() => listeners.onDiscard?.()),
      onObstacle: (obstacle) => this.#guard(() => this.#meet(obstacle)),
    });
    return core;
  }

  /** Rings what could not ring while a core ran. True: something did. */
  ringDeferred(): boolean {
    if (this.#deferred.length === 0) return false;
    for (const index of this.#deferred.splice(0)) this.#guard(() => this.#doorbells.ring(index));
    return true;
  }

  /** Takes an error that a callback threw while a core ran. */
  takeError(): { error: unknown } | undefined {
    const taken = this.#error;
    this.#error = undefined;
    return taken;
  }

  /** False: it has to wait. */
  #ring(index: number): boolean {
    if (this.#doorbells.mustWait(index)) {
      // The core holds the lock of the chips, which a callback may want: it rings when run() is back.
      this.#deferred.push(index);
      return false;
    }
    this.#guard(() => this.#doorbells.ring(index));
    return true;
  }

  /** The first one counts: in lockstep each core meets it. */
  #meet(obstacle: TranslationObstacle): void {
    if (this.#memory.obstacle) return;
    this.#memory.obstacle = obstacle;
    this.#listeners.onObstacle?.(obstacle);
  }

  /** No exception may pass through the core: it would leave an instruction half done. */
  #guard(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#error ??= { error };
    }
  }
}
