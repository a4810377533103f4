// The APM control and status ports (82371AB data sheet, section 7.3): in place of an SMI handler,
// the two commands that the FADT names are carried out here.
import type { PioDevice, PioSize, Resettable } from "../bus.ts";

export const SMI_COMMAND_PORT = 0xb2;
export const SMI_PORTS = 2;
export const ACPI_ENABLE = 0xf1;
export const ACPI_DISABLE = 0xf0;

/** Ports 0xb2 (command) and 0xb3 (scratch status). */
export class SmiCommand implements PioDevice, Resettable {
  private readonly setAcpiEnabled: (enabled: boolean) => void;
  private command = 0;
  private status = 0;

  constructor(setAcpiEnabled: (enabled: boolean) => void) {
    this.setAcpiEnabled = setAcpiEnabled;
  }

  reset(): void {
    this.command = 0;
    this.status = 0;
  }

  readPort(offset: number, _size: PioSize): number {
    return offset === 0 ? this.command : this.status;
  }

  writePort(offset: number, _size: PioSize, value: number): void {
    if (offset !== 0) {
      this.status = value;
      return;
    }
    this.command = value;
    if (value === ACPI_ENABLE || value === ACPI_DISABLE) {
      this.setAcpiEnabled(value === ACPI_ENABLE);
    }
  }
}
