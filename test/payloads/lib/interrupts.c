#include "interrupts.h"
#include "apic.h"

#define FIRST 0x20
#define LAST 0x7f

volatile u32 taken[256];
volatile word taken_at, taken_flags;
volatile u8 taken_order[16];
static u32 order;
void (*acknowledge)(u8 vector);

static bool count(struct frame *frame) {
  if (frame->vector < FIRST || frame->vector > LAST) return false;
  taken[frame->vector]++;
  taken_at = frame->ip;
  taken_flags = frame->flags;
  if (order < sizeof(taken_order)) taken_order[order++] = frame->vector;
  if (acknowledge != NULL) acknowledge(frame->vector);
  return true;
}

void count_interrupts(void (*with)(u8 vector)) {
  acknowledge = with;
  on_trap = count;
  forget_interrupts();
}

void forget_interrupts(void) {
  for (int i = 0; i < 256; i++) taken[i] = 0;
  for (unsigned i = 0; i < sizeof(taken_order); i++) taken_order[i] = 0;
  order = 0;
}

void take_pending(void) { asm volatile("sti; nop; nop; cli" : : : "memory"); }

bool wait_for(u8 vector) {
  const u32 before = taken[vector];
  for (u32 turns = 0; turns < 20000000; turns++) {
    take_pending();
    if (taken[vector] != before) return true;
  }
  return false;
}

void apic_acknowledge(u8 vector) {
  (void)vector;
  apic_write(APIC_EOI, 0);
}
