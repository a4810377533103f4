// The 8259A pair's ports: command and data of each chip, and the PIIX edge/level registers.
// All functions are called with the chips locked.
import {
  CHIP_PIC_MASTER, CHIP_PIC_SLAVE, PIC_AUTO_EOI, PIC_ELCR, PIC_ELCR_MASK, PIC_IMR, PIC_INIT4, PIC_INIT_STATE,
  PIC_IRQ_BASE, PIC_IRR, PIC_ISR, PIC_LAST_IRR, PIC_MASTER, PIC_POLL, PIC_PRIORITY_ADD, PIC_READ_SELECT,
  PIC_ROTATE_ON_AUTO_EOI, PIC_SINGLE, PIC_SLAVE, PIC_SPECIAL_FULLY_NESTED, PIC_SPECIAL_MASK,
} from "./layout";
import { bestPriority, field, picEndOfInterrupt, picRequest, picTake, picUpdate, setField } from "./pic";
import { pitUnmasked } from "./pit-timer";
import { ackPin } from "./routing";

// What the next write to the data port is.
const EXPECT_MASK: u32 = 0;
const EXPECT_ICW2: u32 = 1;
const EXPECT_ICW3: u32 = 2;
const EXPECT_ICW4: u32 = 3;

/** Whether a port is one of the pair's. */
export function picOwns(port: u32): bool {
  return (port & ~1) == 0x20 || (port & ~1) == 0xa0 || (port & ~1) == 0x4d0;
}

export function picRead(port: u32): u32 {
  if (port == 0x4d0) return field(PIC_MASTER, PIC_ELCR);
  if (port == 0x4d1) return field(PIC_SLAVE, PIC_ELCR);
  const pic: usize = port < 0xa0 ? PIC_MASTER : PIC_SLAVE;
  if (field(pic, PIC_POLL)) return poll(pic);
  if (port & 1) return field(pic, PIC_IMR);
  return field(pic, field(pic, PIC_READ_SELECT) ? PIC_ISR : PIC_IRR);
}

/** A read after a poll command acknowledges as an INTA would: bit 7, and the pin. */
function poll(pic: usize): u32 {
  setField(pic, PIC_POLL, 0);
  const pin = picRequest(pic);
  if (pin < 0) return 0;
  picTake(pic, pin);
  picUpdate();
  return 0x80 | pin;
}

export function picWrite(port: u32, value: u32): void {
  if (port >= 0x4d0) {
    const pic: usize = port == 0x4d0 ? PIC_MASTER : PIC_SLAVE;
    setField(pic, PIC_ELCR, value & field(pic, PIC_ELCR_MASK));
    return;
  }
  const pic: usize = port < 0xa0 ? PIC_MASTER : PIC_SLAVE;
  if (port & 1) writeData(pic, value);
  else if (value & 0x10) beginInit(pic, value);
  else if (value & 0x08) writeOcw3(pic, value);
  else writeOcw2(pic, value);
  picUpdate();
}

function beginInit(pic: usize, icw1: u32): void {
  // The edge detectors are reset, so an edge that was pending is lost; level requests are not.
  const lost = field(pic, PIC_IRR) & ~field(pic, PIC_ELCR);
  setField(pic, PIC_IRR, field(pic, PIC_IRR) & field(pic, PIC_ELCR));
  setField(pic, PIC_LAST_IRR, 0);
  setField(pic, PIC_IMR, 0);
  setField(pic, PIC_ISR, 0);
  setField(pic, PIC_PRIORITY_ADD, 0);
  setField(pic, PIC_SPECIAL_MASK, 0);
  setField(pic, PIC_READ_SELECT, 0);
  setField(pic, PIC_POLL, 0);
  setField(pic, PIC_INIT4, icw1 & 1);
  if (!(icw1 & 1)) {
    setField(pic, PIC_SPECIAL_FULLY_NESTED, 0);
    setField(pic, PIC_AUTO_EOI, 0);
  }
  setField(pic, PIC_ROTATE_ON_AUTO_EOI, 0);
  store<u8>(PIC_SINGLE + (pic == PIC_SLAVE ? 1 : 0), <u8>(icw1 >> 1) & 1);
  setField(pic, PIC_INIT_STATE, EXPECT_ICW2);
  for (let pin: u32 = 0; pin < 8; pin++) {
    if ((lost >> pin) & 1) ackPin(chipOf(pic), pin);
  }
}

function writeData(pic: usize, value: u32): void {
  switch (field(pic, PIC_INIT_STATE)) {
    case EXPECT_MASK: {
      const opened = field(pic, PIC_IMR) & ~value;
      setField(pic, PIC_IMR, value);
      for (let pin: u32 = 0; pin < 8; pin++) {
        if ((opened >> pin) & 1) pitUnmasked(chipOf(pic), pin);
      }
      break;
    }
    case EXPECT_ICW2: {
      setField(pic, PIC_IRQ_BASE, value & 0xf8);
      const single = load<u8>(PIC_SINGLE + (pic == PIC_SLAVE ? 1 : 0)) != 0;
      if (single) setField(pic, PIC_INIT_STATE, field(pic, PIC_INIT4) ? EXPECT_ICW4 : EXPECT_MASK);
      else setField(pic, PIC_INIT_STATE, EXPECT_ICW3);
      break;
    }
    case EXPECT_ICW3:
      // The cascade is wired: what ICW3 says about it changes nothing.
      setField(pic, PIC_INIT_STATE, field(pic, PIC_INIT4) ? EXPECT_ICW4 : EXPECT_MASK);
      break;
    case EXPECT_ICW4:
      setField(pic, PIC_SPECIAL_FULLY_NESTED, (value >> 4) & 1);
      setField(pic, PIC_AUTO_EOI, (value >> 1) & 1);
      setField(pic, PIC_INIT_STATE, EXPECT_MASK);
      break;
  }
}

/** OCW3: poll, register to read, special mask mode. */
function writeOcw3(pic: usize, value: u32): void {
  if (value & 4) setField(pic, PIC_POLL, 1);
  if (value & 2) setField(pic, PIC_READ_SELECT, value & 1);
  if (value & 0x40) setField(pic, PIC_SPECIAL_MASK, (value >> 5) & 1);
}

/** OCW2: end of interrupt, and rotation of priorities. */
function writeOcw2(pic: usize, value: u32): void {
  const named = value & 7;
  switch (value >> 5) {
    case 0:
    case 4:
      setField(pic, PIC_ROTATE_ON_AUTO_EOI, value >> 7);
      break;
    case 1:
    case 5: {
      let service = field(pic, PIC_ISR);
      // In special mask mode the EOI that names no pin leaves masked ones alone.
      if (field(pic, PIC_SPECIAL_MASK)) service &= ~field(pic, PIC_IMR);
      const priority = bestPriority(pic, service);
      if (priority == 8) break;
      const pin = (priority + field(pic, PIC_PRIORITY_ADD)) & 7;
      if (value >> 7) setField(pic, PIC_PRIORITY_ADD, (pin + 1) & 7);
      picEndOfInterrupt(pic, pin);
      break;
    }
    case 3:
      picEndOfInterrupt(pic, named);
      break;
    case 6:
      setField(pic, PIC_PRIORITY_ADD, (named + 1) & 7);
      break;
    case 7:
      setField(pic, PIC_PRIORITY_ADD, (named + 1) & 7);
      picEndOfInterrupt(pic, named);
      break;
  }
}

function chipOf(pic: usize): u32 {
  return pic == PIC_MASTER ? CHIP_PIC_MASTER : CHIP_PIC_SLAVE;
}
