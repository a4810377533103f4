// The 8254's ports 0x40-0x43 and the PC's port 0x61, which holds channel 2's gate and output and the
// memory refresh bit. Called with the chips locked.
import {
  PIT_BCD, PIT_COUNT_LATCHED, PIT_FLAG_SPEAKER_DATA_ON, PIT_FLAGS, PIT_GATE, PIT_LATCHED_COUNT, PIT_MODE,
  PIT_NULL_COUNT, PIT_READ_STATE, PIT_RW_MODE, PIT_STATUS, PIT_STATUS_LATCHED, PIT_WRITE_LATCH, PIT_WRITE_STATE,
} from "./layout";
import { channelAt, disarm, extraOf, loadCount, pitNow, readCount, readOut, setGate } from "./pit";

// How bytes and counts go together: bits 4-5 of the control word, and the second half of ACCESS_WORD.
const ACCESS_LATCH: u8 = 0;
const ACCESS_MSB: u8 = 2;
const ACCESS_WORD: u8 = 3;
const ACCESS_WORD_HIGH: u8 = 4;

const CONTROL_PORT: u32 = 3;

/** Reads 0x40-0x43 (`port` 0-3). */
export function pitRead(port: u32): u32 {
  // The control register can only be written.
  if (port == CONTROL_PORT) return 0;
  const channel = channelAt(port);
  if (load<u8>(channel, PIT_STATUS_LATCHED)) {
    store<u8>(channel, 0, PIT_STATUS_LATCHED);
    return load<u8>(channel, PIT_STATUS);
  }
  const latched = load<u8>(channel, PIT_COUNT_LATCHED);
  if (latched) {
    const count = <u32>load<u16>(channel, PIT_LATCHED_COUNT);
    store<u8>(channel, latched == ACCESS_WORD ? ACCESS_MSB : 0, PIT_COUNT_LATCHED);
    return latched == ACCESS_MSB ? count >> 8 : count & 0xff;
  }
  const count = readCount(channel);
  switch (load<u8>(channel, PIT_READ_STATE)) {
    case ACCESS_MSB:
      return count >> 8;
    case ACCESS_WORD:
      store<u8>(channel, ACCESS_WORD_HIGH, PIT_READ_STATE);
      return count & 0xff;
    case ACCESS_WORD_HIGH:
      store<u8>(channel, ACCESS_WORD, PIT_READ_STATE);
      return count >> 8;
    default:
      return count & 0xff;
  }
}

/** Writes 0x40-0x43 (`port` 0-3). */
export function pitWrite(port: u32, value: u32): void {
  if (port == CONTROL_PORT) {
    writeControl(value);
    return;
  }
  const channel = channelAt(port);
  switch (load<u8>(channel, PIT_WRITE_STATE)) {
    case ACCESS_MSB:
      loadCount(channel, value << 8);
      break;
    case ACCESS_WORD:
      store<u8>(channel, <u8>value, PIT_WRITE_LATCH);
      store<u8>(channel, ACCESS_WORD_HIGH, PIT_WRITE_STATE);
      // In mode 0 the first byte stops the count, so that it cannot run out in between.
      if (load<u8>(channel, PIT_MODE) == 0) disarm(channel);
      break;
    case ACCESS_WORD_HIGH:
      store<u8>(channel, ACCESS_WORD, PIT_WRITE_STATE);
      loadCount(channel, load<u8>(channel, PIT_WRITE_LATCH) | (value << 8));
      break;
    default:
      loadCount(channel, value);
  }
}

function writeControl(value: u32): void {
  const select = value >> 6;
  if (select == 3) {
    for (let i: u32 = 0; i < 3; i++) {
      if (value & (2 << i)) readBack(channelAt(i), (value & 0x20) == 0, (value & 0x10) == 0);
    }
    return;
  }
  const channel = channelAt(select);
  const access = <u8>(value >> 4) & 3;
  if (access == ACCESS_LATCH) {
    latchCount(channel);
    return;
  }
  const mode = (value >> 1) & 7;
  store<u8>(channel, access, PIT_RW_MODE);
  store<u8>(channel, access, PIT_READ_STATE);
  store<u8>(channel, access, PIT_WRITE_STATE);
  // Codes 6 and 7 are modes 2 and 3: the top bit is not decoded for them.
  store<u8>(channel, <u8>(mode > 5 ? mode - 4 : mode), PIT_MODE);
  store<u8>(channel, <u8>value & 1, PIT_BCD);
  disarm(channel);
}

function readBack(channel: usize, count: bool, status: bool): void {
  if (count) latchCount(channel);
  if (!status || load<u8>(channel, PIT_STATUS_LATCHED)) return;
  const word =
    (<u32>readOut(channel) << 7) |
    (load<u32>(extraOf(channel), PIT_NULL_COUNT) << 6) |
    (<u32>load<u8>(channel, PIT_RW_MODE) << 4) |
    (<u32>(load<u8>(channel, PIT_MODE) & 7) << 1) |
    load<u8>(channel, PIT_BCD);
  store<u8>(channel, <u8>word, PIT_STATUS);
  store<u8>(channel, 1, PIT_STATUS_LATCHED);
}

/** A count that was latched and not read stays. */
function latchCount(channel: usize): void {
  if (load<u8>(channel, PIT_COUNT_LATCHED)) return;
  store<u16>(channel, <u16>readCount(channel), PIT_LATCHED_COUNT);
  store<u8>(channel, load<u8>(channel, PIT_RW_MODE), PIT_COUNT_LATCHED);
}

/** Port 0x61: bit 0 gate 2, 1 speaker data, 4 refresh (toggles every 16 microseconds), 5 output 2. */
export function speakerRead(): u32 {
  const channel = channelAt(2);
  const refresh = <u32>(pitNow() >> 14) & 1;
  const speaker: u32 = load<u32>(PIT_FLAGS) & PIT_FLAG_SPEAKER_DATA_ON ? 2 : 0;
  return load<u8>(channel, PIT_GATE) | speaker | (refresh << 4) | (<u32>readOut(channel) << 5);
}

export function speakerWrite(value: u32): void {
  const flags = load<u32>(PIT_FLAGS) & ~PIT_FLAG_SPEAKER_DATA_ON;
  store<u32>(PIT_FLAGS, value & 2 ? flags | PIT_FLAG_SPEAKER_DATA_ON : flags);
  setGate(channelAt(2), (value & 1) != 0);
}
