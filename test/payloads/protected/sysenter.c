// SYSENTER and SYSEXIT in 32-bit mode, and what level 3 may do with flags and ports.
#include "trap.h"

#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176

u32 seen_cs, seen_ss, seen_esp, seen_eflags;
extern u8 note_entry[];
u32 entry_stack[16];
/** Where SYSENTER leads: notes its state and ends the TRY. */
asm(".globl note_entry\n"
    "note_entry: mov %esp, seen_esp; mov %cs, %eax; mov %eax, seen_cs; mov %ss, %eax; mov %eax, seen_ss\n"
    "mov $entry_stack + 64, %esp; pushf; pop seen_eflags; jmp *resume_ip\n");

static void fast_calls(void) {
  if (!(cpuid(1, 0).edx & 1 << 11)) {
    skip("SYSENTER", "not there");
    return;
  }
  write_msr(MSR_SYSENTER_CS, 0);
  TRY_USER("sysenter");
  check_trap("SYSENTER without a code segment", GP, 0);
  TRY("sysexit");
  check_trap("SYSEXIT without a code segment", GP, 0);
  write_msr(MSR_SYSENTER_CS, 3);
  TRY_USER("sysenter");
  check_trap("SYSENTER with a null code segment with RPL", GP, 0);
  write_msr(MSR_SYSENTER_CS, CODE0);
  write_msr(MSR_SYSENTER_ESP, 0x123456);
  write_msr(MSR_SYSENTER_EIP, (u32)note_entry);
  TRY_USER("sysenter");
  check("SYSENTER loads CS", seen_cs, CODE0);
  check("SYSENTER loads SS", seen_ss, DATA0);
  check("SYSENTER loads ESP", seen_esp, 0x123456);
  check("SYSENTER clears IF", seen_eflags & FLAG_IF, 0);
  // The segments are flat whatever their descriptors say.
  const u64 kept = gdt[DATA0 >> 3];
  seen_cs = 0;
  TRY("sysenter");
  check("SYSENTER at level 0", seen_cs, CODE0);
  check("descriptors are as they were", gdt[DATA0 >> 3], kept);
  static u32 cs, ss;
  TRY("mov $1f, %%edx; mov $user_stack + 0x4000, %%ecx; sysexit\n 1: push $0x23; pop %%ds; mov %%cs, %%eax; mov %%eax, %0; mov %%ss, %%eax; mov %%eax, %1" LEAVE,
      "m"(cs), "m"(ss));
  check("SYSEXIT loads CS", cs, CODE3);
  check("SYSEXIT loads SS", ss, DATA3);
  TRY_USER("sysexit");
  check_trap("SYSEXIT at level 3", GP, 0);
}

static void flags_and_ports(void) {
  static u32 flags;
  TRY_USER("push $0x3402; popf; pushf; pop %0", "m"(flags));
  check("POPF at level 3 changes neither IF nor IOPL", flags & 0x3200, 0x200);
  check("but DF", flags & 0x400, 0x400);
  TRY_USER_FLAGS(0x3202, "cli; sti; in $0x80, %%al; out %%al, $0x80");
  check_trap("CLI, STI, IN and OUT with IOPL 3", NONE, 0);
  TRY_USER_FLAGS(0x2202, "cli");
  check_trap("CLI with IOPL 2 at level 3", GP, 0);
  TRY_USER("in $0x80, %%al");
  check_trap("IN without IOPL", GP, 0);
  tss.bits[0x80 >> 3] &= ~1;
  TRY_USER("in $0x80, %%al");
  check_trap("IN that the I/O map lets", NONE, 0);
  TRY_USER("in $0x80, %%ax");
  check_trap("a word needs two bits", GP, 0);
  tss.bits[0x80 >> 3] &= ~2;
  TRY_USER("in $0x80, %%ax");
  check_trap("and has them", NONE, 0);
  tss.bits[0x80 >> 3] |= 3;
  const u16 kept = tss.io_map;
  tss.io_map = sizeof(tss);
  TRY_USER("in $0x80, %%al");
  check_trap("an I/O map beyond the TSS", GP, 0);
  // The byte behind the last one belongs to the map too.
  tss.io_map = sizeof(tss) - 1 - (0x80 >> 3);
  memset(tss.bits, 0, sizeof(tss.bits));
  TRY_USER("in $0x80, %%al");
  check_trap("the byte behind the map counts", GP, 0);
  tss.io_map = sizeof(tss) - 2 - (0x80 >> 3);
  TRY_USER("in $0x80, %%al");
  check_trap("one byte more", NONE, 0);
  tss.io_map = kept;
  memset(tss.bits, 0xff, sizeof(tss.bits));
  TRY_USER("push $0x40202; popf; mov 1(%%esp), %%eax");
  check_trap("AC without AM", NONE, 0);
  write_cr0(read_cr0() | CR0_AM);
  TRY_USER("push %%eax; push %%eax; push $0x40202; popf; mov 1(%%esp), %%eax");
  check_trap("AC with AM", AC, 0);
  write_cr0(read_cr0() & ~(u32)CR0_AM);
  TRY_USER("mov $0x7fffffff, %%eax; add $1, %%eax; into");
  check_trap("INTO", OF, 0);
  TRY_USER("xor %%eax, %%eax; into");
  check_trap("INTO without OF", NONE, 0);
  static const int32_t bounds[2] = {10, 20};
  TRY_USER("mov $20, %%eax; bound %%eax, %0", "m"(bounds));
  check_trap("BOUND inside", NONE, 0);
  TRY_USER("mov $21, %%eax; bound %%eax, %0", "m"(bounds));
  check_trap("BOUND outside", BR, 0);
}

void payload_main(void) {
  fast_calls();
  flags_and_ports();
}
