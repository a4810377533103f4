// Vcpu: a virtual processor. One method a KVM_* vCPU ioctl; the conversions are in the files beside this one.
// It is long because each call has its documentation here.

import { CPU_LOG, VM_TSC_KHZ } from "../../assembly/layout.ts";
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
import type { VcpuExit } from "./exits.ts";
import { type KvmFpu, readFpu, writeFpu } from "./fpu.ts";
import { Kicker, type KickerHandle } from "./kicker.ts";
import { KvmRun } from "./kvm-run.ts";
import { readLapic, writeLapic } from "./lapic.ts";
import type { VmMemory } from "./memory.ts";
import { type KvmMsrEntry, readMsrs, writeMsrs } from "./msrs.ts";
import { type KvmRegs, type KvmRegsInput, readRegs, writeRegs } from "./registers.ts";
import { type RunAsyncOptions, Runner, type RunnerOwner, type RunOptions } from "./runner.ts";
import { type KvmSregs, readSregs, writeSregs } from "./sregs.ts";
import { readVcpuStats, type VcpuStats } from "./stats.ts";
import { VcpuState } from "./vcpu-state.ts";
import { type KvmXcr, readXcrs, readXsave, writeXcrs, writeXsave } from "./xsave.ts";

/** What a vCPU needs from its VM. */
export interface VcpuOwner extends RunnerOwner {
  readonly memory: VmMemory;
  forget(vcpu: Vcpu): unknown;
}

/** struct kvm_translation. */
export interface KvmTranslation {
  readonly physicalAddress: bigint;
  readonly valid: boolean;
  readonly writeable: boolean;
  readonly usermode: boolean;
}

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
  readonly #runner: Runner;
  #closed = false;

  /** For Vm only: use `vm.createVcpu()`. */
  constructor(owner: VcpuOwner, core: CoreExports, id: number) {
    this.id = id;
    this.#owner = owner;
    this.#core = core;
    this.#state = new VcpuState(owner.memory, core, id);
    this.kvmRun = new KvmRun(this.#state);
    this.#runner = new Runner(owner, this.#state, core, this.kvmRun);
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
    this.#open();
    return this.#runner.run(options);
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
    return this.#runner.runAsync(options, (slice) => this.run(slice));
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
    if (this.#runner.hasRun && JSON.stringify(this.getCpuid2()) !== JSON.stringify(entries.map(plainEntry))) {
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
    this.#runner.reset();
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
    if (this.#runner.isRunning) throw new KvmError("EBUSY", "this vCPU is running");
  }
}

/** An entry with nothing but its fields, in order, so that entries compare as text. */
function plainEntry(entry: KvmCpuidEntry): KvmCpuidEntry {
  const { function: leaf, index, flags, eax, ebx, ecx, edx } = entry;
  return { function: leaf, index, flags, eax, ebx, ecx, edx };
}
