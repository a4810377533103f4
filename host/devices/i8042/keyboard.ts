// An enhanced (MF2) PS/2 keyboard.
import { ACKNOWLEDGE, Ps2Device, RESEND, SELF_TEST_PASSED } from "./ps2-port.ts";
import { set1Bytes, set2Bytes } from "./scancodes.ts";

const SET_LEDS = 0xed;
const ECHO = 0xee;
const SCAN_CODE_SET = 0xf0;
const IDENTIFY = 0xf2;
const SET_TYPEMATIC = 0xf3;
const ENABLE = 0xf4;
const DISABLE = 0xf5;
const SET_DEFAULTS = 0xf6;
/** 0xf7-0xfa: key types of all keys, 0xfb-0xfd: of one; they matter in set 3 only. */
const ALL_KEYS_FIRST = 0xf7;
const ALL_KEYS_LAST = 0xfa;
const RESEND_LAST = 0xfe;
const RESET = 0xff;

const IDENTITY = [0xab, 0x83] as const;

/** Scan code sets 2 (default) and 1; set 3 is refused. */
export class Keyboard extends Ps2Device {
  private scanning = true;
  private set = 2;
  /** Bit 0 Scroll Lock, 1 Num Lock, 2 Caps Lock. */
  leds = 0;

  reset(): void {
    this.dropQueue();
    this.commandAwaiting();
    this.setDefaults();
    this.scanning = true;
    this.leds = 0;
  }

  /** A key goes down (or repeats) or up; `key` is its set 1 make code, 0xe0xx for the extended ones. */
  key(key: number, down: boolean): void {
    if (this.scanning) {
      this.sendEvent(this.set === 1 ? set1Bytes(key, down) : set2Bytes(key, down));
    }
  }

  receive(byte: number): void {
    const command = this.commandAwaiting();
    if (command !== 0 && byte < SET_LEDS) {
      this.parameter(command, byte);
    } else {
      this.command(byte);
    }
  }

  private command(byte: number): void {
    switch (byte) {
      case SET_LEDS:
      case SCAN_CODE_SET:
      case SET_TYPEMATIC:
        this.send(ACKNOWLEDGE);
        this.expectParameter(byte);
        break;
      case ECHO:
        this.send(ECHO);
        break;
      case IDENTIFY:
        this.send(ACKNOWLEDGE, ...IDENTITY);
        break;
      case ENABLE:
        this.dropQueue();
        this.scanning = true;
        this.send(ACKNOWLEDGE);
        break;
      case DISABLE:
        this.setDefaults();
        this.scanning = false;
        this.send(ACKNOWLEDGE);
        break;
      case SET_DEFAULTS:
        this.setDefaults();
        this.send(ACKNOWLEDGE);
        break;
      case RESEND_LAST:
        this.resend();
        break;
      case RESET:
        this.reset();
        this.send(ACKNOWLEDGE, SELF_TEST_PASSED);
        break;
      default:
        this.send(byte >= ALL_KEYS_FIRST && byte <= ALL_KEYS_LAST ? ACKNOWLEDGE : RESEND);
        break;
    }
  }

  private parameter(command: number, value: number): void {
    if (command === SCAN_CODE_SET) {
      this.scanCodeSet(value);
      return;
    }
    if (command === SET_LEDS) {
      this.leds = value & 0x07;
    }
    this.send(ACKNOWLEDGE);
  }

  private scanCodeSet(value: number): void {
    if (value === 0) {
      this.send(ACKNOWLEDGE, this.set);
    } else if (value === 1 || value === 2) {
      this.set = value;
      this.send(ACKNOWLEDGE);
    } else {
      this.send(RESEND);
    }
  }

  private setDefaults(): void {
    this.dropQueue();
    this.set = 2;
  }
}
