// Segment registers and the accesses through them: types, levels, limits, null selectors.
#include "trap.h"

#define SLOT FREE_SLOT
#define TEST SELECTOR(SLOT)

static u8 bytes[0x3000] __attribute__((aligned(4096)));

static const struct {
  const char *name;
  u8 access;
  /** What loading it at level 0 with RPL 0 into DS, and into SS, ends in: 0 for nothing. */
  u8 data, stack;
} types[] = {
  {"read-only data", PRESENT | DATA_RO, 0, GP},
  {"data", PRESENT | DATA_RW, 0, 0},
  {"expand-down data", PRESENT | DATA_DOWN, 0, 0},
  {"execute-only code", PRESENT | CODE_X, GP, GP},
  {"readable code", PRESENT | CODE_XR, 0, GP},
  {"conforming code", PRESENT | CONFORMING, 0, GP},
  {"a TSS", PRESENT | TSS32, GP, GP},
  {"a call gate", PRESENT | CALL_GATE32, GP, GP},
  {"an LDT", PRESENT | LDT, GP, GP},
  {"data that is not present", DATA_RW, NP, SS},
  {"code that is not present", CODE_XR, NP, GP},
  {"an LDT that is not present", LDT, GP, GP},
  {"data of level 1", PRESENT | DPL(1) | DATA_RW, 0, GP},
  {"data of level 3", PRESENT | DPL(3) | DATA_RW, 0, GP},
  {"data of level 3 that is not present", DPL(3) | DATA_RW, NP, GP},
};

static char name[96];
static const char *named(const char *first, const char *second) {
  char *at = name;
  while (*first) *at++ = *first++;
  while (*second) *at++ = *second++;
  *at = 0;
  return name;
}

static void check_ending(const char *what, u8 vector) {
  check_trap(what, vector == 0 ? NONE : vector, TEST);
}

/** A type's descriptor for all addresses; an expand-down segment holds what is above its limit. */
static void set_type(u8 access) {
  set_segment(SLOT, 0, (access & CONFORMING) == DATA_DOWN ? 0 : 0xfffff, access, (access & CONFORMING) == DATA_DOWN ? FLAG_B : FLAG_G | FLAG_B);
}

static void loads(void) {
  for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
    set_type(types[i].access);
    TRY("mov %0, %%ds", "r"(TEST));
    check_ending(named("DS takes ", types[i].name), types[i].data);
    set_type(types[i].access);
    TRY("mov %0, %%ss", "r"(TEST));
    check_ending(named("SS takes ", types[i].name), types[i].stack);
  }
  set_segment(SLOT, 0, 0xfffff, PRESENT | DATA_RW, FLAG_G | FLAG_B);
  TRY("mov %0, %%es", "r"(TEST));
  check("a load sets the accessed bit", (gdt[SLOT] >> 40) & 1, 1);
  set_segment(SLOT, 0, 0xfffff, DATA_RW, FLAG_G | FLAG_B);
  TRY("mov %0, %%es", "r"(TEST));
  check("a load that fails does not", (gdt[SLOT] >> 40) & 1, 0);
  set_segment(SLOT, 0, 0xfffff, PRESENT | DATA_RW, FLAG_G | FLAG_B);
  TRY("mov %0, %%ds", "r"(TEST | 1));
  check_trap("RPL 1 in DS for data of level 0", GP, TEST);
  TRY("mov %0, %%ss", "r"(TEST | 1));
  check_trap("RPL 1 in SS at level 0", GP, TEST);
  set_segment(SLOT, 0, 0xfffff, PRESENT | DPL(3) | DATA_RW, FLAG_G | FLAG_B);
  TRY("mov %0, %%ds", "r"(TEST | 3));
  check_trap("RPL 3 in DS for data of level 3", NONE, 0);
  TRY("mov %0, %%ss", "r"(TEST | 3));
  check_trap("RPL 3 in SS for data of level 3, at level 0", GP, TEST);
  TRY("mov %0, %%ds", "r"(SELECTOR(SLOTS)));
  check_trap("a selector beyond the GDT", GP, SELECTOR(SLOTS));
  asm volatile("lldt %w0" : : "r"(0));
  TRY("mov %0, %%ds", "r"(TEST | 4));
  check_trap("a selector of an LDT that there is not", GP, TEST | 4);
  load_gdt(gdt, TEST + 6);
  TRY("mov %0, %%ds", "r"(TEST));
  check_trap("a descriptor half in the GDT", GP, TEST);
  load_gdt(gdt, TEST + 7);
  TRY("mov %0, %%ds", "r"(TEST));
  check_trap("the last descriptor of the GDT", NONE, 0);
  load_gdt(gdt, sizeof(gdt) - 1);
  TRY("mov %0, %%eax; mov %%eax, %%cs", "i"(DATA0));
  check_trap("MOV to CS", UD, 0);
  TRY(".byte 0x8e, 0xf0");
  check_trap("MOV to segment register 6", UD, 0);
  TRY(".byte 0x8c, 0xf8");
  check_trap("MOV from segment register 7", UD, 0);
}

static void null_selectors(void) {
  for (u32 rpl = 0; rpl < 4; rpl += 3) {
    TRY("mov %0, %%ds", "r"(rpl));
    check_trap(rpl == 0 ? "DS takes null" : "DS takes null with RPL 3", NONE, 0);
    TRY("mov %0, %%ss", "r"(rpl));
    check_trap(rpl == 0 ? "SS takes no null" : "SS takes no null with RPL 3", GP, 0);
  }
  TRY("xor %%eax, %%eax; mov %%eax, %%es; mov %%es:%0, %%al", "m"(bytes));
  check_trap("a read through null", GP, 0);
  TRY("xor %%eax, %%eax; mov %%eax, %%es; mov %%al, %%es:%0", "m"(bytes));
  check_trap("a write through null", GP, 0);
  TRY("xor %%eax, %%eax; mov %%eax, %%es; mov $bytes, %%edi; xor %%ecx, %%ecx; rep stosb");
  check_trap("a string write of no bytes through null", NONE, 0);
  TRY("xor %%eax, %%eax; mov %%eax, %%es; lea %%es:4, %%eax; prefetcht0 %%es:%0", "m"(bytes));
  check_trap("LEA and PREFETCH through null", NONE, 0);
}

static u8 vector_at(u32 offset, u32 size) {
  if (size == 1) TRY("mov %0, %%es; mov %%es:(%1), %%al", "r"(TEST), "r"(offset));
  if (size == 2) TRY("mov %0, %%es; mov %%es:(%1), %%ax", "r"(TEST), "r"(offset));
  if (size == 4) TRY("mov %0, %%es; mov %%es:(%1), %%eax", "r"(TEST), "r"(offset));
  return trap.vector == NONE ? 0 : trap.vector;
}

static void limits(void) {
  set_segment(SLOT, (u32)bytes, 0x7ff, PRESENT | DATA_RW, FLAG_B);
  check("the last byte within a limit", vector_at(0x7ff, 1), 0);
  check("a byte beyond a limit", vector_at(0x800, 1), GP);
  check("a word across a limit", vector_at(0x7ff, 2), GP);
  check("the last doubleword within a limit", vector_at(0x7fc, 4), 0);
  check("a doubleword across a limit", vector_at(0x7fd, 4), GP);
  check("a doubleword across 4 GiB", vector_at(0xfffffffe, 4), GP);
  check_trap("the error code of a limit", GP, 0);
  set_segment(SLOT, (u32)bytes, 1, PRESENT | DATA_RW, FLAG_G | FLAG_B);
  check("the last byte within a limit in pages", vector_at(0x1fff, 1), 0);
  check("a byte beyond a limit in pages", vector_at(0x2000, 1), GP);
  set_segment(SLOT, (u32)bytes, 0x7ff, PRESENT | DATA_DOWN, FLAG_B);
  check("expand-down, at the limit", vector_at(0x7ff, 1), GP);
  check("expand-down, above the limit", vector_at(0x800, 1), 0);
  check("expand-down, across the limit", vector_at(0x7ff, 2), GP);
  set_segment(SLOT, (u32)bytes - 0x10000, 0xefff, PRESENT | DATA_DOWN, 0);
  check("expand-down without B, below 64 KiB", vector_at(0xffff, 1), 0);
  check("expand-down without B, at 64 KiB", vector_at(0x10000, 1), GP);
  check("expand-down without B, across 64 KiB", vector_at(0xffff, 2), GP);
  set_segment(SLOT, (u32)bytes, 0xfffff, PRESENT | DATA_DOWN, FLAG_G | FLAG_B);
  check("expand-down with no room", vector_at(0xffffffff, 1), GP);
  set_segment(SLOT, (u32)bytes, 0xfff, PRESENT | DATA_RO, FLAG_B);
  TRY("mov %0, %%es; mov %%al, %%es:(0)", "r"(TEST));
  check_trap("a write to read-only data", GP, 0);
  set_segment(SLOT, (u32)bytes, 0xfff, PRESENT | CODE_XR, FLAG_B);
  TRY("mov %0, %%es; mov %%al, %%es:(0)", "r"(TEST));
  check_trap("a write to readable code", GP, 0);
  TRY("movl $0, %%cs:%0", "m"(bytes));
  check_trap("a write through CS", GP, 0);
  bytes[0] = 0x11;
  set_segment(SLOT, (u32)bytes, 1, PRESENT | DATA_RW, FLAG_B);
  TRY("mov %0, %%es; movl $0x22222222, %%es:(0)", "r"(TEST));
  check("a write across a limit writes nothing", bytes[0], 0x11);
  TRY("mov %0, %%es; mov $4, %%ecx; xor %%edi, %%edi; mov $0x33, %%al; rep stosb", "r"(TEST));
  check_trap("REP STOSB up to a limit", GP, 0);
  check("REP STOSB writes up to a limit", *(u32 *)bytes & 0xffffff, bytes[2] << 16 | 0x3333);
}

/** Stack accesses fault as #SS; the handler's own stack is of another segment by then, through a task's or level 3's. */
static void stack_limits(void) {
  set_segment(SLOT, (u32)bytes, 0x7ff, PRESENT | DPL(3) | DATA_RW, FLAG_B);
  TRY_USER("mov %0, %%ss; mov $0x804, %%esp; pop %%eax", "r"(TEST | 3));
  check_trap("POP beyond a limit", SS, 0);
  TRY_USER("mov %0, %%ss; mov $0x802, %%esp; push %%eax", "r"(TEST | 3));
  check_trap("PUSH across a limit", SS, 0);
  TRY_USER("mov %0, %%ss; mov $0x800, %%ebp; mov (%%ebp), %%al", "r"(TEST | 3));
  check_trap("EBP beyond a limit", SS, 0);
  TRY_USER("mov %0, %%ss; mov $0x800, %%ebp; mov %%ds:(%%ebp), %%al; mov $0x700, %%esp", "r"(TEST | 3));
  check_trap("EBP with DS", NONE, 0);
  TRY_USER("mov %0, %%ss; mov $0x802, %%esp; call 1f; 1:", "r"(TEST | 3));
  check_trap("CALL across a limit", SS, 0);
  TRY_USER("mov %0, %%ss; mov $0x810, %%esp; enter $8, $0", "r"(TEST | 3));
  check_trap("ENTER beyond a limit", SS, 0);
  TRY_USER("mov %0, %%ss; mov $0x10, %%esp; pusha", "r"(TEST | 3));
  check_trap("PUSHA around the end", SS, 0);
  set_segment(SLOT, (u32)bytes, 0x7ff, PRESENT | DPL(3) | DATA_RW, 0);
  TRY_USER("mov %0, %%ss; mov $0x12340404, %%esp; pop %%eax; cmp $0x12340408, %%esp; je 1f; ud2; 1:", "r"(TEST | 3));
  check_trap("a stack without B uses SP", NONE, 0);
  set_segment(SLOT, (u32)user_stack - 0x10000 + 0x4000, 0xffff, PRESENT | DPL(3) | DATA_RW, 0);
  TRY_USER("mov %0, %%ss; xor %%esp, %%esp; push %%eax; cmp $0xfffc, %%esp; je 1f; ud2; 1:", "r"(TEST | 3));
  check_trap("PUSH wraps SP", NONE, 0);
  set_segment(SLOT, (u32)bytes, 0x7ff, PRESENT | DPL(3) | DATA_DOWN, FLAG_B);
  TRY_USER("mov %0, %%ss; mov $0x804, %%esp; push %%eax; mov $0x803, %%esp; push %%eax", "r"(TEST | 3));
  check_trap("PUSH below an expand-down stack", SS, 0);
}

static void level3(void) {
  TRY_USER("mov %0, %%ds", "r"(DATA0));
  check_trap("data of level 0 at level 3", GP, DATA0);
  TRY_USER("mov %0, %%ds", "r"(DATA3 & ~3));
  check_trap("data of level 3 with RPL 0 at level 3", NONE, 0);
  TRY_USER("mov %0, %%ss", "r"(DATA3 & ~3));
  check_trap("SS with RPL 0 at level 3", GP, DATA3 & ~3);
  set_segment(SLOT, 0, 0xfffff, PRESENT | CONFORMING, FLAG_G | FLAG_B);
  TRY_USER("mov %0, %%ds", "r"(TEST));
  check_trap("conforming code of level 0 as data at level 3", NONE, 0);
  set_segment(SLOT, 0, 0xfffff, PRESENT | CODE_XR, FLAG_G | FLAG_B);
  TRY_USER("mov %0, %%ds", "r"(TEST));
  check_trap("code of level 0 as data at level 3", GP, TEST);
  set_segment(SLOT, 0, 0xfffff, PRESENT | DPL(2) | DATA_RW, FLAG_G | FLAG_B);
  // A return to an outer level drops what that level must not have.
  static u32 seen;
  asm volatile("mov %0, %%fs" : : "r"(TEST | 2));
  TRY_USER("mov %%fs, %%eax; mov %%eax, %0", "m"(seen));
  check("IRET to level 3 drops data of level 2", seen, 0);
  asm volatile("mov %0, %%fs" : : "r"(DATA3));
  TRY_USER("mov %%fs, %%eax; mov %%eax, %0", "m"(seen));
  check("IRET to level 3 keeps data of level 3", seen, DATA3);
  set_segment(SLOT, 0, 0xfffff, PRESENT | CONFORMING, FLAG_G | FLAG_B);
  asm volatile("mov %0, %%fs" : : "r"(TEST));
  TRY_USER("mov %%fs, %%eax; mov %%eax, %0", "m"(seen));
  check("IRET to level 3 keeps conforming code of level 0", seen, TEST);
  asm volatile("mov %0, %%fs" : : "r"(DATA0));
}

/** Far jumps, and what LAR, LSL, VERR and VERW make of descriptors. */
static void code_segments(void) {
  set_segment(SLOT, 0, 0xfffff, PRESENT | DPL(3) | CODE_XR, FLAG_G | FLAG_B);
  TRY("ljmp %0, $1f; 1:", "i"(TEST | 3));
  check_trap("JMP to code of level 3", GP, TEST);
  set_segment(SLOT, 0, 0xfffff, PRESENT | DPL(3) | CONFORMING, FLAG_G | FLAG_B);
  TRY("ljmp %0, $1f; 1:", "i"(TEST));
  check_trap("JMP to conforming code of an outer level", GP, TEST);
  set_segment(SLOT, 0, 0xfffff, PRESENT | CODE_XR, FLAG_G | FLAG_B);
  TRY("ljmp %0, $1f; 1:", "i"(TEST | 3));
  check_trap("JMP with RPL 3 to code of level 0", GP, TEST);
  TRY("ljmp %0, $1f; 1: mov %%cs, %%eax; cmp %1, %%eax; je 1f; ud2; 1: ljmp $8, $1f; 1:", "i"(TEST), "i"(TEST));
  check_trap("JMP to code of the same level", NONE, 0);
  set_segment(SLOT, 0, 0xfffff, CODE_XR, FLAG_G | FLAG_B);
  TRY("ljmp %0, $1f; 1:", "i"(TEST));
  check_trap("JMP to code that is not present", NP, TEST);
  set_segment(SLOT, 0, 0xfffff, PRESENT | DATA_RW, FLAG_G | FLAG_B);
  TRY("ljmp %0, $1f; 1:", "i"(TEST));
  check_trap("JMP to data", GP, TEST);
  TRY("ljmp $0, $1f; 1:");
  check_trap("JMP to null", GP, 0);
  set_segment(SLOT, 0, 0xff, PRESENT | CODE_XR, FLAG_B);
  TRY("ljmp %0, $1f; 1:", "i"(TEST));
  check_trap("JMP beyond the code's limit", GP, 0);
  check("CS stays where a jump fails", trap.cs, CODE0);
  set_segment(SLOT, 0, 0xfffff, PRESENT | CONFORMING, FLAG_G | FLAG_B);
  TRY_USER("ljmp %0, $1f; 1: mov %%cs, %%eax; cmp %1, %%eax; je 1f; ud2; 1:", "i"(TEST), "i"(TEST | 3));
  check_trap("JMP from level 3 to conforming code", NONE, 0);
  set_segment(SLOT, (u32)bytes, 0x10, PRESENT | DPL(3) | CODE_X, FLAG_B);
  static u32 rights, limit, flags;
  TRY("mov %2, %%ecx; lar %%ecx, %%eax; mov %%eax, %0; lsl %%ecx, %%eax; mov %%eax, %1", "m"(rights), "m"(limit), "i"(TEST));
  check("LAR of execute-only code", rights, (PRESENT | DPL(3) | CODE_X) << 8 | FLAG_B << 20);
  check("LSL of execute-only code", limit, 0x10);
  TRY("mov %1, %%ecx; verr %%cx; pushf; pop %0", "m"(flags), "i"(TEST));
  check("VERR of execute-only code", flags & FLAG_ZF, 0);
  set_segment(SLOT, 0, 0xfffff, DATA_RW, FLAG_G | FLAG_B);
  TRY("mov %1, %%ecx; verw %%cx; pushf; pop %0", "m"(flags), "i"(TEST));
  check("VERW of data that is not present", flags & FLAG_ZF, FLAG_ZF);
  TRY("mov %1, %%ecx; verw %%cx; pushf; pop %0", "m"(flags), "i"(TEST | 1));
  check("VERW with RPL 1 of data of level 0", flags & FLAG_ZF, 0);
  set_segment(SLOT, 0, 0, PRESENT | INTERRUPT_GATE32, 0);
  TRY("mov %1, %%ecx; lar %%ecx, %%eax; pushf; pop %0", "m"(flags), "i"(TEST));
  check("LAR of an interrupt gate", flags & FLAG_ZF, 0);
  set_segment(SLOT, 0, 0, CALL_GATE32, 0);
  TRY("mov %1, %%ecx; lar %%ecx, %%eax; pushf; pop %0", "m"(flags), "i"(TEST));
  check("LAR of a call gate", flags & FLAG_ZF, FLAG_ZF);
  TRY("mov %1, %%ecx; lsl %%ecx, %%eax; pushf; pop %0", "m"(flags), "i"(TEST));
  check("LSL of a call gate", flags & FLAG_ZF, 0);
}

/** LLDT and LTR. */
static void system_segments(void) {
  static u64 ldt[2];
  ldt[1] = segment(0, 0xfffff, PRESENT | DATA_RW, FLAG_G | FLAG_B);
  set_segment(SLOT, (u32)ldt, sizeof(ldt) - 1, PRESENT | LDT, 0);
  TRY("lldt %w0; mov $12, %%eax; mov %%eax, %%ds", "r"(TEST));
  check_trap("DS takes a selector of the LDT", NONE, 0);
  TRY("mov $20, %%eax; mov %%eax, %%ds");
  check_trap("a selector beyond the LDT", GP, 20);
  TRY("mov $4, %%eax; mov %%eax, %%ss");
  check_trap("the LDT's first entry is no null, and empty", GP, 4);
  TRY("lldt %w0", "r"(0));
  check_trap("LLDT takes null", NONE, 0);
  TRY("lldt %w0", "r"(TEST | 4));
  check_trap("LLDT of a selector of an LDT", GP, TEST | 4);
  TRY("lldt %w0", "r"(DATA0));
  check_trap("LLDT of data", GP, DATA0);
  set_segment(SLOT, (u32)ldt, 15, LDT, 0);
  TRY("lldt %w0", "r"(TEST));
  check_trap("LLDT of an LDT that is not present", NP, TEST);
  TRY("ltr %w0", "r"(0));
  check_trap("LTR of null", GP, 0);
  TRY("ltr %w0", "r"(TSS_SELECTOR));
  check_trap("LTR of a busy TSS", GP, TSS_SELECTOR);
  set_segment(SLOT, (u32)&tss, sizeof(tss) - 1, TSS32, 0);
  TRY("ltr %w0", "r"(TEST));
  check_trap("LTR of a TSS that is not present", NP, TEST);
  set_segment(SLOT, (u32)&tss, sizeof(tss) - 1, PRESENT | TSS32, 0);
  TRY("ltr %w0", "r"(TEST));
  check("LTR makes its TSS busy", (gdt[SLOT] >> 40) & 15, TSS32_BUSY);

}

void payload_main(void) {
  loads();
  null_selectors();
  limits();
  stack_limits();
  level3();
  code_segments();
  system_segments();
}
