// The processors of a machine: they take turns on its thread, as those of QEMU's translator do without threads.
import { KVM_EXIT_INTR } from "../../assembly/exits.ts";
import { REQ_EVENT, REQ_KICK } from "../../assembly/layout.ts";
import type { Clock } from "../devices/clock.ts";
import type { VcpuExit } from "../kvm/exits.ts";
import { requestCell } from "../kvm/kicker.ts";
import { type AsyncWait, cellChanged, hostNs } from "../kvm/platform.ts";
import type { Vcpu } from "../kvm/vcpu.ts";

/** Host time of a turn. One that spins for what another does spins as long, so it is short. */
const TURN_NS = 100_000;

/** The vCPUs of one machine. At least one. */
export class Processors {
  private readonly cells: Int32Array;
  /** Guest time at which each wants to be entered again: 0 where it does not sleep. */
  private readonly wakeAtNs: number[];
  private turn = 0;
  /** Host time at which the turn ends. */
  private turnEndNs = 0;

  constructor(
    readonly all: readonly Vcpu[],
    private readonly clock: Clock,
  ) {
    this.cells = new Int32Array(this.first.kicker.memory.buffer);
    this.wakeAtNs = all.map(() => 0);
  }

  /** The bootstrap processor. */
  get first(): Vcpu {
    return this.all[0]!;
  }

  /** The one that was entered last. */
  get current(): Vcpu {
    return this.all[this.turn]!;
  }

  /** Enters one for `maxNs` of host time at most, asleep in the core where `block` allows that. */
  run(maxNs: number, block: boolean): VcpuExit {
    const now = this.all.length > 1 ? hostNs() : 0;
    this.choose(now, block);
    const leftNs = this.all.length > 1 && !block ? Math.min(maxNs, Math.max(this.turnEndNs - now, 1)) : maxNs;
    const exit = this.current.run({ maxNs: leftNs, block });
    const parked = exit.reason === KVM_EXIT_INTR && exit.halted;
    this.wakeAtNs[this.turn] = parked ? exit.wakeAtNs : 0;
    if (exit.reason === KVM_EXIT_INTR) this.turnEndNs = 0;
    return exit;
  }

  /** Guest time at which the first of them wants to be entered, or null where one does not sleep. */
  asleepUntilNs(): number | null {
    return this.all.some((_, i) => this.isAwake(i)) ? null : Math.min(...this.wakeAtNs);
  }

  /** Waits until one of them is to look at something, or `waitNs` have passed; null: one has something to look at. */
  sleep(waitNs: number): AsyncWait | null {
    if (this.all.some((_, i) => this.isAsked(i))) return null;
    const waits = this.all.map(({ id }) => {
      const cell = requestCell(id);
      return cellChanged(this.cells, cell, Atomics.load(this.cells, cell), waitNs / 1e6, true);
    });
    const cancel = (): void => {
      for (const wait of waits) wait.cancel();
    };
    return { done: Promise.race(waits.map(({ done }) => done)).then(cancel), cancel };
  }

  /** Makes the run under way, or the next of each, end at once. */
  kick(): void {
    for (const vcpu of this.all) vcpu.kick();
  }

  /** Brings all into their state after a reset: the first begins, the others wait for it. */
  reset(): void {
    for (const vcpu of this.all) vcpu.reset();
    this.wakeAtNs.fill(0);
    this.turn = 0;
    this.turnEndNs = 0;
  }

  /** Gives the turn to the next that is awake, or to the first to wake up. */
  private choose(now: number, block: boolean): void {
    const count = this.all.length;
    if (count === 1 || (!block && now < this.turnEndNs && this.isAwake(this.turn))) return;
    let next = this.wakeAtNs.indexOf(Math.min(...this.wakeAtNs));
    for (let i = 1; i <= count; i++) {
      const candidate = (this.turn + i) % count;
      if (!this.isAwake(candidate)) continue;
      next = candidate;
      break;
    }
    this.turn = next;
    this.turnEndNs = now + TURN_NS;
  }

  private isAwake(index: number): boolean {
    const wakeAtNs = this.wakeAtNs[index]!;
    return wakeAtNs === 0 || this.isAsked(index) || wakeAtNs <= this.clock.nowNs();
  }

  /** An interrupt, INIT or SIPI has come for it, or a kick. */
  private isAsked(index: number): boolean {
    return (Atomics.load(this.cells, requestCell(this.all[index]!.id)) & (REQ_EVENT | REQ_KICK)) !== 0;
  }
}
