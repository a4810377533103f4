// Properties of `-cpu MODEL,name=value` that change what a processor says of itself, not what it can do.
import type { CpuModel } from "./cpu-models.ts";
import { KvmError } from "./errors.ts";

/** Largest family, model and stepping that leaf 1 EAX has room for. */
const LARGEST = { family: 15 + 255, model: 255, stepping: 15 } as const;
const FEWEST_PHYSICAL_BITS = 32;
/** As many as the page tables of the core have. */
const MOST_PHYSICAL_BITS = 52;
const VENDOR_LETTERS = 12;
const BRAND_LETTERS = 48;

/**
 * What `text` changes in `model`, or undefined where it is no such property.
 * @throws KvmError EINVAL for a value that the property cannot have.
 */
export function parseIdentity(text: string, model: CpuModel): Partial<CpuModel> | undefined {
  const [, name = "", value] = /^([\w-]+)(?:=(.*))?$/.exec(text) ?? [];
  const bad = (): never => {
    throw new KvmError("EINVAL", `'${text}': ${name} cannot be that`);
  };
  const integer = (least: number, most: number): number => {
    const number = Number(value);
    return value && Number.isInteger(number) && number >= least && number <= most ? number : bad();
  };
  switch (name) {
    case "vendor":
      return { vendor: value?.length === VENDOR_LETTERS ? value : bad() };
    case "model-id":
      return { brand: value !== undefined && value.length <= BRAND_LETTERS ? value : bad() };
    case "family":
    case "model":
    case "stepping":
      return { [name]: integer(0, LARGEST[name]) };
    case "phys-bits":
      return { physicalBits: integer(FEWEST_PHYSICAL_BITS, MOST_PHYSICAL_BITS) };
    case "host-phys-bits":
      // The host processor is this one: what it has is what the largest model says.
      return value === undefined || value === "on"
        ? { physicalBits: model.physicalBits }
        : value === "off"
          ? {}
          : bad();
    case "migratable":
      return value === "on" || value === "off" || value === "no" || value === "yes" ? {} : bad();
  }
  return undefined;
}
