// -device: the devices that can be added to the machine.
import type { ChardevSpec } from "./chardev-spec.ts";
import { type KeyValues, parseKeyValues } from "./key-values.ts";
import { UsageError } from "./usage-error.ts";

export type GuestDevice =
  | { readonly driver: "isa-debug-exit"; readonly iobase: number; readonly iosize: number }
  | { readonly driver: "isa-debugcon"; readonly iobase: number; readonly chardev: ChardevSpec }
  | { readonly driver: "pc-testdev" };

interface Driver {
  readonly help: string;
  parse(values: KeyValues): GuestDevice;
}

const DRIVERS: Record<string, Driver> = {
  "isa-debug-exit": {
    help: "iobase=PORT,iosize=BYTES: writing V ends the program with status (V << 1) | 1",
    parse: (values) => ({
      driver: "isa-debug-exit",
      iobase: port(values, "iobase", 0x501),
      iosize: port(values, "iosize", 2),
    }),
  },
  "pc-testdev": {
    help: "registers, memory and interrupt wires for programs that test a processor",
    parse: () => ({ driver: "pc-testdev" }),
  },
  "isa-debugcon": {
    help: "iobase=PORT,chardev=ID: bytes written to the port go to a character device",
    parse: (values) => {
      const id = values.get("chardev");
      if (!id) throw new UsageError("Can't create isa-debugcon device, empty char device");
      return { driver: "isa-debugcon", iobase: port(values, "iobase", 0xe9), chardev: { kind: "reference", id } };
    },
  },
};

/** The text of -device help. */
export function deviceHelp(): string {
  const lines = Object.entries(DRIVERS).map(([name, { help }]) => `name "${name}": ${help}`);
  return `Devices:\n${lines.join("\n")}\n`;
}

/** Throws UsageError for an unknown driver or property. */
export function parseDevice(text: string): GuestDevice {
  const values = parseKeyValues(text, "driver");
  const name = values.get("driver") ?? "";
  const driver = DRIVERS[name];
  if (!driver) throw new UsageError(`'${name}' is not a valid device model name (-device help lists them)`);
  const device = driver.parse(values);
  // An id names a device for the monitor and changes nothing in it.
  values.get("id");
  values.finish((key) => `Property '${name}.${key}' not found`);
  return device;
}

function port(values: KeyValues, key: string, fallback: number): number {
  const value = values.integer(key, fallback);
  if (value > 0xffff) throw new UsageError(`Parameter '${key}' is beyond the last port, 0xffff`);
  return value;
}
