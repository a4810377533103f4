// The fixed ACPI hardware of the PIIX4: PM1 event and control registers and the PM timer (ACPI 6.4, section 4.8).
import { extract, insert } from "../bits.ts";
import type { IrqLine, PioDevice, PioSize, Resettable } from "../bus.ts";
import type { Clock, Timer, Timers } from "../clock.ts";

// Offsets in the block that PMBA places; PM1_STATUS and PM1_ENABLE make one 32-bit event block.
export const PM1_EVENT = 0x00;
export const PM1_CONTROL = 0x04;
export const PM_TIMER = 0x08;

/** Status and enable bits. */
const TIMER_STATUS = 0x0001;
const GLOBAL_STATUS = 0x0020;
const POWER_BUTTON_STATUS = 0x0100;
const RTC_STATUS = 0x0400;
const WAKE_STATUS = 0x8000;
const STATUS_BITS = TIMER_STATUS | GLOBAL_STATUS | POWER_BUTTON_STATUS | RTC_STATUS | WAKE_STATUS;
const ENABLE_BITS = TIMER_STATUS | GLOBAL_STATUS | POWER_BUTTON_STATUS | RTC_STATUS;

const SCI_ENABLE = 0x0001;
const SLEEP_TYPE_SHIFT = 10;
const SLEEP_ENABLE = 0x2000;
/** SCI_EN changes hands through the SMI command port only; GBL_RLS and SLP_EN read as zero. */
const CONTROL_WRITABLE = 0x1c02;

/** SLP_TYP for S3 (suspend to RAM), as on QEMU's PIIX4. */
const SLEEP_TYPE_S3 = 1;
/** SLP_TYP for S5, as the \_S5 package of the DSDT tells the guest. */
export const SLEEP_TYPE_S5 = 0;

/** Frequency of the PM timer: three times the NTSC colour carrier. */
const TIMER_HZ = 3579545;
const TIMER_BITS = 24;
/** The status bit is set each time the top bit changes. */
const TIMER_HALF = 2 ** (TIMER_BITS - 1);

export interface AcpiPmOptions {
  /** The system control interrupt (IRQ 9, level). */
  readonly sci: IrqLine;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly powerOff: () => void;
  /** The processor is to stop until `wake` is called; RAM stays. */
  readonly suspend: () => void;
  /** An event that was enabled ends the suspension. */
  readonly wake: () => void;
}

/** PM1 and PM timer; map it through Piix4Pm. */
export class AcpiPm implements PioDevice, Resettable {
  readonly maxAccess = 4;
  private readonly options: AcpiPmOptions;
  private readonly overflow: Timer;
  private status = 0;
  private enable = 0;
  private control = 0;
  private generalEvent = false;
  private suspended = false;
  /** Timer halves that the status bit has accounted for. */
  private halvesSeen = 0;

  constructor(options: AcpiPmOptions) {
    this.options = options;
    this.overflow = options.timers.create(() => this.update());
    this.reset();
  }

  reset(): void {
    this.status = 0;
    this.enable = 0;
    this.control = 0;
    this.generalEvent = false;
    this.suspended = false;
    this.halvesSeen = this.halves();
    this.update();
  }

  /** SCI_EN, as the SMI handler of firmware sets it on ACPI_ENABLE and clears it on ACPI_DISABLE. */
  setAcpiEnabled(enabled: boolean): void {
    this.control = enabled ? this.control | SCI_ENABLE : this.control & ~SCI_ENABLE;
    this.update();
  }

  /** Somebody presses the power button: the guest is told, and decides. */
  pressPowerButton(): void {
    this.status |= POWER_BUTTON_STATUS;
    this.update();
  }

  /** The real-time clock raises its interrupt. */
  alarm(): void {
    this.status |= RTC_STATUS;
    this.update();
  }

  /** After the reset that ends a suspension: the guest is told that this was no power-up, and what woke it. */
  markWoken(cause: number): void {
    this.status |= WAKE_STATUS | (cause & STATUS_BITS);
  }

  /** The events that are pending and enabled, as status bits. */
  get enabledEvents(): number {
    return this.status & this.enable;
  }

  /** An enabled general purpose event is pending; it shares the SCI. */
  setGeneralEvent(pending: boolean): void {
    this.generalEvent = pending;
    this.update();
  }

  readPort(offset: number, size: PioSize): number {
    const register = offset & ~3;
    switch (register) {
      case PM1_EVENT:
        this.update();
        return extract(((this.enable << 16) | this.status) >>> 0, offset - register, size);
      case PM1_CONTROL:
        return extract(this.control, offset - register, size);
      case PM_TIMER:
        return extract(this.timer(), offset - register, size);
      default:
        return 0;
    }
  }

  writePort(offset: number, size: PioSize, value: number): void {
    const register = offset & ~3;
    if (register === PM1_EVENT) {
      this.update();
      // Status bits are cleared by ones; bytes that are not written count as zeros there.
      const written = insert((this.enable << 16) >>> 0, offset, size, value);
      this.status &= ~(written & STATUS_BITS);
      this.enable = (written >>> 16) & ENABLE_BITS;
      this.update();
    } else if (register === PM1_CONTROL) {
      this.writeControl(insert(this.control, offset - register, size, value));
    }
  }

  private writeControl(value: number): void {
    this.control = (this.control & SCI_ENABLE) | (value & CONTROL_WRITABLE);
    const sleepType = (value >> SLEEP_TYPE_SHIFT) & 7;
    if (value & SLEEP_ENABLE && sleepType === SLEEP_TYPE_S5) {
      this.options.powerOff();
    } else if (value & SLEEP_ENABLE && sleepType === SLEEP_TYPE_S3) {
      this.suspended = true;
      this.options.suspend();
    }
    this.update();
  }

  private ticks(): number {
    return Math.floor((this.options.clock.nowNs() * TIMER_HZ) / 1e9);
  }

  private timer(): number {
    return this.ticks() % 2 ** TIMER_BITS;
  }

  private halves(): number {
    return Math.floor(this.ticks() / TIMER_HALF);
  }

  private update(): void {
    const halves = this.halves();
    if (halves !== this.halvesSeen) {
      this.halvesSeen = halves;
      this.status |= TIMER_STATUS;
    }
    const pending = (this.status & this.enable) !== 0 || this.generalEvent;
    if (this.suspended && pending) {
      this.suspended = false;
      this.options.wake();
    }
    // Without SCI_EN these events raise an SMI, which this machine has no handler for.
    this.options.sci.set(pending && (this.control & SCI_ENABLE) !== 0);
    if (this.enable & TIMER_STATUS && !(this.status & TIMER_STATUS)) {
      this.overflow.arm(Math.ceil(((halves + 1) * TIMER_HALF * 1e9) / TIMER_HZ));
    } else {
      this.overflow.cancel();
    }
  }
}
