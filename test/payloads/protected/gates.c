// Call gates of 16 and 32 bits with parameters and stack switch, far returns, and gates of the IDT in 32-bit mode.
#include "trap.h"

#define SLOT FREE_SLOT
#define GATE_SELECTOR SELECTOR(SLOT)
#define CODE16_SLOT (FREE_SLOT + 1)
#define RING1_CODE_SLOT (FREE_SLOT + 2)
#define RING1_STACK_SLOT (FREE_SLOT + 3)
#define CONFORMING_SLOT (FREE_SLOT + 4)
#define IDT_ERROR(vector) ((vector) << 3 | 2)

static u8 ring1_stack[0x1000] __attribute__((aligned(16)));
u32 seen_sp, seen_ss, seen_cs, seen_words[8];
extern u8 gate_code[], gate_code16[], return_code[];
/** Notes where it is and what is on its stack, and returns, dropping 8 bytes of parameters. */
asm(".globl gate_code, gate_code16, return_code\n"
    "gate_code: push %ds; push %eax; mov $0x10, %ax; mov %cs, %eax; test $3, %al; jnz 1f; mov $0x10, %eax; mov %eax, %ds; 1:\n"
    "mov %cs, %eax; mov %eax, seen_cs; mov %ss, %eax; mov %eax, seen_ss; lea 8(%esp), %eax; mov %eax, seen_sp\n"
    "mov 8(%esp), %eax; mov %eax, seen_words; mov 12(%esp), %eax; mov %eax, seen_words + 4; mov 16(%esp), %eax; mov %eax, seen_words + 8\n"
    "mov 20(%esp), %eax; mov %eax, seen_words + 12; mov 24(%esp), %eax; mov %eax, seen_words + 16; mov 28(%esp), %eax; mov %eax, seen_words + 20\n"
    "pop %eax; pop %ds; lret $8\n"
    "return_code: lret\n");

static void gate(u32 target, u16 selector, u8 count, u8 access) {
  gdt[SLOT] = (u64)(target & 0xffff) | (u64)selector << 16 | (u64)count << 32 | (u64)access << 40 | (u64)(target >> 16) << 48;
}

#define PARAMETERS "push $0x222; push $0x111; "
#define CALL "lcall $0x50, $0"

static void call_gates(void) {
  gate((u32)gate_code, CODE0, 2, PRESENT | DPL(3) | CALL_GATE32);
  TRY(PARAMETERS CALL);
  check_trap("a call gate to the same level", NONE, 0);
  check("it copies no parameters", seen_words[2], 0x111);
  TRY_USER(PARAMETERS CALL);
  check_trap("a call gate from level 3", NONE, 0);
  check("it runs at level 0", seen_cs, CODE0);
  check("on its stack segment", seen_ss, DATA0);
  check("on its stack", seen_sp, tss.esp0 - 6 * 4);
  check("which has the caller's CS", seen_words[1], CODE3);
  check("the parameters in order", seen_words[2] << 16 | seen_words[3], 0x1110222);
  check("the caller's SP", seen_words[4], USER_STACK - 8);
  check("and the caller's SS", seen_words[5], DATA3);
  check("RET drops the parameters of both stacks", trap.sp, USER_STACK);
  gate((u32)gate_code, CODE0, 2, PRESENT | DPL(3) | CALL_GATE32);
  TRY_USER("lcall $0x53, $0x12345");
  check_trap("a gate's RPL counts too, and the offset of the call does not", NONE, 0);
  gate((u32)gate_code, CODE0, 0, PRESENT | DPL(2) | CALL_GATE32);
  TRY_USER(CALL);
  check_trap("a call gate of level 2 from level 3", GP, GATE_SELECTOR);
  TRY("lcall $0x53, $0");
  check_trap("RPL 3 for a call gate of level 2", GP, GATE_SELECTOR);
  gate((u32)gate_code, CODE0, 0, DPL(3) | CALL_GATE32);
  TRY_USER(CALL);
  check_trap("a call gate that is not present", NP, GATE_SELECTOR);
  gate((u32)gate_code, 0, 0, PRESENT | DPL(3) | CALL_GATE32);
  TRY_USER(CALL);
  check_trap("a call gate to null", GP, 0);
  gate((u32)gate_code, DATA0, 0, PRESENT | DPL(3) | CALL_GATE32);
  TRY_USER(CALL);
  check_trap("a call gate to data", GP, DATA0);
  gate((u32)gate_code, SELECTOR(SLOTS), 0, PRESENT | DPL(3) | CALL_GATE32);
  TRY_USER(CALL);
  check_trap("a call gate to a selector beyond the GDT", GP, SELECTOR(SLOTS));
  gate((u32)return_code, CODE3, 0, PRESENT | DPL(3) | CALL_GATE32);
  TRY(CALL);
  check_trap("a call gate to an outer level", GP, CODE3 & ~3);
  gate((u32)return_code, CODE0, 0, PRESENT | DPL(3) | CALL_GATE32);
  TRY_USER("ljmp $0x50, $0");
  check_trap("JMP through a gate to an inner level", GP, CODE0);
  set_segment(CONFORMING_SLOT, 0, 0xfffff, PRESENT | CONFORMING, FLAG_G | FLAG_B);
  gate((u32)return_code, SELECTOR(CONFORMING_SLOT), 0, PRESENT | DPL(3) | CALL_GATE32);
  TRY_USER("lcall $0x50, $0; mov %%esp, %%eax; cmp $user_stack + 0x4000, %%eax; je 1f; ud2; 1:");
  check_trap("a gate to conforming code changes no level", NONE, 0);
  TRY_USER("ljmp $0x50, $0");
  check("JMP through a gate to conforming code", trap.vector != GP || trap.error != SELECTOR(CONFORMING_SLOT), 1);

  // To level 1, whose stack is of its own.
  set_segment(RING1_CODE_SLOT, 0, 0xfffff, PRESENT | DPL(1) | CODE_XR, FLAG_G | FLAG_B);
  set_segment(RING1_STACK_SLOT, 0, 0xfffff, PRESENT | DPL(1) | DATA_RW, FLAG_G | FLAG_B);
  tss.ss1 = SELECTOR(RING1_STACK_SLOT) | 1;
  tss.esp1 = (u32)ring1_stack + sizeof(ring1_stack);
  gate((u32)gate_code, SELECTOR(RING1_CODE_SLOT), 2, PRESENT | DPL(3) | CALL_GATE32);
  TRY_USER(PARAMETERS CALL);
  check_trap("a call gate to level 1", NONE, 0);
  check("CS has its level", seen_cs, SELECTOR(RING1_CODE_SLOT) | 1);
  check("SS is level 1's", seen_ss, SELECTOR(RING1_STACK_SLOT) | 1);
  check("SP is level 1's", seen_sp, tss.esp1 - 6 * 4);
  tss.ss1 = 0;
  TRY_USER(CALL);
  check_trap("a null stack in the TSS", TS, 0);
  tss.ss1 = SELECTOR(RING1_STACK_SLOT);
  TRY_USER(CALL);
  check_trap("a stack in the TSS with another RPL", TS, SELECTOR(RING1_STACK_SLOT));
  tss.ss1 = DATA0 | 1;
  TRY_USER(CALL);
  check_trap("a stack in the TSS of another level", TS, DATA0);
  tss.ss1 = SELECTOR(SLOTS) | 1;
  TRY_USER(CALL);
  check_trap("a stack in the TSS beyond the GDT", TS, SELECTOR(SLOTS));
  tss.ss1 = SELECTOR(RING1_STACK_SLOT) | 1;
  set_segment(RING1_STACK_SLOT, 0, 0xfffff, PRESENT | DPL(1) | DATA_RO, FLAG_G | FLAG_B);
  TRY_USER(CALL);
  check_trap("a read-only stack in the TSS", TS, SELECTOR(RING1_STACK_SLOT));
  set_segment(RING1_STACK_SLOT, 0, 0xfffff, DPL(1) | DATA_RW, FLAG_G | FLAG_B);
  TRY_USER(CALL);
  check_trap("a stack in the TSS that is not present", SS, SELECTOR(RING1_STACK_SLOT));
  set_segment(RING1_STACK_SLOT, (u32)ring1_stack, 19, PRESENT | DPL(1) | DATA_RW, FLAG_B);
  tss.esp1 = 20;
  TRY_USER(PARAMETERS CALL);
  check_trap("a stack in the TSS with too little room", SS, SELECTOR(RING1_STACK_SLOT));

  // 16 bits.
  gate(0, CODE0, 1, PRESENT | DPL(3) | CALL_GATE16);
  set_segment(CODE16_SLOT, (u32)gate_code, 0xffff, PRESENT | CODE_XR, FLAG_B);
  gate(0, SELECTOR(CODE16_SLOT), 1, PRESENT | DPL(3) | CALL_GATE16);
  TRY_USER("pushw $0x222; pushw $0x111; " CALL);
  check("a 16-bit gate pushes words", seen_sp, tss.esp0 - 5 * 2);
  check("IP and CS", seen_words[0] >> 16, CODE3);
  check("one parameter, and SP", seen_words[1], (USER_STACK - 4) << 16 | 0x111);
  check("and SS", seen_words[2] & 0xffff, DATA3);
}

extern u8 handler16[];
u16 words16[3];
/** Notes a frame of words and ends the TRY. */
asm("handler16: mov (%esp), %ax; mov %ax, words16; mov 2(%esp), %ax; mov %ax, words16 + 2; mov 4(%esp), %ax; mov %ax, words16 + 4\n"
    "ljmp $8, $1f; 1: mov resume_sp, %esp; jmp *resume_ip\n");

static void idt_gates(void) {
  struct gate *gate = &idt[0x60];
  gate->access = PRESENT | DPL(3) | TRAP_GATE32;
  TRY_USER_FLAGS(0x202, "int $0x60");
  check("a trap gate", trap.vector, 0x60);
  check("the frame has the caller's flags", trap.flags & FLAG_IF, FLAG_IF);
  check("a frame of level 3 has SS", trap.ss, DATA3);
  check("and SP", trap.sp, USER_STACK);
  check("on the stack of level 0", trap.frame, tss.esp0 - 5 * 4);
  gate->access = PRESENT | DPL(3) | CALL_GATE32;
  TRY("int $0x60");
  check_trap("a call gate in the IDT", GP, IDT_ERROR(0x60));
  gate->access = DPL(3) | INTERRUPT_GATE32;
  TRY("int $0x60");
  check_trap("a gate that is not present", NP, IDT_ERROR(0x60));
  gate->access = PRESENT | INTERRUPT_GATE32;
  TRY_USER("int $0x60");
  check_trap("a gate of level 0 from level 3", GP, IDT_ERROR(0x60));
  TRY_USER("ud2");
  check_trap("exceptions do not care for a gate's level", UD, 0);
  // 16-bit gates push words.
  gate->access = PRESENT | DPL(3) | INTERRUPT_GATE16;
  set_segment(CODE16_SLOT, (u32)handler16 & ~0xffffu, 0xfffff, PRESENT | CODE_XR, FLAG_G | FLAG_B);
  gate->low = (u32)handler16;
  gate->high = 0xdead;
  gate->selector = SELECTOR(CODE16_SLOT);
  TRY("int $0x60");
  check("a 16-bit gate pushes CS as a word", words16[1], CODE0);
  check("and FLAGS", words16[2] & 0xff02, 0x0002);
  set_gate(0x60, trap_stub(0x60), CODE0, PRESENT | INTERRUPT_GATE32, 0);
}

/** Returns to outer levels. */
static void far_returns(void) {
  TRY("push $0x23; push $user_stack + 0x4000; push $0x1b; push $1f; lret; 1:" LEAVE);
  check_trap("RET to level 3", NONE, 0);
  check("its SP", trap.sp, USER_STACK);
  TRY("push $0x23; push $user_stack + 0x3ff0; push $0; push $0; push $0x1b; push $1f; lret $8; 1:" LEAVE);
  check("RET with an immediate drops of both stacks", trap.sp, USER_STACK - 8);
  TRY("push $0; push $user_stack; push $0x1b; push $1f; lret; 1:" LEAVE);
  check_trap("RET to level 3 with a null SS", GP, 0);
  TRY("push $0x10; push $user_stack; push $0x1b; push $1f; lret; 1:" LEAVE);
  check_trap("RET to level 3 with SS of level 0", GP, DATA0);
  TRY("push $0x23; push $user_stack; push $0x18; push $1f; lret; 1:" LEAVE);
  check_trap("RET to code of level 3 with RPL 0", GP, CODE3 & ~3);
  TRY("push $0; push $1f; lret; 1:");
  check_trap("RET to null", GP, 0);
  TRY("push $0x10; push $1f; lret; 1:");
  check_trap("RET to data", GP, DATA0);
  TRY_USER("push $8; push $1f; lret; 1:");
  check_trap("RET to an inner level", GP, CODE0);
  TRY_USER("push $2; push $8; push $1f; iretl; 1:");
  check_trap("IRET to an inner level", GP, CODE0);
}

void payload_main(void) {
  call_gates();
  idt_gates();
  far_returns();
}
