// A conventional PCI bus behind configuration mechanism #1 (PCI 2.2, section 3.2.2.3.2): ports 0xcf8 and 0xcfc.
import { extract } from "../bits.ts";
import type { IrqLine, MmioBus, PioDevice, PioSize, PortBus, Resettable } from "../bus.ts";
import { PCI_HEADER_MULTIFUNCTION, PCI_HEADER_TYPE, PCI_INTERRUPT_PIN } from "./config-space.ts";
import type { PciFunction } from "./pci-function.ts";

export const PCI_CONFIG_ADDRESS = 0xcf8;
export const PCI_CONFIG_DATA = 0xcfc;

const ENABLE = 0x80000000;
/** Bits 24-30 and 0-1 of the address read as zero. */
const ADDRESS_BITS = 0x80fffffc;
const SLOTS = 32;
const PIRQS = 4;

export interface PciBusOptions {
  readonly ports: PortBus;
  readonly mmio: MmioBus;
  /** The four shared interrupt wires PIRQA# to PIRQD#. */
  readonly pirqs: readonly IrqLine[];
}

/** Bus 0. */
export class PciBus implements Resettable {
  readonly addressPort: PioDevice;
  readonly dataPort: PioDevice;
  private readonly options: PciBusOptions;
  private readonly functions = new Map<number, PciFunction>();
  /** For each PIRQ: the functions that assert it. */
  private readonly asserting = Array.from({ length: PIRQS }, () => new Set<number>());
  private address = 0;

  constructor(options: PciBusOptions) {
    this.options = options;
    this.addressPort = {
      maxAccess: 4,
      readPort: (offset, size) => extract(this.address, offset, size),
      // Only a double word write reaches the register; narrower ones are ordinary I/O that nobody claims.
      writePort: (_offset: number, size: PioSize, value: number) => {
        if (size === 4) {
          this.address = (value & ADDRESS_BITS) >>> 0;
        }
      },
    };
    this.dataPort = {
      maxAccess: 4,
      readPort: (offset, size) => this.readData(offset, size),
      writePort: (offset, size, value) => this.writeData(offset, size, value),
    };
  }

  /**
   * Plugs a function in.
   * @throws RangeError when the place is taken or does not exist.
   */
  attach(slot: number, index: number, device: PciFunction): void {
    const key = slot * 8 + index;
    if (slot < 0 || slot >= SLOTS || index < 0 || index > 7 || this.functions.has(key)) {
      throw new RangeError(`PCI 00:${slot.toString(16).padStart(2, "0")}.${index} is taken or does not exist`);
    }
    const intx = this.intxLine(slot, key, device);
    this.functions.set(key, device);
    const first = this.functions.get(slot * 8);
    if (index > 0 && first !== undefined) {
      first.config.set8(PCI_HEADER_TYPE, first.config.get8(PCI_HEADER_TYPE) | PCI_HEADER_MULTIFUNCTION);
      first.config.seal();
    }
    device.attach({ ports: this.options.ports, mmio: this.options.mmio, intx });
  }

  /** First slot from `from` on with nothing in it; -1 when the bus is full. */
  freeSlot(from = 0): number {
    for (let slot = from; slot < SLOTS; slot++) {
      if (!this.functions.has(slot * 8)) {
        return slot;
      }
    }
    return -1;
  }

  reset(): void {
    this.address = 0;
    for (const device of this.functions.values()) {
      device.reset();
    }
  }

  /** Pins are rotated by slot number so that the usual INTA# users spread over the four wires. */
  private intxLine(slot: number, key: number, device: PciFunction): IrqLine {
    return {
      set: (level) => {
        const pin = device.config.get8(PCI_INTERRUPT_PIN);
        if (pin === 0) {
          return;
        }
        const pirq = pirqOfPin(slot, pin - 1);
        const users = this.asserting[pirq] as Set<number>;
        if (level) {
          users.add(key);
        } else {
          users.delete(key);
        }
        this.options.pirqs[pirq]?.set(users.size > 0);
      },
    };
  }

  private readData(offset: number, size: number): number {
    const device = this.selected();
    return device === undefined ? 0xffffffff : device.readConfig((this.address & 0xfc) + offset, size);
  }

  private writeData(offset: number, size: number, value: number): void {
    this.selected()?.writeConfig((this.address & 0xfc) + offset, size, value);
  }

  private selected(): PciFunction | undefined {
    const bus = (this.address >>> 16) & 0xff;
    return this.address & ENABLE && bus === 0 ? this.functions.get((this.address >>> 8) & 0xff) : undefined;
  }
}

/** Which of PIRQA-PIRQD (0-3) pin `pin` (0 is INTA#) of slot `slot` is wired to, as on QEMU's pc. */
export function pirqOfPin(slot: number, pin: number): number {
  return (slot + pin + 3) % PIRQS;
}
