// SYSCALL and SYSRET, SYSENTER and SYSEXIT, SWAPGS, and the forms of IRET and far returns in long mode.
#include "paging.h"
#include "trap.h"

#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SFMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define NON_CANONICAL 0x800000000000ul
#define SLOT FREE_SLOT

static struct {
  u64 rcx, r11, rsp, flags, cs, ss;
} seen;
extern u8 note_entry[];
/** What code of either width notes; 32-bit code cannot name a local variable. */
word noted;
/** Where SYSCALL and SYSENTER lead: notes its state and ends the TRY. */
asm(".globl note_entry\nnote_entry: mov %rcx, seen; mov %r11, seen + 8; mov %rsp, seen + 16; mov $resume_stack_top, %rsp;"
    "pushf; pop seen + 24; mov %cs, seen + 32; mov %ss, seen + 40; jmp *resume_ip\n"
    ".bss; .skip 256; resume_stack_top: .text");

static void check_instructions(void) {
  const u64 efer = read_msr(MSR_EFER);
  write_msr(MSR_EFER, efer & ~(u64)EFER_SCE);
  TRY("syscall");
  check_trap("SYSCALL without SCE", UD, 0);
  TRY("sysretq");
  check_trap("SYSRET without SCE", UD, 0);
  write_msr(MSR_EFER, efer | EFER_SCE);
  write_msr(MSR_STAR, (u64)(CODE3 & ~3) << 48 | (u64)CODE0 << 32);
  write_msr(MSR_LSTAR, (word)note_entry);
  write_msr(MSR_SFMASK, FLAG_TF | FLAG_IF | FLAG_AC | FLAG_CF);
}

static void syscall(void) {
  static u64 at;
  TRY_USER("movq $77f, %0; stc; syscall; 77: nop", "m"(at));
  check("SYSCALL leaves RIP in RCX", seen.rcx, at);
  check("SYSCALL leaves RFLAGS in R11", seen.r11 & 0x203, 0x203);
  check("SFMASK clears flags", seen.flags & (FLAG_TF | FLAG_IF | FLAG_AC | FLAG_CF), 0);
  check("SYSCALL loads CS", seen.cs, CODE0);
  check("SYSCALL loads SS", seen.ss, DATA0);
  check("SYSCALL keeps RSP", seen.rsp, USER_STACK);
  TRY("movq $77f, %0; syscall; 77: nop", "m"(at));
  check("SYSCALL at level 0", seen.rcx, at);
  static struct {
    u64 cs, ss, flags;
  } user;
  TRY("mov $1f, %%ecx; mov $0x203, %%r11d; sysretq\n"
      "1: mov %%cs, %0; mov %%ss, %1; mov $user_stack + 0x4000, %%rsp; pushf; pop %2" LEAVE,
      "m"(user.cs), "m"(user.ss), "m"(user.flags));
  check("SYSRET loads CS", user.cs, CODE3_64);
  check("SYSRET loads SS", user.ss, DATA3);
  check("SYSRET loads RFLAGS", user.flags & 0x203, 0x203);
  TRY("mov $1f, %%ecx; mov $0x10202, %%r11d; sysretl\n .code32\n 1: mov %%cs, noted; mov $user_stack + 0x4000, %%esp; int $0x80\n .code64");
  check("SYSRET of 32 bits loads CS", noted, CODE3);
  TRY("movq $77f, %0; mov $77f, %%ecx; mov $0x302, %%r11d; sysretq; 77: nop; nop", "m"(at));
  check_trap("SYSRET that sets TF is trapped", DB, 0);
  check("before the next instruction", trap.ip, at);
  TRY_USER("mov $1f, %%ecx; mov $0x202, %%r11d; sysretq; 1:");
  check_trap("SYSRET at level 3", GP, 0);
  TRY("mov %0, %%rcx; mov $2, %%r11d; sysretq", "r"(NON_CANONICAL));
  check_trap("SYSRET to a non-canonical address", GP, 0);
  check("the level that it faults at", trap.cs, is_intel() ? CODE0 : CODE3_64);
}

static void sysenter(void) {
  if (!is_intel()) {
    TRY_USER("sysenter");
    check_trap("SYSENTER in long mode", UD, 0);
    TRY("sysexitl");
    check_trap("SYSEXIT in long mode", UD, 0);
    return;
  }
  write_msr(MSR_SYSENTER_CS, 0);
  TRY_USER("sysenter");
  check_trap("SYSENTER without a code segment", GP, 0);
  TRY("sysexitl");
  check_trap("SYSEXIT without a code segment", GP, 0);
  write_msr(MSR_SYSENTER_CS, CODE0);
  write_msr(MSR_SYSENTER_ESP, 0x123456);
  write_msr(MSR_SYSENTER_EIP, (word)note_entry);
  seen.cs = 0;
  TRY_USER("sysenter");
  check("SYSENTER loads CS", seen.cs, CODE0);
  check("SYSENTER loads SS", seen.ss, DATA0);
  check("SYSENTER loads RSP", seen.rsp, 0x123456);
  check("SYSENTER clears IF", seen.flags & FLAG_IF, 0);
  static u64 cs, ss;
  TRY("mov $1f, %%edx; mov $user_stack + 0x4000, %%ecx; sysexitq\n 1: mov %%cs, %0; mov %%ss, %1" LEAVE, "m"(cs), "m"(ss));
  check("SYSEXIT of 64 bits loads CS", cs, CODE3_64);
  check("SYSEXIT of 64 bits loads SS", ss, DATA3_64);
  TRY("mov $1f, %%edx; mov $user_stack + 0x4000, %%ecx; sysexitl\n .code32\n 1: mov %%cs, noted; int $0x80\n .code64");
  check("SYSEXIT of 32 bits loads CS", noted, CODE3);
  TRY_USER("sysexitl");
  check_trap("SYSEXIT at level 3", GP, 0);
}

static void swapgs(void) {
  write_msr(MSR_GS_BASE, 0x1111);
  write_msr(MSR_KERNEL_GS_BASE, 0x2222);
  TRY("swapgs");
  check("SWAPGS loads the GS base", read_msr(MSR_GS_BASE), 0x2222);
  check("SWAPGS keeps the other", read_msr(MSR_KERNEL_GS_BASE), 0x1111);
  set_segment(SLOT, 0x345678, 0xfffff, PRESENT | DATA_RW, FLAG_G | FLAG_B);
  TRY("mov %0, %%gs", "r"(SELECTOR(SLOT)));
  check("a load of GS loads 32 bits of its base", read_msr(MSR_GS_BASE), 0x345678);
  write_msr(MSR_FS_BASE, 0xffff800000000000ul);
  TRY("mov %0, %%fs", "r"(SELECTOR(SLOT)));
  check("a load of FS clears the base's high half", read_msr(MSR_FS_BASE), 0x345678);
}

static void iret(void) {
  TRY("mov %%rsp, %%rax; push $0x10; push %%rax; push $2; push $8; push $0; mov %0, %%rcx; mov %%rcx, (%%rsp); iretq", "r"(NON_CANONICAL));
  check_trap("IRET to a non-canonical address", GP, 0);
  TRY("mov %%rsp, %%rax; push $0; push %%rax; push $2; push $8; pushq $1f; iretq; 1:");
  check_trap("IRET to level 0 with a null SS", NONE, 0);
  TRY("push $0; pushq $user_stack; push $2; push %0; pushq $1f; iretq; 1:", "i"(CODE3_64));
  check_trap("IRET to level 3 with a null SS", GP, 0);
  TRY("push $3; pushq $user_stack; push $2; push %0; pushq $1f; iretq; 1:", "i"(CODE3));
  check_trap("IRET to 32-bit code with a null SS", GP, 0);
  TRY("push %0; pushq $user_stack; push $2; push %1; pushq $1f; iretq; 1:", "i"(DATA0), "i"(CODE3_64));
  check_trap("IRET to level 3 with SS of level 0", GP, DATA0);
  TRY("push $0x10; pushq $user_stack; push $2; push $0; pushq $1f; iretq; 1:");
  check_trap("IRET to null", GP, 0);
  TRY("push $0x10; pushq $user_stack; push $2; push %0; pushq $1f; iretq; 1:", "i"(DATA0));
  check_trap("IRET to data", GP, DATA0);
  TRY_USER("push $0x10; push %%rsp; push $2; push $8; pushq $1f; iretq; 1:");
  check_trap("IRET to an inner level", GP, CODE0);
  set_segment(SLOT, 0, 0xfffff, PRESENT | DPL(3) | CODE_XR, FLAG_G | FLAG_L | FLAG_B);
  TRY("push $0x23; pushq $user_stack + 0x4000; push $2; push %0; pushq $1f; iretq; 1:" LEAVE, "i"(SELECTOR(SLOT) | 3));
  check_trap("IRET to code with L and D", GP, SELECTOR(SLOT));
  set_segment(SLOT, 0, 0xfffff, DPL(3) | CODE_XR, FLAG_G | FLAG_L);
  TRY("push $0x23; pushq $user_stack + 0x4000; push $2; push %0; pushq $1f; iretq; 1:" LEAVE, "i"(SELECTOR(SLOT) | 3));
  check_trap("IRET to code that is not present", NP, SELECTOR(SLOT));
  set_segment(SLOT, 0, 0xfffff, DPL(3) | DATA_RW, FLAG_G | FLAG_B);
  TRY("push %0; pushq $user_stack + 0x4000; push $2; push %1; pushq $1f; iretq; 1:" LEAVE, "i"(SELECTOR(SLOT) | 3), "i"(CODE3_64));
  // The manuals say both.
  check("IRET to a stack that is not present", trap.vector == SS || trap.vector == NP, 1);
  check("its error code", trap.error, SELECTOR(SLOT));
  TRY("mov %%rsp, %%rax; push $0x10; push %%rax; push $0x4002; push $8; pushq $1f; iretq; 1: push $0x10; push %%rax; push $2; push $8; pushq $1f; iretq; 1:");
  check_trap("IRET with NT", GP, 0);
  static u64 flags;
  TRY_USER("push $0x33; pushq $user_stack + 0x4000; push $0x3002; push $0x2b; pushq $1f; iretq; 1: pushf; pop %0", "m"(flags));
  check("IRET at level 3 changes neither IF nor IOPL", flags & 0x3200, 0x200);
  TRY("push $0x23; pushq $user_stack + 0x4000; push $0x202; push $0x1b; pushq $1f; iretq\n .code32\n1: pushf; pop %%eax; int $0x80\n .code64");
  check_trap("IRET to 32-bit code", NONE, 0);
  check("32-bit code's stack", trap.sp, USER_STACK);
  TRY("push $0x10; push %%rsp; push $8; pushq $1f; lretq; 1: add $16, %%rsp");
  check_trap("a far return to the same level", NONE, 0);
  TRY("push $0x23; pushq $user_stack + 0x4000; push $0x2b; pushq $1f; lretq; 1:" LEAVE);
  check_trap("a far return to level 3", NONE, 0);
  check("a far return's stack", trap.sp, USER_STACK);
  TRY("push $8; mov %0, %%rax; push %%rax; lretq", "r"(NON_CANONICAL));
  check_trap("a far return to a non-canonical address", GP, 0);
}

/** Call gates of long mode: two slots, 64-bit target, no parameters. */
static void gate(word target, u16 selector, u8 access) {
  gdt[SLOT] = (target & 0xffff) | (u64)selector << 16 | (u64)access << 40 | (target >> 16 & 0xffff) << 48;
  gdt[SLOT + 1] = target >> 32;
}

extern u8 gate_target[];
asm(".globl gate_target\ngate_target: mov %rsp, seen + 16; mov %ss, seen + 40; mov %cs, seen + 32; lretq");
/** Far call through memory, as long mode has no direct one. */
static struct __attribute__((packed)) {
  u32 offset;
  u16 selector;
} far_pointer;

static void call_gates(void) {
  far_pointer.selector = SELECTOR(SLOT) | 3;
  gate((word)gate_target, CODE0, PRESENT | DPL(3) | CALL_GATE32);
  TRY("lcall *%0", "m"(far_pointer));
  check_trap("RPL 3 may call a gate of level 3", NONE, 0);
  TRY_USER("lcall *%0", "m"(far_pointer));
  check_trap("a call gate from level 3", NONE, 0);
  check("it takes the stack of level 0", seen.rsp, tss.sp0 - 4 * 8);
  check("SS is null there", seen.ss, 0);
  check("CS is of level 0", seen.cs, CODE0);
  TRY_USER("ljmp *%0", "m"(far_pointer));
  check_trap("JMP through a gate to an inner level", GP, CODE0);
  gate((word)gate_target, CODE0, PRESENT | DPL(0) | CALL_GATE32);
  TRY_USER("lcall *%0", "m"(far_pointer));
  check_trap("a call gate of level 0 from level 3", GP, SELECTOR(SLOT));
  gate((word)gate_target, CODE0, DPL(3) | CALL_GATE32);
  TRY_USER("lcall *%0", "m"(far_pointer));
  check_trap("a call gate that is not present", NP, SELECTOR(SLOT));
  gate((word)gate_target, 0, PRESENT | DPL(3) | CALL_GATE32);
  TRY_USER("lcall *%0", "m"(far_pointer));
  check_trap("a call gate to null", GP, 0);
  gate((word)gate_target, CODE0_32, PRESENT | DPL(3) | CALL_GATE32);
  TRY_USER("lcall *%0", "m"(far_pointer));
  check_trap("a call gate to 32-bit code", GP, CODE0_32);
  gate(NON_CANONICAL, CODE0, PRESENT | DPL(3) | CALL_GATE32);
  TRY_USER("lcall *%0", "m"(far_pointer));
  check_trap("a call gate to a non-canonical address", GP, 0);
  gate((word)gate_target, CODE0, PRESENT | DPL(3) | CALL_GATE32);
  gdt[SLOT + 1] |= 1ul << 40;
  TRY_USER("lcall *%0", "m"(far_pointer));
  check_trap("a call gate whose second half has a type", GP, SELECTOR(SLOT));
  gdt[SLOT + 1] = 0;
  gate((word)gate_target, CODE0, PRESENT | DPL(3) | CALL_GATE16);
  TRY_USER("lcall *%0", "m"(far_pointer));
  check_trap("a 16-bit call gate in long mode", GP, SELECTOR(SLOT));
  gate((word)gate_target, TSS_SELECTOR, PRESENT | DPL(3) | TASK_GATE);
  TRY_USER("lcall *%0", "m"(far_pointer));
  check_trap("a task gate in long mode", GP, SELECTOR(SLOT));
  far_pointer.selector = TSS_SELECTOR;
  TRY("ljmp *%0", "m"(far_pointer));
  check_trap("JMP to a TSS in long mode", GP, TSS_SELECTOR);
  const u64 stack = tss.sp0;
  far_pointer.selector = SELECTOR(SLOT) | 3;
  gate((word)gate_target, CODE0, PRESENT | DPL(3) | CALL_GATE32);
  tss.sp0 = NON_CANONICAL + 0x100;
  // The exception's own stack is that one too.
  static u8 stack_of_ss[0x400] __attribute__((aligned(16)));
  tss.ist[0] = (word)stack_of_ss + sizeof(stack_of_ss);
  set_gate(SS, trap_stub(SS), CODE0, PRESENT | INTERRUPT_GATE32, 1);
  set_gate(DF, trap_stub(DF), CODE0, PRESENT | INTERRUPT_GATE32, 1);
  TRY_USER("lcall *%0", "m"(far_pointer));
  tss.sp0 = stack;
  check("a call gate with a non-canonical stack", trap.vector, SS);
}

void payload_main(void) {
  check_instructions();
  syscall();
  sysenter();
  swapgs();
  iret();
  call_gates();
}
