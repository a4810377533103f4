// The local APIC, through its page or, once x2APIC mode is on, by MSRs at the same numbers.
#pragma once
#include "payload.h"

#define MSR_APIC_BASE 0x1b
#define APIC_BASE_BSP 0x100
#define APIC_BASE_X2APIC 0x400
#define APIC_BASE_ENABLED 0x800
#define APIC_PAGE 0xfee00000ul
#define X2APIC_MSR 0x800

#define APIC_ID 0x20
#define APIC_VERSION 0x30
#define APIC_TPR 0x80
#define APIC_APR 0x90
#define APIC_PPR 0xa0
#define APIC_EOI 0xb0
#define APIC_LDR 0xd0
#define APIC_DFR 0xe0
#define APIC_SPURIOUS 0xf0
#define APIC_ISR 0x100
#define APIC_TMR 0x180
#define APIC_IRR 0x200
#define APIC_ESR 0x280
#define APIC_ICR 0x300
#define APIC_ICR_HIGH 0x310
#define APIC_LVT_TIMER 0x320
#define APIC_LVT_THERMAL 0x330
#define APIC_LVT_PERFORMANCE 0x340
#define APIC_LVT_LINT0 0x350
#define APIC_LVT_LINT1 0x360
#define APIC_LVT_ERROR 0x370
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE 0x3e0
#define MSR_TSC_DEADLINE 0x6e0

#define ICR_FIXED 0
#define ICR_NMI 0x400
#define ICR_PENDING 0x1000
#define ICR_ASSERT 0x4000
#define ICR_LOGICAL 0x800
#define ICR_SELF 0x40000
#define ICR_ALL 0x80000
#define ICR_OTHERS 0xc0000
#define LVT_MASKED 0x10000
#define LVT_PERIODIC 0x20000
#define LVT_DEADLINE 0x40000

static inline u32 apic_read(u32 at) { return *(volatile u32 *)(APIC_PAGE + at); }
static inline void apic_write(u32 at, u32 value) { *(volatile u32 *)(APIC_PAGE + at) = value; }
static inline bool apic_bit(u32 registers, u8 vector) {
  return apic_read(registers + (vector >> 5) * 0x10) >> (vector & 31) & 1;
}
/** Fixed interrupt to this processor. */
static inline void self_ipi(u8 vector) {
  apic_write(APIC_ICR, ICR_SELF | ICR_ASSERT | vector);
  while (apic_read(APIC_ICR) & ICR_PENDING) continue;
}
/** On, nothing in service, nothing masked by priority, both 8259s silent. */
static inline void open_apic(void) {
  out8(0x21, 0xff);
  out8(0xa1, 0xff);
  write_msr(MSR_APIC_BASE, read_msr(MSR_APIC_BASE) | APIC_BASE_ENABLED);
  apic_write(APIC_SPURIOUS, 0x1ff);
  apic_write(APIC_TPR, 0);
  apic_write(APIC_LVT_TIMER, LVT_MASKED);
  apic_write(APIC_LVT_LINT0, LVT_MASKED);
  apic_write(APIC_LVT_LINT1, LVT_MASKED);
  apic_write(APIC_LVT_ERROR, LVT_MASKED);
}
