// Counting external interrupts.
#pragma once
#include "trap.h"

/** How often each vector came, and where and with which flags it came last. */
extern volatile u32 taken[256];
extern volatile word taken_at, taken_flags;
/** Vectors in the order in which they came; `taken_order[n]` is 0 behind the last. */
extern volatile u8 taken_order[16];
/** Called with the vector before the interrupt returns, for the EOI; NULL: none is sent. */
extern void (*acknowledge)(u8 vector);
/** Vectors from 0x20 to 0x7f are counted from now on and return. */
void count_interrupts(void (*with)(u8 vector));
void forget_interrupts(void);
/** Opens interrupts for one instruction and closes them: takes what is pending, one after another. */
void take_pending(void);
/** Halts until an interrupt has come, or returns false after a time that nothing in a payload needs. */
bool wait_for(u8 vector);
void apic_acknowledge(u8 vector);
