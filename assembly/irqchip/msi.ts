// Message-signalled interrupts (SDM volume 3, 11.11).
import { deliver, SHORTHAND_NONE } from "./ipi";
import { MODE_LOWEST } from "./lapic-state";

/** Sends the message that a device writes: `address` 0xfeeXXXXX, `data` as the device has it.
 * Returns how many local APICs took it, 0 if it merged with a pending one, -1 if there is none for it. */
export function sendMsi(address: u64, data: u32): i32 {
  const low = <u32>address;
  // Bits 32-63 hold destination bits 8-31 in their upper three bytes (KVM_CAP_X2APIC_API).
  const destination = ((low >> 12) & 0xff) | (<u32>(address >> 32) & 0xffffff00);
  const logical = (low & 4) != 0;
  const redirected = (low & 8) != 0;
  const mode = (data >> 8) & 7;
  const level = (data & 0x8000) != 0;
  return deliver(
    0, SHORTHAND_NONE, destination, logical, mode, data & 0xff, level, true, mode == MODE_LOWEST || redirected,
  );
}
