// What firmware would do before it starts a kernel: tables in the BIOS area, level-triggered PCI interrupts,
// the kernel and its files in RAM, the first processor at its entry.
import { setStartSregs, startRegisters, startTables } from "../boot/cpu-start.ts";
import type { BootImage, BootMachine, BootRegion } from "../boot/types.ts";
import { KVM_IRQCHIP_PIC_SLAVE } from "../kvm/irqchip.ts";
import type { Vcpu } from "../kvm/vcpu.ts";
import type { Vm } from "../kvm/vm.ts";
import { buildAcpiTables } from "./acpi/tables.ts";
import { leaveAsBios } from "./bios-state.ts";
import { MachineError } from "./errors.ts";
import type { MemoryMap } from "./memory-map.ts";
import { IRQ_SCI, PIRQ_ROUTES, TABLES_ADDRESS, TABLES_END } from "./pc-hardware.ts";
import type { Ram } from "./ram.ts";
import { buildSmbios } from "./smbios.ts";

const SMBIOS_ALIGN = 16;

export interface FirmwareOptions {
  readonly memoryMap: MemoryMap;
  readonly cpus: number;
  readonly pit: boolean;
  /** Which of COM1 to COM4 exist. */
  readonly serialPorts: readonly number[];
  readonly uuid?: string;
  readonly version: string;
}

/** The tables, ready to be copied, and what a boot protocol is told. */
export interface FirmwareTables {
  readonly regions: readonly BootRegion[];
  readonly machine: BootMachine;
  readonly facsAddress: number;
  /** The firmware finds a timer to set going. */
  readonly hasPit: boolean;
}

/** Builds ACPI and SMBIOS tables. */
export function buildFirmwareTables(options: FirmwareOptions): FirmwareTables {
  const { memoryMap, cpus, serialPorts } = options;
  const acpi = buildAcpiTables(TABLES_ADDRESS, { cpus, serialPorts, lowRamEnd: memoryMap.lowEnd, fwCfg: true });
  const smbiosAt = Math.ceil((TABLES_ADDRESS + acpi.bytes.length) / SMBIOS_ALIGN) * SMBIOS_ALIGN;
  const smbios = buildSmbios(smbiosAt, options);
  if (smbiosAt + smbios.length > TABLES_END) {
    throw new MachineError("the firmware tables do not fit into the BIOS area");
  }
  return {
    regions: [
      { gpa: TABLES_ADDRESS, data: acpi.bytes, memorySize: acpi.bytes.length },
      { gpa: smbiosAt, data: smbios, memorySize: smbios.length },
    ],
    machine: { e820: memoryMap.e820, lowRamEnd: memoryMap.lowEnd, rsdpAddress: acpi.rsdpAddress },
    facsAddress: acpi.facsAddress,
    hasPit: options.pit,
  };
}

/** Copies tables and boot image into RAM and sets the processor up. */
export function startGuest(vm: Vm, vcpu: Vcpu, ram: Ram, tables: FirmwareTables, image: BootImage): void {
  if (image.afterBios) leaveAsBios(vm, ram, tables.hasPit);
  for (const { gpa, data, memorySize } of [...tables.regions, ...startTables(image), ...image.regions]) {
    const tail = memorySize - data.length;
    if (!ram.write(gpa, data) || (tail > 0 && !ram.clear(gpa + data.length, tail))) {
      throw new MachineError(`no RAM at 0x${gpa.toString(16)} for ${memorySize} bytes of the boot image`);
    }
  }
  makePciInterruptsLevelTriggered(vm);
  const sregs = vcpu.getSregs();
  setStartSregs(sregs, image);
  vcpu.setSregs(sregs);
  vcpu.setRegs(startRegisters(image));
}

/** Offset of the firmware waking vector in the FACS. */
const WAKING_VECTOR = 12;

/** After a suspension: the processor goes on in real mode at the address that the guest has left in the FACS. */
export function resumeGuest(vm: Vm, vcpu: Vcpu, ram: Ram, { facsAddress }: FirmwareTables): void {
  const bytes = new Uint8Array(4);
  ram.read(facsAddress + WAKING_VECTOR, bytes);
  const vector = new DataView(bytes.buffer).getUint32(0, true);
  makePciInterruptsLevelTriggered(vm);
  const sregs = vcpu.getSregs();
  sregs.cs.selector = (vector >>> 4) & 0xffff;
  sregs.cs.base = BigInt(sregs.cs.selector << 4);
  vcpu.setSregs(sregs);
  vcpu.setRegs({ ...vcpu.getRegs(), rip: BigInt(vector & 15) });
}

/** ELCR (82371SB data sheet, section 2.5.4.2): the SCI and the PIRQs, all on the second 8259. */
function makePciInterruptsLevelTriggered(vm: Vm): void {
  const chip = vm.getIrqchip(KVM_IRQCHIP_PIC_SLAVE);
  if (!("pic" in chip)) {
    return;
  }
  for (const irq of [IRQ_SCI, ...PIRQ_ROUTES]) {
    chip.pic.elcr |= 1 << (irq - 8);
  }
  vm.setIrqchip(chip);
}
