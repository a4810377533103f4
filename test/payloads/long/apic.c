// The local APIC: registers, priorities, self interrupts, errors, timers in their three modes, x2APIC and its transitions.
#include "apic.h"
#include "interrupts.h"

#define VECTOR 0x45
#define HIGH_VECTOR 0x65
#define ERROR_VECTOR 0x75

static u32 id;

static void registers(void) {
  check("the version is an integrated APIC's", (apic_read(APIC_VERSION) & 0xf0) == 0x10, 1);
  id = apic_read(APIC_ID) >> 24;
  check("CPUID gives the same ID", cpuid(1, 0).ebx >> 24, id);
  check("the bootstrap processor", read_msr(MSR_APIC_BASE) & APIC_BASE_BSP, APIC_BASE_BSP);
  check("the page's address", read_msr(MSR_APIC_BASE) & 0xfffff000, APIC_PAGE);
  apic_write(APIC_TPR, 0x123456a7);
  check("TPR keeps 8 bits", apic_read(APIC_TPR), 0xa7);
  check("PPR follows TPR", apic_read(APIC_PPR), 0xa7);
  apic_write(APIC_TPR, 0);
  apic_write(APIC_LDR, 0xffffffff);
  check("LDR keeps 8 bits", apic_read(APIC_LDR), 0xff000000);
  apic_write(APIC_DFR, 0x0fffffff);
  check("DFR keeps the model", apic_read(APIC_DFR), 0x0fffffff);
  apic_write(APIC_DFR, 0xffffffff);
  apic_write(APIC_LDR, 0x01000000);
  apic_write(APIC_LVT_ERROR, 0xffffffff);
  check("the error LVT's bits", apic_read(APIC_LVT_ERROR) & ~0x1000u, 0x100ff);
  apic_write(APIC_LVT_LINT0, 0xffffffff & ~0x1000u);
  check("LINT0's bits", apic_read(APIC_LVT_LINT0) & ~0x5000u, 0x1a7ff);
  apic_write(APIC_LVT_LINT0, LVT_MASKED);
  apic_write(APIC_SPURIOUS, 0xff);
  apic_write(APIC_LVT_TIMER, VECTOR);
  check("LVTs are masked while it is disabled", apic_read(APIC_LVT_TIMER) & LVT_MASKED, LVT_MASKED);
  apic_write(APIC_SPURIOUS, 0x1ff);
  check("and stay so", apic_read(APIC_LVT_TIMER) & LVT_MASKED, LVT_MASKED);
}

static void interrupts(void) {
  forget_interrupts();
  self_ipi(VECTOR);
  check("a self interrupt is in IRR", apic_bit(APIC_IRR, VECTOR), 1);
  check("as an edge", apic_bit(APIC_TMR, VECTOR), 0);
  acknowledge = NULL;
  take_pending();
  check("and comes", taken[VECTOR], 1);
  check("it leaves IRR", apic_bit(APIC_IRR, VECTOR), 0);
  check("for ISR", apic_bit(APIC_ISR, VECTOR), 1);
  check("PPR is its class", apic_read(APIC_PPR), VECTOR & 0xf0);
  self_ipi(VECTOR - 1);
  take_pending();
  check("one of its class waits", taken[VECTOR - 1], 0);
  self_ipi(HIGH_VECTOR);
  take_pending();
  check("one of a higher class comes", taken[HIGH_VECTOR], 1);
  apic_write(APIC_EOI, 0);
  check("EOI ends the higher one", apic_bit(APIC_ISR, HIGH_VECTOR) << 1 | apic_bit(APIC_ISR, VECTOR), 1);
  apic_write(APIC_EOI, 0);
  take_pending();
  check("then the one that waited comes", taken[VECTOR - 1], 1);
  apic_write(APIC_EOI, 0);
  check("and PPR is TPR again", apic_read(APIC_PPR), 0);
  acknowledge = apic_acknowledge;
  forget_interrupts();
  apic_write(APIC_ICR_HIGH, id << 24);
  apic_write(APIC_ICR, ICR_ASSERT | VECTOR);
  take_pending();
  check("an interrupt by physical ID", taken[VECTOR], 1);
  apic_write(APIC_ICR_HIGH, 0x01000000);
  apic_write(APIC_ICR, ICR_ASSERT | ICR_LOGICAL | VECTOR);
  take_pending();
  check("by logical ID", taken[VECTOR], 2);
  apic_write(APIC_ICR_HIGH, 0x02000000);
  apic_write(APIC_ICR, ICR_ASSERT | ICR_LOGICAL | VECTOR);
  take_pending();
  check("not by another logical ID", taken[VECTOR], 2);
  apic_write(APIC_DFR, 0x0fffffff);
  apic_write(APIC_LDR, 0x21000000);
  apic_write(APIC_ICR_HIGH, 0x21000000);
  apic_write(APIC_ICR, ICR_ASSERT | ICR_LOGICAL | VECTOR);
  take_pending();
  check("by cluster", taken[VECTOR], 3);
  apic_write(APIC_ICR_HIGH, 0x31000000);
  apic_write(APIC_ICR, ICR_ASSERT | ICR_LOGICAL | VECTOR);
  take_pending();
  check("not by another cluster", taken[VECTOR], 3);
  apic_write(APIC_DFR, 0xffffffff);
  apic_write(APIC_ICR_HIGH, 0xff000000);
  apic_write(APIC_ICR, ICR_ASSERT | VECTOR);
  take_pending();
  check("by broadcast", taken[VECTOR], 4);
  apic_write(APIC_ICR, ICR_ASSERT | ICR_ALL | VECTOR);
  take_pending();
  check("to all", taken[VECTOR], 5);
  apic_write(APIC_ICR, ICR_ASSERT | ICR_OTHERS | VECTOR);
  take_pending();
  check("not to all others", taken[VECTOR], 5);
}

static void errors(void) {
  apic_write(APIC_LVT_ERROR, ERROR_VECTOR);
  apic_write(APIC_ESR, 0);
  forget_interrupts();
  self_ipi(5);
  take_pending();
  check("an illegal vector is an error interrupt", taken[ERROR_VECTOR], 1);
  apic_write(APIC_ESR, 0);
  check("and in ESR, as sent and perhaps as received", apic_read(APIC_ESR) & ~0x40u, 0x20);
  apic_write(APIC_ESR, 0);
  check("until it is read", apic_read(APIC_ESR), 0);
  apic_write(APIC_LVT_ERROR, LVT_MASKED);
}

static void timer(void) {
  forget_interrupts();
  apic_write(APIC_TIMER_DIVIDE, 0xb);
  check("the divider reads back", apic_read(APIC_TIMER_DIVIDE), 0xb);
  apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR);
  apic_write(APIC_TIMER_INITIAL, 0xffffffff);
  u32 first = apic_read(APIC_TIMER_CURRENT);
  for (u32 i = 0; i < 1000000 && apic_read(APIC_TIMER_CURRENT) == first; i++) continue;
  check("the timer counts down", apic_read(APIC_TIMER_CURRENT) < first, 1);
  apic_write(APIC_TIMER_INITIAL, 0);
  check("0 stops it", apic_read(APIC_TIMER_CURRENT), 0);
  apic_write(APIC_TIMER_INITIAL, 1000);
  for (u32 i = 0; i < 10000000 && apic_read(APIC_TIMER_CURRENT) != 0; i++) continue;
  take_pending();
  check("a masked timer runs out in silence", taken[VECTOR] | apic_read(APIC_TIMER_CURRENT), 0);
  apic_write(APIC_LVT_TIMER, VECTOR);
  take_pending();
  check("unmasking it does not make up for it", taken[VECTOR], 0);
  apic_write(APIC_TIMER_INITIAL, 10000);
  check("one shot", wait_for(VECTOR), 1);
  check("its count stays 0", apic_read(APIC_TIMER_CURRENT), 0);
  check("it came once", taken[VECTOR], 1);
  apic_write(APIC_LVT_TIMER, LVT_PERIODIC | VECTOR);
  apic_write(APIC_TIMER_INITIAL, 100000);
  check("periodic, first", wait_for(VECTOR), 1);
  check("periodic, second", wait_for(VECTOR), 1);
  check("periodic, third", wait_for(VECTOR), 1);
  check("the initial count stays", apic_read(APIC_TIMER_INITIAL), 100000);
  asm volatile("sti; hlt; cli" : : : "memory");
  check("it ends HLT", taken[VECTOR] >= 5, 1);
  apic_write(APIC_TIMER_INITIAL, 0);
  forget_interrupts();
  take_pending();
  forget_interrupts();
  for (u32 i = 0; i < 100000; i++) in8(0x80);
  take_pending();
  check("and ends with 0", taken[VECTOR], 0);
  if (!(cpuid(1, 0).ecx & 1 << 24)) {
    skip("TSC deadline", "not there");
    return;
  }
  apic_write(APIC_LVT_TIMER, LVT_DEADLINE | VECTOR);
  check("no deadline yet", read_msr(MSR_TSC_DEADLINE), 0);
  u64 now = (u64)__builtin_ia32_rdtsc();
  write_msr(MSR_TSC_DEADLINE, now + 2000000);
  check("the deadline reads back", read_msr(MSR_TSC_DEADLINE) == now + 2000000 || read_msr(MSR_TSC_DEADLINE) == 0, 1);
  check("a deadline", wait_for(VECTOR), 1);
  check("not before its time", __builtin_ia32_rdtsc() >= now + 2000000, 1);
  check("it is 0 behind", read_msr(MSR_TSC_DEADLINE), 0);
  write_msr(MSR_TSC_DEADLINE, 1);
  take_pending();
  check("a deadline in the past comes at once", taken[VECTOR], 2);
  write_msr(MSR_TSC_DEADLINE, __builtin_ia32_rdtsc() + (1ul << 40));
  apic_write(APIC_TIMER_INITIAL, 1000);
  check("counts mean nothing with deadlines", apic_read(APIC_TIMER_CURRENT), 0);
  apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR);
  check("a change of mode disarms it", read_msr(MSR_TSC_DEADLINE), 0);
}

static void try_base(u64 value) {
  TRY("wrmsr", "a"((u32)value), "d"((u32)(value >> 32)), "c"(MSR_APIC_BASE));
}
static void try_register(u32 at, u64 value) {
  TRY("wrmsr", "a"((u32)value), "d"((u32)(value >> 32)), "c"(X2APIC_MSR + (at >> 4)));
}

static void x2apic(void) {
  const u64 base = read_msr(MSR_APIC_BASE);
  if (!(cpuid(1, 0).ecx & 1 << 21)) {
    skip("x2APIC", "not there");
    return;
  }
  TRY("rdmsr", "c"(X2APIC_MSR + (APIC_ID >> 4)));
  check_trap("x2APIC registers in xAPIC mode", GP, 0);
  try_base(base & ~(u64)APIC_BASE_ENABLED);
  check_trap("from xAPIC to off", NONE, 0);
  check("CPUID has no APIC then", cpuid(1, 0).edx >> 9 & 1, 0);
  try_base((base & ~(u64)APIC_BASE_ENABLED) | APIC_BASE_X2APIC);
  check_trap("x2APIC without the APIC", GP, 0);
  try_base(base | APIC_BASE_X2APIC);
  check_trap("from off to x2APIC", GP, 0);
  try_base(base);
  check_trap("from off to xAPIC", NONE, 0);
  try_base(base | APIC_BASE_X2APIC);
  check_trap("from xAPIC to x2APIC", NONE, 0);
  try_base(base);
  check_trap("from x2APIC to xAPIC", GP, 0);
  try_base(base | 1ul << 60);
  check_trap("a reserved bit of the base", GP, 0);
  check("the ID has 32 bits", read_msr(X2APIC_MSR + (APIC_ID >> 4)), id);
  check("the logical ID follows from it", read_msr(X2APIC_MSR + (APIC_LDR >> 4)), (id >> 4) << 16 | 1 << (id & 15));
  try_register(APIC_LDR, 1);
  check_trap("LDR is read-only", GP, 0);
  try_register(APIC_DFR, 0xffffffff);
  check_trap("DFR is gone", GP, 0);
  try_register(APIC_ICR_HIGH, 0);
  check_trap("the high ICR is gone", GP, 0);
  try_register(APIC_ID, 0);
  check_trap("the ID is read-only", GP, 0);
  try_register(APIC_TPR, 0x100);
  check_trap("a reserved bit of TPR", GP, 0);
  try_register(APIC_EOI, 1);
  check_trap("an EOI other than 0", GP, 0);
  try_register(APIC_ESR, 1);
  check_trap("an ESR other than 0", GP, 0);
  try_register(APIC_LVT_TIMER, 1u << 31);
  check_trap("a reserved bit of an LVT", GP, 0);
  TRY("rdmsr", "c"(X2APIC_MSR + (APIC_EOI >> 4)));
  check_trap("EOI is write-only", GP, 0);
  TRY("rdmsr", "c"(X2APIC_MSR + 0x3f));
  check_trap("the self interrupt is write-only", GP, 0);
  write_msr(X2APIC_MSR + (APIC_SPURIOUS >> 4), 0x1ff);
  forget_interrupts();
  acknowledge = NULL;
  write_msr(X2APIC_MSR + 0x3f, VECTOR);
  take_pending();
  check("a self interrupt by its own register", taken[VECTOR], 1);
  try_register(APIC_EOI, 0);
  check_trap("its EOI", NONE, 0);
  write_msr(X2APIC_MSR + (APIC_ICR >> 4), (u64)id << 32 | ICR_ASSERT | VECTOR);
  take_pending();
  check("an interrupt by 32-bit ID", taken[VECTOR], 2);
  try_register(APIC_EOI, 0);
  try_base(base & ~(u64)APIC_BASE_ENABLED);
  check_trap("from x2APIC to off", NONE, 0);
  try_base(base);
  check_trap("and back to xAPIC", NONE, 0);
}

void payload_main(void) {
  open_apic();
  count_interrupts(apic_acknowledge);
  registers();
  interrupts();
  errors();
  timer();
  x2apic();
}
