// The two 8259s.
#pragma once
#include "payload.h"

#define PIC1 0x20
#define PIC2 0xa0
#define PIC_DATA 1
#define PIC1_BASE 0x30
#define PIC2_BASE 0x38
#define ELCR1 0x4d0
#define ELCR2 0x4d1
#define OCW3_READ_IRR 0x0a
#define OCW3_READ_ISR 0x0b
#define OCW3_POLL 0x0c
#define OCW3_SET_SPECIAL_MASK 0x68
#define OCW3_RESET_SPECIAL_MASK 0x48
#define EOI 0x20
#define EOI_SPECIFIC(line) (0x60 | (line))
#define ROTATE_EOI 0xa0
#define ROTATE_EOI_SPECIFIC(line) (0xe0 | (line))
#define SET_PRIORITY(line) (0xc0 | (line))

/** Both from the start, cascaded on line 2, with all lines masked. `icw4`: of the first, as the second's. */
static inline void open_pics(u8 icw4) {
  out8(PIC1, 0x11);
  out8(PIC1 + PIC_DATA, PIC1_BASE);
  out8(PIC1 + PIC_DATA, 4);
  out8(PIC1 + PIC_DATA, icw4);
  out8(PIC2, 0x11);
  out8(PIC2 + PIC_DATA, PIC2_BASE);
  out8(PIC2 + PIC_DATA, 2);
  out8(PIC2 + PIC_DATA, icw4);
  out8(PIC1 + PIC_DATA, 0xff);
  out8(PIC2 + PIC_DATA, 0xff);
}
static inline u8 pic_register(u16 chip, u8 command) {
  out8(chip, command);
  return in8(chip);
}
