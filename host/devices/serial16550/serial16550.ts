// A PC16550D UART between I/O ports and a character device.
// Characters leave the moment they are written, so the transmitter is always empty; the divisor only
// sets the time after which received characters below the trigger level are announced.
import type { Chardev } from "../../chardev/types.ts";
import type { IrqLine, PioDevice, PioSize, Resettable } from "../bus.ts";
import type { Clock, Timer, Timers } from "../clock.ts";
import {
  BASE_BAUD,
  FCR_CLEAR_RECEIVE,
  FCR_ENABLE,
  FIFO_SIZE,
  IER,
  IER_LINE_STATUS,
  IER_MODEM_STATUS,
  IER_RECEIVED_DATA,
  IER_THR_EMPTY,
  IIR_CHARACTER_TIMEOUT,
  IIR_FCR,
  IIR_FIFOS_ENABLED,
  IIR_LINE_STATUS,
  IIR_MODEM_STATUS,
  IIR_NONE,
  IIR_RECEIVED_DATA,
  IIR_THR_EMPTY,
  LCR,
  LCR_DLAB,
  LSR,
  LSR_DATA_READY,
  LSR_ERRORS,
  LSR_OVERRUN,
  LSR_THR_EMPTY,
  LSR_TRANSMITTER_EMPTY,
  MCR,
  MCR_DTR,
  MCR_LOOPBACK,
  MCR_OUT1,
  MCR_OUT2,
  MCR_RTS,
  MSR,
  MSR_CTS,
  MSR_DCD,
  MSR_DELTAS,
  MSR_DSR,
  MSR_RI,
  MSR_TRAILING_EDGE_RI,
  RBR_THR,
  SCR,
  TRIGGER_LEVELS,
} from "./registers.ts";

/** Input beyond this many queued bytes asks the back end to wait. */
const HIGH_WATER = 4096;

export interface SerialOptions {
  readonly irq: IrqLine;
  readonly chardev: Chardev;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** One UART; map it at SERIAL_PORTS ports. */
export class Serial16550 implements PioDevice, Resettable {
  private readonly irq: IrqLine;
  private readonly chardev: Chardev;
  private readonly clock: Clock;
  private readonly timeout: Timer;

  private ier = 0;
  private lcr = 0;
  private mcr = MCR_OUT2;
  private lsr = LSR_THR_EMPTY | LSR_TRANSMITTER_EMPTY;
  private msr = MSR_CTS | MSR_DSR | MSR_DCD;
  private scratch = 0;
  private divisor = 12;
  private fifoEnabled = false;
  private trigger = 1;
  /** Received characters that the guest can read. */
  private fifo: number[] = [];
  /** Received characters behind the FIFO. */
  private queue: number[] = [];
  private held = false;
  private thrEmptyPending = false;
  private timedOut = false;
  private readonly oneByte = new Uint8Array(1);

  constructor(options: SerialOptions) {
    this.irq = options.irq;
    this.chardev = options.chardev;
    this.clock = options.clock;
    this.timeout = options.timers.create(() => {
      this.timedOut = this.fifo.length > 0;
      this.updateIrq();
    });
    this.chardev.onInput((bytes) => this.receive(bytes));
  }

  /** Master reset: what the data sheet's table II says, and an empty FIFO. Queued input stays. */
  reset(): void {
    this.ier = 0;
    this.lcr = 0;
    this.mcr = MCR_OUT2;
    this.lsr = LSR_THR_EMPTY | LSR_TRANSMITTER_EMPTY;
    this.msr = MSR_CTS | MSR_DSR | MSR_DCD;
    this.scratch = 0;
    this.divisor = 12;
    this.fifoEnabled = false;
    this.trigger = 1;
    this.thrEmptyPending = false;
    this.clearReceived();
    this.fill();
  }

  readPort(offset: number, _size: PioSize): number {
    switch (offset) {
      case RBR_THR:
        return this.lcr & LCR_DLAB ? this.divisor & 0xff : this.readReceived();
      case IER:
        return this.lcr & LCR_DLAB ? this.divisor >> 8 : this.ier;
      case IIR_FCR:
        return this.readIdentification();
      case LCR:
        return this.lcr;
      case MCR:
        return this.mcr;
      case LSR:
        return this.readLineStatus();
      case MSR:
        return this.readModemStatus();
      default:
        return this.scratch;
    }
  }

  writePort(offset: number, _size: PioSize, value: number): void {
    switch (offset) {
      case RBR_THR:
        if (this.lcr & LCR_DLAB) {
          this.divisor = (this.divisor & 0xff00) | value;
        } else {
          this.transmit(value);
        }
        break;
      case IER:
        if (this.lcr & LCR_DLAB) {
          this.divisor = (this.divisor & 0xff) | (value << 8);
        } else {
          this.writeInterruptEnable(value & 0x0f);
        }
        break;
      case IIR_FCR:
        this.writeFifoControl(value);
        break;
      case LCR:
        this.lcr = value;
        break;
      case MCR:
        this.writeModemControl(value & 0x1f);
        break;
      case SCR:
        this.scratch = value;
        break;
      default:
        // LSR and MSR: writing is for factory tests only.
        break;
    }
  }

  /** Input from the character device. */
  private receive(bytes: Uint8Array): void {
    for (const byte of bytes) {
      this.queue.push(byte);
    }
    if (this.queue.length >= HIGH_WATER && !this.held) {
      this.held = true;
      this.chardev.setReady?.(false);
    }
    this.fill();
  }

  /** Moves queued characters to where the guest reads them, as long as there is room. */
  private fill(): void {
    if (this.mcr & MCR_LOOPBACK) {
      // The receiver is disconnected from its pin.
      this.updateIrq();
      return;
    }
    const room = this.fifoEnabled ? FIFO_SIZE : 1;
    const count = Math.min(room - this.fifo.length, this.queue.length);
    if (count > 0) {
      this.fifo.push(...this.queue.splice(0, count));
      this.lsr |= LSR_DATA_READY;
      this.armTimeout();
    }
    if (this.held && this.queue.length < HIGH_WATER / 2) {
      this.held = false;
      this.chardev.setReady?.(true);
    }
    this.updateIrq();
  }

  /** The timeout indication comes four character times after the last transfer into or out of the FIFO. */
  private armTimeout(): void {
    this.timedOut = false;
    if (this.fifoEnabled && this.fifo.length > 0) {
      const bits = 10;
      const characterNs = (bits * 1e9 * Math.max(this.divisor, 1)) / BASE_BAUD;
      this.timeout.arm(this.clock.nowNs() + 4 * characterNs);
    } else {
      this.timeout.cancel();
    }
  }

  private clearReceived(): void {
    this.fifo = [];
    this.lsr &= ~LSR_DATA_READY;
    this.timedOut = false;
    this.timeout.cancel();
  }

  private readReceived(): number {
    const byte = this.fifo.shift() ?? 0;
    if (this.fifo.length === 0) {
      this.lsr &= ~LSR_DATA_READY;
    }
    this.armTimeout();
    this.fill();
    return byte;
  }

  private transmit(value: number): void {
    if (this.mcr & MCR_LOOPBACK) {
      this.loopBack(value);
    } else {
      this.oneByte[0] = value;
      this.chardev.write(this.oneByte);
    }
    this.thrEmptyPending = true;
    this.updateIrq();
  }

  private loopBack(value: number): void {
    const room = this.fifoEnabled ? FIFO_SIZE : 1;
    if (this.fifo.length >= room) {
      this.lsr |= LSR_OVERRUN;
      if (!this.fifoEnabled) {
        this.fifo[0] = value;
      }
    } else {
      this.fifo.push(value);
    }
    this.lsr |= LSR_DATA_READY;
    this.armTimeout();
  }

  private writeInterruptEnable(value: number): void {
    // Enabling the transmitter interrupt while the transmitter is empty raises it at once.
    if (value & IER_THR_EMPTY & ~this.ier) {
      this.thrEmptyPending = true;
    }
    this.ier = value;
    this.updateIrq();
  }

  private writeFifoControl(value: number): void {
    const enable = (value & FCR_ENABLE) !== 0;
    if (enable !== this.fifoEnabled || value & FCR_CLEAR_RECEIVE) {
      this.clearReceived();
    }
    this.fifoEnabled = enable;
    // The other bits are taken only together with the enable bit.
    this.trigger = enable ? (TRIGGER_LEVELS[value >> 6] as number) : 1;
    this.fill();
  }

  private writeModemControl(value: number): void {
    this.mcr = value;
    if (value & MCR_LOOPBACK) {
      this.setModemInputs(
        (value & MCR_RTS ? MSR_CTS : 0) |
          (value & MCR_DTR ? MSR_DSR : 0) |
          (value & MCR_OUT1 ? MSR_RI : 0) |
          (value & MCR_OUT2 ? MSR_DCD : 0),
      );
      this.updateIrq();
    } else {
      this.setModemInputs(MSR_CTS | MSR_DSR | MSR_DCD);
      this.fill();
    }
  }

  private setModemInputs(inputs: number): void {
    const old = this.msr & 0xf0;
    let deltas = (old ^ inputs) >> 4;
    // Of the ring indicator only the end of a ring is reported.
    if (!(old & MSR_RI && !(inputs & MSR_RI))) {
      deltas &= ~MSR_TRAILING_EDGE_RI;
    }
    this.msr = inputs | (this.msr & MSR_DELTAS) | deltas;
  }

  private readIdentification(): number {
    const id = this.pendingInterrupt();
    if (id === IIR_THR_EMPTY) {
      this.thrEmptyPending = false;
      this.updateIrq();
    }
    return id | (this.fifoEnabled ? IIR_FIFOS_ENABLED : 0);
  }

  private readLineStatus(): number {
    const value = this.lsr;
    this.lsr &= ~LSR_ERRORS;
    this.updateIrq();
    return value;
  }

  private readModemStatus(): number {
    const value = this.msr;
    this.msr &= ~MSR_DELTAS;
    this.updateIrq();
    return value;
  }

  /** The interrupt with the highest priority, as IIR bits 0-3. */
  private pendingInterrupt(): number {
    if (this.ier & IER_LINE_STATUS && this.lsr & LSR_ERRORS) {
      return IIR_LINE_STATUS;
    }
    if (this.ier & IER_RECEIVED_DATA) {
      if (this.fifo.length >= (this.fifoEnabled ? this.trigger : 1)) {
        return IIR_RECEIVED_DATA;
      }
      if (this.timedOut) {
        return IIR_CHARACTER_TIMEOUT;
      }
    }
    if (this.ier & IER_THR_EMPTY && this.thrEmptyPending) {
      return IIR_THR_EMPTY;
    }
    if (this.ier & IER_MODEM_STATUS && this.msr & MSR_DELTAS) {
      return IIR_MODEM_STATUS;
    }
    return IIR_NONE;
  }

  private updateIrq(): void {
    this.irq.set(this.pendingInterrupt() !== IIR_NONE);
  }
}
