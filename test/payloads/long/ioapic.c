// The IOAPIC: registers, edge and level inputs, masks, remote IRR and EOI, delivery modes.
#include "apic.h"
#include "interrupts.h"
#include "pit.h"

#define IOAPIC 0xfec00000ul
#define VECTOR 0x51
#define LEVEL 0x8000
#define LOW_ACTIVE 0x2000
#define REMOTE_IRR 0x4000
#define MASKED 0x10000
#define LOGICAL 0x800
#define NMI_DELIVERY 0x400
#define COM1 0x3f8
/** COM1's interrupt. */
#define SERIAL_PIN 4
#define NO_PIN 23

static u32 ioapic_read(u8 at) {
  *(volatile u32 *)IOAPIC = at;
  return *(volatile u32 *)(IOAPIC + 0x10);
}
static void ioapic_write(u8 at, u32 value) {
  *(volatile u32 *)IOAPIC = at;
  *(volatile u32 *)(IOAPIC + 0x10) = value;
}
static void set_pin(u32 pin, u32 low, u32 high) {
  ioapic_write(0x10 + 2 * pin, MASKED);
  ioapic_write(0x11 + 2 * pin, high);
  ioapic_write(0x10 + 2 * pin, low);
}
static u32 pin_state(u32 pin) { return ioapic_read(0x10 + 2 * pin); }

/** The line of COM1: an empty transmitter's interrupt. */
static void line(bool high) {
  out8(COM1 + 4, 8);
  out8(COM1 + 1, 0);
  if (high) out8(COM1 + 1, 2);
}

static void registers(void) {
  check("the number of inputs", (ioapic_read(1) >> 16 & 0xff) == 23, 1);
  *(volatile u32 *)IOAPIC = 0x12345601;
  check("the index has 8 bits", *(volatile u32 *)IOAPIC, 1);
  for (u32 pin = 0; pin <= NO_PIN; pin++) set_pin(pin, MASKED, 0);
  set_pin(NO_PIN, 0x1afff & ~0x1000u, 0xab000000);
  check("an entry's low half", pin_state(NO_PIN) & ~0x5000u, 0x1afff & ~0x5000u);
  check("an entry's high half", ioapic_read(0x11 + 2 * NO_PIN) >> 24, 0xab);
  set_pin(NO_PIN, MASKED | REMOTE_IRR | 0x1000, 0);
  check("remote IRR and the status are read-only", pin_state(NO_PIN), MASKED);
}

static void edges(void) {
  const u32 id = apic_read(APIC_ID);
  forget_interrupts();
  line(false);
  set_pin(SERIAL_PIN, VECTOR, id);
  line(true);
  take_pending();
  check("an edge", taken[VECTOR], 1);
  take_pending();
  check("a high line is one edge", taken[VECTOR], 1);
  check("an edge has no remote IRR", pin_state(SERIAL_PIN) & REMOTE_IRR, 0);
  line(false);
  line(true);
  take_pending();
  check("the next edge", taken[VECTOR], 2);
  line(false);
  set_pin(SERIAL_PIN, MASKED | VECTOR, id);
  line(true);
  take_pending();
  check("a masked edge does not come", taken[VECTOR], 2);
  line(false);
  set_pin(SERIAL_PIN, VECTOR, 0xaa000000 | (id ^ 0x01000000));
  line(true);
  take_pending();
  check("an edge for another processor does not come", taken[VECTOR], 2);
  line(false);
  apic_write(APIC_DFR, 0xffffffff);
  apic_write(APIC_LDR, 0x04000000);
  set_pin(SERIAL_PIN, LOGICAL | VECTOR, 0x04000000);
  line(true);
  take_pending();
  check("an edge by logical ID", taken[VECTOR], 3);
  line(false);
  set_pin(SERIAL_PIN, LOGICAL | 0x100 | VECTOR, 0x0c000000);
  line(true);
  take_pending();
  check("by lowest priority", taken[VECTOR], 4);
  line(false);
}

static void levels(void) {
  const u32 id = apic_read(APIC_ID);
  acknowledge = NULL;
  forget_interrupts();
  set_pin(SERIAL_PIN, LEVEL | VECTOR, id);
  line(true);
  take_pending();
  check("a level", taken[VECTOR], 1);
  check("it sets remote IRR", pin_state(SERIAL_PIN) & REMOTE_IRR, REMOTE_IRR);
  check("and the trigger mode", apic_bit(APIC_TMR, VECTOR), 1);
  apic_write(APIC_EOI, 0);
  take_pending();
  check("it comes again behind EOI", taken[VECTOR], 2);
  line(false);
  check("remote IRR lasts until EOI", pin_state(SERIAL_PIN) & REMOTE_IRR, REMOTE_IRR);
  apic_write(APIC_EOI, 0);
  check("which clears it", pin_state(SERIAL_PIN) & REMOTE_IRR, 0);
  take_pending();
  check("a low line does not come", taken[VECTOR], 2);
  set_pin(SERIAL_PIN, LEVEL | MASKED | VECTOR, id);
  line(true);
  take_pending();
  check("a masked level does not come", taken[VECTOR], 2);
  ioapic_write(0x10 + 2 * SERIAL_PIN, LEVEL | VECTOR);
  take_pending();
  check("it does when it is unmasked", taken[VECTOR], 3);
  line(false);
  apic_write(APIC_EOI, 0);
  // An edge of the same vector does not clear a level's remote IRR by its EOI alone.
  acknowledge = apic_acknowledge;
  self_ipi(VECTOR);
  take_pending();
  check("an edge of a level's vector", apic_bit(APIC_TMR, VECTOR), 0);
}

static bool saw_nmi;
static bool note_nmi(struct frame *frame) {
  if (frame->vector != NMI) return false;
  saw_nmi = true;
  return true;
}

static void delivery_modes(void) {
  const u32 id = apic_read(APIC_ID);
  on_trap = note_nmi;
  line(false);
  set_pin(SERIAL_PIN, NMI_DELIVERY | VECTOR, id);
  line(true);
  for (u32 i = 0; i < 10000 && !*(volatile bool *)&saw_nmi; i++) continue;
  check("an input can be an NMI", saw_nmi, 1);
  line(false);
  set_pin(SERIAL_PIN, MASKED, 0);
}

void payload_main(void) {
  open_apic();
  count_interrupts(apic_acknowledge);
  registers();
  edges();
  levels();
  delivery_modes();
}
