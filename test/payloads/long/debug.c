// Single step, breakpoints on instructions, data and ports, and the debug registers themselves.
#include "paging.h"
#include "trap.h"

#define DR6_BD 0x2000
#define DR6_BS 0x4000
#define DR6_BT 0x8000
/** Bits of DR6 that read as 1. */
#define DR6_FIXED 0xffff0ff0
#define DR6_SEEN (DR6_BD | DR6_BS | DR6_BT | 0xf)
#define DR7_FIXED 0x400
#define DR7_LOCAL(n) (1 << (2 * (n)))
#define DR7_GLOBAL(n) (2 << (2 * (n)))
#define DR7_EXACT 0x100
#define DR7_GD 0x2000
#define ON_EXECUTE 0
#define ON_WRITE 1
#define ON_PORT 2
#define ON_ACCESS 3
/** `length`: 0, 1 and 3 for 1, 2 and 4 bytes, 2 for 8. */
#define DR7_TYPE(n, type, length) ((u32)((type) | (length) << 2) << (16 + 4 * (n)))
#define SET_TF "pushf; orl $0x100, (%%rsp); popf\n"
/** Notes the address of label 77, which the code has to have. */
#define MARK "movq $77f, mark\n"

word mark;
static u8 data[64] __attribute__((aligned(64)));

static void arm(word address, u32 type, u32 length) {
  write_dr6(0);
  write_dr0(address);
  write_dr7(DR7_FIXED | DR7_LOCAL(0) | DR7_TYPE(0, type, length));
}
static void disarm(void) {
  write_dr7(DR7_FIXED);
  write_dr6(0);
}

/** That the last TRY trapped at the mark with these bits of DR6. */
static void check_debug(const char *name, const char *name_ip, u32 dr6) {
  u32 seen = read_dr6() & DR6_SEEN;
  disarm();
  if (trap.vector != DB) check_trap(name, DB, 0);
  else check(name, seen, dr6);
  check(name_ip, trap.ip, mark);
}

static u32 steps;
static word step_ip[16];
static bool count_step(struct frame *frame) {
  if (frame->vector != DB) return false;
  if (steps < 16) step_ip[steps] = frame->ip;
  steps++;
  write_dr6(0);
  return true;
}

static void single_step(void) {
  write_dr6(0);
  TRY(MARK SET_TF "nop; 77: nop");
  check_debug("a step", "the step behind POPF", DR6_BS);
  check("TF is in the frame", trap.flags & FLAG_TF, FLAG_TF);
  check("RF is not in a step's frame", trap.flags & FLAG_RF, 0);
  TRY(MARK SET_TF "77: ud2");
  check("a fault comes before its step", trap.vector, UD);
  check("a fault leaves BS alone", read_dr6() & DR6_SEEN, 0);
  check("TF is in a fault's frame", trap.flags & FLAG_TF, FLAG_TF);
  TRY(MARK SET_TF "int3; 77: nop");
  check("INT3 with TF goes to its handler", trap.vector, BP);
  TRY(MARK "mov %%ss, %%eax; " SET_TF "mov %%eax, %%ss; nop; 77: nop");
  check_debug("a step over MOV SS", "it takes the next instruction along", DR6_BS);
  TRY(MARK SET_TF "sti; 77: nop; cli");
  check_debug("a step over STI", "it does not take the next instruction along", DR6_BS);
  TRY(MARK "push %%rbp; mov %%rsp, %%rbx; " SET_TF "jmp 77f; nop; 77: nop");
  check_debug("a step over JMP", "it is where JMP leads", DR6_BS);
  TRY(MARK "pushf; orl $0x100, (%%rsp); mov $16, %%eax; mov (%%rsp), %%ebx; mov %%rsp, %%rcx; push %%rax; push %%rcx;"
      "push %%rbx; push $8; pushq $1f; iretq; 1: nop; 77: nop");
  check_debug("a step begun by IRET", "it is behind the next instruction", DR6_BS);
  steps = 0;
  on_trap = count_step;
  TRY("mov %0, %%rdi; mov $3, %%ecx; xor %%eax, %%eax; " SET_TF "rep stosb; pushf; andl $0xfffffeff, (%%rsp); popf", "r"(data));
  on_trap = NULL;
  check("REP STOSB of 3 steps 3 times, 3 more for what clears TF", steps, 3 + 3);
  check("steps within REP STOSB are at it", step_ip[0] == step_ip[1] && step_ip[2] == step_ip[1] + 2, 1);
  steps = 0;
  on_trap = count_step;
  TRY("xor %%ecx, %%ecx; mov %0, %%rdi; " SET_TF "rep stosb; pushf; andl $0xfffffeff, (%%rsp); popf", "r"(data));
  on_trap = NULL;
  check("REP STOSB of 0 steps once", steps, 1 + 3);
  TRY(MARK SET_TF "cpuid; 77: nop");
  check_debug("a step over CPUID", "it is behind CPUID", DR6_BS);
  write_dr6(DR6_BT);
  TRY(MARK SET_TF "nop; 77: nop");
  check_debug("a step leaves other bits of DR6", "and its address", DR6_BS | DR6_BT);
  TRY(MARK ".byte 0xf1; 77: nop");
  check_debug("INT1 sets nothing in DR6", "INT1 is a trap", 0);
  TRY_USER(MARK "pushf; orl $0x100, (%%rsp); popf; nop; 77: nop");
  check_debug("a step at level 3", "at level 3 behind POPF", DR6_BS);
}

extern u8 target[];

/** Sets RF, as handlers of instruction breakpoints do, and counts. */
static bool pass_breakpoint(struct frame *frame) {
  if (!count_step(frame)) return false;
  frame->flags |= FLAG_RF;
  return true;
}

static void instructions(void) {
  mark = (word)target;
  arm((word)target, ON_EXECUTE, 0);
  // The second time through, RF is no longer set.
  on_trap = pass_breakpoint;
  steps = 0;
  static u32 count;
  TRY("mov $3, %%ecx; xor %%eax, %%eax; 1: nop\n .globl target\n target: inc %%eax; dec %%ecx; jnz 1b; mov %%eax, %0", "m"(count));
  on_trap = NULL;
  check("RF suppresses a breakpoint once", steps, 3);
  check("instructions at breakpoints are executed", count, 3);
  disarm();
}

/** A breakpoint on label 77 of the code. */
#define BREAK_AT_77 "mov $77f, %%r15; mov %%r15, %%dr0\n" MARK
static void arm_code(void) { arm(0, ON_EXECUTE, 0); }

static void more_instructions(void) {
  arm_code();
  TRY(BREAK_AT_77 "nop; 77: nop");
  check("RF is not in an instruction breakpoint's frame", trap.flags & FLAG_RF, 0);
  check_debug("a breakpoint on an instruction", "it comes before the instruction", 1);
  arm_code();
  TRY(BREAK_AT_77 "mov %%ss, %%eax; mov %%eax, %%ss; 77: nop; nop");
  check_trap("MOV SS suppresses a breakpoint, on Intel's processors", is_intel() ? NONE : DB, 0);
  arm_code();
  TRY(BREAK_AT_77 "sti; 77: nop; cli");
  check_debug("STI suppresses no breakpoint", "behind STI", 1);
  arm_code();
  TRY(BREAK_AT_77 "mov %%rsp, %%rax; push $0x10; push %%rax; push $0x10002; push $8; pushq $77f; iretq; 77: nop; nop");
  check_trap("IRET sets RF", NONE, 0);
  arm_code();
  TRY(BREAK_AT_77 "pushf; orl $0x10000, (%%rsp); popf; 77: nop");
  check_debug("POPF does not set RF", "behind POPF", 1);
  arm_code();
  TRY(BREAK_AT_77 SET_TF "nop; 77: nop");
  // Whether B0 is set for a breakpoint that has yet to come is left open.
  check("a step is reported ahead of a breakpoint", read_dr6() & DR6_BS, DR6_BS);
  check("a step ends at the breakpoint", trap.ip, mark);
  disarm();
  arm_code();
  TRY(BREAK_AT_77 "nop; 77: ud2");
  check_debug("a breakpoint comes before #UD", "at UD2", 1);
  write_dr6(0);
  write_dr0(FREE_ADDRESS);
  write_dr7(DR7_FIXED | DR7_GLOBAL(0));
  mark = FREE_ADDRESS;
  TRY("call *%0", "r"(FREE_ADDRESS));
  check_debug("a breakpoint comes before the fetch's page fault", "where nothing is mapped", 1);
  arm((word)&data, ON_EXECUTE, 0);
  data[0] = 0;
  TRY("mov %0, %%al", "m"(data));
  check_trap("a breakpoint on instructions is none on data", NONE, 0);
  disarm();
}

static void data_breakpoints(void) {
  arm((word)data + 8, ON_WRITE, 3);
  TRY(MARK "movl $1, %0; 77: nop", "m"(data[8]));
  check_debug("a breakpoint on writes", "it is behind the write", 1);
  arm((word)data + 8, ON_WRITE, 3);
  TRY("mov %0, %%eax", "m"(data[8]));
  check_trap("it is not on reads", NONE, 0);
  arm((word)data + 8, ON_ACCESS, 3);
  TRY(MARK "mov %0, %%eax; 77: nop", "m"(data[8]));
  check_debug("a breakpoint on accesses", "it is behind the read", 1);
  TRY("mov %0, %%eax", "m"(data[8]));
  check_trap("nothing is armed", NONE, 0);
  arm((word)data + 8, ON_ACCESS, 3);
  TRY("mov %0, %%eax; movl $0, %1", "m"(data[4]), "m"(data[12]));
  check_trap("neighbours are not watched", NONE, 0);
  TRY(MARK "mov %0, %%rax; 77: nop", "m"(data[4]));
  check_debug("a wide access that touches it", "behind the wide access", 1);
  arm((word)data + 8, ON_ACCESS, 3);
  TRY(MARK "mov %0, %%al; 77: nop", "m"(data[11]));
  check_debug("a byte in it", "behind the byte", 1);
  arm((word)data + 10, ON_ACCESS, 3);
  TRY(MARK "mov %0, %%al; 77: nop", "m"(data[8]));
  check_debug("the address is aligned to the length", "behind the aligned byte", 1);
  arm((word)data + 8, ON_ACCESS, 2);
  TRY(MARK "mov %0, %%al; 77: nop", "m"(data[15]));
  check_debug("8 bytes are watched", "behind the eighth byte", 1);
  arm((word)data + 8, ON_ACCESS, 0);
  TRY("mov %0, %%al", "m"(data[9]));
  check_trap("1 byte is watched", NONE, 0);
  TRY(MARK "lock; addb $1, %0; 77: nop", "m"(data[8]));
  check_debug("a locked addition", "behind the locked addition", 1);
  arm((word)data + 8, ON_WRITE, 0);
  TRY(MARK "mov %0, %%rdi; mov $12, %%ecx; xor %%eax, %%eax; 77: rep stosb", "r"(data));
  check_debug("REP STOSB", "within REP STOSB, at it", 1);
  arm((word)data + 11, ON_WRITE, 0);
  TRY(MARK "mov %0, %%rdi; mov $12, %%ecx; xor %%eax, %%eax; rep stosb; 77: nop", "r"(data));
  check_debug("REP STOSB's last byte", "behind REP STOSB", 1);
  static u16 selector = DATA0;
  arm((word)&selector, ON_ACCESS, 1);
  TRY(MARK "mov %0, %%ss; nop; 77: nop", "m"(selector));
  check_debug("MOV SS that touches it", "it takes the next instruction along too", 1);
  arm((word)&selector, ON_ACCESS, 1);
  TRY(MARK "mov %0, %%ds; 77: nop; nop", "m"(selector));
  check_debug("MOV DS that touches it", "behind MOV DS", 1);
  write_dr0((word)data);
  write_dr1((word)data);
  write_dr2((word)data + 4);
  write_dr3((word)data);
  write_dr6(0);
  write_dr7(DR7_FIXED | DR7_LOCAL(0) | DR7_GLOBAL(1) | DR7_LOCAL(2) | DR7_TYPE(0, ON_WRITE, 0) | DR7_TYPE(1, ON_ACCESS, 0) |
            DR7_TYPE(2, ON_WRITE, 0));
  TRY(MARK "mov %0, %%rdi; movl $0, (%%rdi); 77: nop", "r"(data));
  check_debug("two breakpoints at once", "behind the write that two watch", 3);
  arm(FREE_ADDRESS, ON_WRITE, 0);
  TRY("movb $0, (%0)", "r"(FREE_ADDRESS));
  check_trap("a write that faults is no write", PF, PF_W);
  disarm();
  arm((word)data + 8, ON_WRITE, 3);
  TRY(MARK SET_TF "movl $0, %0; 77: nop", "m"(data[8]));
  check_debug("a step over a write that is watched", "behind both", DR6_BS | 1);
  arm(USER_STACK - 48, ON_WRITE, 2);
  TRY_USER(MARK "lea -40(%%rsp), %%rsp; push %%rax; 77: nop");
  check_debug("PUSH at level 3", "behind PUSH", 1);
}

static void ports(void) {
  if (!(cpuid(1, 0).edx & 4)) {
    skip("I/O breakpoints", "no debugging extensions");
    return;
  }
  write_cr4(read_cr4() | CR4_DE);
  arm(0x80, ON_PORT, 0);
  TRY(MARK "out %%al, $0x80; 77: nop");
  check_debug("a breakpoint on a port", "behind OUT", 1);
  arm(0x80, ON_PORT, 0);
  TRY(MARK "in $0x80, %%al; 77: nop");
  check_debug("it is on reads too", "behind IN", 1);
  arm(0x80, ON_PORT, 0);
  TRY("out %%al, $0x84");
  check_trap("another port", NONE, 0);
  arm(0x84, ON_PORT, 3);
  TRY(MARK "mov $0x87, %%edx; in %%dx, %%al; 77: nop");
  check_debug("4 ports", "behind the fourth", 1);
  arm(0x84, ON_PORT, 0);
  data[0] = 0;
  TRY(MARK "mov $0x84, %%edx; mov %0, %%esi; outsb; 77: nop", "r"((u32)(word)data));
  check_debug("OUTSB", "behind OUTSB", 1);
  arm((word)data, ON_PORT, 0);
  TRY("movb $0, %0", "m"(data));
  check_trap("a breakpoint on a port is none on memory", NONE, 0);
  disarm();
  TRY("mov %%dr4, %%rax");
  check_trap("DR4 with DE", UD, 0);
  TRY("mov %%rax, %%dr5");
  check_trap("DR5 with DE", UD, 0);
  write_cr4(read_cr4() & ~(word)CR4_DE);
}

static void registers(void) {
  static word value;
  write_dr6(0);
  check("DR6 reads its fixed bits", read_dr6(), DR6_FIXED);
  write_dr6(DR6_SEEN);
  check("DR6 takes its other bits", read_dr6(), DR6_FIXED | DR6_SEEN);
  write_dr6(DR6_SEEN | 0x1000);
  check("DR6 does not take bit 12", read_dr6(), DR6_FIXED | DR6_SEEN);
  write_dr6(0);
  write_dr7(0);
  check("DR7 reads bit 10", read_dr7(), DR7_FIXED);
  TRY("mov $1, %%eax; mov %%rax, %%dr5; mov %%dr7, %%rax; mov %%rax, %0", "m"(value));
  check("DR5 is DR7 without DE", value, DR7_FIXED | 1);
  write_dr7(0);
  TRY("mov %0, %%rax; mov %%rax, %%dr6", "r"(1ul << 32));
  check_trap("high bits of DR6", GP, 0);
  TRY("mov %0, %%rax; mov %%rax, %%dr7", "r"(1ul << 63));
  check_trap("high bits of DR7", GP, 0);
  write_dr3(0x123456789abcdef0ul);
  check("DR3 holds 64 bits, non-canonical too", read_dr3(), 0x123456789abcdef0ul);
  TRY(".byte 0x44, 0x0f, 0x21, 0xc0");
  check_trap("DR8", UD, 0);
  write_dr7(DR7_FIXED | DR7_GD);
  TRY(MARK "77: mov %%dr0, %%rax");
  check("GD is cleared for its handler", read_dr7(), DR7_FIXED);
  check_debug("a read under GD", "GD is a fault", DR6_BD);
  write_dr7(DR7_FIXED | DR7_GD);
  TRY(MARK "77: mov %%rax, %%dr6");
  check_debug("a write under GD", "GD is a fault of writes", DR6_BD);
  write_dr7(DR7_FIXED | DR7_GD);
  TRY_USER("mov %%rax, %%dr6");
  check_trap("GD at level 3", GP, 0);
  // GD is still set; the trap that this makes clears it.
  TRY("mov %%dr6, %%rax");
  check("GD stays through a #GP", read_dr7(), DR7_FIXED);
}

void payload_main(void) {
  single_step();
  instructions();
  more_instructions();
  data_breakpoints();
  ports();
  registers();
}
