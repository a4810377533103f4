// Two ways to reset a PC from a port: the PIIX3 reset control register and the PS/2 system control port A.
import type { A20Gate } from "../a20.ts";
import type { PioDevice, PioSize, Resettable } from "../bus.ts";

export const RESET_CONTROL_PORT = 0xcf9;
export const SYSTEM_CONTROL_PORT_A = 0x92;

const SYSTEM_RESET = 0x02;
const RESET_CPU = 0x04;

/** RC register (82371SB data sheet, section 2.5.4): a 1 written to bit 2 resets. */
export class ResetControl implements PioDevice, Resettable {
  private readonly requestReset: () => void;
  private value = 0;

  constructor(requestReset: () => void) {
    this.requestReset = requestReset;
  }

  reset(): void {
    this.value = 0;
  }

  readPort(_offset: number, _size: PioSize): number {
    return this.value;
  }

  writePort(_offset: number, _size: PioSize, value: number): void {
    if (value & RESET_CPU) {
      this.requestReset();
      return;
    }
    this.value = value & SYSTEM_RESET;
  }
}

const FAST_RESET = 0x01;
const A20_ENABLE = 0x02;

/** Port 0x92: bit 0 rising resets the processor, bit 1 opens A20. */
export class SystemControlPortA implements PioDevice, Resettable {
  private readonly a20: A20Gate;
  private readonly requestReset: () => void;
  private value = 0;

  constructor(a20: A20Gate, requestReset: () => void) {
    this.a20 = a20;
    this.requestReset = requestReset;
  }

  reset(): void {
    this.value = 0;
    this.a20.open = true;
  }

  readPort(_offset: number, _size: PioSize): number {
    return (this.value & ~A20_ENABLE) | (this.a20.open ? A20_ENABLE : 0);
  }

  writePort(_offset: number, _size: PioSize, value: number): void {
    const rising = value & FAST_RESET & ~this.value;
    this.value = value;
    this.a20.open = (value & A20_ENABLE) !== 0;
    if (rising) {
      this.requestReset();
    }
  }
}
