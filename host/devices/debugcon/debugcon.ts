// The debug console of Bochs and QEMU: bytes written to port 0xe9 go to a character device.
import type { Chardev } from "../../chardev/types.ts";
import type { PioDevice, PioSize } from "../bus.ts";

export const DEBUGCON_DEFAULT_BASE = 0xe9;
/** What a read returns, by which guests find out that the port exists. */
const READBACK = 0xe9;

/** Output only; map it at one port. */
export class Debugcon implements PioDevice {
  private readonly chardev: Chardev;
  private readonly oneByte = new Uint8Array(1);

  constructor(chardev: Chardev) {
    this.chardev = chardev;
  }

  readPort(_offset: number, _size: PioSize): number {
    return READBACK;
  }

  writePort(_offset: number, _size: PioSize, value: number): void {
    this.oneByte[0] = value;
    this.chardev.write(this.oneByte);
  }
}
