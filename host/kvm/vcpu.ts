// Vcpu: a virtual processor. One method a KVM_* vCPU ioctl; the conversions are in the files beside this one.
// It is long because each call has its documentation here.

import {
  KVM_EXIT_INTERNAL_ERROR,
  KVM_EXIT_INTR,
  KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON,
} from "../../assembly/exits.ts";
import { CPU_LOG, REQ_EVENT, REQ_KICK, VM_TSC_KHZ } from "../../assembly/layout.ts";
import type { CoreExports } from "./core.ts";
import { type KvmCpuidEntry, readCpuid, writeCpuid } from "./cpuid-table.ts";
import { type KvmDebugregs, type KvmGuestDebug, readDebugregs, writeDebugregs, writeGuestDebug } from "./debug.ts";
import { check, checkInteger, KvmError, toU64 } from "./errors.ts";
import {
  type KvmVcpuEvents,
  queueInterrupt,
  queueNmi,
  readMpState,
  readVcpuEvents,
  writeMpState,
  writeVcpuEvents,
} from "./events.ts";
import type { InternalErrorExit, VcpuExit } from "./exits.ts";
import { type KvmFpu, readFpu, writeFpu } from "./fpu.ts";
import { Kicker, type KickerHandle, kickCount, requestCell } from "./kicker.ts";
import { KvmRun } from "./kvm-run.ts";
import { readLapic, writeLapic } from "./lapic.ts";
import type { VmMemory } from "./memory.ts";
import { type KvmMsrEntry, readMsrs, writeMsrs } from "./msrs.ts";
import { canBlock, cellChanged, eventLoopTurn } from "./platform.ts";
import { type KvmRegs, type KvmRegsInput, readRegs, writeRegs } from "./registers.ts";
import { completeAccess, decodeExit, type PendingAccess, pendingAccess } from "./run.ts";
import { type KvmSregs, readSregs, writeSregs } from "./sregs.ts";
import { readVcpuStats, type VcpuStats } from "./stats.ts";
import { VcpuState } from "./vcpu-state.ts";
import { type KvmXcr, readXcrs, readXsave, writeXcrs, writeXsave } from "./xsave.ts";

/** What a vCPU needs from its VM. */
export interface VcpuOwner {
  readonly memory: VmMemory;
  /** Guest time in ns. */
  nowNs(): number;
  /** Some doorbells may have to wait until the core is back. */
  mayDefer(): boolean;
  /** Rings what could not ring while the core ran. True: something did. */
  ringDeferred(): boolean;
  /** Takes an error that a doorbell's callback threw while the core ran. */
  takeCallbackError(): { error: unknown } | undefined;
  forget(vcpu: Vcpu): unknown;
}

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

/** struct kvm_translation. */
export interface KvmTranslation {
  readonly physicalAddress: bigint;
  readonly valid: boolean;
  readonly writeable: boolean;
  readonly usermode: boolean;
}

const DEFAULT_SLICE_NS = 2e6;
/** Timers of the event loop are a millisecond or more late: a shorter sleep blocks, where blocking is allowed. */
const SHORTEST_TIMER_NS = 1.5e6;

/**
 * A virtual processor, made by `vm.createVcpu()`. It belongs to the thread that made it; only `kick()`,
 * and the calls of the VM, reach it from others.
 *
 * @example
 * const vcpu = vm.createVcpu(0);
 * vcpu.setRegs({ ...vcpu.getRegs(), rip: 0x1000n, rflags: 2n });
 * const exit = vcpu.run();
 */
export class Vcpu {
  /** The vCPU's number, which is also its APIC ID. */
  readonly id: number;
  /** Fields of struct kvm_run. */
  readonly kvmRun: KvmRun;
  readonly #owner: VcpuOwner;
  readonly #state: VcpuState;
  readonly #core: CoreExports;
  #pending: PendingAccess | undefined;
  #held: VcpuExit | undefined;
  #broken: InternalErrorExit | undefined;
  #running = false;
  #closed = false;
  #hasRun = false;
  #kicksSeen: number;
  /** When the event loop last had a turn, by performance.now(). */
  #turnedAtMs = performance.now();

  /** For Vm only: use `vm.createVcpu()`. */
  constructor(owner: VcpuOwner, core: CoreExports, id: number) {
    this.id = id;
    this.#owner = owner;
    this.#core = core;
    this.#state = new VcpuState(owner.memory, core, id);
    this.kvmRun = new KvmRun(this.#state);
    this.#kicksSeen = kickCount(owner.memory.i32, id);
  }

  // ------------------------------------------------------------------------------------------- running

  /**
   * Runs the guest until it needs user space (KVM_RUN).
   *
   * A pending IO or MMIO exit is completed first, with what the caller has put into its `data`. Returns an INTR exit
   * when `maxNs` of host time have passed, when somebody kicks, while kvmRun.immediateExit is set, and, where blocking
   * is not allowed, when the guest halts (`exit.wakeAtNs` then says until when).
   * Throws EBUSY when the vCPU runs already (from a callback), EBADF after close().
   *
   * @example
   * const exit = vcpu.run({ maxNs: 5e6 });
   * if (exit.reason === KVM_EXIT_INTR && exit.halted) console.log("sleeps until", exit.wakeAtNs);
   */
  run(options: RunOptions = {}): VcpuExit {
    const { maxNs = Number.POSITIVE_INFINITY, block = canBlock } = options;
    this.#open();
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
    if (exit.reason === KVM_EXIT_INTR) this.#kicksSeen = kickCount(this.#owner.memory.i32, this.id);
    const thrown = this.#owner.takeCallbackError();
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
      if (!this.#owner.ringDeferred() || exit.reason !== KVM_EXIT_INTR) return exit;
      leftNs = end - performance.now() * 1e6;
      if (this.#kicked() || this.kvmRun.immediateExit || leftNs <= 0) return exit;
    }
  }

  /** Somebody has kicked since the last INTR exit. */
  #kicked(): boolean {
    return kickCount(this.#owner.memory.i32, this.id) !== this.#kicksSeen;
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

  /**
   * Runs the guest until it needs user space, giving the event loop a turn between slices (KVM_RUN, for threads that
   * have other things to do). While the guest is halted it waits for the guest's next timer, an interrupt or a kick.
   * Resolves to an INTR exit when somebody kicks, when `signal` aborts, or while kvmRun.immediateExit is set.
   *
   * @example
   * const stop = new AbortController();
   * const exit = await vcpu.runAsync({ signal: stop.signal });
   */
  async runAsync(options: RunAsyncOptions = {}): Promise<VcpuExit> {
    const { signal, sliceNs = DEFAULT_SLICE_NS } = options;
    let blockNs = 0;
    // A guest that keeps leaving for devices has its turns counted across calls.
    if ((performance.now() - this.#turnedAtMs) * 1e6 > sliceNs) await this.#turn();
    for (;;) {
      const kicksBefore = this.#kicksSeen;
      const exit = this.run(blockNs > 0 ? { maxNs: blockNs + sliceNs, block: true } : { maxNs: sliceNs, block: false });
      blockNs = 0;
      if (exit.reason !== KVM_EXIT_INTR || this.#kicksSeen !== kicksBefore || this.kvmRun.immediateExit) return exit;
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
    const { i32 } = this.#owner.memory;
    const cell = requestCell(this.id);
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

  /**
   * Makes run() return INTR: the one under way in another thread, or else the next one. (A signal to the thread in
   * KVM_RUN.) Kicks that arrive before an INTR exit are one.
   *
   * @example
   * process.on("SIGINT", () => vcpu.kick());
   */
  kick(): void {
    Kicker.kick(this.kicker);
  }

  /**
   * What another thread needs to kick this vCPU: post it there and call `Kicker.kick()`.
   *
   * @example
   * worker.postMessage(vcpu.kicker);
   */
  get kicker(): KickerHandle {
    return { memory: this.#owner.memory.memory, index: this.id };
  }

  // ----------------------------------------------------------------------------------------- registers

  /**
   * The general registers, rip and rflags (KVM_GET_REGS). An `onTrace` listener may look at them in the middle of a run.
   *
   * @example
   * console.log(vcpu.getRegs().rip.toString(16));
   */
  getRegs(): KvmRegs {
    this.#alive();
    return readRegs(this.#state);
  }

  /**
   * Sets the general registers, rip and rflags (KVM_SET_REGS), and drops an exception that waits for delivery.
   * Values are unsigned 64-bit. Throws EINVAL for a non-canonical rip and for reserved rflags bits.
   *
   * @example
   * vcpu.setRegs({ ...vcpu.getRegs(), rip: 0x1000, rsp: 0x8000, rflags: 2 });
   */
  setRegs(regs: KvmRegsInput): void {
    this.#open();
    writeRegs(this.#state, regs);
  }

  /**
   * Segment, table, control registers, EFER and APIC base (KVM_GET_SREGS).
   *
   * @example
   * const { cs, cr0 } = vcpu.getSregs();
   */
  getSregs(): KvmSregs {
    this.#alive();
    return readSregs(this.#state);
  }

  /**
   * Sets what getSregs() returns (KVM_SET_SREGS). Throws EINVAL, with nothing changed, for reserved bits of CR0, CR4,
   * EFER and APIC base, for combinations no processor enters (CR0.PG without PE, EFER.LMA without LME or PAE), for
   * bases that are not canonical, and for fields wider than the struct's.
   *
   * @example
   * const sregs = vcpu.getSregs();
   * sregs.cs.base = 0n;
   * sregs.cs.selector = 0;
   * vcpu.setSregs(sregs);
   */
  setSregs(sregs: KvmSregs): void {
    this.#open();
    writeSregs(this.#state, sregs);
  }

  /**
   * x87 and SSE registers (KVM_GET_FPU).
   *
   * @example
   * const { fcw, mxcsr } = vcpu.getFpu();
   */
  getFpu(): KvmFpu {
    this.#open();
    return readFpu(this.#state);
  }

  /**
   * Sets the x87 and SSE registers (KVM_SET_FPU). Throws EINVAL for reserved MXCSR bits.
   *
   * @example
   * vcpu.setFpu({ ...vcpu.getFpu(), fcw: 0x37f, mxcsr: 0x1f80 });
   */
  setFpu(fpu: KvmFpu): void {
    this.#open();
    writeFpu(this.#state, fpu);
  }

  /**
   * The extended state as a 4096-byte XSAVE image in the standard format (KVM_GET_XSAVE).
   *
   * @example
   * const image = vcpu.getXsave();
   */
  getXsave(): Uint8Array<ArrayBuffer> {
    this.#open();
    return readXsave(this.#state);
  }

  /**
   * Loads an XSAVE image of at least 4096 bytes (KVM_SET_XSAVE).
   * Throws EINVAL for components the vCPU does not have and for reserved MXCSR bits.
   *
   * @example
   * other.setXsave(vcpu.getXsave());
   */
  setXsave(image: Uint8Array): void {
    this.#open();
    writeXsave(this.#state, image);
  }

  /**
   * The extended control registers: XCR0 (KVM_GET_XCRS).
   *
   * @example
   * const [{ value: xcr0 }] = vcpu.getXcrs();
   */
  getXcrs(): KvmXcr[] {
    this.#open();
    return readXcrs(this.#state);
  }

  /**
   * Sets XCR0 (KVM_SET_XCRS). Throws EINVAL for what XSETBV refuses, and for other registers.
   *
   * @example
   * vcpu.setXcrs([{ xcr: 0, value: 3n }]);
   */
  setXcrs(xcrs: readonly KvmXcr[]): void {
    this.#open();
    writeXcrs(this.#state, xcrs);
  }

  /**
   * Reads model-specific registers (KVM_GET_MSRS), up to the first that does not exist: the result is then shorter
   * than the list.
   *
   * @example
   * const [efer] = vcpu.getMsrs([0xc0000080]);
   */
  getMsrs(indices: readonly number[]): KvmMsrEntry[] {
    this.#open();
    return readMsrs(this.#state, indices);
  }

  /**
   * Writes model-specific registers (KVM_SET_MSRS), up to the first that refuses. Returns how many were written.
   *
   * @example
   * vcpu.setMsrs([{ index: 0x174, data: 0x10n }]);
   */
  setMsrs(entries: readonly { readonly index: number; readonly data: bigint | number }[]): number {
    this.#open();
    return writeMsrs(this.#state, entries);
  }

  /**
   * Says what CPUID answers, and so which instructions exist (KVM_SET_CPUID2). At most 80 entries, else E2BIG.
   * Throws EINVAL when the vCPU has run and the table would change.
   *
   * @example
   * vcpu.setCpuid2(kvm.getSupportedCpuid());
   */
  setCpuid2(entries: readonly KvmCpuidEntry[]): void {
    this.#open();
    if (this.#hasRun && JSON.stringify(this.getCpuid2()) !== JSON.stringify(entries.map(plainEntry))) {
      throw new KvmError("EINVAL", "the CPUID table cannot change once the vCPU has run");
    }
    writeCpuid(this.#state, entries);
  }

  /**
   * The table that setCpuid2() was given (KVM_GET_CPUID2); empty before.
   *
   * @example
   * const vendor = vcpu.getCpuid2().find((entry) => entry.function === 0);
   */
  getCpuid2(): KvmCpuidEntry[] {
    this.#open();
    return readCpuid(this.#state);
  }

  /**
   * The local APIC's register page: 1024 bytes (KVM_GET_LAPIC). Throws EINVAL without an in-core irqchip.
   *
   * @example
   * const id = new DataView(vcpu.getLapic().buffer).getUint32(0x20, true) >>> 24;
   */
  getLapic(): Uint8Array<ArrayBuffer> {
    this.#open();
    return readLapic(this.#state);
  }

  /**
   * Loads the local APIC's registers (KVM_SET_LAPIC). Throws EINVAL without an in-core irqchip or for another size.
   *
   * @example
   * vcpu.setLapic(saved);
   */
  setLapic(registers: Uint8Array): void {
    this.#open();
    writeLapic(this.#state, registers);
  }

  // -------------------------------------------------------------------------------------------- events

  /**
   * Exceptions, interrupts and NMIs that wait (KVM_GET_VCPU_EVENTS).
   *
   * @example
   * if (vcpu.getVcpuEvents().nmi.masked) console.log("in an NMI handler");
   */
  getVcpuEvents(): KvmVcpuEvents {
    this.#open();
    return readVcpuEvents(this.#state);
  }

  /**
   * Sets what waits (KVM_SET_VCPU_EVENTS). Throws EINVAL for unknown flags, exceptions that do not exist, and SMM.
   *
   * @example
   * vcpu.setVcpuEvents(saved);
   */
  setVcpuEvents(events: KvmVcpuEvents): void {
    this.#open();
    writeVcpuEvents(this.#state, events);
  }

  /**
   * KVM_MP_STATE_*: runnable 0, uninitialized 1, INIT received 2, halted 3, SIPI received 4 (KVM_GET_MP_STATE).
   *
   * @example
   * const halted = vcpu.getMpState() === KVM_MP_STATE_HALTED;
   */
  getMpState(): number {
    this.#open();
    return readMpState(this.#state);
  }

  /**
   * Sets the multiprocessing state (KVM_SET_MP_STATE).
   * Throws EINVAL for unknown states, and without an in-core irqchip for all but runnable.
   *
   * @example
   * vcpu.setMpState(KVM_MP_STATE_RUNNABLE);
   */
  setMpState(mpState: number): void {
    this.#open();
    writeMpState(this.#state, mpState);
  }

  /**
   * Queues an external interrupt, 0..255 (KVM_INTERRUPT): delivered when the guest next accepts one.
   * For VMs without an in-core irqchip: ENXIO with one; EEXIST while another waits; EINVAL for other vectors.
   *
   * @example
   * if (vcpu.kvmRun.readyForInterruptInjection) vcpu.interrupt(0x20);
   */
  interrupt(vector: number): void {
    this.#open();
    queueInterrupt(this.#state, vector);
  }

  /**
   * Queues a non-maskable interrupt (KVM_NMI).
   *
   * @example
   * vcpu.nmi();
   */
  nmi(): void {
    this.#open();
    queueNmi(this.#state);
  }

  /**
   * The guest's debug registers (KVM_GET_DEBUGREGS).
   *
   * @example
   * const { dr7 } = vcpu.getDebugregs();
   */
  getDebugregs(): KvmDebugregs {
    this.#open();
    return readDebugregs(this.#state);
  }

  /**
   * Sets the guest's debug registers (KVM_SET_DEBUGREGS). Throws EINVAL where DR6 or DR7 exceed 32 bits.
   *
   * @example
   * vcpu.setDebugregs({ db: [0x1000n, 0n, 0n, 0n], dr6: 0n, dr7: 1n });
   */
  setDebugregs(regs: KvmDebugregs): void {
    this.#open();
    writeDebugregs(this.#state, regs);
  }

  /**
   * Debugs the guest from outside (KVM_SET_GUEST_DEBUG): single step, INT3 and debug registers give DEBUG exits.
   * `control` is KVM_GUESTDBG_*, 0 ends it. Throws EINVAL for unknown bits, EBUSY for an injection while another
   * exception waits.
   *
   * @example
   * vcpu.setGuestDebug({ control: KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP });
   */
  setGuestDebug(debug: KvmGuestDebug): void {
    this.#open();
    writeGuestDebug(this.#state, debug);
  }

  /**
   * What a linear address translates to now (KVM_TRANSLATE), without touching accessed bits.
   *
   * @example
   * const { valid, physicalAddress } = vcpu.translate(0xffff_8000_0000_0000n);
   */
  translate(linearAddress: bigint | number): KvmTranslation {
    this.#open();
    const gpa = this.#core.translate(BigInt.asIntN(64, toU64(linearAddress, "linearAddress")));
    return {
      physicalAddress: BigInt.asUintN(64, gpa),
      valid: gpa !== -1n,
      // As in KVM, nobody has looked at the rights.
      writeable: true,
      usermode: false,
    };
  }

  // ---------------------------------------------------------------------------------------------- time

  /**
   * The time-stamp counter's rate in kHz (KVM_GET_TSC_KHZ).
   *
   * @example
   * const ghz = vcpu.getTscKhz() / 1e6;
   */
  getTscKhz(): number {
    this.#open();
    return this.#owner.memory.u32(VM_TSC_KHZ);
  }

  /**
   * Sets the time-stamp counter's rate in kHz (KVM_SET_TSC_KHZ), for all vCPUs of the VM, which share one clock.
   * Throws EINVAL for 0 and for what 32 bits do not hold.
   *
   * @example
   * vcpu.setTscKhz(2_500_000);
   */
  setTscKhz(khz: number): void {
    this.#open();
    checkInteger(khz, 1, 0xffff_ffff, "khz");
    check(this.#core.setTscKhz(khz), `a TSC of ${khz} kHz`);
  }

  // -------------------------------------------------------------------------------- beyond the ioctls

  /**
   * Puts the vCPU into its power-up state, as a machine's reset line does. The CPUID table stays.
   *
   * @example
   * if (exit.reason === KVM_EXIT_SHUTDOWN) vcpu.reset();
   */
  reset(): void {
    this.#open();
    this.#pending = undefined;
    this.#held = undefined;
    this.#core.vcpuReset();
    this.#state.changed();
  }

  /**
   * Which LOG_* events (assembly/layout.ts) this vCPU reports to the VM's `onTrace`.
   *
   * @example
   * vcpu.setLog(LOG_INT | LOG_UNIMP);
   */
  setLog(mask: number): void {
    this.#open();
    this.#state.setU32(CPU_LOG, mask);
    this.#state.changed();
  }

  /**
   * Exits by reason, and what the core did without any (KVM_GET_STATS_FD, as values).
   *
   * @example
   * const { exits, counters } = vcpu.getStats();
   * console.log(exits.IO, counters.tlbMisses);
   */
  getStats(): VcpuStats {
    this.#open();
    return readVcpuStats(this.#state);
  }

  /**
   * Gives up the handle; calls on it then throw EBADF. The vCPU's number stays taken, as in KVM.
   *
   * @example
   * using vcpu = vm.createVcpu(0); // closed at the end of the block
   */
  close(): void {
    this.#closed = true;
    this.#owner.forget(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #alive(): void {
    if (this.#closed) throw new KvmError("EBADF", "this vCPU is closed");
  }

  #open(): void {
    this.#alive();
    if (this.#running) throw new KvmError("EBUSY", "this vCPU is running");
  }
}

/** True for what a core throws: a trap of WebAssembly, or of the TypeScript core, where there may be no WebAssembly. */
function isStop(error: unknown): error is Error {
  if (error instanceof RangeError || (error instanceof Error && error.message === "unreachable")) return true;
  return typeof WebAssembly !== "undefined" && error instanceof WebAssembly.RuntimeError;
}

/** An entry with nothing but its fields, in order, so that entries compare as text. */
function plainEntry(entry: KvmCpuidEntry): KvmCpuidEntry {
  const { function: leaf, index, flags, eax, ebx, ecx, edx } = entry;
  return { function: leaf, index, flags, eax, ebx, ecx, edx };
}
