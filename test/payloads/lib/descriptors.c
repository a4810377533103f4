#include "descriptors.h"
#include "trap.h"

u64 gdt[SLOTS] __attribute__((aligned(16)));
struct gate idt[256] __attribute__((aligned(16)));
struct tss tss __attribute__((aligned(16)));
static u8 level0_stack[0x4000] __attribute__((aligned(16)));

u64 segment(u32 base, u32 limit, u8 access, u8 flags) {
  u32 low = (base << 16) | (limit & 0xffff);
  u32 high = (base & 0xff000000) | (u32)flags << 20 | (limit & 0xf0000) | (u32)access << 8 | ((base >> 16) & 0xff);
  return (u64)high << 32 | low;
}

void set_segment(int slot, u32 base, u32 limit, u8 access, u8 flags) { gdt[slot] = segment(base, limit, access, flags); }

void set_system_segment(int slot, word base, u32 limit, u8 access) {
  set_segment(slot, base, limit, access, 0);
#ifdef __x86_64__
  gdt[slot + 1] = base >> 32;
#endif
}

void set_gate(int vector, word handler, u16 selector, u8 access, u8 ist) {
  struct gate *gate = &idt[vector];
  gate->low = handler;
  gate->high = handler >> 16;
#ifdef __x86_64__
  gate->upper = handler >> 32;
#endif
  gate->selector = selector;
  gate->ist = ist;
  gate->access = access;
}

void load_tables(void) {
  const bool wide = sizeof(word) == 8;
  set_segment(CODE0 >> 3, 0, 0xfffff, PRESENT | CODE_XR | ACCESSED, FLAG_G | (wide ? FLAG_L : FLAG_B));
  set_segment(DATA0 >> 3, 0, 0xfffff, PRESENT | DATA_RW | ACCESSED, FLAG_G | FLAG_B);
  set_segment(CODE3 >> 3, 0, 0xfffff, PRESENT | DPL(3) | CODE_XR | ACCESSED, FLAG_G | FLAG_B);
  set_segment(DATA3 >> 3, 0, 0xfffff, PRESENT | DPL(3) | DATA_RW | ACCESSED, FLAG_G | FLAG_B);
  set_segment(CODE3_64 >> 3, 0, 0xfffff, PRESENT | DPL(3) | CODE_XR | ACCESSED, FLAG_G | (wide ? FLAG_L : FLAG_B));
  set_segment(DATA3_64 >> 3, 0, 0xfffff, PRESENT | DPL(3) | DATA_RW | ACCESSED, FLAG_G | FLAG_B);
  set_segment(CODE0_32 >> 3, 0, 0xfffff, PRESENT | CODE_XR | ACCESSED, FLAG_G | FLAG_B);
  set_system_segment(TSS_SELECTOR >> 3, (word)&tss, sizeof(tss) - 1, PRESENT | TSS32);
  word stack = (word)(level0_stack + sizeof(level0_stack));
#ifdef __x86_64__
  tss.sp0 = stack;
#else
  tss.esp0 = stack;
  tss.ss0 = DATA0;
#endif
  tss.io_map = offsetof(struct tss, bits);
  memset(tss.bits, 0xff, sizeof(tss.bits));
  for (int vector = 0; vector < 256; vector++) {
    bool open = vector == 3 || vector == 4 || vector == LEAVE_VECTOR;
    set_gate(vector, trap_stub(vector), CODE0, PRESENT | INTERRUPT_GATE32 | (open ? DPL(3) : 0), 0);
  }
  load_gdt(gdt, sizeof(gdt) - 1);
  load_idt(idt, sizeof(idt) - 1);
  asm volatile("ltr %w0" : : "r"(TSS_SELECTOR) : "memory");
}
