// The file of -accel jit,profile=FILE: what was hot, from one run to the next.
import { readFileSync } from "node:fs";
import { KvmError } from "../kvm/errors.ts";
import type { Vm } from "../kvm/vm.ts";
import { reason } from "./file-error.ts";
import { UsageError } from "./usage-error.ts";
import { writeWhole } from "./write-whole.ts";

export class ProfileFile {
  readonly #earlier: Uint8Array | undefined;

  /** Reads the file, where there is one. Throws UsageError where it cannot be read. */
  constructor(private readonly path: string) {
    try {
      this.#earlier = readFileSync(path);
    } catch (error) {
      const failure = error as NodeJS.ErrnoException;
      if (failure.code !== "ENOENT") throw new UsageError(`could not open profile '${path}': ${reason(failure)}`);
    }
  }

  /** Tells a VM what was hot before. Throws UsageError where the file is something else. */
  load(vm: Vm): void {
    try {
      vm.expectHotCode(this.#earlier);
    } catch (error) {
      if (!(error instanceof KvmError)) throw error;
      throw new UsageError(`profile '${this.path}': ${error.reason}; remove it`);
    }
  }

  /** Writes what is hot now, at once or not at all. Throws UsageError where it cannot be written. */
  save(vm: Vm): void {
    try {
      writeWhole(this.path, vm.hotCode());
    } catch (error) {
      throw new UsageError(`could not write profile '${this.path}': ${reason(error as NodeJS.ErrnoException)}`);
    }
  }
}
