// A character device with nothing behind it.
import type { Chardev } from "./types.ts";

/** Takes output and drops it; never has input. */
export class NullChardev implements Chardev {
  write(_bytes: Uint8Array): void {}
  onInput(_listener: ((bytes: Uint8Array) => void) | null): void {}
}
