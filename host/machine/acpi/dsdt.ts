// The DSDT: the devices that cannot be discovered, and how PCI interrupts are wired.

import { SLEEP_TYPE_S5 } from "../../devices/acpi-pm/acpi-pm.ts";
import { GPE0_PORTS } from "../../devices/acpi-pm/gpe.ts";
import { CMOS_PORT, CMOS_PORTS } from "../../devices/cmos/cmos.ts";
import { pirqOfPin } from "../../devices/pci/pci-bus.ts";
import {
  GPE0_PORT,
  IRQ_KEYBOARD,
  IRQ_MOUSE,
  IRQ_RTC,
  PCI_HOLE_LAST,
  PIRQ_ROUTES,
  PM_BASE_PORT,
  PM_BLOCK_PORTS,
  SERIAL_PORT_BASES,
  SERIAL_PORT_IRQS,
} from "../pc-hardware.ts";
import { type Aml, device, eisaId, integer, name, packageOf, scope, string } from "./aml.ts";
import { busNumbers, ioPorts, ioWindow, isaIrq, memoryWindow, type Resource, resourceTemplate } from "./resources.ts";

/** What the DSDT has to know of a machine. */
export interface DsdtOptions {
  readonly cpus: number;
  /** Which of COM1 to COM4 exist. */
  readonly serialPorts: readonly number[];
  /** First address behind low RAM: PCI memory begins here. */
  readonly lowRamEnd: number;
  readonly fwCfg: boolean;
}

const SLOTS = 32;
const PINS = 4;
/** The PIIX4 power management function is wired to the SCI, not to a PIRQ. */
const PIIX_SLOT = 1;
const ALL_FUNCTIONS = 0xffff;

/** The AML behind the table's header. */
export function dsdtBody(options: DsdtOptions): Uint8Array {
  const terms: Aml[] = [
    scope("\\_SB", pciRoot(options), ...processors(options.cpus)),
    name("\\_S5", packageOf(integer(SLEEP_TYPE_S5), integer(SLEEP_TYPE_S5), integer(0), integer(0))),
  ];
  return Uint8Array.from(terms.flat());
}

function pciRoot(options: DsdtOptions): Aml {
  return device(
    "PCI0",
    name("_HID", eisaId("PNP0A03")),
    name("_ADR", integer(0)),
    name("_UID", integer(0)),
    name(
      "_CRS",
      resourceTemplate(
        busNumbers(0, 0xff),
        ioPorts(0xcf8, 8),
        ioWindow(0x0000, 0x0cf7),
        ioWindow(0x0d00, 0xffff),
        memoryWindow(0x000a0000, 0x000bffff, true),
        memoryWindow(options.lowRamEnd, PCI_HOLE_LAST, false),
      ),
    ),
    name("_PRT", interruptRouting()),
    isaBridge(options),
  );
}

/** For each slot and pin the global system interrupt; no link devices, because the routes do not change. */
function interruptRouting(): Aml {
  const entries: Aml[] = [];
  for (let slot = 1; slot < SLOTS; slot++) {
    for (let pin = 0; pin < PINS; pin++) {
      const gsi = slot === PIIX_SLOT && pin === 0 ? 9 : (PIRQ_ROUTES[pirqOfPin(slot, pin)] as number);
      entries.push(packageOf(integer(slot * 0x10000 + ALL_FUNCTIONS), integer(pin), integer(0), integer(gsi)));
    }
  }
  return packageOf(...entries);
}

function isaBridge(options: DsdtOptions): Aml {
  return device(
    "ISA",
    name("_ADR", integer(PIIX_SLOT * 0x10000)),
    isaDevice("RTC", "PNP0B00", ioPorts(CMOS_PORT, CMOS_PORTS), isaIrq(IRQ_RTC)),
    isaDevice("KBD", "PNP0303", ioPorts(0x60, 1), ioPorts(0x64, 1), isaIrq(IRQ_KEYBOARD)),
    isaDevice("MOU", "PNP0F13", isaIrq(IRQ_MOUSE)),
    ...options.serialPorts.map((index) => serialPort(index)),
    // Ports that belong to the board, so that nothing else is placed over them.
    isaDevice(
      "MBRD",
      "PNP0C02",
      ioPorts(0x92, 1),
      ioPorts(0xb2, 2),
      ioPorts(PM_BASE_PORT, PM_BLOCK_PORTS),
      ioPorts(GPE0_PORT, GPE0_PORTS),
    ),
    ...(options.fwCfg ? [fwCfg()] : []),
  );
}

function isaDevice(segment: string, id: string, ...resources: readonly Resource[]): Aml {
  return device(segment, name("_HID", eisaId(id)), name("_CRS", resourceTemplate(...resources)));
}

function serialPort(index: number): Aml {
  return device(
    `COM${index + 1}`,
    name("_HID", eisaId("PNP0501")),
    name("_UID", integer(index + 1)),
    name(
      "_CRS",
      resourceTemplate(ioPorts(SERIAL_PORT_BASES[index] as number, 8), isaIrq(SERIAL_PORT_IRQS[index] as number)),
    ),
  );
}

/** Present, enabled and working, but not shown to the user. */
const STATUS_HIDDEN = 0x0b;

function fwCfg(): Aml {
  return device(
    "FWCF",
    name("_HID", string("QEMU0002")),
    name("_STA", integer(STATUS_HIDDEN)),
    name("_CRS", resourceTemplate(ioPorts(0x510, 12))),
  );
}

function processors(count: number): Aml[] {
  return Array.from({ length: count }, (_, index) =>
    device(
      `C${index.toString(16).toUpperCase().padStart(3, "0")}`,
      name("_HID", string("ACPI0007")),
      name("_UID", integer(index)),
    ),
  );
}
