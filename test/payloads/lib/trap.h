// Trying code that may trap: what came of it is in `trap`, and the payload goes on behind it.
#pragma once
#include "descriptors.h"

#define DE 0
#define DB 1
#define NMI 2
#define BP 3
#define OF 4
#define BR 5
#define UD 6
#define NM 7
#define DF 8
#define TS 10
#define NP 11
#define SS 12
#define GP 13
#define PF 14
#define MF 16
#define AC 17
#define XM 19
/** INT of this number ends code that was tried at another level. */
#define LEAVE_VECTOR 0x80
/** In trap.vector: there was none. */
#define NONE (-1)

struct frame {
#ifdef __x86_64__
  u64 r15, r14, r13, r12, r11, r10, r9, r8, di, si, bp, bx, dx, cx, ax;
#else
  u32 gs, fs, es, ds;
  u32 di, si, bp, unused, bx, dx, cx, ax;
#endif
  word vector, error, ip, cs, flags;
  /** In 32-bit mode: only where the trap came from another level. */
  word sp, ss;
};

struct trap {
  int vector;
  /** 0 where the exception has none. */
  u32 error;
  word ip, cs, flags, sp, ss, cr2;
  /** SP inside the handler, before it pushed anything: where the processor's frame is. */
  word frame;
};
extern struct trap trap;
/** Sees each trap first; true: carry on where the frame says. */
extern bool (*on_trap)(struct frame *frame);
extern word resume_ip, resume_sp;
extern u8 user_stack[0x4000];
#define USER_STACK ((word)(user_stack + sizeof(user_stack)))

/** Address of the handler of a vector. */
word trap_stub(int vector);

#define NO_ERROR 0
/** Whether the last TRY ended in this exception with this error code; prints both otherwise. */
void check_trap(const char *name, int vector, u32 error);
/** As check_trap, and that CR2 is `address`. */
void check_fault(const char *name, u32 error, word address);

#ifdef __x86_64__
#define ARM_TRY \
  "push %%rax; push %%rcx; push %%rdx; push %%rbx; push %%rbp; push %%rsi; push %%rdi; push %%r8; push %%r9\n" \
  "push %%r10; push %%r11; push %%r12; push %%r13; push %%r14; push %%r15\n" \
  "movq $99f, resume_ip; mov %%rsp, resume_sp; movl $-1, trap\n"
#define END_TRY \
  "\n99: movq $0, resume_ip\n mov resume_sp, %%rsp\n" \
  "pop %%r15; pop %%r14; pop %%r13; pop %%r12; pop %%r11; pop %%r10\n" \
  "pop %%r9; pop %%r8; pop %%rdi; pop %%rsi; pop %%rbp; pop %%rbx; pop %%rdx; pop %%rcx; pop %%rax\n"
#define LEVEL3_CODE 0x2b
#define LEVEL3_DATA 0x33
#define ENTER(cs, ss, flags) "pushq $" #ss "; pushq $user_stack + 0x4000; pushq $" #flags "; pushq $" #cs "; pushq $1f; iretq\n1:\n"
#else
#define ARM_TRY "pusha; movl $99f, resume_ip; mov %%esp, resume_sp; movl $-1, trap\n"
// The code may have left any segment in DS and ES, and levels 1 to 3 do.
#define END_TRY "\n99: mov $0x10, %%eax\n mov %%eax, %%ds\n mov %%eax, %%es\n movl $0, resume_ip\n mov resume_sp, %%esp; popa\n"
#define LEVEL3_CODE 0x1b
#define LEVEL3_DATA 0x23
#define ENTER(cs, ss, flags) "pushl $" #ss "; pushl $user_stack + 0x4000; pushl $" #flags "; pushl $" #cs "; pushl $1f; iretl\n" \
  "1: pushl $" #ss "; pop %%ds; pushl $" #ss "; pop %%es\n"
#endif
#define ENTER_EXPANDED(cs, ss, flags) ENTER(cs, ss, flags)
#define LEAVE "\nint $0x80\n"

/** Runs assembly code at level 0. Further arguments are inputs of the asm statement; every register may be changed. */
#define TRY(code, ...) asm volatile(ARM_TRY code END_TRY : : __VA_ARGS__ : "memory", "cc")
/** The same at level 3. */
#define TRY_USER(code, ...) TRY(ENTER_EXPANDED(LEVEL3_CODE, LEVEL3_DATA, 0x202) code LEAVE, __VA_ARGS__)
/** The same with given flags. */
#define TRY_USER_FLAGS(flags, code, ...) TRY(ENTER_EXPANDED(LEVEL3_CODE, LEVEL3_DATA, flags) code LEAVE, __VA_ARGS__)
