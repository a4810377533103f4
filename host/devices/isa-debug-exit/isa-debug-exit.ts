// QEMU's isa-debug-exit: a guest writes a number, the machine ends with it.
import type { PioDevice, PioSize } from "../bus.ts";

export const DEBUG_EXIT_DEFAULT_BASE = 0x501;
export const DEBUG_EXIT_DEFAULT_SIZE = 2;

/** Calls `exit` with the process status `(value << 1) | 1`, of which a system keeps the low 8 bits. */
export class IsaDebugExit implements PioDevice {
  readonly maxAccess = 4;
  private readonly exit: (status: number) => void;

  constructor(exit: (status: number) => void) {
    this.exit = exit;
  }

  readPort(_offset: number, _size: PioSize): number {
    return 0;
  }

  writePort(_offset: number, _size: PioSize, value: number): void {
    this.exit(((value << 1) | 1) >>> 0);
  }
}
