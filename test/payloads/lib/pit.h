// The 8254.
#pragma once
#include "payload.h"

#define PIT 0x40
#define PIT_CONTROL 0x43
#define PORT_B 0x61
#define PIT_BOTH 0x30
#define PIT_LOW 0x10
#define PIT_HIGH 0x20
#define PIT_MODE(n) ((n) << 1)
#define PIT_COUNTER(n) ((n) << 6)
#define PIT_BCD 1
#define READ_BACK 0xc0
#define NO_COUNT 0x20
#define NO_STATUS 0x10
#define OF_COUNTER(n) (2 << (n))
#define STATUS_OUT 0x80
#define STATUS_NULL 0x40

static inline void pit_set(u32 counter, u32 mode, u16 count) {
  out8(PIT_CONTROL, PIT_COUNTER(counter) | PIT_BOTH | PIT_MODE(mode));
  out8(PIT + counter, (u8)count);
  out8(PIT + counter, (u8)(count >> 8));
}
static inline u8 pit_status(u32 counter) {
  out8(PIT_CONTROL, READ_BACK | NO_COUNT | OF_COUNTER(counter));
  return in8(PIT + counter);
}
static inline u16 pit_count(u32 counter) {
  out8(PIT_CONTROL, PIT_COUNTER(counter));
  u8 low = in8(PIT + counter);
  return low | in8(PIT + counter) << 8;
}
