// The 8259A pair (Intel 8259A data sheet) with the PIIX edge/level registers: pins and priorities.
// The ports are in pic-ports.ts. All functions are called with the chips locked.
import { REQ_EVENT, VM_VCPU_COUNT } from "../layout";
import { acceptsPic } from "./lapic";
import {
  CHIP_PIC_MASTER, CHIP_PIC_SLAVE, PIC_AUTO_EOI, PIC_ELCR, PIC_ELCR_MASK, PIC_IMR, PIC_IRQ_BASE, PIC_IRR, PIC_ISR,
  PIC_LAST_IRR, PIC_LINES, PIC_MASTER, PIC_OUTPUT, PIC_PINS, PIC_PRIORITY_ADD, PIC_ROTATE_ON_AUTO_EOI, PIC_SINGLE,
  PIC_SLAVE, PIC_SPECIAL_FULLY_NESTED, PIC_SPECIAL_MASK, PIC_STATE_SIZE,
} from "./layout";
import { ackPin } from "./routing";
import { vcpuAt, wakeAt } from "./wake";

/** The master's pin that the slave's INT output drives. */
const CASCADE: u32 = 2;
/** Pins 0, 1, 2 and 8, 13 belong to devices that are edge-triggered by nature. */
const MASTER_ELCR_MASK: u8 = 0xf8;
const SLAVE_ELCR_MASK: u8 = 0xde;

// @ts-ignore: decorator
@inline export function field(pic: usize, offset: usize): u32 { return load<u8>(pic + offset); }
// @ts-ignore: decorator
@inline export function setField(pic: usize, offset: usize, value: u32): void { store<u8>(pic + offset, <u8>value); }

export function picReset(): void {
  memory.fill(PIC_MASTER, 0, 2 * PIC_STATE_SIZE);
  store<u16>(PIC_SINGLE, 0);
  store<u32>(PIC_OUTPUT, 0);
  memory.fill(PIC_LINES, 0, 4 * PIC_PINS);
  store<u8>(PIC_MASTER, MASTER_ELCR_MASK, PIC_ELCR_MASK);
  store<u8>(PIC_SLAVE, SLAVE_ELCR_MASK, PIC_ELCR_MASK);
}

/** Changes what `source` drives on pin 0-15. Returns as irqLine() does: 1: a new request, 0: it was
 * pending already, -1: the pin is masked. */
export function picSetLine(pin: u32, source: u32, level: i32): i32 {
  const line = <usize>pin << 2;
  const old = load<u32>(line, PIC_LINES);
  const now = level ? old | (1 << source) : old & ~(1 << source);
  store<u32>(line, now, PIC_LINES);
  const pic: usize = pin < 8 ? PIC_MASTER : PIC_SLAVE;
  const result = setPin(pic, pin & 7, now != 0);
  picUpdate();
  return result;
}

function setPin(pic: usize, pin: u32, high: bool): i32 {
  const bit: u32 = 1 << pin;
  const irr = field(pic, PIC_IRR);
  const last = field(pic, PIC_LAST_IRR);
  const fresh = !(irr & bit);
  let result = 1;
  if (field(pic, PIC_ELCR) & bit) {
    setField(pic, PIC_IRR, high ? irr | bit : irr & ~bit);
    if (high) result = fresh ? 1 : 0;
  } else if (high) {
    const edge = !(last & bit);
    if (edge) setField(pic, PIC_IRR, irr | bit);
    result = edge && fresh ? 1 : 0;
  }
  setField(pic, PIC_LAST_IRR, high ? last | bit : last & ~bit);
  return field(pic, PIC_IMR) & bit ? -1 : result;
}

/** How many steps below the highest priority the best of `pins` is; 8 where there is none. */
export function bestPriority(pic: usize, pins: u32): u32 {
  if (!pins) return 8;
  const add = field(pic, PIC_PRIORITY_ADD);
  const rotated = ((pins | (pins << 8)) >> add) & 0xff;
  return ctz(rotated);
}

/** The pin that the chip would present now, or -1. */
export function picRequest(pic: usize): i32 {
  const best = bestPriority(pic, field(pic, PIC_IRR) & ~field(pic, PIC_IMR));
  if (best == 8) return -1;
  let service = field(pic, PIC_ISR);
  // The master goes on listening to a slave whose lower interrupt it serves.
  if (pic == PIC_MASTER && field(pic, PIC_SPECIAL_FULLY_NESTED)) service &= ~(<u32>1 << CASCADE);
  if (field(pic, PIC_SPECIAL_MASK)) service &= ~field(pic, PIC_IMR);
  return best < bestPriority(pic, service) ? (best + field(pic, PIC_PRIORITY_ADD)) & 7 : -1;
}

/** Follows a change: the slave's output drives the master's cascade pin, the master's the processors. */
export function picUpdate(): void {
  const slave = picRequest(PIC_SLAVE) >= 0;
  const irr = field(PIC_MASTER, PIC_IRR) & ~(<u32>1 << CASCADE);
  setField(PIC_MASTER, PIC_IRR, irr | (<u32>slave << CASCADE));
  const output = <u32>(picRequest(PIC_MASTER) >= 0);
  const rose = output && !load<u32>(PIC_OUTPUT);
  store<u32>(PIC_OUTPUT, output);
  if (rose) wakeAcceptor();
}

/** The first vCPU that takes the pair's INT looks at it. */
function wakeAcceptor(): void {
  const count = load<u32>(VM_VCPU_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const base = vcpuAt(i);
    if (!acceptsPic(base)) continue;
    wakeAt(base, REQ_EVENT);
    return;
  }
}

/** Ends the service of a pin, and tells whoever waits for that. */
export function picEndOfInterrupt(pic: usize, pin: u32): void {
  setField(pic, PIC_ISR, field(pic, PIC_ISR) & ~(<u32>1 << pin));
  ackPin(pic == PIC_MASTER ? CHIP_PIC_MASTER : CHIP_PIC_SLAVE, pin);
}

/** The chip's part of an interrupt acknowledge cycle. */
export function picTake(pic: usize, pin: u32): void {
  const bit: u32 = 1 << pin;
  setField(pic, PIC_ISR, field(pic, PIC_ISR) | bit);
  // A level request stays for as long as its line is high.
  if (!(field(pic, PIC_ELCR) & bit)) setField(pic, PIC_IRR, field(pic, PIC_IRR) & ~bit);
  if (!field(pic, PIC_AUTO_EOI)) return;
  if (field(pic, PIC_ROTATE_ON_AUTO_EOI)) setField(pic, PIC_PRIORITY_ADD, (pin + 1) & 7);
  picEndOfInterrupt(pic, pin);
}

/** Interrupt acknowledge: the vector. A request that has gone away meanwhile gives the spurious
 * vector of pin 7, without anything in service. */
export function picAcknowledge(): u32 {
  const pin = picRequest(PIC_MASTER);
  let vector: u32;
  if (pin < 0) {
    vector = field(PIC_MASTER, PIC_IRQ_BASE) + 7;
  } else if (<u32>pin == CASCADE) {
    const slavePin = picRequest(PIC_SLAVE);
    picTake(PIC_MASTER, CASCADE);
    if (slavePin >= 0) picTake(PIC_SLAVE, slavePin);
    vector = field(PIC_SLAVE, PIC_IRQ_BASE) + (slavePin >= 0 ? slavePin : 7);
  } else {
    picTake(PIC_MASTER, pin);
    vector = field(PIC_MASTER, PIC_IRQ_BASE) + pin;
  }
  picUpdate();
  return vector;
}
