// Machine UUIDs (RFC 4122).
import { MachineError } from "./errors.ts";

const UUID_BYTES = 16;

/**
 * The 16 bytes in the order of the text; zeros, which mean "none", without a UUID.
 * @throws MachineError when the text is no UUID.
 */
export function uuidBytes(uuid: string | undefined): number[] {
  if (uuid === undefined) {
    return new Array<number>(UUID_BYTES).fill(0);
  }
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid)) {
    throw new MachineError(`"${uuid}" is not a UUID`);
  }
  return (uuid.replaceAll("-", "").match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
}
