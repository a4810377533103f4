// The device end of a PS/2 connection: a queue of bytes for the host and the protocol that both kinds share.

/** Replies of keyboards and mice. */
export const ACKNOWLEDGE = 0xfa;
export const RESEND = 0xfe;
export const SELF_TEST_PASSED = 0xaa;

/** Bytes a device holds for the host; a real keyboard has 16. Replies are always accepted. */
const EVENT_QUEUE_LIMIT = 256;

/** What the controller sees of a keyboard or mouse. */
export abstract class Ps2Device {
  private queue: number[] = [];
  private last = 0;
  private awaitingParameter = 0;
  /** Told when a byte becomes available. */
  onData: () => void = () => {};

  /** Takes one byte from the controller. */
  abstract receive(byte: number): void;

  /** Next byte for the host, or -1. */
  take(): number {
    const byte = this.queue.shift();
    if (byte === undefined) {
      return -1;
    }
    this.last = byte;
    return byte;
  }

  protected send(...bytes: number[]): void {
    this.queue.push(...bytes);
    this.onData();
  }

  /** Queues an event as a whole, or drops it when the host does not listen. */
  protected sendEvent(bytes: readonly number[]): void {
    if (this.queue.length + bytes.length <= EVENT_QUEUE_LIMIT) {
      this.send(...bytes);
    }
  }

  protected resend(): void {
    this.send(this.last);
  }

  protected dropQueue(): void {
    this.queue = [];
  }

  /** Makes the next byte the parameter of `command`. */
  protected expectParameter(command: number): void {
    this.awaitingParameter = command;
  }

  /** The command whose parameter `byte` is, or 0; asking clears it. */
  protected commandAwaiting(): number {
    const command = this.awaitingParameter;
    this.awaitingParameter = 0;
    return command;
  }
}
