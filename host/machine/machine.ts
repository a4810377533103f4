// A virtual machine's life: made from options, run in slices, reset, ended.
import { KVM_EXIT_INTR } from "../../assembly/exits.ts";
import { discard } from "../boot/discard.ts";
import { loadKernel } from "../boot/loader.ts";
import type { Clock } from "../devices/clock.ts";
import { cpuidFor } from "../kvm/cpuid.ts";
import { KVM_PIT_SPEAKER_DUMMY } from "../kvm/irqchip.ts";
import { eventLoopTurn, hostNs } from "../kvm/platform.ts";
import type { Vcpu } from "../kvm/vcpu.ts";
import type { Vm } from "../kvm/vm.ts";
import { GuestCrash } from "./errors.ts";
import { type ExitTargets, handleExit } from "./exits.ts";
import { buildFirmwareTables, type FirmwareTables, resumeGuest, startGuest } from "./firmware.ts";
import { Idle } from "./idle.ts";
import { addMemory } from "./memory.ts";
import { layOutMemory, type MemoryMap } from "./memory-map.ts";
import { Pc } from "./pc.ts";
import { Processors } from "./processors.ts";
import type { Ram } from "./ram.ts";
import { layOutRom } from "./rom.ts";
import { dumpRegisters } from "./state-dump.ts";
import { TimerQueue } from "./timer-queue.ts";
import type { MachineEnd, MachineEvent, MachineOptions, ResetReason } from "./types.ts";

const DEFAULT_SLICE_NS = 2e6;
const VERSION = "0.1";

/** A PC with its guest. */
export class Machine {
  readonly pc: Pc;
  readonly vm: Vm;
  readonly processors: Processors;
  readonly ram: Ram;
  readonly memoryMap: MemoryMap;
  private readonly options: MachineOptions;
  private readonly clock: Clock;
  private readonly timers: TimerQueue;
  private readonly tables: FirmwareTables;
  private readonly idle: Idle;
  private readonly targets: ExitTargets;
  private end: MachineEnd | null = null;
  private pendingReset: ResetReason | null = null;
  private paused = false;
  /** Suspend to RAM: the processors stand still, devices' timers run. */
  private power: "running" | "suspended" | "waking" = "running";
  private resume: () => void = () => {};

  /**
   * Builds the machine and loads its guest.
   * @throws MachineError for impossible options, KvmError for more processors than there can be, BootError for a
   * kernel or initrd that cannot be used.
   */
  constructor(options: MachineOptions) {
    this.options = options;
    const { kvm } = options;
    this.memoryMap = layOutMemory(options.memoryBytes);
    this.tables = buildFirmwareTables({
      memoryMap: this.memoryMap,
      cpus: options.cpus,
      pit: options.pit ?? true,
      serialPorts: options.serial.flatMap((chardev, index) => (chardev === null ? [] : [index])),
      uuid: options.uuid,
      version: VERSION,
    });
    const rom = options.firmware === undefined ? null : layOutRom(options.firmware);
    const memorySize = this.memoryMap.totalBytes + (rom?.image.length ?? 0);
    const vm = kvm.createVm({ maxVcpus: options.cpus, pauseYields: options.cpus > 1, ...options.vm, memorySize });
    this.vm = vm;
    this.ram = addMemory(vm, this.memoryMap, rom);
    vm.createIrqchip();
    if (options.pit ?? true) {
      // With the dummy speaker the core answers port 0x61 too, by which guests time the third counter.
      vm.createPit2({ flags: KVM_PIT_SPEAKER_DUMMY });
      vm.reinjectControl(options.pitReinject ?? true);
    }
    this.clock = { nowNs: () => vm.nowNs() };
    this.timers = new TimerQueue(this.clock, () => this.idle.wake());
    const { cpus, cpuid = (id) => cpuidFor("max", { id, cores: cpus }) } = options;
    const vcpus = Array.from({ length: cpus }, (_, id) => vm.createVcpu(id));
    for (const vcpu of vcpus) vcpu.setCpuid2(cpuid(vcpu.id));
    this.processors = new Processors(vcpus, this.clock);
    this.idle = new Idle(this.processors, this.clock, this.timers);
    this.pc = new Pc(
      {
        ram: this.ram,
        memoryMap: this.memoryMap,
        clock: this.clock,
        timers: this.timers,
        setIrq: (irq, level) => {
          vm.irqLine(irq, level);
        },
        requestReset: () => this.requestReset("guest-reset"),
        powerOff: () => this.finish({ kind: "poweroff", status: 0 }),
        suspend: () => {
          this.power = "suspended";
        },
        wake: () => {
          this.power = "waking";
          this.wake();
        },
        debugExit: (status) => this.finish({ kind: "debug-exit", status: status & 0xff }),
      },
      options,
    );
    this.targets = {
      ports: this.pc.ports,
      mmio: this.pc.mmio,
      requestReset: (reason) => this.requestReset(reason),
      powerOff: () => this.finish({ kind: "poweroff", status: 0 }),
      debug: (exit) => {
        this.pause();
        this.emit({ kind: "debug", exit });
      },
      crash: (reason) => {
        throw new GuestCrash(reason, this.dump());
      },
    };
    this.loadGuest();
  }

  /**
   * Runs until the machine ends.
   * @param sliceNs host time between turns of the event loop
   * @throws GuestCrash when the processor cannot go on.
   */
  async run({ sliceNs = DEFAULT_SLICE_NS }: { sliceNs?: number } = {}): Promise<MachineEnd> {
    const giveTurn = this.options.yield ?? eventLoopTurn;
    let sliceEndNs = hostNs() + sliceNs;
    while (this.end === null) {
      const leftNs = sliceEndNs - hostNs();
      if (this.pendingReset !== null) {
        this.restart(this.pendingReset);
      } else if (this.power === "waking") {
        this.endSuspension();
      } else if (this.paused) {
        await new Promise<void>((resolve) => {
          this.resume = resolve;
        });
      } else if (this.power === "suspended") {
        await this.idle.untilTimer();
      } else if (leftNs <= 0) {
        await giveTurn();
      } else {
        const wakeAtNs = this.runOnce(leftNs);
        if (wakeAtNs === null) {
          continue;
        }
        await this.idle.untilEvent(wakeAtNs, giveTurn);
      }
      sliceEndNs = hostNs() + sliceNs;
    }
    this.emit({ kind: "end", end: this.end });
    return this.end;
  }

  /** Resets at the next opportunity, as a reset button does. */
  reset(): void {
    this.pendingReset = "host-reset";
    this.wake();
  }

  /** Presses the power button; a guest with ACPI shuts down. */
  powerButton(): void {
    this.pc.acpi.pressPowerButton();
  }

  /** Ends the machine without asking the guest. */
  quit(status = 0): void {
    this.finish({ kind: "quit", status });
    this.wake();
  }

  /** Stops the processors until `resumeGuest`. */
  pause(): void {
    if (!this.paused) {
      this.paused = true;
      this.wake();
      this.emit({ kind: "paused" });
    }
  }

  /** Lets a paused processor go on. */
  resumeGuest(): void {
    if (this.paused) {
      this.paused = false;
      this.resume();
      this.emit({ kind: "resumed" });
    }
  }

  get isPaused(): boolean {
    return this.paused;
  }

  /** The bootstrap processor. */
  get vcpu(): Vcpu {
    return this.processors.first;
  }

  /** The registers of the processor that was entered last, as text. */
  dump(): string {
    const { current } = this.processors;
    return dumpRegisters(current.getRegs(), current.getSregs());
  }

  /** Gives the VM's memory back. The machine cannot be used afterwards. */
  close(): void {
    this.pc.disconnect();
    this.vm.close();
  }

  /**
   * Enters the guest once and carries out the exit. Returns the guest time at which halted processors want to be
   * entered again, or null when one does not sleep.
   */
  private runOnce(leftNs: number): number | null {
    this.timers.runDue();
    const blockNs = this.idle.takeBlockNs();
    const maxNs = Math.min(blockNs > 0 ? blockNs : leftNs, this.timers.nsToDeadline());
    const exit = this.processors.run(maxNs, blockNs > 0);
    this.options.onExit?.(exit, this.processors.current.id);
    if (exit.reason === KVM_EXIT_INTR) {
      return this.processors.asleepUntilNs();
    }
    handleExit(exit, this.targets);
    return null;
  }

  private requestReset(reason: ResetReason): void {
    if (this.options.noReboot) {
      this.finish({ kind: "reset", status: 0 });
    } else {
      this.pendingReset = reason;
    }
  }

  /** Everything but RAM comes back as after a reset, and the guest goes on where it wanted to. */
  private endSuspension(): void {
    const cause = this.pc.acpi.enabledEvents;
    this.power = "running";
    this.vm.resetChips();
    this.processors.reset();
    this.pc.reset();
    this.pc.acpi.markWoken(cause);
    resumeGuest(this.vm, this.vcpu, this.ram, this.tables);
  }

  private restart(reason: ResetReason): void {
    this.pendingReset = null;
    this.power = "running";
    this.emit({ kind: "reset", reason });
    this.vm.resetChips();
    this.processors.reset();
    this.pc.reset();
    this.loadGuest();
  }

  /** The unpacked kernel is not kept: it is several times as large as the file. */
  private loadGuest(): void {
    const { boot } = this.options;
    if (boot === null) return;
    const files = typeof boot === "function" ? boot() : boot;
    const image = loadKernel(files, this.tables.machine);
    startGuest(this.vm, this.vcpu, this.ram, this.tables, image);
    image.release?.();
    if (typeof boot === "function") {
      discard(files.kernel);
      discard(files.initrd ?? new Uint8Array(0));
    }
    this.emit({ kind: "boot", description: image.description });
  }

  /** The first reason to end counts. */
  private finish(end: MachineEnd): void {
    this.end ??= end;
  }

  /** Makes the loop in `run` look at what has changed. */
  private wake(): void {
    this.resume();
    this.idle.wake();
    this.processors.kick();
  }

  private emit(event: MachineEvent): void {
    this.options.onEvent?.(event);
  }
}
