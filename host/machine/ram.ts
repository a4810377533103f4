// Guest RAM for devices that move data themselves, and for loading boot images.
import type { GuestMemory } from "../devices/bus.ts";
import type { RamSlot } from "./memory-map.ts";

export interface RamOptions {
  /** Linear memory of the VM. */
  readonly memory: ArrayBufferLike;
  /** Where in it the backing store begins. */
  readonly base: number;
  readonly slots: readonly RamSlot[];
  /** Told of every write, so that the dirty log and the code caches follow. */
  readonly written: (gpa: number, length: number) => void;
}

/** All RAM slots as one address space. */
export class Ram implements GuestMemory {
  private readonly options: RamOptions;

  constructor(options: RamOptions) {
    this.options = options;
  }

  read(gpa: number, into: Uint8Array): boolean {
    const view = this.view(gpa, into.length);
    if (view === null) {
      return false;
    }
    into.set(view);
    return true;
  }

  write(gpa: number, from: Uint8Array): boolean {
    const view = this.view(gpa, from.length);
    if (view === null) {
      return false;
    }
    view.set(from);
    this.options.written(gpa, from.length);
    return true;
  }

  /** Clears a range; false when it is not all RAM. */
  clear(gpa: number, length: number): boolean {
    const view = this.view(gpa, length);
    if (view === null) {
      return false;
    }
    view.fill(0);
    this.options.written(gpa, length);
    return true;
  }

  /** A window on RAM, or null when the range is not within one slot. */
  private view(gpa: number, length: number): Uint8Array | null {
    const slot = this.options.slots.find((other) => gpa >= other.gpa && gpa + length <= other.gpa + other.size);
    if (slot === undefined) {
      return null;
    }
    return new Uint8Array(this.options.memory, this.options.base + slot.offset + (gpa - slot.gpa), length);
  }
}
