// Vm: a virtual machine: its memory, its interrupt chips, its clock. One method a KVM_* VM ioctl.
// It is long because each call has its documentation here.

import { CHIPS_IRQCHIP, CHIPS_PIT, CHIPS_SPLIT } from "../../assembly/irqchip/layout.ts";
import {
  CPU_FEATURES,
  LOG_VERIFY,
  REQ_CODE_FLUSH,
  REQ_KICK,
  SLOT_ENTRY_SIZE,
  SLOT_GPA,
  SLOT_HOST,
  SLOT_SIZE,
  VM_CHIPS,
  VM_ICOUNT_SHIFT,
  VM_JIT_VERIFY,
  VM_MAX_SLOTS,
  VM_SCRATCH,
  VM_SLOTS,
  VM_VCPU_COUNT,
} from "../../assembly/layout.ts";
import {
  type CoreExports,
  type CoreName,
  type CoreProgram,
  instantiate,
  type LinearMemory,
  nameOf,
  programNamed,
} from "./core.ts";
import { featureWords, IMPLEMENTED } from "./cpu-features.ts";
import { Doorbells, type KvmCoalescedMmio, type KvmCoalescedMmioZone, type KvmIoeventfd } from "./doorbells.ts";
import { check, checkInteger, ERRNO, KvmError, toU64 } from "./errors.ts";
import type { EventFd } from "./eventfd.ts";
import { extensionValue, KVM_CAP_SPLIT_IRQCHIP } from "./extensions.ts";
import { type KvmIrqchip, type KvmPitState2, readIrqchip, readPit, writeIrqchip, writePit } from "./irqchip.ts";
import { PAGE_SIZE, VmMemory } from "./memory.ts";
import type { TranslationObstacle } from "./obstacle.ts";
import { clockSince, sharedClockNs, wallNs } from "./platform.ts";
import { type KvmIrqRoutingEntry, writeRoutes } from "./routing.ts";
import { addStats, statsAt, type VcpuStats } from "./stats.ts";
import { type Translation, writeTranslation } from "./translation.ts";
import { Vcpu, type VcpuOwner } from "./vcpu.ts";
import { VcpuState } from "./vcpu-state.ts";
import { Verifier } from "./verifier.ts";

/** KVM_MEM_*: flags of a memory slot. */
export const KVM_MEM_LOG_DIRTY_PAGES = 1;
export const KVM_MEM_READONLY = 2;

export const KVM_IRQFD_FLAG_DEASSIGN = 1;
export const KVM_IRQFD_FLAG_RESAMPLE = 2;

export const KVM_CLOCK_TSC_STABLE = 2;
export const KVM_CLOCK_REALTIME = 4;

/** What `kvm.createVm()` is asked for. */
export interface VmOptions {
  /** Bytes of backing store for slots: a multiple of 4096, up to about 3.7 GiB. */
  readonly memorySize: number;
  /** The most vCPUs the VM may get, 1..16; default 16. Each one reserves 16 MiB of address space. */
  readonly maxVcpus?: number;
  /** Makes guest time a function of executed instructions, 2^N ns each (QEMU's -icount shift=N). */
  readonly icountShift?: number;
}

/** struct kvm_userspace_memory_region. */
export interface KvmUserspaceMemoryRegion {
  /** 0..63. */
  readonly slot: number;
  /** KVM_MEM_*. */
  readonly flags?: number;
  /** Page-aligned. */
  readonly guestPhysAddr: bigint | number;
  /** Bytes, whole pages; 0 deletes the slot. */
  readonly memorySize: bigint | number;
  /** Offset in `vm.memory`, from `vm.allocate()`. */
  readonly userspaceAddr: number;
}

/** struct kvm_msi. */
export interface KvmMsi {
  readonly addressLo: number;
  readonly addressHi?: number;
  readonly data: number;
}

/** struct kvm_irqfd. */
export interface KvmIrqfd {
  readonly fd: EventFd;
  /** 0..1023. */
  readonly gsi: number;
  /** KVM_IRQFD_FLAG_*; default 0. */
  readonly flags?: number;
  /** With KVM_IRQFD_FLAG_RESAMPLE: signalled when the guest acknowledges the interrupt. */
  readonly resamplefd?: EventFd;
}

/** struct kvm_clock_data. */
export interface KvmClockData {
  /** kvmclock, ns. */
  readonly clock: bigint;
  /** KVM_CLOCK_*. */
  readonly flags: number;
  /** With KVM_CLOCK_REALTIME: ns since 1970 at the same moment. */
  readonly realtime?: bigint;
}

/** What `vm.handle` posts to another thread. */
export interface VmHandle {
  readonly core: CoreName;
  readonly memory: LinearMemory;
}

/** An event of `-d`: LOG_* kind and three values whose meaning goes with it. */
export type TraceListener = (kind: number, a: bigint, b: bigint, c: bigint) => void;

/**
 * A virtual machine, made by `kvm.createVm()`, or in another thread by `Vm.attach()`.
 *
 * @example
 * const vm = kvm.createVm({ memorySize: 64 << 20 });
 * const userspaceAddr = vm.allocate(0x1000);
 * vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0x1000n, memorySize: 0x1000n, userspaceAddr });
 */
export class Vm {
  readonly #memory: VmMemory;
  readonly #program: CoreProgram;
  readonly #core: CoreExports;
  readonly #clock: () => number;
  readonly #doorbells: Doorbells;
  readonly #vcpus = new Set<Vcpu>();
  readonly #irqfds: { fd: EventFd; gsi: number; end: () => void; resample: boolean }[] = [];
  readonly #deferred: number[] = [];
  readonly #verifier: Verifier | undefined;
  #callbackError: { error: unknown } | undefined;
  #closed = false;

  /** Receives what the vCPUs of this thread report after `vcpu.setLog()`. */
  onTrace: TraceListener | undefined;

  /** Receives each module of translated code before it is compiled, and the slots of its regions: those of LOG_OUT_ASM. */
  onModule: ((module: Uint8Array, slots: Uint32Array) => void) | undefined;

  /** Is told when a vCPU of this thread finds that the host makes no more code: from then on the VM is interpreted. */
  onObstacle: ((obstacle: TranslationObstacle) => void) | undefined;

  /** For Kvm only: use `kvm.createVm()` or `Vm.attach()`. */
  constructor(program: CoreProgram, memory: VmMemory) {
    this.#program = program;
    this.#memory = memory;
    if (memory.u32(VM_JIT_VERIFY)) this.#verifier = new Verifier(memory.memory);
    this.#clock = clockSince(memory.epochNs);
    this.#doorbells = new Doorbells(memory);
    this.#core = this.#instantiate(undefined);
    this.#owner = this.#makeOwner();
  }

  /** Makes a VM. For Kvm. `translation`: how its code is translated; `obstacle`: why it is not, though it was asked for. */
  static create(
    program: CoreProgram,
    options: VmOptions,
    translation: Translation,
    obstacle?: TranslationObstacle,
  ): Vm {
    const { memorySize, maxVcpus = 16, icountShift } = options;
    if (icountShift !== undefined) checkInteger(icountShift, 0, 10, "icountShift");
    const memory = VmMemory.create(memorySize, maxVcpus, sharedClockNs(), wallNs(), program);
    writeTranslation(memory.view, translation);
    if (icountShift !== undefined) memory.view.setInt32(VM_ICOUNT_SHIFT, icountShift, true);
    memory.obstacle = obstacle;
    return new Vm(program, memory);
  }

  /**
   * Opens a VM that another thread has made, to run some of its vCPUs here.
   * Throws EINVAL for what is not a VM's handle, ENODEV where this thread has not loaded the VM's TypeScript core.
   *
   * @example
   * worker.postMessage(vm.handle);                           // here
   * onmessage = ({ data }) => Vm.attach(data).createVcpu(1); // there
   */
  static attach(handle: VmHandle): Vm {
    return new Vm(programNamed(handle.core), VmMemory.open(handle.memory));
  }

  /** What `Vm.attach()` needs: can be posted to a worker. */
  get handle(): VmHandle {
    return { core: nameOf(this.#program), memory: this.#memory.memory };
  }

  #instantiate(vcpu: number | undefined): CoreExports {
    return instantiate(this.#program, this.#memory.memory, {
      nowNs: this.#clock,
      doorbell: (index) => this.#ring(index, vcpu),
      trace: (kind, a, b, c) =>
        this.#guard(() => {
          this.#verifier?.record(kind, a, b, c);
          if (kind < LOG_VERIFY) this.onTrace?.(kind, a, b, c);
        }),
      onModule: (module, slots) =>
        this.#guard(() => {
          this.onModule?.(module, slots);
          this.#verifier?.module(module, slots);
        }),
      onObstacle: (obstacle) => this.#guard(() => this.#meet(obstacle)),
    });
  }

  #ring(index: number, vcpu: number | undefined): void {
    if (!this.#doorbells.mustWait(index)) {
      this.#guard(() => this.#doorbells.ring(index));
      return;
    }
    // The core holds the lock of the chips, which a callback may want: it rings when run() is back.
    this.#deferred.push(index);
    if (vcpu !== undefined) new VcpuState(this.#memory, this.#core, vcpu).request(REQ_KICK);
  }

  /** The first one counts: in lockstep each core meets it. */
  #meet(obstacle: TranslationObstacle): void {
    if (this.#memory.obstacle) return;
    this.#memory.obstacle = obstacle;
    this.onObstacle?.(obstacle);
  }

  /** No exception may pass through the core: it would leave an instruction half done. */
  #guard(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#callbackError ??= { error };
    }
  }

  // ---------------------------------------------------------------------------------- memory and vCPUs

  /**
   * Linear memory, with the backing store at the offsets that allocate() gives. It is never detached and never grows.
   *
   * @example
   * new Uint8Array(vm.memory, userspaceAddr, 3).set([0xb0, 0x2a, 0xf4]);
   */
  get memory(): ArrayBuffer | SharedArrayBuffer {
    return this.#memory.memory.buffer as ArrayBuffer | SharedArrayBuffer;
  }

  /**
   * Takes `bytes`, rounded up to pages, of the backing store: a page-aligned offset into `vm.memory` (mmap's part).
   * The memory is zero. Throws ENOMEM where `memorySize` is used up.
   *
   * @example
   * const userspaceAddr = vm.allocate(16 << 20);
   */
  allocate(bytes: number): number {
    this.#open();
    return this.#memory.allocate(bytes);
  }

  /**
   * Makes, moves, changes or deletes a memory slot (KVM_SET_USER_MEMORY_REGION).
   *
   * `flags`: KVM_MEM_LOG_DIRTY_PAGES, KVM_MEM_READONLY (writes then give MMIO exits). Addresses and sizes are whole pages.
   * Throws EINVAL for misalignment, unknown flags, a slot number over 63, memory that allocate() did not give, deletion
   * of a slot that is not there, a change of size, memory or read-only flag of one that is; EEXIST where slots overlap.
   *
   * @example
   * vm.setUserMemoryRegion({ slot: 0, flags: 0, guestPhysAddr: 0n, memorySize: 1 << 20, userspaceAddr });
   */
  setUserMemoryRegion(region: KvmUserspaceMemoryRegion): void {
    this.#open();
    const { slot, flags = 0, userspaceAddr } = region;
    checkInteger(slot, 0, VM_MAX_SLOTS - 1, "slot");
    checkInteger(flags, 0, 0xffff_ffff, "flags");
    checkInteger(userspaceAddr, 0, 0xffff_ffff, "userspaceAddr");
    const gpa = toU64(region.guestPhysAddr, "guestPhysAddr");
    const size = toU64(region.memorySize, "memorySize");
    const result = this.#core.setSlot(slot, flags, BigInt.asIntN(64, gpa), BigInt.asIntN(64, size), userspaceAddr | 0);
    check(result, `slot ${slot} of 0x${size.toString(16)} bytes at 0x${gpa.toString(16)}`);
  }

  /**
   * The pages of a slot that were written since the last call (KVM_GET_DIRTY_LOG): bit i % 8 of byte i / 8 for page i,
   * padded to 8 bytes. Throws EINVAL for a slot number over 63, ENOENT for a slot that is not there or keeps no log.
   *
   * @example
   * const pageWasWritten = (vm.getDirtyLog(0)[page >> 3] >> (page & 7)) & 1;
   */
  getDirtyLog(slot: number): Uint8Array<ArrayBuffer> {
    this.#open();
    checkInteger(slot, 0, VM_MAX_SLOTS - 1, "slot");
    check(this.#core.dirtyLog(slot, VM_SCRATCH), `slot ${slot} keeps no dirty log`);
    const pages = Number(this.#memory.u64(VM_SLOTS + SLOT_ENTRY_SIZE * slot + SLOT_SIZE)) / PAGE_SIZE;
    return this.#memory.copy(VM_SCRATCH, Math.ceil(pages / 64) * 8);
  }

  /**
   * Makes a vCPU in its power-up state (KVM_CREATE_VCPU). It belongs to the calling thread.
   * Throws EINVAL for an id that `maxVcpus` does not cover, and for others than 0 where regions are verified, which one
   * vCPU alone can be; EEXIST for one that exists.
   *
   * @example
   * const vcpu = vm.createVcpu(0);
   */
  createVcpu(id: number): Vcpu {
    this.#open();
    checkInteger(id, 0, this.#memory.maxVcpus - 1, "the vCPU's id");
    if (id > 0 && this.#verifier) throw new KvmError("EINVAL", "regions can be verified of vCPU 0 alone (verify)");
    if (!this.#memory.claimVcpu(id)) throw new KvmError("EEXIST", `vCPU ${id} exists`);
    raiseTo(this.#memory.i32, VM_VCPU_COUNT >> 2, id + 1);
    const core = this.#instantiate(id);
    core.vcpuSelect(id);
    core.vcpuReset();
    const state = new VcpuState(this.#memory, core, id);
    // Without a CPUID table the guest is told of nothing, but every instruction works, as it does under KVM.
    featureWords(IMPLEMENTED).forEach((word, i) => {
      state.setU32(CPU_FEATURES + 4 * i, word);
    });
    return this.#adopt(new Vcpu(this.#owner, core, id));
  }

  /**
   * Opens a vCPU that another thread has made and no longer uses, as it is: how a vCPU moves to another thread.
   * Throws ENOENT where there is none.
   *
   * @example
   * const vcpu = Vm.attach(handle).adoptVcpu(1);
   */
  adoptVcpu(id: number): Vcpu {
    this.#open();
    checkInteger(id, 0, this.#memory.maxVcpus - 1, "the vCPU's id");
    if (!this.#memory.hasVcpu(id)) throw new KvmError("ENOENT", `there is no vCPU ${id}`);
    const core = this.#instantiate(id);
    core.vcpuSelect(id);
    // Its regions are functions of the instance that it had before.
    new VcpuState(this.#memory, core, id).request(REQ_CODE_FLUSH);
    return this.#adopt(new Vcpu(this.#owner, core, id));
  }

  #adopt(vcpu: Vcpu): Vcpu {
    this.#vcpus.add(vcpu);
    return vcpu;
  }

  // ------------------------------------------------------------------------------------ interrupt chips

  /**
   * Puts interrupt controllers into the core: an 8259 pair, an IOAPIC, and a local APIC in each vCPU
   * (KVM_CREATE_IRQCHIP). Throws EEXIST where there are some, EINVAL once a vCPU exists.
   *
   * @example
   * vm.createIrqchip();
   */
  createIrqchip(): void {
    this.#open();
    if (this.#chips & (CHIPS_IRQCHIP | CHIPS_SPLIT)) throw new KvmError("EEXIST", "this VM has an irqchip");
    if (this.#memory.anyVcpu) throw new KvmError("EINVAL", "an irqchip comes before the vCPUs");
    check(this.#core.createIrqchip(), "createIrqchip");
  }

  get #chips(): number {
    return this.#memory.u32(VM_CHIPS);
  }

  #needIrqchip(): void {
    this.#open();
    if (!(this.#chips & CHIPS_IRQCHIP)) throw new KvmError("ENXIO", "this VM has no irqchip in the core");
  }

  /**
   * The state of a controller: KVM_IRQCHIP_PIC_MASTER 0, PIC_SLAVE 1 or IOAPIC 2 (KVM_GET_IRQCHIP).
   * Throws ENXIO without an irqchip, EINVAL for another number.
   *
   * @example
   * const chip = vm.getIrqchip(KVM_IRQCHIP_IOAPIC);
   */
  getIrqchip(chipId: number): KvmIrqchip {
    this.#needIrqchip();
    return readIrqchip(this.#memory, chipId);
  }

  /**
   * Sets the state of a controller (KVM_SET_IRQCHIP). Throws ENXIO without an irqchip, EINVAL for another number.
   *
   * @example
   * vm.setIrqchip(saved);
   */
  setIrqchip(chip: KvmIrqchip): void {
    this.#needIrqchip();
    writeIrqchip(this.#memory, chip);
    this.#core.irqchipLoaded();
  }

  /**
   * Puts an 8254 into the core, wired to GSI 0 (KVM_CREATE_PIT2). `flags`: KVM_PIT_SPEAKER_DUMMY: port 0x61 too.
   * Throws EEXIST where there is one, ENOENT without an irqchip, EINVAL for other flags.
   *
   * @example
   * vm.createPit2({ flags: KVM_PIT_SPEAKER_DUMMY });
   */
  createPit2(config: { readonly flags?: number } = {}): void {
    this.#open();
    check(this.#core.createPit(config.flags ?? 0), "createPit2");
  }

  #needPit(): void {
    this.#open();
    if (!(this.#chips & CHIPS_PIT)) throw new KvmError("ENXIO", "this VM has no PIT in the core");
  }

  /**
   * The 8254's state (KVM_GET_PIT2). Throws ENXIO without one.
   *
   * @example
   * const { channels } = vm.getPit2();
   */
  getPit2(): KvmPitState2 {
    this.#needPit();
    return readPit(this.#memory);
  }

  /**
   * Sets the 8254's state (KVM_SET_PIT2). Throws ENXIO without one, EINVAL for counts over 65536.
   *
   * @example
   * vm.setPit2(saved);
   */
  setPit2(pit: KvmPitState2): void {
    this.#needPit();
    writePit(this.#memory, pit);
    this.#core.pitStateLoaded();
  }

  /**
   * Whether timer ticks that the guest missed are raised later (KVM_REINJECT_CONTROL); they are unless this is called.
   * Throws ENXIO without a PIT.
   *
   * @example
   * vm.reinjectControl(false);
   */
  reinjectControl(pitReinject: boolean): void {
    this.#needPit();
    check(this.#core.setPitReinject(pitReinject ? 1 : 0), "reinjectControl");
  }

  /**
   * Sets the level of an interrupt line (KVM_IRQ_LINE_STATUS). `gsi`: 0..1023; `level`: 0 or 1.
   * Returns how many controllers took a new interrupt, 0 where it merged with a pending one, -1 where it is masked.
   * Throws ENXIO without an irqchip.
   *
   * @example
   * vm.irqLine(4, 1);
   * vm.irqLine(4, 0);
   */
  irqLine(gsi: number, level: number | boolean): number {
    this.#open();
    const result = this.#core.irqLine(gsi, level ? 1 : 0);
    if (result === -ERRNO.ENXIO) throw new KvmError("ENXIO", "this VM has no irqchip in the core");
    return result;
  }

  /**
   * Sends a message-signalled interrupt (KVM_SIGNAL_MSI). Returns as irqLine() does. Throws EINVAL without local APICs.
   *
   * @example
   * vm.signalMsi({ addressLo: 0xfee0_0000, data: 0x30 });
   */
  signalMsi(msi: KvmMsi): number {
    this.#open();
    const { addressLo, addressHi = 0, data } = msi;
    const result = this.#core.signalMsi(
      BigInt.asIntN(64, (BigInt(addressHi >>> 0) << 32n) | BigInt(addressLo >>> 0)),
      data | 0,
    );
    if (result === -ERRNO.EINVAL) throw new KvmError("EINVAL", "this VM has no local APICs in the core");
    return result;
  }

  /**
   * Replaces the table from GSIs to chip pins and messages (KVM_SET_GSI_ROUTING). createIrqchip() sets one up with
   * GSI n at IOAPIC pin n, and 0..15 at the 8259 pair. Throws EINVAL without an irqchip, and for impossible entries.
   *
   * @example
   * vm.setGsiRouting([{ gsi: 24, type: KVM_IRQ_ROUTING_MSI, msi: { addressLo: 0xfee0_0000, addressHi: 0, data: 0x41 } }]);
   */
  setGsiRouting(entries: readonly KvmIrqRoutingEntry[]): void {
    this.#open();
    if (!(this.#chips & (CHIPS_IRQCHIP | CHIPS_SPLIT))) throw new KvmError("EINVAL", "routing needs an irqchip");
    this.#core.routesBegin();
    try {
      writeRoutes(this.#memory, entries);
    } finally {
      check(this.#core.routesEnd(), "the routing table");
    }
  }

  /**
   * Connects an EventFd to an interrupt line (KVM_IRQFD): a signal raises the GSI; with KVM_IRQFD_FLAG_RESAMPLE it stays
   * high until the guest acknowledges it, and `resamplefd` is signalled then. KVM_IRQFD_FLAG_DEASSIGN ends it.
   * Throws EINVAL without an irqchip, for unknown flags or GSIs, or RESAMPLE without `resamplefd`; EBUSY where the
   * EventFd is connected.
   *
   * @example
   * const fd = new EventFd();
   * vm.irqfd({ fd, gsi: 10 });
   * fd.signal();
   */
  irqfd(request: KvmIrqfd): void {
    this.#open();
    const { fd, gsi, flags = 0, resamplefd } = request;
    if (flags & ~(KVM_IRQFD_FLAG_DEASSIGN | KVM_IRQFD_FLAG_RESAMPLE)) {
      throw new KvmError("EINVAL", `unknown flags 0x${flags.toString(16)}`);
    }
    checkInteger(gsi, 0, 1023, "gsi");
    if (!(this.#chips & (CHIPS_IRQCHIP | CHIPS_SPLIT))) throw new KvmError("EINVAL", "an irqfd needs an irqchip");
    const index = this.#irqfds.findIndex((known) => known.fd === fd && known.gsi === gsi);
    if (flags & KVM_IRQFD_FLAG_DEASSIGN) {
      if (index >= 0) this.#endIrqfd(index);
      return;
    }
    if (this.#irqfds.some((known) => known.fd === fd))
      throw new KvmError("EBUSY", "this EventFd raises an interrupt already");
    const resample = (flags & KVM_IRQFD_FLAG_RESAMPLE) !== 0;
    if (resample) {
      if (!resamplefd) throw new KvmError("EINVAL", "KVM_IRQFD_FLAG_RESAMPLE needs a resamplefd");
      this.#doorbells.resample(gsi, resamplefd);
      check(this.#core.setResample(gsi, 1), "irqfd");
    }
    const raise = () => {
      fd.read();
      if (resample) {
        this.#core.resampleLine(gsi);
        return;
      }
      this.#core.irqLine(gsi, 1);
      this.#core.irqLine(gsi, 0);
    };
    this.#irqfds.push({ fd, gsi, end: fd.onSignal(raise), resample });
    if (fd.count > 0) raise();
  }

  #endIrqfd(index: number): void {
    const [ended] = this.#irqfds.splice(index, 1);
    if (!ended) return;
    ended.end();
    if (!ended.resample || this.#irqfds.some((other) => other.resample && other.gsi === ended.gsi)) return;
    this.#core.setResample(ended.gsi, 0);
    this.#doorbells.resample(ended.gsi, undefined);
  }

  // ----------------------------------------------------------------------------- writes without an exit

  /**
   * Has guest writes to an address or port signal an EventFd instead of leaving to user space (KVM_IOEVENTFD).
   * `len`: 1, 2, 4, 8, or 0 for any. `flags`: KVM_IOEVENTFD_FLAG_DATAMATCH, _PIO, _DEASSIGN.
   * Throws EINVAL for other lengths and flags, EEXIST where one is there, ENOENT for a DEASSIGN of none, ENOSPC over
   * 1024. An EventFd callback runs inside run(); what it throws, run() throws.
   *
   * @example
   * vm.ioeventfd({ addr: 0x510, len: 2, flags: KVM_IOEVENTFD_FLAG_PIO, fd });
   */
  ioeventfd(request: KvmIoeventfd): void {
    this.#open();
    this.#doorbells.ioeventfd(request);
  }

  /**
   * Has guest writes to a range collected in a ring (KVM_REGISTER_COALESCED_MMIO). When the ring is full, a write
   * gives its exit. Throws ENOSPC over 1024 zones, EINVAL for a size of 0.
   *
   * @example
   * vm.registerCoalescedMmio({ addr: 0xa_0000, size: 0x2_0000 });
   */
  registerCoalescedMmio(zone: KvmCoalescedMmioZone): void {
    this.#open();
    this.#doorbells.registerZone(zone);
  }

  /**
   * Drops the zones that lie inside the given range (KVM_UNREGISTER_COALESCED_MMIO).
   *
   * @example
   * vm.unregisterCoalescedMmio({ addr: 0xa_0000, size: 0x2_0000 });
   */
  unregisterCoalescedMmio(zone: KvmCoalescedMmioZone): void {
    this.#open();
    this.#doorbells.unregisterZone(zone);
  }

  /**
   * Takes the writes that coalesced zones have collected, oldest first (the mapped ring's part). To be called before
   * an exit is handled, so that writes keep their order.
   *
   * @example
   * for (const { physAddr, data } of vm.drainCoalescedMmio()) screen.write(physAddr, data);
   */
  drainCoalescedMmio(): KvmCoalescedMmio[] {
    this.#open();
    return this.#doorbells.drain();
  }

  // --------------------------------------------------------------------------------- clock and the rest

  /**
   * kvmclock, ns, and the wall clock at the same moment (KVM_GET_CLOCK).
   *
   * @example
   * const { clock } = vm.getClock();
   */
  getClock(): KvmClockData {
    this.#open();
    return {
      clock: BigInt(Math.round(this.#core.kvmClockGet())),
      flags: KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME,
      realtime: BigInt(Math.round(wallNs())),
    };
  }

  /**
   * Sets kvmclock, ns (KVM_SET_CLOCK). With KVM_CLOCK_REALTIME the wall-clock time that has passed since `realtime` is
   * added. Throws EINVAL for unknown flags.
   *
   * @example
   * vm.setClock({ clock: saved.clock, flags: 0 });
   */
  setClock(data: KvmClockData): void {
    this.#open();
    if (data.flags & ~(KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME)) {
      throw new KvmError("EINVAL", `unknown flags 0x${data.flags.toString(16)}`);
    }
    let clock = Number(toU64(data.clock, "clock"));
    if (data.flags & KVM_CLOCK_REALTIME && data.realtime !== undefined) {
      clock += Math.max(wallNs() - Number(data.realtime), 0);
    }
    this.#core.kvmClockSet(clock);
  }

  /**
   * Where a processor without unrestricted guests would keep a TSS (KVM_SET_TSS_ADDR). This one needs none: the
   * address is checked and has no effect. Throws EINVAL where three pages do not fit below 4 GiB.
   *
   * @example
   * vm.setTssAddr(0xfffb_d000);
   */
  setTssAddr(address: bigint | number): void {
    this.#open();
    if (toU64(address, "address") > 0xffff_d000n) throw new KvmError("EINVAL", "the TSS has to end below 4 GiB");
  }

  /**
   * Where a processor without unrestricted guests would keep an identity map (KVM_SET_IDENTITY_MAP_ADDR). This one needs
   * none: the address has no effect. Throws EINVAL once a vCPU exists.
   *
   * @example
   * vm.setIdentityMapAddr(0xfffb_c000);
   */
  setIdentityMapAddr(address: bigint | number): void {
    this.#open();
    toU64(address, "address");
    if (this.#memory.anyVcpu) throw new KvmError("EINVAL", "the identity map comes before the vCPUs");
  }

  /**
   * Turns a capability on (KVM_ENABLE_CAP). KVM_CAP_SPLIT_IRQCHIP (`args[0]`: pins of the IOAPIC in user space, up to
   * 24): local APICs in the core, everything else in user space; EEXIST and EINVAL as createIrqchip().
   * Throws EINVAL for every other capability.
   *
   * @example
   * vm.enableCap({ cap: KVM_CAP_SPLIT_IRQCHIP, args: [24] });
   */
  enableCap(request: {
    readonly cap: number;
    readonly flags?: number;
    readonly args?: readonly (bigint | number)[];
  }): void {
    this.#open();
    const { cap, flags = 0, args = [] } = request;
    if (flags !== 0 || cap !== KVM_CAP_SPLIT_IRQCHIP)
      throw new KvmError("EINVAL", `capability ${cap} cannot be enabled`);
    checkInteger(Number(args[0] ?? 0), 0, 24, "args[0]");
    if (this.#chips & (CHIPS_IRQCHIP | CHIPS_SPLIT)) throw new KvmError("EEXIST", "this VM has an irqchip");
    if (this.#memory.anyVcpu) throw new KvmError("EINVAL", "an irqchip comes before the vCPUs");
    check(this.#core.createSplitIrqchip(), "createSplitIrqchip");
  }

  /**
   * As `kvm.checkExtension()` (KVM_CHECK_EXTENSION on the VM).
   *
   * @example
   * if (vm.checkExtension(KVM_CAP_READONLY_MEM)) flags |= KVM_MEM_READONLY;
   */
  checkExtension(capability: number): number {
    this.#open();
    return extensionValue(capability);
  }

  /**
   * The counters of all vCPUs together (KVM_GET_STATS_FD, as values). Any thread may ask.
   *
   * @example
   * console.log(vm.getStats().exits.MMIO ?? 0);
   */
  getStats(): VcpuStats {
    this.#open();
    const all: VcpuStats[] = [];
    for (let id = 0; id < this.#memory.maxVcpus; id++) {
      if (this.#memory.hasVcpu(id)) all.push(statsAt(this.#memory, id));
    }
    return addStats(all);
  }

  // -------------------------------------------------------------------------------- beyond the ioctls

  /**
   * Why this VM's code is interpreted though it was to be translated, whichever thread found out; undefined where it is
   * translated, and where nobody asked for that.
   *
   * @example
   * if (vm.translationObstacle === "forbidden") console.warn(describeObstacle(vm.translationObstacle));
   */
  get translationObstacle(): TranslationObstacle | undefined {
    return this.#memory.obstacle;
  }

  /**
   * Guest time now, ns since the VM was made: what `exit.wakeAtNs` is measured by.
   *
   * @example
   * const sleepMs = (exit.wakeAtNs - vm.nowNs()) / 1e6;
   */
  nowNs(): number {
    return this.#core.guestNs();
  }

  /**
   * Where `length` bytes of guest physical memory lie in `vm.memory`; undefined unless one slot holds them all.
   *
   * @example
   * const at = vm.hostOffset(0x1000n, 16);
   */
  hostOffset(guestPhysAddr: bigint | number, length = 1): number | undefined {
    const gpa = toU64(guestPhysAddr, "guestPhysAddr");
    for (let slot = 0; slot < VM_MAX_SLOTS; slot++) {
      const at = VM_SLOTS + SLOT_ENTRY_SIZE * slot;
      const from = this.#memory.u64(at + SLOT_GPA);
      if (gpa >= from && gpa + BigInt(length) <= from + this.#memory.u64(at + SLOT_SIZE)) {
        return this.#memory.u32(at + SLOT_HOST) + Number(gpa - from);
      }
    }
    return undefined;
  }

  /**
   * Says that user space wrote guest memory: the dirty log notes it, and code decoded from there is dropped. A device
   * that writes `vm.memory` calls this afterwards.
   *
   * @example
   * new Uint8Array(vm.memory, vm.hostOffset(gpa, 512)!, 512).set(sector);
   * vm.memoryWritten(gpa, 512);
   */
  memoryWritten(guestPhysAddr: bigint | number, length: number): void {
    const gpa = BigInt.asIntN(64, toU64(guestPhysAddr, "guestPhysAddr"));
    this.#core.dmaWritten(gpa, BigInt(length));
  }

  /**
   * Puts the chips that belong to no vCPU (8259 pair, IOAPIC, PIT) into their power-up state, as a machine's reset line
   * does. Slots and routing stay.
   *
   * @example
   * vm.resetChips();
   * for (const vcpu of vcpus) vcpu.reset();
   */
  resetChips(): void {
    this.#open();
    this.#core.chipReset();
  }

  /**
   * Gives up the handle and those of its vCPUs in this thread; calls on them then throw EBADF.
   *
   * @example
   * using vm = kvm.createVm({ memorySize: 1 << 20 }); // closed at the end of the block
   */
  close(): void {
    if (this.#closed) return;
    for (const vcpu of [...this.#vcpus]) vcpu.close();
    while (this.#irqfds.length > 0) this.#endIrqfd(0);
    this.#doorbells.close();
    this.#closed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): void {
    if (this.#closed) throw new KvmError("EBADF", "this VM is closed");
  }

  // ------------------------------------------------------------------------------------- for its vCPUs

  readonly #owner: VcpuOwner;

  #makeOwner(): VcpuOwner {
    return {
      memory: this.#memory,
      nowNs: () => this.nowNs(),
      mayDefer: () => this.#irqfds.some(({ resample }) => resample),
      ringDeferred: () => {
        if (this.#deferred.length === 0) return false;
        for (const index of this.#deferred.splice(0)) this.#guard(() => this.#doorbells.ring(index));
        return true;
      },
      takeCallbackError: () => {
        const taken = this.#callbackError;
        this.#callbackError = undefined;
        return taken;
      },
      forget: (vcpu) => this.#vcpus.delete(vcpu),
    };
  }
}

/** Raises a cell to at least `value`, whatever other threads do to it. */
function raiseTo(cells: Int32Array, index: number, value: number): void {
  for (;;) {
    const now = Atomics.load(cells, index);
    if (now >= value || Atomics.compareExchange(cells, index, now, value) === now) return;
  }
}
