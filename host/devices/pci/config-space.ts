// 256 bytes of PCI configuration space with a mask of what software may write (PCI 2.2, chapter 6).

// Offsets of the type 0 header.
export const PCI_VENDOR_ID = 0x00;
export const PCI_DEVICE_ID = 0x02;
export const PCI_COMMAND = 0x04;
export const PCI_STATUS = 0x06;
export const PCI_REVISION = 0x08;
export const PCI_CLASS = 0x09;
export const PCI_HEADER_TYPE = 0x0e;
export const PCI_BAR0 = 0x10;
export const PCI_SUBSYSTEM_VENDOR_ID = 0x2c;
export const PCI_SUBSYSTEM_ID = 0x2e;
export const PCI_INTERRUPT_LINE = 0x3c;
export const PCI_INTERRUPT_PIN = 0x3d;

export const PCI_COMMAND_IO = 0x0001;
export const PCI_COMMAND_MEMORY = 0x0002;
export const PCI_COMMAND_MASTER = 0x0004;
export const PCI_COMMAND_INTX_DISABLE = 0x0400;
export const PCI_HEADER_MULTIFUNCTION = 0x80;

export interface PciIdentity {
  readonly vendorId: number;
  readonly deviceId: number;
  readonly revision?: number;
  /** 24 bits: base class, sub-class, programming interface. */
  readonly classCode: number;
  readonly subsystemVendorId?: number;
  readonly subsystemId?: number;
}

/** QEMU's defaults, which its guests' drivers know. */
const SUBSYSTEM_VENDOR_ID = 0x1af4;
const SUBSYSTEM_ID = 0x1100;

/** Registers of one function. */
export class PciConfigSpace {
  readonly bytes = new Uint8Array(256);
  private readonly writable = new Uint8Array(256);
  private readonly clearedByOnes = new Uint8Array(256);
  private readonly initial = new Uint8Array(256);
  private readonly view = new DataView(this.bytes.buffer);
  private sealed = false;

  constructor(identity: PciIdentity) {
    this.set16(PCI_VENDOR_ID, identity.vendorId);
    this.set16(PCI_DEVICE_ID, identity.deviceId);
    this.set8(PCI_REVISION, identity.revision ?? 0);
    this.set8(PCI_CLASS, identity.classCode & 0xff);
    this.set16(PCI_CLASS + 1, identity.classCode >> 8);
    this.set16(PCI_SUBSYSTEM_VENDOR_ID, identity.subsystemVendorId ?? SUBSYSTEM_VENDOR_ID);
    this.set16(PCI_SUBSYSTEM_ID, identity.subsystemId ?? SUBSYSTEM_ID);
    this.allowWrite16(PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
    this.allowWrite8(PCI_INTERRUPT_LINE, 0xff);
    // Error bits of the status register are cleared by writing ones.
    this.clearedByOnes[PCI_STATUS + 1] = 0xf9;
  }

  /** Sets a register from the device's side. */
  set8(offset: number, value: number): void {
    this.bytes[offset] = value;
  }

  set16(offset: number, value: number): void {
    this.view.setUint16(offset, value, true);
  }

  set32(offset: number, value: number): void {
    this.view.setUint32(offset, value, true);
  }

  get8(offset: number): number {
    return this.bytes[offset] as number;
  }

  get16(offset: number): number {
    return this.view.getUint16(offset, true);
  }

  get32(offset: number): number {
    return this.view.getUint32(offset, true);
  }

  /** Lets software change the bits of `mask`. */
  allowWrite8(offset: number, mask: number): void {
    this.writable[offset] = mask;
  }

  allowWrite16(offset: number, mask: number): void {
    this.allowWrite8(offset, mask & 0xff);
    this.allowWrite8(offset + 1, mask >>> 8);
  }

  allowWrite32(offset: number, mask: number): void {
    this.allowWrite16(offset, mask & 0xffff);
    this.allowWrite16(offset + 2, mask >>> 16);
  }

  /** Makes the present contents what `reset` returns to. */
  seal(): void {
    this.initial.set(this.bytes);
    this.sealed = true;
  }

  reset(): void {
    if (this.sealed) {
      this.bytes.set(this.initial);
    }
  }

  /** Configuration read of 1, 2 or 4 bytes that do not cross a double word. */
  read(offset: number, size: number): number {
    return size === 1 ? this.get8(offset) : size === 2 ? this.get16(offset) : this.get32(offset);
  }

  /** Configuration write; read-only bits keep their value. */
  write(offset: number, size: number, value: number): void {
    for (let i = 0; i < size; i++) {
      const at = offset + i;
      const byte = (value >>> (i * 8)) & 0xff;
      const mask = this.writable[at] as number;
      const kept = this.get8(at) & ~mask & ~(byte & (this.clearedByOnes[at] as number));
      this.bytes[at] = kept | (byte & mask);
    }
  }
}
