// Vm: a virtual machine: its memory, its interrupt chips, its clock. One method a KVM_* VM ioctl.
// It is long because each call has its documentation here.

import { CHIPS_IRQCHIP, CHIPS_PIT, CHIPS_SPLIT } from "../../assembly/irqchip/layout.ts";
import {
  CPU_FEATURES,
  REQ_CODE_FLUSH,
  VM_CHIPS,
  VM_ICOUNT_SHIFT,
  VM_JIT_VERIFY,
  VM_PAUSE_YIELDS,
  VM_VCPU_COUNT,
} from "../../assembly/layout.ts";
import { Callbacks, type TraceListener, type VmListeners } from "./callbacks.ts";
import { type CoreExports, type CoreName, type CoreProgram, type LinearMemory, nameOf, programNamed } from "./core.ts";
import { featureWords, IMPLEMENTED } from "./cpu-features.ts";
import { Doorbells, type KvmCoalescedMmio, type KvmCoalescedMmioZone, type KvmIoeventfd } from "./doorbells.ts";
import { check, checkInteger, ERRNO, KvmError, toU64 } from "./errors.ts";
import { extensionValue, KVM_CAP_SPLIT_IRQCHIP } from "./extensions.ts";
import { type KvmIrqchip, type KvmPitState2, readIrqchip, readPit, writeIrqchip, writePit } from "./irqchip.ts";
import { Irqfds, type KvmIrqfd } from "./irqfd.ts";
import { VmMemory } from "./memory.ts";
import type { TranslationObstacle } from "./obstacle.ts";
import { sharedClockNs, wallNs } from "./platform.ts";
import { loadProfile, saveProfile } from "./profile.ts";
import type { InstantiateRegions } from "./regions.ts";
import { type KvmIrqRoutingEntry, type KvmMsi, sendMsi, writeRoutes } from "./routing.ts";
import { hostOffsetOf, type KvmUserspaceMemoryRegion, setSlot, takeDirtyLog } from "./slots.ts";
import { addStats, statsAt, type VcpuStats } from "./stats.ts";
import { type Translation, translateSooner, writeTranslation } from "./translation.ts";
import { Vcpu, type VcpuOwner } from "./vcpu.ts";
import { VcpuState } from "./vcpu-state.ts";
import { type KvmClockData, readClock, writeClock } from "./vm-clock.ts";

/** What `kvm.createVm()` is asked for. */
export interface VmOptions {
  /** Bytes of backing store for slots: a multiple of 4096, up to about 3.7 GiB. */
  readonly memorySize: number;
  /** The most vCPUs the VM may get, 1..16; default 16. Each one reserves 16 MiB of address space. With 1,
   * instructions with LOCK are translated as others are; with more, the interpreter executes them. */
  readonly maxVcpus?: number;
  /** Makes guest time a function of executed instructions, 2^N ns each (QEMU's -icount shift=N). */
  readonly icountShift?: number;
  /** PAUSE makes run() return INTR: for vCPUs that take turns on one thread. Default false. */
  readonly pauseYields?: boolean;
}

/** What `vm.handle` posts to another thread. */
export interface VmHandle {
  readonly core: CoreName;
  readonly memory: LinearMemory;
}

/**
 * A virtual machine, made by `kvm.createVm()`, or in another thread by `Vm.attach()`.
 *
 * @example
 * const vm = kvm.createVm({ memorySize: 64 << 20 });
 * const userspaceAddr = vm.allocate(0x1000);
 * vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0x1000n, memorySize: 0x1000n, userspaceAddr });
 */
export class Vm implements VmListeners {
  readonly #memory: VmMemory;
  readonly #program: CoreProgram;
  readonly #core: CoreExports;
  readonly #callbacks: Callbacks;
  readonly #doorbells: Doorbells;
  readonly #vcpus = new Set<Vcpu>();
  readonly #irqfds: Irqfds;
  readonly #owner: VcpuOwner;
  #closed = false;

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

  /** For Kvm only: use `kvm.createVm()` or `Vm.attach()`. */
  constructor(program: CoreProgram, memory: VmMemory) {
    this.#program = program;
    this.#memory = memory;
    this.#doorbells = new Doorbells(memory);
    this.#callbacks = new Callbacks(program, memory, this.#doorbells, this);
    this.#core = this.#callbacks.instantiate();
    this.#irqfds = new Irqfds(this.#core, this.#doorbells);
    this.#owner = {
      memory,
      callbacks: this.#callbacks,
      nowNs: () => this.nowNs(),
      mayDefer: () => this.#irqfds.anyResample,
      forget: (vcpu) => this.#vcpus.delete(vcpu),
    };
  }

  /** Makes a VM. For Kvm. `translation`: how its code is translated; `obstacle`: why it is not, though it was asked for. */
  static create(
    program: CoreProgram,
    options: VmOptions,
    translation: Translation,
    obstacle?: TranslationObstacle,
  ): Vm {
    const { memorySize, maxVcpus = 16, icountShift, pauseYields = false } = options;
    if (icountShift !== undefined) checkInteger(icountShift, 0, 10, "icountShift");
    const memory = VmMemory.create(memorySize, maxVcpus, sharedClockNs(), wallNs(), program);
    writeTranslation(memory.view, translation);
    if (icountShift !== undefined) memory.view.setInt32(VM_ICOUNT_SHIFT, icountShift, true);
    memory.view.setUint32(VM_PAUSE_YIELDS, pauseYields ? 1 : 0, true);
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
    setSlot(this.#core, region);
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
    return takeDirtyLog(this.#core, this.#memory, slot);
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
    if (id > 0 && this.#memory.u32(VM_JIT_VERIFY))
      throw new KvmError("EINVAL", "regions can be verified of vCPU 0 alone (verify)");
    if (!this.#memory.claimVcpu(id)) throw new KvmError("EEXIST", `vCPU ${id} exists`);
    raiseTo(this.#memory.i32, VM_VCPU_COUNT >> 2, id + 1);
    const core = this.#callbacks.instantiate(id);
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
    const core = this.#callbacks.instantiate(id);
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
    if (this.#hasApics) throw new KvmError("EEXIST", "this VM has an irqchip");
    if (this.#memory.anyVcpu) throw new KvmError("EINVAL", "an irqchip comes before the vCPUs");
    check(this.#core.createIrqchip(), "createIrqchip");
  }

  get #chips(): number {
    return this.#memory.u32(VM_CHIPS);
  }

  /** Local APICs in the core, with or without the other controllers. */
  get #hasApics(): boolean {
    return (this.#chips & (CHIPS_IRQCHIP | CHIPS_SPLIT)) !== 0;
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
    return sendMsi(this.#core, msi);
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
    if (!this.#hasApics) throw new KvmError("EINVAL", "routing needs an irqchip");
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
    if (!this.#hasApics) throw new KvmError("EINVAL", "an irqfd needs an irqchip");
    this.#irqfds.assign(request);
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
    return readClock(this.#core);
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
    writeClock(this.#core, data);
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
    if (this.#hasApics) throw new KvmError("EEXIST", "this VM has an irqchip");
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
   * Has the translator note what becomes hot, for `hotCode()`; and of what `earlier` names, the result of hotCode() in another
   * run, the same regions are made as then, after a sixtieth of the entries that `threshold` asks for. Each region has a module of its own,
   * whose bytes follow from the guest's code (`instantiateRegions`). `keepsCode`: machine code of them is kept from run to run as well, so that
   * where `earlier` names something, a third of the entries is enough, for what it does not name, too. Before the vCPUs run.
   * Throws EINVAL for what is not such a result, one in another version's form is taken for empty; EBUSY behind a call that did not throw.
   *
   * @example
   * vm.expectHotCode(existsSync(file) ? readFileSync(file) : undefined);
   */
  expectHotCode(earlier?: Uint8Array, { keepsCode = false }: { readonly keepsCode?: boolean } = {}): void {
    this.#open();
    const named = loadProfile(this.#memory.view, earlier);
    if (keepsCode && named > 0) translateSooner(this.#memory.view);
  }

  /**
   * What became hot, in this run and those before it, some 300 KB, 2 MB at most; empty unless `expectHotCode()` was called.
   *
   * @example
   * writeFileSync(file, vm.hotCode());
   */
  hotCode(): Uint8Array<ArrayBuffer> {
    this.#open();
    return saveProfile(this.#memory.view);
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
    return hostOffsetOf(this.#memory, toU64(guestPhysAddr, "guestPhysAddr"), length);
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
    this.#irqfds.close();
    this.#doorbells.close();
    this.#closed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): void {
    if (this.#closed) throw new KvmError("EBADF", "this VM is closed");
  }
}

/** Raises a cell to at least `value`, whatever other threads do to it. */
function raiseTo(cells: Int32Array, index: number, value: number): void {
  for (;;) {
    const now = Atomics.load(cells, index);
    if (now >= value || Atomics.compareExchange(cells, index, now, value) === now) return;
  }
}
