// Virtual-8086 mode: IOPL, interrupts through the IDT and, with VME, through the 8086's own table; real-mode segments.
#include "trap.h"

/** Where 8086 code lies: segment 0x1000. */
#define CODE86 0x10000
#define STACK86 0x20000
#define REDIRECT_AT(vector) (tss.redirection[(vector) >> 3])
#define FLAGS86(iopl) (FLAG_VM | (iopl) << 12 | 2)

static u32 sp86;

/** Runs `size` bytes of 8086 code with an IOPL (and further flags), up to a trap. */
static void run86(const u8 *code, u32 size, u32 flags) {
  memset((void *)CODE86, 0xf4, 64);
  memcpy((void *)CODE86, code, size);
  static u32 entry_flags;
  entry_flags = flags;
  TRY("push $0; push $0; push $0x3000; push $0x3000; push $0x2000; push %1; push %0; push $0x1000; push $0; iretl",
      "m"(entry_flags), "m"(sp86));
}
#define RUN86(flags, ...) \
  do { \
    static const u8 code[] = {__VA_ARGS__}; \
    run86(code, sizeof(code), flags); \
  } while (0)

static void privileges(void) {
  RUN86(FLAGS86(3), 0x90, 0xf4);
  check_trap("HLT", GP, 0);
  check("it is at its instruction", trap.ip, 1);
  check("CS is a paragraph", trap.cs, 0x1000);
  check("VM is in the frame", trap.flags & FLAG_VM, FLAG_VM);
  check("SS is a paragraph", trap.ss, 0x2000);
  check("the frame has room for the data segments", trap.frame, tss.esp0 - 9 * 4);
  check("DS in the frame", ((u32 *)trap.frame)[6], 0x3000);
  RUN86(FLAGS86(3) | FLAG_IF, 0xfa, 0x9c, 0x58, 0xf4);
  check("CLI and PUSHF with IOPL 3", trap.ip, 3);
  RUN86(FLAGS86(0), 0xfa, 0xf4);
  check_trap("CLI with IOPL 0", GP, 0);
  check("CLI faults at itself", trap.ip, 0);
  RUN86(FLAGS86(0), 0x90, 0x9c, 0xf4);
  check("PUSHF with IOPL 0", trap.vector << 8 | trap.ip, GP << 8 | 1);
  RUN86(FLAGS86(0), 0x90, 0x9d, 0xf4);
  check("POPF with IOPL 0", trap.vector << 8 | trap.ip, GP << 8 | 1);
  RUN86(FLAGS86(0), 0x90, 0xcf, 0xf4);
  check("IRET with IOPL 0", trap.vector << 8 | trap.ip, GP << 8 | 1);
  RUN86(FLAGS86(0), 0x90, 0xcd, 0x60, 0xf4);
  check("INT with IOPL 0", trap.vector << 8 | trap.ip, GP << 8 | 1);
  RUN86(FLAGS86(0), 0xcc, 0xf4);
  check_trap("INT3 with IOPL 0", BP, 0);
  idt[0x60].access = PRESENT | DPL(3) | INTERRUPT_GATE32;
  RUN86(FLAGS86(3), 0xcd, 0x60, 0xf4);
  check("INT with IOPL 3 goes through the IDT", trap.vector, 0x60);
  idt[0x60].access = PRESENT | INTERRUPT_GATE32;
  RUN86(FLAGS86(3), 0xcd, 0x60, 0xf4);
  check_trap("which checks the gate's level", GP, 0x60 << 3 | 2);
  RUN86(FLAGS86(3), 0xe4, 0x80, 0xf4);
  check_trap("IN that the I/O map forbids, whatever IOPL", GP, 0);
  tss.bits[0x80 >> 3] &= ~1;
  RUN86(FLAGS86(0), 0xe4, 0x80, 0x90, 0xf4);
  check("IN that the I/O map lets", trap.ip, 3);
  tss.bits[0x80 >> 3] |= 1;
  RUN86(FLAGS86(3), 0x0f, 0x00, 0xc0);
  check_trap("SLDT", UD, 0);
  RUN86(FLAGS86(3), 0x0f, 0x02, 0xc0);
  check_trap("LAR", UD, 0);
  RUN86(FLAGS86(3), 0x63, 0xc0);
  check_trap("ARPL", UD, 0);
  RUN86(FLAGS86(3), 0x0f, 0x01, 0x16, 0, 0);
  check_trap("LGDT", GP, 0);
  RUN86(FLAGS86(3), 0x0f, 0x20, 0xc0);
  check_trap("MOV from CR0", GP, 0);
  RUN86(FLAGS86(3), 0x0f, 0x01, 0xe0, 0x90, 0xf4);
  check("SMSW", trap.ip, 4);
  RUN86(FLAGS86(3), 0xb8, 0x34, 0x12, 0x8e, 0xd8, 0x8c, 0xd8, 0x3d, 0x34, 0x12, 0x74, 0x01, 0xcc, 0xf4);
  check("a segment register takes any paragraph", trap.vector << 8 | trap.ip, GP << 8 | 13);
  RUN86(FLAGS86(3), 0x67, 0x66, 0xa1, 0xfd, 0xff, 0x00, 0x00);
  check_trap("a read beyond 64 KiB", GP, 0);
  RUN86(FLAGS86(3), 0xea, 0x10, 0x00, 0x00, 0x10);
  check("a far JMP", trap.vector << 8 | trap.ip, GP << 8 | 0x10);
}

static void vme(void) {
  if (!(cpuid(1, 0).edx & 2)) {
    skip("VME", "not there");
    return;
  }
  write_cr4(read_cr4() | CR4_VME);
  // The 8086 vector 0x60 leads to 1000:0020.
  volatile u32 *vectors = (volatile u32 *)0;
  const u32 kept = vectors[0x60];
  vectors[0x60] = 0x10000020;
  REDIRECT_AT(0x60) &= ~(1 << (0x60 & 7));
  RUN86(FLAGS86(3), 0xcd, 0x60, 0xf4);
  check_trap("INT that is redirected", GP, 0);
  check("it is in the 8086 handler", trap.ip, 0x20);
  check("it pushed 6 bytes", trap.sp & 0xffff, (sp86 & 0xffff) - 6);
  check("the return address", *(u32 *)(STACK86 + (sp86 & 0xffff) - 6), 0x10000002);
  RUN86(FLAGS86(0) | FLAG_VIF, 0xcd, 0x60, 0xf4);
  check("it is redirected with IOPL 0 too", trap.ip, 0x20);
  check("which clears VIF", trap.flags & FLAG_VIF, 0);
  check("and pushes it as IF, with IOPL 3", *(u16 *)(STACK86 + (sp86 & 0xffff) - 2) & 0x3200, 0x3200);
  REDIRECT_AT(0x60) |= 1 << (0x60 & 7);
  RUN86(FLAGS86(0), 0x90, 0xcd, 0x60, 0xf4);
  check("INT that is not redirected, with IOPL 0", trap.vector << 8 | trap.ip, GP << 8 | 1);
  RUN86(FLAGS86(0) | FLAG_VIF, 0xfa, 0x90, 0xf4);
  check("CLI with IOPL 0 and VME", trap.ip, 2);
  check("it clears VIF", trap.flags & (FLAG_VIF | FLAG_IF), 0);
  RUN86(FLAGS86(0) | FLAG_IF, 0xfb, 0x90, 0xf4);
  check("STI sets VIF", trap.flags & (FLAG_VIF | FLAG_IF), FLAG_VIF | FLAG_IF);
  RUN86(FLAGS86(0) | FLAG_VIP, 0x90, 0xfb, 0xf4);
  check("STI with VIP", trap.vector << 8 | trap.ip, GP << 8 | 1);
  RUN86(FLAGS86(0) | FLAG_VIF, 0x9c, 0x58, 0x90, 0xf4);
  check("PUSHF with IOPL 0 and VME", trap.ip, 3);
  check("it pushes VIF as IF", *(u16 *)(STACK86 + (sp86 & 0xffff) - 2) & 0x3200, 0x3200);
  RUN86(FLAGS86(0), 0x66, 0x9c, 0xf4);
  check("PUSHFD with IOPL 0", trap.vector << 8 | trap.ip, GP << 8);
  RUN86(FLAGS86(0), 0x68, 0x02, 0x02, 0x9d, 0x90, 0xf4);
  check("POPF sets VIF", trap.flags & (FLAG_VIF | FLAG_IF), FLAG_VIF);
  RUN86(FLAGS86(0), 0x68, 0x02, 0x01, 0x9d, 0xf4);
  check("POPF with TF", trap.vector << 8 | trap.ip, GP << 8 | 3);
  RUN86(FLAGS86(0) | FLAG_VIP, 0x68, 0x02, 0x02, 0x9d, 0xf4);
  check("POPF of IF with VIP", trap.vector << 8 | trap.ip, GP << 8 | 3);
  RUN86(FLAGS86(0), 0x68, 0x02, 0x02, 0x68, 0x00, 0x10, 0x68, 0x18, 0x00, 0xcf);
  check("IRET with IOPL 0 and VME", trap.vector << 8 | trap.ip, GP << 8 | 0x18);
  check("it sets VIF", trap.flags & (FLAG_VIF | FLAG_IF), FLAG_VIF);
  vectors[0x60] = kept;
  write_cr4(read_cr4() & ~(u32)CR4_VME);
}

static void pvi(void) {
  if (!(cpuid(1, 0).edx & 2)) return;
  write_cr4(read_cr4() | CR4_PVI);
  TRY_USER_FLAGS(0x2, "sti; nop; hlt");
  check_trap("HLT behind STI with PVI", GP, 0);
  check("STI with PVI sets VIF", trap.flags & (FLAG_VIF | FLAG_IF), FLAG_VIF);
  TRY_USER_FLAGS(0x80002, "cli; hlt");
  check("CLI with PVI clears VIF", trap.flags & FLAG_VIF, 0);
  TRY_USER_FLAGS(0x100002, "sti; nop");
  check_trap("STI with PVI and VIP", GP, 0);
  write_cr4(read_cr4() & ~(u32)CR4_PVI);
  TRY_USER_FLAGS(0x2, "sti");
  check_trap("STI without PVI", GP, 0);
}

void payload_main(void) {
  sp86 = 0x1000;
  memset(tss.redirection, 0xff, sizeof(tss.redirection));
  privileges();
  vme();
  pvi();
}
