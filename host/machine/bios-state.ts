// What a PC's BIOS leaves running for a kernel whose loader promises "normal working order, i.e. as initialized by the
// BIOS" (Multiboot Specification 0.6.96, section 3.2): a vector for every interrupt, both 8259s at their traditional
// vectors, and the timer tick of 18.2 Hz. There are no services behind the other vectors: they return at once.
import { KVM_IRQCHIP_PIC_MASTER, KVM_IRQCHIP_PIC_SLAVE } from "../kvm/irqchip.ts";
import type { Vm } from "../kvm/vm.ts";
import type { Ram } from "./ram.ts";

const SEGMENT = 0xf000;
const SEGMENT_BASE = 0xf0000;
const VECTORS = 256;
/** Interrupts 0 to 7 and 8 to 15. */
const MASTER_VECTOR = 0x08;
const SLAVE_VECTOR = 0x70;
/** All but the timer and the second 8259. */
const MASTER_MASK = 0xfa;
const SLAVE_MASK = 0xff;
/** The tick takes the whole count of 65536; mode 2 is the rate generator. */
const TICK_COUNT = 0x10000;
const RATE_GENERATOR = 2;

/** Where the IBM PC's BIOS has its timer interrupt and its return from interrupts that nobody uses. */
const TIMER_ENTRY = 0xfea5;
const EMPTY_ENTRY = 0xff53;
const MASTER_ENTRY = 0xff54;
const SLAVE_ENTRY = 0xff5b;

const EMPTY_CODE = [0xcf]; // iret
const MASTER_CODE = [0x50, 0xb0, 0x20, 0xe6, 0x20, 0x58, 0xcf]; // push ax; mov al, 0x20; out 0x20, al; pop ax; iret
// The same, for both chips: push ax; mov al, 0x20; out 0xa0, al; out 0x20, al; pop ax; iret
const SLAVE_CODE = [0x50, 0xb0, 0x20, 0xe6, 0xa0, 0xe6, 0x20, 0x58, 0xcf];
// push ds; push ax; mov ax, 0x40; mov ds, ax; inc dword [0x6c]; mov al, 0x20; out 0x20, al; pop ax; pop ds; iret
const TIMER_CODE = [
  ...[0x1e, 0x50, 0xb8, 0x40, 0x00, 0x8e, 0xd8, 0x66, 0xff, 0x06, 0x6c, 0x00],
  ...[0xb0, 0x20, 0xe6, 0x20, 0x58, 0x1f, 0xcf],
];

/** Leaves `vm` as a BIOS does, which sets the timer going where `hasPit`. The image that is to be started is loaded afterwards. */
export function leaveAsBios(vm: Vm, ram: Ram, hasPit: boolean): void {
  ram.write(0, vectorTable());
  for (const [entry, code] of [
    [TIMER_ENTRY, TIMER_CODE],
    [EMPTY_ENTRY, EMPTY_CODE],
    [MASTER_ENTRY, MASTER_CODE],
    [SLAVE_ENTRY, SLAVE_CODE],
  ] as const) {
    ram.write(SEGMENT_BASE + entry, Uint8Array.from(code));
  }
  setVectors(vm, KVM_IRQCHIP_PIC_MASTER, MASTER_VECTOR, MASTER_MASK);
  setVectors(vm, KVM_IRQCHIP_PIC_SLAVE, SLAVE_VECTOR, SLAVE_MASK);
  if (!hasPit) return;
  const pit = vm.getPit2();
  Object.assign(pit.channels[0], { count: TICK_COUNT, mode: RATE_GENERATOR });
  vm.setPit2(pit);
}

function vectorTable(): Uint8Array {
  const table = new DataView(new ArrayBuffer(4 * VECTORS));
  for (let vector = 0; vector < VECTORS; vector++) {
    table.setUint16(4 * vector, entryOf(vector), true);
    table.setUint16(4 * vector + 2, SEGMENT, true);
  }
  return new Uint8Array(table.buffer);
}

function entryOf(vector: number): number {
  if (vector === MASTER_VECTOR) return TIMER_ENTRY;
  if (vector > MASTER_VECTOR && vector < MASTER_VECTOR + 8) return MASTER_ENTRY;
  if (vector >= SLAVE_VECTOR && vector < SLAVE_VECTOR + 8) return SLAVE_ENTRY;
  return EMPTY_ENTRY;
}

function setVectors(
  vm: Vm,
  chipId: typeof KVM_IRQCHIP_PIC_MASTER | typeof KVM_IRQCHIP_PIC_SLAVE,
  base: number,
  imr: number,
) {
  const chip = vm.getIrqchip(chipId);
  if (!("pic" in chip)) return;
  Object.assign(chip.pic, { irqBase: base, imr });
  vm.setIrqchip(chip);
}
