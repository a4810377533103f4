// KVM's paravirtual end of interrupt: while one edge interrupt is in service and nothing else is
// pending, a bit in guest memory tells the guest that clearing that bit is all its EOI has to do.
//
// Guest and hypervisor never run at once on a vCPU, so plain accesses to the bit are enough.
import { cpu } from "../cpu";
import { CPU_KVM_EOI } from "../layout";
import { physRead, physWrite } from "../mmu/physical";
import { ioapicHandles } from "./ioapic";
import { lapicEoi } from "./lapic";
import { APIC_IRR, APIC_ISR, APIC_TMR, clearVector, highestVector, setVector, testVector } from "./lapic-state";
import { LAPIC_PV_EOI_OFFERED } from "./layout";

const ENABLED: u64 = 1;
const PV_EOI_BIT: u64 = 1;

/** Address of the guest's word. */
function wordAddress(): u64 {
  return load<u64>(cpu, CPU_KVM_EOI) & ~3;
}

/** Offers the shortcut for `vector`, which has just come into service, where it is sound: the EOI
 * concerns no IOAPIC pin, and no other vector waits for it or lies beneath. */
export function pvEoiOffer(vector: u32): void {
  if (!(load<u64>(cpu, CPU_KVM_EOI) & ENABLED)) return;
  if (testVector(cpu, APIC_TMR, vector) || ioapicHandles(vector)) return;
  if (highestVector(cpu, APIC_IRR) >= 0) return;
  clearVector(cpu, APIC_ISR, vector);
  const nested = highestVector(cpu, APIC_ISR) >= 0;
  setVector(cpu, APIC_ISR, vector);
  if (nested) return;
  const address = wordAddress();
  if (physWrite(address, physRead(address, 1) | PV_EOI_BIT, 1)) store<u32>(cpu, 1, LAPIC_PV_EOI_OFFERED);
}

/** Brings the APIC up to date with what the guest did to the bit. A new interrupt needs a real
 * EOI to follow on, so the offer ends when one is pending. */
export function pvEoiSettle(): void {
  if (!load<u32>(cpu, LAPIC_PV_EOI_OFFERED)) return;
  const taken = (physRead(wordAddress(), 1) & PV_EOI_BIT) == 0;
  if (taken || highestVector(cpu, APIC_IRR) >= 0) pvEoiWithdraw();
}

/** Ends an open offer: the interrupt is done if the guest has cleared the bit, else the guest has to
 * write the EOI register. */
export function pvEoiWithdraw(): void {
  if (!load<u32>(cpu, LAPIC_PV_EOI_OFFERED)) return;
  store<u32>(cpu, 0, LAPIC_PV_EOI_OFFERED);
  const address = wordAddress();
  const word = physRead(address, 1);
  if (word & PV_EOI_BIT) physWrite(address, word & ~PV_EOI_BIT, 1);
  else lapicEoi();
}
