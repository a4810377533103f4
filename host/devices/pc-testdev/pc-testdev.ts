// QEMU's pc-testdev: what a test program asks of a machine besides its processor. Registers that only remember, and
// interrupt wires that the guest pulls itself.
import { extract, insert } from "../bits.ts";
import type { IrqLine, MmioDevice, PioDevice, PioSize } from "../bus.ts";

/** Four bytes that read back what was written, in any width. */
export const TESTDEV_ECHO_PORT = 0xe0;
export const TESTDEV_ECHO_PORTS = 4;
/** A write asks the host to take a guest page away from under the guest, which happens to no page here. */
export const TESTDEV_FLUSH_PORT = 0xe4;
export const TESTDEV_FLUSH_PORTS = 4;
/** One port an interrupt line. */
export const TESTDEV_IRQ_PORT = 0x2000;
export const TESTDEV_IRQ_PORTS = 24;
/** Memory that every access leaves the guest for. */
export const TESTDEV_MEMORY = 0xff00_0000;
export const TESTDEV_MEMORY_BYTES = 0x1_0000;

/** The parts, each for a range of its own. */
export class PcTestdev {
  readonly echo: PioDevice;
  readonly flush: PioDevice;
  readonly irqs: PioDevice;
  readonly memory: MmioDevice;
  private echoed = 0;

  /** @param lines interrupt lines from number 0 on */
  constructor(lines: readonly IrqLine[]) {
    this.echo = {
      maxAccess: 4,
      readPort: (offset, size) => extract(this.echoed, offset, size),
      writePort: (offset: number, size: PioSize, value: number) => {
        this.echoed = insert(this.echoed, offset, size, value);
      },
    };
    this.flush = { maxAccess: 4, readPort: () => 0, writePort: () => {} };
    this.irqs = { readPort: () => 0, writePort: (line, _size, value) => lines[line]?.set(value !== 0) };
    const bytes = new Uint8Array(TESTDEV_MEMORY_BYTES);
    this.memory = {
      readMmio: (offset, data) => data.set(bytes.subarray(offset, offset + data.length)),
      writeMmio: (offset, data) => bytes.set(data, offset),
    };
  }
}
