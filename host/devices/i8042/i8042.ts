// The 8042 keyboard controller of a PC with its auxiliary (mouse) port, behind ports 0x60 and 0x64
// (IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller").
import type { A20Gate } from "../a20.ts";
import type { IrqLine, PioDevice, PioSize, Resettable } from "../bus.ts";
import { Keyboard } from "./keyboard.ts";
import { Mouse } from "./mouse.ts";
import { BREAK, translateToSet1 } from "./scancodes.ts";

export const I8042_DATA_PORT = 0x60;
export const I8042_COMMAND_PORT = 0x64;

// Status register.
const OUTPUT_FULL = 0x01;
const SYSTEM_FLAG = 0x04;
const LAST_WAS_COMMAND = 0x08;
const NOT_LOCKED = 0x10;
const OUTPUT_FROM_AUX = 0x20;

// Command byte.
const KEYBOARD_INTERRUPT = 0x01;
const AUX_INTERRUPT = 0x02;
const COMMAND_SYSTEM_FLAG = 0x04;
const KEYBOARD_OFF = 0x10;
const AUX_OFF = 0x20;
const TRANSLATE = 0x40;

// Output port.
const NO_RESET = 0x01;
const A20 = 0x02;
const OUTPUT_FULL_KEYBOARD = 0x10;
const OUTPUT_FULL_AUX = 0x20;

// Commands.
const READ_RAM = 0x20;
const WRITE_RAM = 0x60;
const RAM_SIZE = 0x20;
const AUX_DISABLE = 0xa7;
const AUX_ENABLE = 0xa8;
const AUX_TEST = 0xa9;
const SELF_TEST = 0xaa;
const KEYBOARD_TEST = 0xab;
const KEYBOARD_DISABLE = 0xad;
const KEYBOARD_ENABLE = 0xae;
const READ_INPUT_PORT = 0xc0;
const READ_OUTPUT_PORT = 0xd0;
const WRITE_OUTPUT_PORT = 0xd1;
const WRITE_KEYBOARD_OUTPUT = 0xd2;
const WRITE_AUX_OUTPUT = 0xd3;
const WRITE_AUX = 0xd4;
const A20_OFF = 0xdd;
const A20_ON = 0xdf;
const PULSE_FIRST = 0xf0;

const SELF_TEST_OK = 0x55;
const PORT_TEST_OK = 0x00;
/** Bit 7: keyboard not inhibited; bit 5: no manufacturing jumper. */
const INPUT_PORT = 0xa0;

const NO_PARAMETER = 0;

export interface I8042Options {
  /** IRQ 1. */
  readonly keyboardIrq: IrqLine;
  /** IRQ 12. */
  readonly auxIrq: IrqLine;
  readonly a20: A20Gate;
  readonly requestReset: () => void;
}

/** Where the byte in the output buffer came from. */
type Source = "keyboard" | "aux";

/** The controller; `dataPort` and `commandPort` go on the bus, one port each. */
export class I8042 implements Resettable {
  readonly keyboard = new Keyboard();
  readonly mouse = new Mouse();
  readonly dataPort: PioDevice;
  readonly commandPort: PioDevice;
  private readonly options: I8042Options;
  /** Byte 0 is the command byte. */
  private readonly ram = new Uint8Array(RAM_SIZE);
  private output = 0;
  private outputSource: Source | null = null;
  /** Bytes of the controller's own that wait for the output buffer. */
  private replies: { byte: number; source: Source }[] = [];
  private lastWasCommand = false;
  private parameterFor = NO_PARAMETER;
  private releasePending = false;

  constructor(options: I8042Options) {
    this.options = options;
    this.dataPort = {
      readPort: () => this.readData(),
      writePort: (_offset: number, _size: PioSize, value: number) => this.writeData(value),
    };
    this.commandPort = {
      readPort: () => this.status(),
      writePort: (_offset: number, _size: PioSize, value: number) => this.command(value),
    };
    this.keyboard.onData = () => this.fillOutput();
    this.mouse.onData = () => this.fillOutput();
    this.reset();
  }

  /** Power-up as firmware leaves it: both interrupts and translation on. */
  reset(): void {
    this.ram.fill(0);
    this.ram[0] = KEYBOARD_INTERRUPT | AUX_INTERRUPT | COMMAND_SYSTEM_FLAG | TRANSLATE;
    this.outputSource = null;
    this.replies = [];
    this.lastWasCommand = false;
    this.parameterFor = NO_PARAMETER;
    this.releasePending = false;
    this.options.a20.open = true;
    this.keyboard.reset();
    this.mouse.reset();
    this.updateIrqs();
  }

  private get commandByte(): number {
    return this.ram[0] as number;
  }

  private status(): number {
    return (
      NOT_LOCKED |
      (this.outputSource !== null ? OUTPUT_FULL : 0) |
      (this.outputSource === "aux" ? OUTPUT_FROM_AUX : 0) |
      (this.commandByte & COMMAND_SYSTEM_FLAG ? SYSTEM_FLAG : 0) |
      (this.lastWasCommand ? LAST_WAS_COMMAND : 0)
    );
  }

  private readData(): number {
    const byte = this.output;
    if (this.outputSource !== null) {
      this.outputSource = null;
      // The line falls between two bytes, so that an edge-triggered controller sees the next one.
      this.updateIrqs();
      this.fillOutput();
    }
    return byte;
  }

  private writeData(value: number): void {
    this.lastWasCommand = false;
    const command = this.parameterFor;
    this.parameterFor = NO_PARAMETER;
    if (command === NO_PARAMETER) {
      // Writing to the keyboard switches its clock on again.
      this.setCommandByte(this.commandByte & ~KEYBOARD_OFF);
      this.keyboard.receive(value);
    } else if (command === WRITE_OUTPUT_PORT) {
      this.writeOutputPort(value);
    } else if (command === WRITE_KEYBOARD_OUTPUT) {
      this.reply(value, "keyboard");
    } else if (command === WRITE_AUX_OUTPUT) {
      this.reply(value, "aux");
    } else if (command === WRITE_AUX) {
      this.setCommandByte(this.commandByte & ~AUX_OFF);
      this.mouse.receive(value);
    } else if (command === WRITE_RAM) {
      this.setCommandByte(value);
    } else {
      this.ram[command - WRITE_RAM] = value;
    }
  }

  private command(value: number): void {
    this.lastWasCommand = true;
    this.parameterFor = NO_PARAMETER;
    if (value >= READ_RAM && value < READ_RAM + RAM_SIZE) {
      this.reply(this.ram[value - READ_RAM] as number);
    } else if ((value >= WRITE_RAM && value < WRITE_RAM + RAM_SIZE) || isTwoByteCommand(value)) {
      this.parameterFor = value;
    } else if (value >= PULSE_FIRST) {
      // Each zero in bits 0-3 pulses that output port line for 6 µs; bit 0 is the processor's reset.
      if (!(value & NO_RESET)) {
        this.options.requestReset();
      }
    } else {
      this.simpleCommand(value);
    }
  }

  private simpleCommand(value: number): void {
    switch (value) {
      case AUX_DISABLE:
        this.setCommandByte(this.commandByte | AUX_OFF);
        break;
      case AUX_ENABLE:
        this.setCommandByte(this.commandByte & ~AUX_OFF);
        break;
      case AUX_TEST:
      case KEYBOARD_TEST:
        this.reply(PORT_TEST_OK);
        break;
      case SELF_TEST:
        this.setCommandByte(this.commandByte | COMMAND_SYSTEM_FLAG);
        this.reply(SELF_TEST_OK);
        break;
      case KEYBOARD_DISABLE:
        this.setCommandByte(this.commandByte | KEYBOARD_OFF);
        break;
      case KEYBOARD_ENABLE:
        this.setCommandByte(this.commandByte & ~KEYBOARD_OFF);
        break;
      case READ_INPUT_PORT:
        this.reply(INPUT_PORT);
        break;
      case READ_OUTPUT_PORT:
        this.reply(this.outputPort());
        break;
      case A20_OFF:
      case A20_ON:
        this.options.a20.open = value === A20_ON;
        break;
      default:
        // The controller ignores commands it does not know.
        break;
    }
  }

  private outputPort(): number {
    return (
      NO_RESET |
      (this.options.a20.open ? A20 : 0) |
      (this.outputSource === "keyboard" ? OUTPUT_FULL_KEYBOARD : 0) |
      (this.outputSource === "aux" ? OUTPUT_FULL_AUX : 0)
    );
  }

  private writeOutputPort(value: number): void {
    this.options.a20.open = (value & A20) !== 0;
    if (!(value & NO_RESET)) {
      this.options.requestReset();
    }
  }

  private setCommandByte(value: number): void {
    this.ram[0] = value;
    this.updateIrqs();
    this.fillOutput();
  }

  private reply(byte: number, source: Source = "keyboard"): void {
    this.replies.push({ byte, source });
    this.fillOutput();
  }

  /** Puts the next byte into the output buffer when it is free: the controller's own first, then the devices'. */
  private fillOutput(): void {
    while (this.outputSource === null) {
      const reply = this.replies.shift();
      if (reply !== undefined) {
        this.setOutput(reply.byte, reply.source);
      } else if (!this.takeFromKeyboard() && !this.takeFromMouse()) {
        return;
      }
    }
  }

  /** False when the keyboard has nothing; the buffer may still be empty afterwards (a release prefix was eaten). */
  private takeFromKeyboard(): boolean {
    const byte = this.commandByte & KEYBOARD_OFF ? -1 : this.keyboard.take();
    if (byte < 0) {
      return false;
    }
    if (!(this.commandByte & TRANSLATE)) {
      this.setOutput(byte, "keyboard");
    } else if (byte === BREAK) {
      this.releasePending = true;
    } else {
      const release = this.releasePending ? 0x80 : 0;
      this.releasePending = false;
      this.setOutput(translateToSet1(byte) | release, "keyboard");
    }
    return true;
  }

  private takeFromMouse(): boolean {
    const byte = this.commandByte & AUX_OFF ? -1 : this.mouse.take();
    if (byte < 0) {
      return false;
    }
    this.setOutput(byte, "aux");
    return true;
  }

  private setOutput(byte: number, source: Source): void {
    this.output = byte;
    this.outputSource = source;
    this.updateIrqs();
  }

  private updateIrqs(): void {
    this.options.keyboardIrq.set(this.outputSource === "keyboard" && (this.commandByte & KEYBOARD_INTERRUPT) !== 0);
    this.options.auxIrq.set(this.outputSource === "aux" && (this.commandByte & AUX_INTERRUPT) !== 0);
  }
}

function isTwoByteCommand(value: number): boolean {
  return (
    value === WRITE_OUTPUT_PORT || value === WRITE_KEYBOARD_OUTPUT || value === WRITE_AUX_OUTPUT || value === WRITE_AUX
  );
}
