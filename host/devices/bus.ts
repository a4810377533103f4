// Port and memory-mapped I/O buses, and the few types by which devices reach the rest of the machine.
// A device is given these and nothing else: it does not know which transport or machine it sits on.

/** Width of one bus access in bytes. */
export type PioSize = 1 | 2 | 4;

/** A device behind I/O ports. Offsets count from the start of the range it was mapped at. */
export interface PioDevice {
  /** Widest access the device decodes; wider ones arrive as several, lowest address first. Default 1. */
  readonly maxAccess?: PioSize;
  /** Returns the value in the low `size` bytes. */
  readPort(offset: number, size: PioSize): number;
  writePort(offset: number, size: PioSize, value: number): void;
}

/** A device behind guest physical addresses. Offsets count from the start of the range it was mapped at. */
export interface MmioDevice {
  /** Fills `data` (1 to 8 bytes, little endian). */
  readMmio(offset: number, data: Uint8Array): void;
  writeMmio(offset: number, data: Uint8Array): void;
}

/** An interrupt wire. Setting the level it already has is harmless. */
export interface IrqLine {
  set(level: boolean): void;
}

/** Something that has a power-up state to return to. */
export interface Resettable {
  reset(): void;
}

/** Guest RAM as devices that move data themselves see it. Addresses are guest physical. */
export interface GuestMemory {
  /** Copies RAM into `into`; false (and `into` untouched) when the range is not all RAM. */
  read(gpa: number, into: Uint8Array): boolean;
  /** Copies `from` into RAM and tells the processors; false (and no effect) when the range is not all writable RAM. */
  write(gpa: number, from: Uint8Array): boolean;
}

/** A range that a device answers on; `remove` takes it off the bus. */
export interface Mapping {
  remove(): void;
}

interface Range<D> {
  readonly base: number;
  readonly end: number;
  readonly device: D;
}

const PORTS = 0x10000;

/** The 64 Ki I/O ports. Where ranges overlap the one mapped last answers; ports nobody claims read all-ones. */
export class PortBus {
  private ranges: Range<PioDevice>[] = [];
  /** For each port: index in `ranges` plus one, or 0. */
  private readonly owner = new Uint16Array(PORTS);

  /**
   * Puts a device at ports `base` to `base + length - 1`.
   * @throws RangeError when the range leaves the 16-bit port space.
   */
  map(base: number, length: number, device: PioDevice): Mapping {
    if (length < 1 || base < 0 || base + length > PORTS) {
      throw new RangeError(`I/O ports 0x${base.toString(16)}+0x${length.toString(16)} are outside 0..0xffff`);
    }
    const range: Range<PioDevice> = { base, end: base + length, device };
    this.ranges.push(range);
    this.owner.fill(this.ranges.length, base, range.end);
    return {
      remove: () => {
        this.ranges = this.ranges.filter((other) => other !== range);
        this.owner.fill(0);
        this.ranges.forEach((other, index) => {
          this.owner.fill(index + 1, other.base, other.end);
        });
      },
    };
  }

  /** Reads `size` bytes at `port`, as an unsigned number. */
  read(port: number, size: PioSize): number {
    const range = this.find(port);
    if (range !== undefined && this.wholeAccess(range, port, size)) {
      return (range.device.readPort(port - range.base, size) & mask(size)) >>> 0;
    }
    if (size === 1) {
      return 0xff;
    }
    const half = (size >> 1) as PioSize;
    const low = this.read(port, half);
    const high = this.read((port + half) & 0xffff, half);
    return (low | (high << (half * 8))) >>> 0;
  }

  /** Writes `size` bytes at `port`. */
  write(port: number, size: PioSize, value: number): void {
    const range = this.find(port);
    if (range !== undefined && this.wholeAccess(range, port, size)) {
      range.device.writePort(port - range.base, size, (value & mask(size)) >>> 0);
      return;
    }
    if (size === 1) {
      return;
    }
    const half = (size >> 1) as PioSize;
    this.write(port, half, value & mask(half));
    this.write((port + half) & 0xffff, half, value >>> (half * 8));
  }

  private find(port: number): Range<PioDevice> | undefined {
    const index = this.owner[port] as number;
    return index === 0 ? undefined : this.ranges[index - 1];
  }

  private wholeAccess(range: Range<PioDevice>, port: number, size: PioSize): boolean {
    return size <= (range.device.maxAccess ?? 1) && port + size <= range.end;
  }
}

/** Guest physical addresses outside RAM. Where ranges overlap the one mapped last answers; the rest reads all-ones. */
export class MmioBus {
  private ranges: Range<MmioDevice>[] = [];

  /** Puts a device at guest physical addresses `base` to `base + length - 1`. */
  map(base: number, length: number, device: MmioDevice): Mapping {
    const range: Range<MmioDevice> = { base, end: base + length, device };
    this.ranges.unshift(range);
    return {
      remove: () => {
        this.ranges = this.ranges.filter((other) => other !== range);
      },
    };
  }

  /** Fills `data` from `gpa`. */
  read(gpa: number, data: Uint8Array): void {
    const range = this.find(gpa, data.length);
    if (range === undefined) {
      data.fill(0xff);
    } else {
      range.device.readMmio(gpa - range.base, data);
    }
  }

  /** Writes `data` at `gpa`. */
  write(gpa: number, data: Uint8Array): void {
    const range = this.find(gpa, data.length);
    range?.device.writeMmio(gpa - range.base, data);
  }

  private find(gpa: number, length: number): Range<MmioDevice> | undefined {
    return this.ranges.find((range) => gpa >= range.base && gpa + length <= range.end);
  }
}

function mask(size: PioSize): number {
  return size === 4 ? -1 : (1 << (size * 8)) - 1;
}
