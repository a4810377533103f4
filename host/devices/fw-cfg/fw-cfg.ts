// QEMU's firmware configuration device (QEMU documentation, docs/specs/fw_cfg): named read-only blobs
// behind a selector and a data port, with DMA. Numbers of the interface are big endian unless said otherwise.
import { extract } from "../bits.ts";
import type { GuestMemory, PioDevice, PioSize, Resettable } from "../bus.ts";

export const FW_CFG_SELECTOR_PORT = 0x510;
export const FW_CFG_SELECTOR_PORTS = 2;
export const FW_CFG_DMA_PORT = 0x514;
export const FW_CFG_DMA_PORTS = 8;

// Items at fixed selectors; integers in them are little endian.
export const FW_CFG_SIGNATURE = 0x0000;
export const FW_CFG_ID = 0x0001;
export const FW_CFG_UUID = 0x0002;
export const FW_CFG_RAM_SIZE = 0x0003;
export const FW_CFG_CPU_COUNT = 0x0005;
export const FW_CFG_MAX_CPUS = 0x000f;
export const FW_CFG_DIRECTORY = 0x0019;
const FIRST_FILE = 0x0020;
/** Bit 15: items of the architecture, bit 14: writes, which are not supported. */
const SELECTOR_BITS = 0xbfff;

const ID_TRADITIONAL = 0x1;
const ID_DMA = 0x2;

const DMA_ERROR = 0x01;
const DMA_READ = 0x02;
const DMA_SKIP = 0x04;
const DMA_SELECT = 0x08;
const DMA_WRITE = 0x10;
const DMA_DESCRIPTOR_BYTES = 16;
/** What the DMA register reads as: "QEMU CFG". */
const DMA_SIGNATURE = [0x51454d55, 0x20434647] as const;

const DIRECTORY_ENTRY_BYTES = 64;
const FILE_NAME_BYTES = 56;
/** DMA moves at most this much between looks at guest memory, so that a hostile length costs nothing. */
const CHUNK = 64 * 1024;

/** The blobs and the two ways to read them. */
export class FwCfg implements Resettable {
  /** Ports 0x510 and 0x511. */
  readonly ports: PioDevice;
  /** Ports 0x514 to 0x51b. */
  readonly dmaPorts: PioDevice;
  private readonly memory: GuestMemory;
  private readonly items = new Map<number, Uint8Array>();
  private readonly files: { name: string; data: Uint8Array; selector: number }[] = [];
  private selected = 0;
  private position = 0;
  private dmaHigh = 0;

  constructor(memory: GuestMemory) {
    this.memory = memory;
    this.ports = {
      maxAccess: 2,
      readPort: (offset) => (offset === 1 ? this.nextByte() : 0),
      writePort: (offset: number, size: PioSize, value: number) => {
        if (offset === 0 && size === 2) {
          this.select(value);
        }
      },
    };
    this.dmaPorts = {
      maxAccess: 4,
      readPort: (offset, size) => this.readDmaRegister(offset, size),
      writePort: (offset, size, value) => this.writeDmaRegister(offset, size, value),
    };
    this.setItem(FW_CFG_SIGNATURE, new TextEncoder().encode("QEMU"));
    this.setNumber(FW_CFG_ID, 4, ID_TRADITIONAL | ID_DMA);
    this.writeDirectory();
  }

  reset(): void {
    this.select(0);
    this.dmaHigh = 0;
  }

  /** Offers `data` at a fixed selector. */
  setItem(selector: number, data: Uint8Array): void {
    this.items.set(selector, data);
  }

  /** Offers a little-endian integer of `size` bytes (2, 4 or 8). */
  setNumber(selector: number, size: number, value: number): void {
    const data = new Uint8Array(size);
    for (let i = 0, rest = value; i < size; i++, rest = Math.floor(rest / 256)) {
      data[i] = rest % 256;
    }
    this.setItem(selector, data);
  }

  /**
   * Offers `data` as a file of the directory; its selector follows the order of the calls.
   * @throws RangeError when the name is longer than 55 characters.
   */
  addFile(name: string, data: Uint8Array): void {
    if (name.length >= FILE_NAME_BYTES) {
      throw new RangeError(`fw_cfg file name "${name}" is longer than ${FILE_NAME_BYTES - 1} characters`);
    }
    const selector = FIRST_FILE + this.files.length;
    this.files.push({ name, data, selector });
    this.items.set(selector, data);
    this.writeDirectory();
  }

  private writeDirectory(): void {
    const data = new Uint8Array(4 + this.files.length * DIRECTORY_ENTRY_BYTES);
    const view = new DataView(data.buffer);
    view.setUint32(0, this.files.length);
    this.files.forEach((file, index) => {
      const at = 4 + index * DIRECTORY_ENTRY_BYTES;
      view.setUint32(at, file.data.length);
      view.setUint16(at + 4, file.selector);
      data.set(new TextEncoder().encode(file.name), at + 8);
    });
    this.setItem(FW_CFG_DIRECTORY, data);
  }

  private select(selector: number): void {
    this.selected = selector & SELECTOR_BITS;
    this.position = 0;
  }

  private nextByte(): number {
    return this.items.get(this.selected)?.[this.position++] ?? 0;
  }

  private readDmaRegister(offset: number, size: PioSize): number {
    let value = 0;
    for (let i = 0; i < size; i++) {
      const at = offset + i;
      const byte = at < 8 ? extract(DMA_SIGNATURE[at >> 2] as number, 3 - (at & 3), 1) : 0xff;
      value |= byte << (i * 8);
    }
    return value >>> 0;
  }

  /** The address is big endian; writing its low half starts the transfer. */
  private writeDmaRegister(offset: number, size: PioSize, value: number): void {
    if (size !== 4) {
      return;
    }
    const swapped = swap32(value);
    if (offset === 0) {
      this.dmaHigh = swapped;
    } else if (offset === 4) {
      const address = this.dmaHigh * 2 ** 32 + swapped;
      this.dmaHigh = 0;
      this.transfer(address);
    }
  }

  private transfer(descriptorAt: number): void {
    const descriptor = new Uint8Array(DMA_DESCRIPTOR_BYTES);
    if (!this.memory.read(descriptorAt, descriptor)) {
      return;
    }
    const view = new DataView(descriptor.buffer);
    const control = view.getUint32(0);
    if (control & DMA_SELECT) {
      this.select(control >>> 16);
    }
    const ok = this.move(control, view.getUint32(4), Number(view.getBigUint64(8)));
    view.setUint32(0, ok ? 0 : DMA_ERROR);
    this.memory.write(descriptorAt, descriptor.subarray(0, 4));
  }

  private move(control: number, length: number, address: number): boolean {
    if (control & DMA_READ) {
      return this.moveToGuest(length, address);
    }
    if (control & DMA_WRITE) {
      return false;
    }
    if (control & DMA_SKIP) {
      this.position += length;
    }
    return true;
  }

  /** Copies from the selected item; bytes behind its end are zeros. */
  private moveToGuest(length: number, address: number): boolean {
    const item = this.items.get(this.selected) ?? new Uint8Array(0);
    for (let done = 0; done < length; done += CHUNK) {
      const chunk = new Uint8Array(Math.min(CHUNK, length - done));
      chunk.set(item.subarray(this.position, this.position + chunk.length));
      if (!this.memory.write(address + done, chunk)) {
        return false;
      }
      this.position += chunk.length;
    }
    return true;
  }
}

function swap32(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
