// Where things are on this PC: ports, interrupts and addresses, as on QEMU's pc (i440FX + PIIX).

export const MIB = 2 ** 20;
export const GIB = 2 ** 30;

export const IRQ_KEYBOARD = 1;
export const IRQ_RTC = 8;
export const IRQ_SCI = 9;
export const IRQ_MOUSE = 12;

/** COM1 to COM4. */
export const SERIAL_PORT_BASES = [0x3f8, 0x2f8, 0x3e8, 0x2e8] as const;
export const SERIAL_PORT_IRQS = [4, 3, 4, 3] as const;

/** Where the firmware of a PC places the PIIX4's power management block. */
export const PM_BASE_PORT = 0x600;
export const PM_BLOCK_PORTS = 64;
export const GPE0_PORT = 0xafe0;

/** ISA interrupts of PIRQA to PIRQD. */
export const PIRQ_ROUTES = [10, 10, 11, 11] as const;

export const LAPIC_ADDRESS = 0xfee00000;
export const IOAPIC_ADDRESS = 0xfec00000;
/** Last address of the window for PCI memory below the I/O APIC. */
export const PCI_HOLE_LAST = 0xfebfffff;

/** Tables for the guest lie in the BIOS area, which the memory map reserves. */
export const TABLES_ADDRESS = 0xf0000;
export const TABLES_END = 0x100000;
