// The PC: which devices there are, and which wire goes where. Composition only; -M pc of QEMU is the model.
import type { Chardev } from "../chardev/types.ts";
import { A20Gate } from "../devices/a20.ts";
import { AcpiPm } from "../devices/acpi-pm/acpi-pm.ts";
import { GeneralEvents, GPE0_PORTS } from "../devices/acpi-pm/gpe.ts";
import { SMI_COMMAND_PORT, SMI_PORTS, SmiCommand } from "../devices/acpi-pm/smi-command.ts";
import { type GuestMemory, type IrqLine, MmioBus, PortBus, type Resettable } from "../devices/bus.ts";
import type { Clock, Timers } from "../devices/clock.ts";
import { CMOS_PORT, CMOS_PORTS, Cmos } from "../devices/cmos/cmos.ts";
import { fillPcCmos } from "../devices/cmos/pc-layout.ts";
import { Debugcon } from "../devices/debugcon/debugcon.ts";
import {
  FW_CFG_CPU_COUNT,
  FW_CFG_DMA_PORT,
  FW_CFG_DMA_PORTS,
  FW_CFG_MAX_CPUS,
  FW_CFG_RAM_SIZE,
  FW_CFG_SELECTOR_PORT,
  FW_CFG_SELECTOR_PORTS,
  FW_CFG_UUID,
  FwCfg,
} from "../devices/fw-cfg/fw-cfg.ts";
import { I8042, I8042_COMMAND_PORT, I8042_DATA_PORT } from "../devices/i8042/i8042.ts";
import { SharedIrqLine } from "../devices/irq-lines.ts";
import { IsaDebugExit } from "../devices/isa-debug-exit/isa-debug-exit.ts";
import {
  PcTestdev,
  TESTDEV_ECHO_PORT,
  TESTDEV_ECHO_PORTS,
  TESTDEV_FLUSH_PORT,
  TESTDEV_FLUSH_PORTS,
  TESTDEV_IRQ_PORT,
  TESTDEV_IRQ_PORTS,
  TESTDEV_MEMORY,
  TESTDEV_MEMORY_BYTES,
} from "../devices/pc-testdev/pc-testdev.ts";
import { I440fxHostBridge } from "../devices/pci/i440fx.ts";
import { PCI_CONFIG_ADDRESS, PCI_CONFIG_DATA, PciBus } from "../devices/pci/pci-bus.ts";
import { PIRQ_ROUTE, Piix3Isa } from "../devices/pci/piix3-isa.ts";
import { Piix4Pm, PM_BASE, PM_IO_ENABLE, PM_REG_MISC } from "../devices/pci/piix4-pm.ts";
import {
  RESET_CONTROL_PORT,
  ResetControl,
  SYSTEM_CONTROL_PORT_A,
  SystemControlPortA,
} from "../devices/reset-control/reset-control.ts";
import { SERIAL_PORTS } from "../devices/serial16550/registers.ts";
import { Serial16550 } from "../devices/serial16550/serial16550.ts";
import type { MemoryMap } from "./memory-map.ts";
import {
  GPE0_PORT,
  IRQ_KEYBOARD,
  IRQ_MOUSE,
  IRQ_RTC,
  IRQ_SCI,
  PIRQ_ROUTES,
  PM_BASE_PORT,
  SERIAL_PORT_BASES,
  SERIAL_PORT_IRQS,
} from "./pc-hardware.ts";
import { type RtcBase, rtcStartSeconds } from "./rtc-base.ts";
import { uuidBytes } from "./uuid.ts";

const ISA_IRQS = 16;
const PIIX_SLOT = 1;

/** What the PC is built on. */
export interface PcPlatform {
  readonly ram: GuestMemory;
  readonly memoryMap: MemoryMap;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Drives an interrupt controller input. */
  setIrq(irq: number, level: boolean): void;
  requestReset(): void;
  powerOff(): void;
  /** Suspend to RAM, and its end. */
  suspend(): void;
  wake(): void;
  debugExit(status: number): void;
}

/** What a person may choose. */
export interface PcOptions {
  readonly cpus: number;
  /** Back ends of COM1 to COM4; null leaves the port out. */
  readonly serial: readonly (Chardev | null)[];
  readonly rtcBase?: RtcBase;
  readonly uuid?: string;
  /** isa-debug-exit devices: first port and number of ports. */
  readonly debugExits?: readonly { readonly base: number; readonly size: number }[];
  /** pc-testdev: registers and interrupt wires for programs that test a processor. */
  readonly testDevice?: boolean;
  /** Debug consoles: port and back end. */
  readonly debugcons?: readonly { readonly base: number; readonly chardev: Chardev }[];
}

/** All devices on their buses. */
export class Pc implements Resettable {
  readonly ports = new PortBus();
  readonly mmio = new MmioBus();
  readonly pci: PciBus;
  readonly keyboardController: I8042;
  readonly acpi: AcpiPm;
  readonly events: GeneralEvents;
  readonly fwCfg: FwCfg;
  readonly cmos: Cmos;
  private readonly platform: PcPlatform;
  private readonly options: PcOptions;
  private readonly isaIrqs: readonly SharedIrqLine[];
  private readonly isaBridge: Piix3Isa;
  private readonly powerManagement: Piix4Pm;
  private readonly resettables: Resettable[] = [];

  constructor(platform: PcPlatform, options: PcOptions) {
    this.platform = platform;
    this.options = options;
    this.isaIrqs = Array.from(
      { length: ISA_IRQS },
      (_, irq) => new SharedIrqLine((level) => platform.setIrq(irq, level)),
    );
    this.isaBridge = new Piix3Isa(this.isaIrqs.map((line) => line.connect()));
    this.pci = new PciBus({ ports: this.ports, mmio: this.mmio, pirqs: this.isaBridge.pirqs });
    this.cmos = this.addClock();
    this.keyboardController = this.addKeyboardController();
    this.acpi = this.addPowerManagement();
    this.events = this.addGeneralEvents();
    this.powerManagement = new Piix4Pm(this.ports, this.acpi);
    this.fwCfg = this.addFwCfg();
    this.addPci();
    this.addSerialPorts();
    this.addDebugDevices();
    this.reset();
  }

  /** Every device to its power-up state, then what firmware does before it starts a kernel. */
  reset(): void {
    for (const device of this.resettables) {
      device.reset();
    }
    PIRQ_ROUTES.forEach((irq, pirq) => {
      this.isaBridge.writeConfig(PIRQ_ROUTE + pirq, 1, irq);
    });
    this.powerManagement.writeConfig(PM_BASE, 4, PM_BASE_PORT);
    this.powerManagement.writeConfig(PM_REG_MISC, 1, PM_IO_ENABLE);
  }

  /** Lets go of the back ends: input goes nowhere from now on. */
  disconnect(): void {
    for (const chardev of this.options.serial) {
      chardev?.onInput(null);
    }
  }

  private irq(number: number): IrqLine {
    return (this.isaIrqs[number] as SharedIrqLine).connect();
  }

  private addClock(): Cmos {
    const { clock, timers, memoryMap } = this.platform;
    const startSeconds = rtcStartSeconds(this.options.rtcBase ?? "utc", new Date()) - clock.nowNs() / 1e9;
    const line = this.irq(IRQ_RTC);
    // The interrupt is an event of power management too: it can end a suspension.
    let high = false;
    const irq = {
      set: (level: boolean) => {
        if (level && !high) this.acpi.alarm();
        high = level;
        line.set(level);
      },
    };
    const cmos = this.manage(new Cmos({ irq, clock, timers, startSeconds }));
    fillPcCmos(cmos, memoryMap.lowEnd, memoryMap.highBytes, this.options.cpus);
    this.ports.map(CMOS_PORT, CMOS_PORTS, cmos);
    return cmos;
  }

  private addKeyboardController(): I8042 {
    const a20 = new A20Gate();
    const requestReset = () => this.platform.requestReset();
    const controller = this.manage(
      new I8042({ keyboardIrq: this.irq(IRQ_KEYBOARD), auxIrq: this.irq(IRQ_MOUSE), a20, requestReset }),
    );
    this.ports.map(I8042_DATA_PORT, 1, controller.dataPort);
    this.ports.map(I8042_COMMAND_PORT, 1, controller.commandPort);
    this.ports.map(SYSTEM_CONTROL_PORT_A, 1, this.manage(new SystemControlPortA(a20, requestReset)));
    return controller;
  }

  private addPowerManagement(): AcpiPm {
    const { clock, timers } = this.platform;
    const powerOff = () => this.platform.powerOff();
    const acpi = this.manage(
      new AcpiPm({
        sci: this.irq(IRQ_SCI),
        clock,
        timers,
        powerOff,
        suspend: () => this.platform.suspend(),
        wake: () => this.platform.wake(),
      }),
    );
    const smi = this.manage(new SmiCommand((enabled) => acpi.setAcpiEnabled(enabled)));
    this.ports.map(SMI_COMMAND_PORT, SMI_PORTS, smi);
    return acpi;
  }

  private addGeneralEvents(): GeneralEvents {
    const events = this.manage(new GeneralEvents((pending) => this.acpi.setGeneralEvent(pending)));
    this.ports.map(GPE0_PORT, GPE0_PORTS, events);
    return events;
  }

  private addFwCfg(): FwCfg {
    const { memoryMap, ram } = this.platform;
    const fwCfg = this.manage(new FwCfg(ram));
    fwCfg.setNumber(FW_CFG_RAM_SIZE, 8, memoryMap.totalBytes);
    fwCfg.setNumber(FW_CFG_CPU_COUNT, 2, this.options.cpus);
    fwCfg.setNumber(FW_CFG_MAX_CPUS, 2, this.options.cpus);
    fwCfg.setItem(FW_CFG_UUID, Uint8Array.from(uuidBytes(this.options.uuid)));
    this.ports.map(FW_CFG_SELECTOR_PORT, FW_CFG_SELECTOR_PORTS, fwCfg.ports);
    this.ports.map(FW_CFG_DMA_PORT, FW_CFG_DMA_PORTS, fwCfg.dmaPorts);
    return fwCfg;
  }

  private addPci(): void {
    this.ports.map(PCI_CONFIG_ADDRESS, 4, this.pci.addressPort);
    this.ports.map(PCI_CONFIG_DATA, 4, this.pci.dataPort);
    // One of the four configuration ports is the reset control register when it is accessed alone.
    const resetControl = this.manage(new ResetControl(() => this.platform.requestReset()));
    this.ports.map(RESET_CONTROL_PORT, 1, resetControl);
    this.pci.attach(0, 0, new I440fxHostBridge());
    this.pci.attach(PIIX_SLOT, 0, this.isaBridge);
    this.pci.attach(PIIX_SLOT, 3, this.powerManagement);
    this.manage(this.pci);
  }

  private addSerialPorts(): void {
    const { clock, timers } = this.platform;
    this.options.serial.forEach((chardev, index) => {
      const base = SERIAL_PORT_BASES[index];
      const irq = SERIAL_PORT_IRQS[index];
      if (chardev !== null && base !== undefined && irq !== undefined) {
        const port = this.manage(new Serial16550({ irq: this.irq(irq), chardev, clock, timers }));
        this.ports.map(base, SERIAL_PORTS, port);
      }
    });
  }

  private addDebugDevices(): void {
    for (const { base, size } of this.options.debugExits ?? []) {
      this.ports.map(base, size, new IsaDebugExit((status) => this.platform.debugExit(status)));
    }
    for (const { base, chardev } of this.options.debugcons ?? []) {
      this.ports.map(base, 1, new Debugcon(chardev));
    }
    if (this.options.testDevice) {
      this.addTestDevice();
    }
  }

  private addTestDevice(): void {
    const lines = Array.from({ length: TESTDEV_IRQ_PORTS }, (_, irq) =>
      irq < ISA_IRQS ? this.irq(irq) : { set: (level: boolean) => this.platform.setIrq(irq, level) },
    );
    const { echo, flush, irqs, memory } = new PcTestdev(lines);
    this.ports.map(TESTDEV_ECHO_PORT, TESTDEV_ECHO_PORTS, echo);
    this.ports.map(TESTDEV_FLUSH_PORT, TESTDEV_FLUSH_PORTS, flush);
    this.ports.map(TESTDEV_IRQ_PORT, TESTDEV_IRQ_PORTS, irqs);
    this.mmio.map(TESTDEV_MEMORY, TESTDEV_MEMORY_BYTES, memory);
  }

  private manage<D extends Resettable>(device: D): D {
    this.resettables.push(device);
    return device;
  }
}
