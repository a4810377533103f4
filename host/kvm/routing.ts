// KVM_SET_GSI_ROUTING and KVM_SIGNAL_MSI: from global system interrupts to chip pins and messages.

import {
  CHIP_IOAPIC,
  IOAPIC_PINS,
  MAX_GSIS,
  MAX_ROUTES,
  ROUTE_COUNT,
  ROUTE_SIZE,
  ROUTES,
} from "../../assembly/irqchip/layout.ts";
import type { CoreExports } from "./core.ts";
import { checkInteger, ERRNO, KvmError } from "./errors.ts";
import type { VmMemory } from "./memory.ts";

export const KVM_IRQ_ROUTING_IRQCHIP = 1;
export const KVM_IRQ_ROUTING_MSI = 2;

/** struct kvm_irq_routing_entry. */
export type KvmIrqRoutingEntry =
  | {
      /** 0..1023. */
      readonly gsi: number;
      readonly type: typeof KVM_IRQ_ROUTING_IRQCHIP;
      /** `irqchip`: KVM_IRQCHIP_*; `pin`: 0..7 of an 8259, 0..23 of the IOAPIC. */
      readonly irqchip: { readonly irqchip: number; readonly pin: number };
    }
  | {
      readonly gsi: number;
      readonly type: typeof KVM_IRQ_ROUTING_MSI;
      readonly msi: { readonly addressLo: number; readonly addressHi: number; readonly data: number };
    };

/** struct kvm_msi. */
export interface KvmMsi {
  readonly addressLo: number;
  readonly addressHi?: number;
  readonly data: number;
}

/** Sends a message. Returns as irqLine() of the core does. Throws EINVAL without local APICs. */
export function sendMsi(core: CoreExports, msi: KvmMsi): number {
  const { addressLo, addressHi = 0, data } = msi;
  const address = (BigInt(addressHi >>> 0) << 32n) | BigInt(addressLo >>> 0);
  const result = core.signalMsi(BigInt.asIntN(64, address), data | 0);
  if (result === -ERRNO.EINVAL) throw new KvmError("EINVAL", "this VM has no local APICs in the core");
  return result;
}

/** Writes the table; the core has to index it afterwards. Throws EINVAL, with nothing changed, for what cannot be. */
export function writeRoutes(memory: VmMemory, entries: readonly KvmIrqRoutingEntry[]): void {
  if (entries.length > MAX_ROUTES) throw new KvmError("EINVAL", `${entries.length} routes; ${MAX_ROUTES} fit`);
  const rows = entries.map(words);
  rows.forEach((row, n) => {
    row.forEach((word, i) => {
      memory.setU32(ROUTES + ROUTE_SIZE * n + 4 * i, word);
    });
  });
  memory.setU32(ROUTE_COUNT, entries.length);
}

function words(entry: KvmIrqRoutingEntry): number[] {
  checkInteger(entry.gsi, 0, MAX_GSIS - 1, "gsi");
  if (entry.type === KVM_IRQ_ROUTING_IRQCHIP) {
    const { irqchip, pin } = entry.irqchip;
    checkInteger(irqchip, 0, CHIP_IOAPIC, "irqchip");
    checkInteger(pin, 0, irqchip === CHIP_IOAPIC ? IOAPIC_PINS - 1 : 7, "pin");
    return [entry.gsi, entry.type, irqchip, pin, 0];
  }
  if (entry.type === KVM_IRQ_ROUTING_MSI) {
    const { addressLo, addressHi, data } = entry.msi;
    for (const word of [addressLo, addressHi, data]) checkInteger(word, 0, 0xffff_ffff, "a word of the message");
    return [entry.gsi, entry.type, addressLo, addressHi, data];
  }
  throw new KvmError("EINVAL", `unknown routing type ${String((entry as { type: number }).type)}`);
}
