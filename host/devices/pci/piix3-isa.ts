// The ISA bridge function of the 82371SB (PIIX3): routes the PCI interrupt wires to ISA interrupts.
import type { IrqLine } from "../bus.ts";
import { PciFunction } from "./pci-function.ts";

/** PIRQRC[A:D], section 2.5.1 of the data sheet: bit 7 disables, bits 0-3 name the ISA interrupt. */
export const PIRQ_ROUTE = 0x60;
const ROUTE_DISABLED = 0x80;
const PIRQS = 4;
/** Interrupts that can be routed to: not 0, 1, 2, 8 or 13. */
const ROUTABLE = 0b1101_1110_1111_1000;

/** PIRQ inputs on one side, ISA interrupt lines on the other. */
export class Piix3Isa extends PciFunction {
  readonly pirqs: readonly IrqLine[];
  private readonly isaIrqs: readonly IrqLine[];
  private readonly levels = [false, false, false, false];
  private driven = 0;

  /** @param isaIrqs sixteen lines, level-triggered as far as this bridge drives them */
  constructor(isaIrqs: readonly IrqLine[]) {
    super({ vendorId: 0x8086, deviceId: 0x7000, classCode: 0x060100 });
    this.isaIrqs = isaIrqs;
    for (let i = 0; i < PIRQS; i++) {
      this.config.set8(PIRQ_ROUTE + i, ROUTE_DISABLED);
      this.config.allowWrite8(PIRQ_ROUTE + i, 0x8f);
    }
    this.pirqs = this.levels.map((_, pirq) => ({
      set: (level: boolean) => {
        this.levels[pirq] = level;
        this.drive();
      },
    }));
  }

  override reset(): void {
    super.reset();
    this.drive();
  }

  override writeConfig(offset: number, size: number, value: number): void {
    super.writeConfig(offset, size, value);
    this.drive();
  }

  /** Each ISA line is the OR of the PIRQs routed to it; a line this bridge never raised is left alone. */
  private drive(): void {
    let wanted = 0;
    this.levels.forEach((level, pirq) => {
      const route = this.config.get8(PIRQ_ROUTE + pirq);
      if (level && !(route & ROUTE_DISABLED)) {
        wanted |= (1 << (route & 0x0f)) & ROUTABLE;
      }
    });
    const changed = wanted ^ this.driven;
    this.driven = wanted;
    for (let irq = 0; irq < 16; irq++) {
      if (changed & (1 << irq)) {
        this.isaIrqs[irq]?.set((wanted & (1 << irq)) !== 0);
      }
    }
  }
}
