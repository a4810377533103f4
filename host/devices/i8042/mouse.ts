// A PS/2 mouse with the wheel and five-button extensions of Microsoft's IntelliMouse.
import { ACKNOWLEDGE, Ps2Device, RESEND, SELF_TEST_PASSED } from "./ps2-port.ts";

const SCALING_1_1 = 0xe6;
const SCALING_2_1 = 0xe7;
const SET_RESOLUTION = 0xe8;
const STATUS = 0xe9;
const STREAM_MODE = 0xea;
const READ_DATA = 0xeb;
const LEAVE_WRAP_MODE = 0xec;
const WRAP_MODE = 0xee;
const REMOTE_MODE = 0xf0;
const IDENTIFY = 0xf2;
const SET_SAMPLE_RATE = 0xf3;
const ENABLE = 0xf4;
const DISABLE = 0xf5;
const SET_DEFAULTS = 0xf6;
const RESEND_LAST = 0xfe;
const RESET = 0xff;

const ID_PLAIN = 0;
const ID_WHEEL = 3;
const ID_FIVE_BUTTONS = 4;

const BUTTON_LEFT = 1;
const BUTTON_RIGHT = 2;
const BUTTON_MIDDLE = 4;

/** Movement is reported in steps of at most 9 bits with sign. */
const STEP_LIMIT = 255;
const WHEEL_LIMIT = 7;

/** Stream, remote and wrap mode. */
export class Mouse extends Ps2Device {
  private id = ID_PLAIN;
  private reporting = false;
  private remote = false;
  private wrap = false;
  private doubled = false;
  private resolution = 2;
  private sampleRate = 100;
  /** The last three sample rates set: the knock by which a driver asks for the extensions. */
  private knock: number[] = [];
  private buttons = 0;
  private dx = 0;
  private dy = 0;
  private dz = 0;

  reset(): void {
    this.dropQueue();
    this.commandAwaiting();
    this.setDefaults();
    this.id = ID_PLAIN;
    this.wrap = false;
    this.knock = [];
  }

  /**
   * Moves by `dx` right, `dy` up and `dz` wheel steps towards the user, with `buttons` held: bit 0 left, 1 right,
   * 2 middle, 3 and 4 the side buttons.
   */
  move(dx: number, dy: number, dz: number, buttons: number): void {
    this.dx += dx;
    this.dy += dy;
    this.dz += dz;
    this.buttons = buttons;
    if (this.reporting && !this.remote) {
      do {
        this.sendEvent(this.packet());
      } while (this.dx !== 0 || this.dy !== 0 || (this.dz !== 0 && this.id !== ID_PLAIN));
      this.dz = 0;
    }
  }

  receive(byte: number): void {
    if (this.wrap && byte !== LEAVE_WRAP_MODE && byte !== RESET) {
      this.send(byte);
      return;
    }
    const command = this.commandAwaiting();
    if (command === SET_SAMPLE_RATE) {
      this.setSampleRate(byte);
      this.send(ACKNOWLEDGE);
    } else if (command === SET_RESOLUTION) {
      this.resolution = byte & 3;
      this.send(ACKNOWLEDGE);
    } else {
      this.command(byte);
    }
  }

  private command(byte: number): void {
    switch (byte) {
      case SCALING_1_1:
      case SCALING_2_1:
        this.doubled = byte === SCALING_2_1;
        this.send(ACKNOWLEDGE);
        break;
      case SET_RESOLUTION:
      case SET_SAMPLE_RATE:
        this.send(ACKNOWLEDGE);
        this.expectParameter(byte);
        break;
      case STATUS:
        this.send(ACKNOWLEDGE, this.status(), this.resolution, this.sampleRate);
        break;
      case STREAM_MODE:
      case REMOTE_MODE:
        this.remote = byte === REMOTE_MODE;
        this.send(ACKNOWLEDGE);
        break;
      case READ_DATA:
        this.send(ACKNOWLEDGE, ...this.packet());
        break;
      case LEAVE_WRAP_MODE:
      case WRAP_MODE:
        this.wrap = byte === WRAP_MODE;
        this.send(ACKNOWLEDGE);
        break;
      case IDENTIFY:
        this.send(ACKNOWLEDGE, this.id);
        break;
      case ENABLE:
      case DISABLE:
        this.reporting = byte === ENABLE;
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
        this.send(ACKNOWLEDGE, SELF_TEST_PASSED, this.id);
        break;
      default:
        this.send(RESEND);
        break;
    }
  }

  private setSampleRate(rate: number): void {
    this.sampleRate = rate;
    this.knock = [...this.knock.slice(-2), rate];
    const knock = this.knock.join();
    if (knock === "200,100,80") {
      this.id = ID_WHEEL;
    } else if (knock === "200,200,80" && this.id !== ID_PLAIN) {
      this.id = ID_FIVE_BUTTONS;
    }
  }

  private status(): number {
    // In this byte left and right are the other way round than in a packet.
    return (
      (this.remote ? 0x40 : 0) |
      (this.reporting ? 0x20 : 0) |
      (this.doubled ? 0x10 : 0) |
      (this.buttons & BUTTON_LEFT ? 0x04 : 0) |
      (this.buttons & BUTTON_MIDDLE ? 0x02 : 0) |
      (this.buttons & BUTTON_RIGHT ? 0x01 : 0)
    );
  }

  /** Takes as much of the accumulated movement as one packet holds. */
  private packet(): number[] {
    const dx = clamp(this.dx, STEP_LIMIT);
    const dy = clamp(this.dy, STEP_LIMIT);
    this.dx -= dx;
    this.dy -= dy;
    const bytes = [0x08 | (this.buttons & 7) | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0), dx & 0xff, dy & 0xff];
    if (this.id !== ID_PLAIN) {
      const dz = clamp(this.dz, WHEEL_LIMIT);
      this.dz -= dz;
      bytes.push(this.id === ID_WHEEL ? dz & 0xff : (dz & 0x0f) | ((this.buttons & 0x18) << 1));
    }
    return bytes;
  }

  private setDefaults(): void {
    this.reporting = false;
    this.remote = false;
    this.doubled = false;
    this.resolution = 2;
    this.sampleRate = 100;
    this.dx = 0;
    this.dy = 0;
    this.dz = 0;
  }
}

function clamp(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value));
}
