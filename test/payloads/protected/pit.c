// The 8254: modes 0 to 5, latches, read-back, access in halves, BCD, gates; what the output does, not how long it takes.
#include "pit.h"
#include "trap.h"

/** Reads the count until it is below `limit`; false: it never was. */
static bool reaches(u32 counter, u16 limit) {
  for (u32 i = 0; i < 1000000; i++)
    if (pit_count(counter) < limit) return true;
  return false;
}
static bool output_becomes(u32 counter, u8 want) {
  for (u32 i = 0; i < 1000000; i++)
    if ((pit_status(counter) & STATUS_OUT) == want) return true;
  return false;
}
/** The count is seen to pass from 0 to the top. */
static bool wraps_around(u32 counter) {
  for (u32 i = 0; i < 1000000; i++)
    if (pit_count(counter) > 0x8000) return true;
  return false;
}
static void gate2(bool high) { out8(PORT_B, (in8(PORT_B) & ~3) | (high ? 1 : 0)); }

static void status(void) {
  out8(PIT_CONTROL, PIT_COUNTER(2) | PIT_BOTH | PIT_MODE(2));
  check("the status behind a control word", pit_status(2) & 0x7f, STATUS_NULL | PIT_BOTH | PIT_MODE(2));
  pit_set(2, 3, 0x1234);
  check("the mode and access in the status", pit_status(2) & 0x3f, PIT_BOTH | PIT_MODE(3));
  out8(PIT_CONTROL, PIT_COUNTER(2) | PIT_LOW | PIT_MODE(0) | PIT_BCD);
  check("BCD in the status", pit_status(2) & 0x3f, PIT_LOW | PIT_BCD);
  out8(PIT_CONTROL, PIT_COUNTER(2) | PIT_HIGH | PIT_MODE(6));
  u8 seen = pit_status(2) & 0x3f;
  check("mode 6 is mode 2", seen == (PIT_HIGH | PIT_MODE(2)) || seen == (PIT_HIGH | PIT_MODE(6)), 1);
}

static void mode0(void) {
  gate2(true);
  out8(PIT_CONTROL, PIT_COUNTER(2) | PIT_BOTH | PIT_MODE(0));
  check("mode 0, low behind the control word", pit_status(2) & STATUS_OUT, 0);
  pit_set(2, 0, 0xffff);
  check("mode 0, low while it counts", pit_status(2) & STATUS_OUT, 0);
  check("mode 0 counts down", reaches(2, 0xfff0), 1);
  gate2(false);
  u16 held = pit_count(2);
  for (u32 i = 0; i < 200; i++) pit_status(2);
  check("a low gate holds mode 0", pit_count(2), held);
  gate2(true);
  check("a high gate lets it go on", reaches(2, held), 1);
  pit_set(2, 0, 20);
  check("mode 0, high at the end", output_becomes(2, STATUS_OUT), 1);
  check("and it stays high", pit_status(2) & STATUS_OUT, STATUS_OUT);
  out8(PIT + 2, 0xff);
  out8(PIT + 2, 0xff);
  check("a new count makes it low", pit_status(2) & STATUS_OUT, 0);
}

static void mode1(void) {
  gate2(false);
  pit_set(2, 1, 0x8000);
  check("mode 1, high without a trigger", pit_status(2) & STATUS_OUT, STATUS_OUT);
  gate2(true);
  check("a trigger makes it low", output_becomes(2, 0), 1);
  gate2(false);
  gate2(true);
  check("a second trigger keeps it low", pit_status(2) & STATUS_OUT, 0);
  gate2(false);
  pit_set(2, 1, 20);
  gate2(true);
  check("mode 1, high at the end", output_becomes(2, STATUS_OUT), 1);
}

static void mode2(void) {
  gate2(true);
  pit_set(2, 2, 1000);
  check("mode 2, high while it counts", pit_status(2) & STATUS_OUT, STATUS_OUT);
  bool within = true;
  u32 wraps = 0;
  u16 last = 0xffff;
  for (u32 i = 0; i < 3000000 && wraps < 3; i++) {
    u16 now = pit_count(2);
    if (now > 1000 || now == 0) within = false;
    if (now > last) wraps++;
    last = now;
  }
  check("mode 2 starts over", wraps, 3);
  check("mode 2 counts from its count to 1", within, 1);
  pit_set(2, 2, 0x8000);
  out8(PIT + 2, 100);
  out8(PIT + 2, 0);
  check("a new count in mode 2 waits for the period to end", pit_count(2) > 100, 1);
  pit_set(2, 2, 1000);
  gate2(false);
  u16 held = pit_count(2);
  for (u32 i = 0; i < 200; i++) pit_status(2);
  check("a low gate holds mode 2", pit_count(2), held);
  check("and its output is high", pit_status(2) & STATUS_OUT, STATUS_OUT);
  gate2(true);
}

static void mode3(void) {
  gate2(true);
  pit_set(2, 3, 2000);
  check("mode 3 is low for a half", output_becomes(2, 0), 1);
  check("and high for a half", output_becomes(2, STATUS_OUT), 1);
  check("and low again", output_becomes(2, 0), 1);
  bool even = true;
  for (u32 i = 0; i < 200; i++) {
    u16 now = pit_count(2);
    if (now & 1 || now > 2000) even = false;
  }
  check("mode 3 counts by twos", even, 1);
  gate2(false);
  check("a low gate makes it high", output_becomes(2, STATUS_OUT), 1);
  gate2(true);
}

static void strobes(void) {
  gate2(true);
  pit_set(2, 4, 30);
  check("mode 4 is high behind its count", pit_status(2) & STATUS_OUT, STATUS_OUT);
  check("mode 4 goes on behind the end", wraps_around(2), 1);
  gate2(false);
  pit_set(2, 5, 30000);
  check("mode 5 is high", pit_status(2) & STATUS_OUT, STATUS_OUT);
  gate2(true);
  check("a trigger starts it", reaches(2, 29999), 1);
  check("it is high while it counts", pit_status(2) & STATUS_OUT, STATUS_OUT);
}

static void latches(void) {
  gate2(true);
  pit_set(0, 2, 0);
  pit_set(2, 2, 0);
  out8(PIT_CONTROL, PIT_COUNTER(2));
  const u16 start = pit_count(0);
  while ((u16)(start - pit_count(0)) < 200) continue;
  out8(PIT_CONTROL, PIT_COUNTER(2));
  u8 low = in8(PIT + 2);
  u16 first = low | in8(PIT + 2) << 8;
  u16 second = pit_count(2);
  check("a second latch does not replace the first", (u16)(first - second) > 40, 1);
  // Status and count by one command: the status is read first.
  out8(PIT_CONTROL, READ_BACK | OF_COUNTER(2));
  check("read-back of both gives the status first", in8(PIT + 2) & 0x3f, PIT_BOTH | PIT_MODE(2));
  low = in8(PIT + 2);
  first = low | in8(PIT + 2) << 8;
  second = pit_count(2);
  check("and then the count of that time", (u16)(first - second) < 0x8000, 1);
  // Two counters by one command.
  pit_set(0, 2, 0x4000);
  out8(PIT_CONTROL, READ_BACK | NO_COUNT | OF_COUNTER(0) | OF_COUNTER(2));
  check("read-back of counter 0", in8(PIT) & 0x3f, PIT_BOTH | PIT_MODE(2));
  check("and of counter 2 by the same command", in8(PIT + 2) & 0x3f, PIT_BOTH | PIT_MODE(2));
  // Halves.
  out8(PIT_CONTROL, PIT_COUNTER(2) | PIT_LOW | PIT_MODE(2));
  out8(PIT + 2, 100);
  bool within = true;
  for (u32 i = 0; i < 300; i++) {
    u8 now = in8(PIT + 2);
    if (now == 0 || now > 100) within = false;
  }
  check("a count of one byte, the low one", within, 1);
  // Code that is executed for the first time may have to be translated, which takes time: the last round counts.
  u8 high = 0;
  for (u32 round = 0; round < 4; round++) {
    gate2(false);
    out8(PIT_CONTROL, PIT_COUNTER(2) | PIT_HIGH | PIT_MODE(0));
    out8(PIT + 2, 0x12);
    gate2(true);
    out8(PIT_CONTROL, PIT_COUNTER(2));
    high = in8(PIT + 2);
  }
  check("a count of one byte, the high one", high == 0x12 || high == 0x11, 1);
  // Counting in tens.
  out8(PIT_CONTROL, PIT_COUNTER(2) | PIT_BOTH | PIT_MODE(2) | PIT_BCD);
  out8(PIT + 2, 0x00);
  out8(PIT + 2, 0x50);
  bool decimal = true;
  for (u32 i = 0; i < 500; i++) {
    u16 now = pit_count(2);
    for (u32 digit = 0; digit < 16; digit += 4)
      if ((now >> digit & 15) > 9) decimal = false;
    if (now > 0x5000) decimal = false;
  }
  check("BCD counts in tens", decimal, 1);
}

void payload_main(void) {
  status();
  mode0();
  mode1();
  mode2();
  mode3();
  strobes();
  latches();
}
