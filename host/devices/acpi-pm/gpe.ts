// A general purpose event block (ACPI 6.4, section 4.8.5.1): status bits, then enable bits.
import type { PioDevice, PioSize, Resettable } from "../bus.ts";

/** Ports of the block: two bytes of status, two of enable. */
export const GPE0_PORTS = 4;
const STATUS_BYTES = GPE0_PORTS / 2;

/** Events 0-15; `changed` is told whether an enabled one is pending. */
export class GeneralEvents implements PioDevice, Resettable {
  private readonly status = new Uint8Array(STATUS_BYTES);
  private readonly enable = new Uint8Array(STATUS_BYTES);
  private readonly changed: (pending: boolean) => void;

  constructor(changed: (pending: boolean) => void) {
    this.changed = changed;
  }

  reset(): void {
    this.status.fill(0);
    this.enable.fill(0);
    this.update();
  }

  /** Signals event `index` (0-15). */
  raise(index: number): void {
    const byte = index >> 3;
    this.status[byte] = (this.status[byte] as number) | (1 << (index & 7));
    this.update();
  }

  readPort(offset: number, _size: PioSize): number {
    return (offset < STATUS_BYTES ? this.status[offset] : this.enable[offset - STATUS_BYTES]) as number;
  }

  writePort(offset: number, _size: PioSize, value: number): void {
    if (offset < STATUS_BYTES) {
      this.status[offset] = (this.status[offset] as number) & ~value;
    } else {
      this.enable[offset - STATUS_BYTES] = value;
    }
    this.update();
  }

  private update(): void {
    this.changed(this.status.some((bits, byte) => (bits & (this.enable[byte] as number)) !== 0));
  }
}
