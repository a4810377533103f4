// A PCI function: configuration space, base address registers that follow it onto the buses, and INTx.
import type { IrqLine, Mapping, MmioBus, MmioDevice, PioDevice, PortBus } from "../bus.ts";
import {
  PCI_BAR0,
  PCI_COMMAND,
  PCI_COMMAND_INTX_DISABLE,
  PCI_COMMAND_IO,
  PCI_COMMAND_MEMORY,
  PCI_INTERRUPT_PIN,
  PCI_STATUS,
  PciConfigSpace,
  type PciIdentity,
} from "./config-space.ts";

const STATUS_INTERRUPT = 0x08;
const BAR_IO = 0x1;
const BAR_64_BIT = 0x4;
const BAR_PREFETCHABLE = 0x8;

/** What lies behind a base address register; `size` is a power of two. */
export type PciBar =
  | { readonly kind: "io"; readonly size: number; readonly device: PioDevice }
  | {
      readonly kind: "memory";
      readonly size: number;
      readonly device: MmioDevice;
      readonly is64Bit?: boolean;
      readonly prefetchable?: boolean;
    };

/** What the slot a function sits in offers it. */
export interface PciSlot {
  readonly ports: PortBus;
  readonly mmio: MmioBus;
  /** The wire of the function's interrupt pin. */
  readonly intx: IrqLine;
}

/** Base of every PCI device; subclasses add registers and override the hooks. */
export class PciFunction {
  readonly config: PciConfigSpace;
  private readonly bars: (PciBar | undefined)[] = [];
  private mappings: Mapping[] = [];
  private slot: PciSlot | null = null;
  private interrupting = false;

  constructor(identity: PciIdentity) {
    this.config = new PciConfigSpace(identity);
  }

  /** Called once, when the function is plugged in. */
  attach(slot: PciSlot): void {
    this.slot = slot;
    this.config.seal();
  }

  /** Back to power-up: nothing decoded, no interrupt. */
  reset(): void {
    this.config.reset();
    this.remap();
    this.setInterrupt(false);
  }

  readConfig(offset: number, size: number): number {
    return this.config.read(offset, size);
  }

  writeConfig(offset: number, size: number, value: number): void {
    this.config.write(offset, size, value);
    const touchesBars = offset + size > PCI_BAR0 && offset < PCI_BAR0 + 24;
    if (touchesBars || offset < PCI_STATUS) {
      this.remap();
      this.driveInterrupt();
    }
  }

  /** Declares base address register `index` (a 64-bit one takes `index + 1` too). Before `attach`. */
  protected addBar(index: number, bar: PciBar): void {
    const offset = PCI_BAR0 + index * 4;
    this.bars[index] = bar;
    if (bar.kind === "io") {
      this.config.set32(offset, BAR_IO);
      this.config.allowWrite32(offset, ~(bar.size - 1) & 0xfffffffc);
      return;
    }
    this.config.set32(offset, (bar.is64Bit ? BAR_64_BIT : 0) | (bar.prefetchable ? BAR_PREFETCHABLE : 0));
    this.config.allowWrite32(offset, ~(bar.size - 1) & 0xfffffff0);
    if (bar.is64Bit) {
      this.config.allowWrite32(offset + 4, 0xffffffff);
    }
  }

  /** Declares the interrupt pin: 1 is INTA#. Before `attach`. */
  protected usePin(pin: 1 | 2 | 3 | 4): void {
    this.config.set8(PCI_INTERRUPT_PIN, pin);
  }

  /** Asserts or releases the function's INTx pin; the command register can hold it back. */
  protected setInterrupt(level: boolean): void {
    this.interrupting = level;
    const status = this.config.get8(PCI_STATUS) & ~STATUS_INTERRUPT;
    this.config.set8(PCI_STATUS, status | (level ? STATUS_INTERRUPT : 0));
    this.driveInterrupt();
  }

  private driveInterrupt(): void {
    const disabled = (this.config.get16(PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE) !== 0;
    this.slot?.intx.set(this.interrupting && !disabled);
  }

  /** Takes all ranges off the buses and puts those on that the command register enables. */
  private remap(): void {
    for (const mapping of this.mappings) {
      mapping.remove();
    }
    this.mappings = [];
    const slot = this.slot;
    if (slot === null) {
      return;
    }
    const command = this.config.get16(PCI_COMMAND);
    this.bars.forEach((bar, index) => {
      if (bar === undefined) {
        return;
      }
      const offset = PCI_BAR0 + index * 4;
      if (bar.kind === "io") {
        const base = this.config.get32(offset) & ~3;
        if (command & PCI_COMMAND_IO && base > 0 && base + bar.size <= 0x10000) {
          this.mappings.push(slot.ports.map(base, bar.size, bar.device));
        }
      } else {
        const high = bar.is64Bit ? this.config.get32(offset + 4) : 0;
        const base = high * 2 ** 32 + ((this.config.get32(offset) & ~0xf) >>> 0);
        if (command & PCI_COMMAND_MEMORY && base > 0) {
          this.mappings.push(slot.mmio.map(base, bar.size, bar.device));
        }
      }
    });
  }
}
