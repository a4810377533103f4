// The machine's memory slots: RAM, and the firmware's image where there is one.
import { KVM_MEM_READONLY } from "../kvm/slots.ts";
import type { Vm } from "../kvm/vm.ts";
import type { MemoryMap, RamSlot } from "./memory-map.ts";
import { Ram } from "./ram.ts";
import { aroundRom, type Rom } from "./rom.ts";

/** Slots for RAM and for the firmware, whose image is at several places; what is written to it goes to the bus. */
export function addMemory(vm: Vm, { totalBytes, slots }: MemoryMap, rom: Rom | null): Ram {
  let number = 0;
  const add = (pieces: readonly RamSlot[], base: number, flags: number): void => {
    for (const { gpa, size, offset } of pieces) {
      vm.setUserMemoryRegion({
        slot: number++,
        flags,
        guestPhysAddr: gpa,
        memorySize: size,
        userspaceAddr: base + offset,
      });
    }
  };
  const base = vm.allocate(totalBytes);
  const ram = rom === null ? slots : aroundRom(slots, rom);
  add(ram, base, 0);
  if (rom !== null) {
    const romBase = vm.allocate(rom.image.length);
    new Uint8Array(vm.memory).set(rom.image, romBase);
    add(rom.slots, romBase, KVM_MEM_READONLY);
  }
  return new Ram({
    memory: vm.memory,
    base,
    slots: ram,
    written: (gpa, length) => vm.memoryWritten(gpa, length),
  });
}
