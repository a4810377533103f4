// The power management function of the 82371AB (PIIX4), which places the ACPI registers in the port space.
import type { Mapping, PioDevice, PortBus } from "../bus.ts";
import { PCI_INTERRUPT_LINE } from "./config-space.ts";
import { PciFunction } from "./pci-function.ts";

/** PMBA and PMREGMISC, sections 7.1.15 and 7.1.25 of the data sheet. */
export const PM_BASE = 0x40;
export const PM_REG_MISC = 0x80;
export const PM_IO_ENABLE = 0x01;
const SCI_IRQ = 9;
/** Ports behind PM_BASE. */
const PM_PORTS = 64;

/** Maps the given register block wherever software points PMBA. */
export class Piix4Pm extends PciFunction {
  private readonly ports: PortBus;
  private readonly registers: PioDevice;
  private mapping: Mapping | null = null;

  constructor(ports: PortBus, registers: PioDevice) {
    super({ vendorId: 0x8086, deviceId: 0x7113, revision: 3, classCode: 0x068000 });
    this.ports = ports;
    this.registers = registers;
    this.usePin(1);
    this.config.set8(PCI_INTERRUPT_LINE, SCI_IRQ);
    this.config.set32(PM_BASE, 1);
    this.config.allowWrite32(PM_BASE, 0xffc0);
    this.config.allowWrite8(PM_REG_MISC, PM_IO_ENABLE);
  }

  override reset(): void {
    super.reset();
    this.place();
  }

  override writeConfig(offset: number, size: number, value: number): void {
    super.writeConfig(offset, size, value);
    this.place();
  }

  private place(): void {
    this.mapping?.remove();
    this.mapping = null;
    const base = this.config.get32(PM_BASE) & 0xffc0;
    if (this.config.get8(PM_REG_MISC) & PM_IO_ENABLE && base !== 0) {
      this.mapping = this.ports.map(base, PM_PORTS, this.registers);
    }
  }
}
