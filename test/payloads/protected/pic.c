// The 8259s: initialisation, masks, priorities, EOI in all its forms, rotation, special mask, poll, AEOI, level, spurious.
#include "interrupts.h"
#include "apic.h"
#include "pic.h"
#include "pit.h"

/** IRQ 0 is raised by counter 0 in mode 0: its output rises where the count ends, and stays. An emulator that has a thread
 * for its timers may show the output before the line follows. */
static void raise_timer(void) {
  pit_set(0, 0, 1);
  while (!(pit_status(0) & STATUS_OUT)) continue;
  for (u32 i = 0; i < 100000 && !(pic_register(PIC1, OCW3_READ_IRR) & 1); i++) continue;
}
/** The output falls when a count is loaded; this one takes its time. */
static void lower_timer(void) {
  pit_set(0, 0, 0);
}

#define COM1 0x3f8
/** IRQ 4: an empty transmitter of COM1, as long as that interrupt is enabled; the line passes by OUT2. */
static void raise_serial(void) {
  out8(COM1 + 4, 8);
  out8(COM1 + 1, 0);
  out8(COM1 + 1, 2);
}
static void lower_serial(void) { out8(COM1 + 1, 0); }

static void eoi(u8 vector) {
  if (vector >= PIC2_BASE) out8(PIC2, EOI);
  out8(PIC1, EOI);
}

static void masks(void) {
  open_pics(1);
  out8(PIC1 + PIC_DATA, 0xa5);
  check("the mask reads back", in8(PIC1 + PIC_DATA), 0xa5);
  out8(PIC1 + PIC_DATA, 0xff);
  lower_timer();
  raise_timer();
  check("a masked request is in IRR", pic_register(PIC1, OCW3_READ_IRR) & 1, 1);
  take_pending();
  check("and does not come", taken[PIC1_BASE], 0);
  out8(PIC1 + PIC_DATA, 0xfe);
  take_pending();
  check("until it is unmasked", taken[PIC1_BASE], 1);
  check("IRR is cleared by an edge's acknowledgement", pic_register(PIC1, OCW3_READ_IRR) & 1, 0);
  forget_interrupts();
  take_pending();
  check("a high line is one edge", taken[PIC1_BASE], 0);
  lower_timer();
  raise_timer();
  open_pics(1);
  check("initialisation clears the edge", pic_register(PIC1, OCW3_READ_IRR) & 1, 0);
  check("and the mask is as it was set behind", in8(PIC1 + PIC_DATA), 0xff);
}

static void in_service(void) {
  acknowledge = NULL;
  open_pics(1);
  out8(PIC1 + PIC_DATA, 0xee);
  forget_interrupts();
  lower_timer();
  raise_timer();
  take_pending();
  check("an interrupt without EOI", taken[PIC1_BASE], 1);
  check("is in ISR", pic_register(PIC1, OCW3_READ_ISR), 1);
  raise_serial();
  take_pending();
  check("and holds back what is below it", taken[PIC1_BASE + 4], 0);
  check("which waits in IRR", pic_register(PIC1, OCW3_READ_IRR) & 0x10, 0x10);
  lower_timer();
  raise_timer();
  take_pending();
  check("and itself", taken[PIC1_BASE], 1);
  out8(PIC1, EOI);
  take_pending();
  check("EOI lets the higher one first", taken[PIC1_BASE], 2);
  out8(PIC1, EOI);
  take_pending();
  check("then the lower one", taken[PIC1_BASE + 4], 1);
  check("which alone is in ISR", pic_register(PIC1, OCW3_READ_ISR), 0x10);
  lower_timer();
  raise_timer();
  take_pending();
  check("a higher one comes into a lower one", taken[PIC1_BASE], 3);
  check("both are in ISR", pic_register(PIC1, OCW3_READ_ISR), 0x11);
  out8(PIC1, EOI);
  check("EOI ends the highest", pic_register(PIC1, OCW3_READ_ISR), 0x10);
  out8(PIC1, EOI_SPECIFIC(3));
  check("a specific EOI ends no other", pic_register(PIC1, OCW3_READ_ISR), 0x10);
  out8(PIC1, EOI_SPECIFIC(4));
  check("a specific EOI ends its line", pic_register(PIC1, OCW3_READ_ISR), 0);
  lower_serial();
}

static void rotation(void) {
  open_pics(1);
  out8(PIC1 + PIC_DATA, 0xee);
  forget_interrupts();
  out8(PIC1, SET_PRIORITY(0));
  lower_timer();
  raise_timer();
  raise_serial();
  take_pending();
  check("with line 0 the lowest, line 4 comes first", taken_order[0], PIC1_BASE + 4);
  check("and line 0 waits", taken[PIC1_BASE], 0);
  out8(PIC1, ROTATE_EOI);
  take_pending();
  check("a rotating EOI makes its line the lowest", taken[PIC1_BASE], 1);
  lower_serial();
  raise_serial();
  take_pending();
  check("line 4 waits for line 0", taken[PIC1_BASE + 4], 1);
  out8(PIC1, ROTATE_EOI_SPECIFIC(0));
  take_pending();
  check("and comes behind it", taken[PIC1_BASE + 4], 2);
  out8(PIC1, EOI);
  // Back to line 7 as the lowest.
  out8(PIC1, SET_PRIORITY(7));
  lower_serial();
}

static void special_mask(void) {
  open_pics(1);
  out8(PIC1 + PIC_DATA, 0xee);
  forget_interrupts();
  lower_timer();
  raise_timer();
  take_pending();
  out8(PIC1 + PIC_DATA, 0xef);
  raise_serial();
  take_pending();
  check("a masked line in service holds back what is below", taken[PIC1_BASE + 4], 0);
  out8(PIC1, OCW3_SET_SPECIAL_MASK);
  take_pending();
  check("but not in special mask mode", taken[PIC1_BASE + 4], 1);
  out8(PIC1, OCW3_RESET_SPECIAL_MASK);
  out8(PIC1, EOI_SPECIFIC(4));
  out8(PIC1, EOI_SPECIFIC(0));
  lower_serial();
}

static void polling(void) {
  open_pics(1);
  out8(PIC1 + PIC_DATA, 0xee);
  forget_interrupts();
  check("a poll without a request", pic_register(PIC1, OCW3_POLL) & 0x80, 0);
  lower_timer();
  raise_timer();
  check("a poll names the line", pic_register(PIC1, OCW3_POLL), 0x80);
  check("it counts as the acknowledgement", pic_register(PIC1, OCW3_READ_ISR), 1);
  take_pending();
  check("so that no interrupt comes", taken[PIC1_BASE], 0);
  out8(PIC1, EOI);
  raise_serial();
  check("a poll names line 4", pic_register(PIC1, OCW3_POLL), 0x84);
  out8(PIC1, EOI);
  lower_serial();
}

static void automatic_eoi(void) {
  open_pics(3);
  out8(PIC1 + PIC_DATA, 0xee);
  forget_interrupts();
  lower_timer();
  raise_timer();
  take_pending();
  check("with AEOI an interrupt comes", taken[PIC1_BASE], 1);
  check("and is not in service", pic_register(PIC1, OCW3_READ_ISR), 0);
  raise_serial();
  take_pending();
  check("nor holds back another", taken[PIC1_BASE + 4], 1);
  lower_serial();
  open_pics(1);
}

static void cascade(void) {
  acknowledge = eoi;
  open_pics(1);
  forget_interrupts();
  // IRQ 8: the clock's periodic interrupt, at its fastest.
  out8(0x70, 0x8a);
  out8(0x71, 0x23);
  out8(0x70, 0x8c);
  in8(0x71);
  out8(0x70, 0x8b);
  u8 kept = in8(0x71);
  out8(0x70, 0x8b);
  out8(0x71, kept | 0x40);
  out8(PIC2 + PIC_DATA, 0xfe);
  for (u32 i = 0; i < 1000000 && !(pic_register(PIC2, OCW3_READ_IRR) & 1); i++) continue;
  check("a request of the second", pic_register(PIC2, OCW3_READ_IRR) & 1, 1);
  check("is one of line 2 of the first", pic_register(PIC1, OCW3_READ_IRR) & 4, 4);
  take_pending();
  check("and waits for line 2's mask", taken[PIC2_BASE], 0);
  out8(PIC1 + PIC_DATA, 0xfb);
  take_pending();
  check("then it comes with the second's vector", taken[PIC2_BASE], 1);
  out8(PIC2 + PIC_DATA, 0xff);
  out8(0x70, 0x8b);
  out8(0x71, kept);
  out8(0x70, 0x8c);
  in8(0x71);
  check("both are out of service", pic_register(PIC1, OCW3_READ_ISR) | pic_register(PIC2, OCW3_READ_ISR), 0);
}

/** A request that goes away before it is acknowledged is line 7. */
static void spurious(void) {
  acknowledge = NULL;
  open_pics(1);
  out8(ELCR1, 0x10);
  if (in8(ELCR1) != 0x10) {
    skip("level-triggered lines", "no ELCR");
    return;
  }
  // A level line follows its input.
  out8(PIC1 + PIC_DATA, 0xef);
  forget_interrupts();
  raise_serial();
  check("a level is in IRR", pic_register(PIC1, OCW3_READ_IRR) & 0x10, 0x10);
  lower_serial();
  check("and leaves it with the line", pic_register(PIC1, OCW3_READ_IRR) & 0x10, 0);
  take_pending();
  check("so nothing comes", taken[PIC1_BASE + 4], 0);
  raise_serial();
  take_pending();
  check("a level comes", taken[PIC1_BASE + 4], 1);
  out8(PIC1, EOI);
  take_pending();
  check("and again while it lasts", taken[PIC1_BASE + 4], 2);
  lower_serial();
  out8(PIC1, EOI);
  take_pending();
  check("and then no more", taken[PIC1_BASE + 4], 2);
  out8(ELCR1, 0);
}

void payload_main(void) {
  // 8259 interrupts pass by the local APIC's LINT0 or, where it is off, go to the processor.
  write_msr(MSR_APIC_BASE, read_msr(MSR_APIC_BASE) & ~(u64)APIC_BASE_ENABLED);
  count_interrupts(eoi);
  masks();
  in_service();
  rotation();
  special_mask();
  polling();
  automatic_eoi();
  cascade();
  spurious();
}
