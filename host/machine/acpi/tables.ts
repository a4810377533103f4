// The static ACPI tables (ACPI 6.4, section 5.2) of the PC, placed one behind the other.
import { PM_TIMER, PM1_CONTROL, PM1_EVENT } from "../../devices/acpi-pm/acpi-pm.ts";
import { GPE0_PORTS } from "../../devices/acpi-pm/gpe.ts";
import { ACPI_DISABLE, ACPI_ENABLE, SMI_COMMAND_PORT } from "../../devices/acpi-pm/smi-command.ts";
import { CENTURY_CELL } from "../../devices/cmos/pc-layout.ts";
import { RESET_CONTROL_PORT } from "../../devices/reset-control/reset-control.ts";
import { GPE0_PORT, IOAPIC_ADDRESS, IRQ_SCI, LAPIC_ADDRESS, PM_BASE_PORT } from "../pc-hardware.ts";
import { type DsdtOptions, dsdtBody } from "./dsdt.ts";

const HEADER_BYTES = 36;
const OEM_ID = "WKVM  ";
const OEM_TABLE_ID = "WKVMPC  ";
const CREATOR_ID = "WKVM";
const RSDP_BYTES = 36;
const FACS_BYTES = 64;
/** Tables start at multiples of this, which the FACS needs. */
const ALIGN = 64;

/** Tables and the address of the root pointer among them. */
export interface AcpiTables {
  readonly bytes: Uint8Array;
  readonly rsdpAddress: number;
  /** Where the guest leaves the address at which it wants to go on after a suspension (ACPI 6.4, section 5.2.10). */
  readonly facsAddress: number;
}

/**
 * Builds all tables for guest physical address `base`, which has to be a multiple of 64 in the BIOS area so that
 * guests that search for the root pointer find it.
 */
export function buildAcpiTables(base: number, options: DsdtOptions): AcpiTables {
  const placed: { gpa: number; data: Uint8Array }[] = [];
  let next = base + RSDP_BYTES;
  const place = (data: Uint8Array): number => {
    const gpa = Math.ceil(next / ALIGN) * ALIGN;
    placed.push({ gpa, data });
    next = gpa + data.length;
    return gpa;
  };
  const dsdt = place(table("DSDT", 2, dsdtBody(options)));
  const facs = place(buildFacs());
  const pointers = [place(buildFadt(dsdt, facs)), place(buildMadt(options.cpus))];
  const rsdt = place(table("RSDT", 1, pointerList(pointers, 4)));
  const xsdt = place(table("XSDT", 1, pointerList(pointers, 8)));
  placed.push({ gpa: base, data: buildRsdp(rsdt, xsdt) });
  const bytes = new Uint8Array(next - base);
  for (const { gpa, data } of placed) {
    bytes.set(data, gpa - base);
  }
  return { bytes, rsdpAddress: base, facsAddress: facs };
}

/** A table with its standard header. */
function table(signature: string, revision: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  putText(bytes, 0, signature);
  view.setUint32(4, bytes.length, true);
  bytes[8] = revision;
  putText(bytes, 10, OEM_ID);
  putText(bytes, 16, OEM_TABLE_ID);
  view.setUint32(24, 1, true);
  putText(bytes, 28, CREATOR_ID);
  view.setUint32(32, 1, true);
  bytes.set(body, HEADER_BYTES);
  setChecksum(bytes, 9, bytes.length);
  return bytes;
}

/** Root System Description Pointer, section 5.2.5.3. */
function buildRsdp(rsdt: number, xsdt: number): Uint8Array {
  const bytes = new Uint8Array(RSDP_BYTES);
  const view = new DataView(bytes.buffer);
  putText(bytes, 0, "RSD PTR ");
  putText(bytes, 9, OEM_ID);
  bytes[15] = 2;
  view.setUint32(16, rsdt, true);
  view.setUint32(20, RSDP_BYTES, true);
  view.setBigUint64(24, BigInt(xsdt), true);
  setChecksum(bytes, 8, 20);
  setChecksum(bytes, 32, RSDP_BYTES);
  return bytes;
}

function pointerList(addresses: readonly number[], size: 4 | 8): Uint8Array {
  const bytes = new Uint8Array(addresses.length * size);
  const view = new DataView(bytes.buffer);
  addresses.forEach((address, index) => {
    view.setUint32(index * size, address, true);
  });
  return bytes;
}

/** Firmware ACPI Control Structure, section 5.2.10. */
function buildFacs(): Uint8Array {
  const bytes = new Uint8Array(FACS_BYTES);
  const view = new DataView(bytes.buffer);
  putText(bytes, 0, "FACS");
  view.setUint32(4, FACS_BYTES, true);
  return bytes;
}

// FADT: revision 3 (ACPI 2.0) is the first with a reset register.
const FADT_REVISION = 3;
const FADT_BYTES = 244;
const FADT_WBINVD = 1 << 0;
const FADT_PROC_C1 = 1 << 2;
const FADT_SLEEP_BUTTON_IS_DEVICE = 1 << 5;
const FADT_RTC_S4 = 1 << 7;
const FADT_RESET_REGISTER = 1 << 10;
const FADT_USE_PLATFORM_CLOCK = 1 << 15;
const BOOT_LEGACY_DEVICES = 1 << 0;
const BOOT_8042 = 1 << 1;
/** Latencies above these limits say: no C2, no C3. */
const NO_C2 = 0xfff;
const NO_C3 = 0xfff;
const RESET_VALUE = 0x0e;
const ADDRESS_SPACE_IO = 1;

/** Fixed ACPI Description Table, section 5.2.9. Offsets are those of the whole table. */
function buildFadt(dsdt: number, facs: number): Uint8Array {
  const body = new Uint8Array(FADT_BYTES - HEADER_BYTES);
  const view = new DataView(body.buffer);
  const set8 = (offset: number, value: number) => view.setUint8(offset - HEADER_BYTES, value);
  const set16 = (offset: number, value: number) => view.setUint16(offset - HEADER_BYTES, value, true);
  const set32 = (offset: number, value: number) => view.setUint32(offset - HEADER_BYTES, value, true);
  const setRegister = (offset: number, port: number, bytes: number) => {
    set8(offset, ADDRESS_SPACE_IO);
    set8(offset + 1, bytes * 8);
    set32(offset + 4, port);
  };
  // The 64-bit pointer to the FACS stays zero: a table names it once.
  set32(36, facs);
  set32(40, dsdt);
  set16(46, IRQ_SCI);
  set32(48, SMI_COMMAND_PORT);
  set8(52, ACPI_ENABLE);
  set8(53, ACPI_DISABLE);
  set32(56, PM_BASE_PORT + PM1_EVENT);
  set32(64, PM_BASE_PORT + PM1_CONTROL);
  set32(76, PM_BASE_PORT + PM_TIMER);
  set32(80, GPE0_PORT);
  set8(88, 4);
  set8(89, 2);
  set8(91, 4);
  set8(92, GPE0_PORTS);
  set16(96, NO_C2);
  set16(98, NO_C3);
  set8(108, CENTURY_CELL);
  set16(109, BOOT_LEGACY_DEVICES | BOOT_8042);
  set32(
    112,
    FADT_WBINVD |
      FADT_PROC_C1 |
      FADT_SLEEP_BUTTON_IS_DEVICE |
      FADT_RTC_S4 |
      FADT_RESET_REGISTER |
      FADT_USE_PLATFORM_CLOCK,
  );
  setRegister(116, RESET_CONTROL_PORT, 1);
  set8(128, RESET_VALUE);
  set32(140, dsdt);
  setRegister(148, PM_BASE_PORT + PM1_EVENT, 4);
  setRegister(172, PM_BASE_PORT + PM1_CONTROL, 2);
  setRegister(208, PM_BASE_PORT + PM_TIMER, 4);
  setRegister(220, GPE0_PORT, GPE0_PORTS);
  return table("FACP", FADT_REVISION, body);
}

const MADT_REVISION = 3;
const MADT_PCAT_COMPATIBLE = 1;
const POLARITY_HIGH_TRIGGER_LEVEL = 0x0d;
const ALL_PROCESSORS = 0xff;

/** Multiple APIC Description Table, section 5.2.12. */
function buildMadt(cpus: number): Uint8Array {
  const body: number[] = [...le32(LAPIC_ADDRESS), ...le32(MADT_PCAT_COMPATIBLE)];
  for (let cpu = 0; cpu < cpus; cpu++) {
    body.push(0, 8, cpu, cpu, ...le32(1));
  }
  body.push(1, 12, 0, 0, ...le32(IOAPIC_ADDRESS), ...le32(0));
  // The timer is wired to input 2; the SCI is level-triggered, unlike the rest of ISA.
  body.push(2, 10, 0, 0, ...le32(2), 0, 0);
  body.push(2, 10, 0, IRQ_SCI, ...le32(IRQ_SCI), POLARITY_HIGH_TRIGGER_LEVEL, 0);
  // NMIs arrive on LINT1 of every processor.
  body.push(4, 6, ALL_PROCESSORS, 0, 0, 1);
  return table("APIC", MADT_REVISION, Uint8Array.from(body));
}

function le32(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}

/** Makes the bytes up to `end` sum to zero. */
function setChecksum(bytes: Uint8Array, at: number, end: number): void {
  bytes[at] = 0;
  const sum = bytes.subarray(0, end).reduce((total, byte) => total + byte, 0);
  bytes[at] = -sum & 0xff;
}

function putText(bytes: Uint8Array, at: number, text: string): void {
  bytes.set(new TextEncoder().encode(text), at);
}
