// Real mode, to and fro: its interrupt table, segment limits that stay, and the A20 gate.
#include "trap.h"

/** Where 16-bit code is copied to, and the stack below it. */
#define LOW 0x8000
#define CODE16_SLOT FREE_SLOT
#define DATA16_SLOT (FREE_SLOT + 1)
#define MAILBOX ((volatile u32 *)0x7000)

extern u8 low_code[], low_code_end[], low_return[];
/**
 * Goes to real mode, calls the code at LOW + 0x200 and comes back. Handlers of the real-mode table for #UD, #GP, #DE and INT
 * 0x60 note their vector and SP in the mailbox and go on at the end.
 */
asm(".globl enter_real\n"
    "enter_real: pusha; mov %esp, saved_sp; sidt saved_idt; mov $0x7ff0, %esp\n"
    "ljmp $0x50, $0x8000\n"
    "low_return: mov $0x10, %eax; mov %eax, %ds; mov %eax, %es; mov %eax, %ss; mov %eax, %fs; mov %eax, %gs\n"
    "mov saved_sp, %esp; lidt saved_idt; popa; ret\n"
    ".bss; saved_sp: .skip 4; saved_idt: .skip 8; .text\n"
    "low_code: .code16\n"
    // Off with PE; data segments keep the limits that they have.
    "mov $0x58, %ax; mov %ax, %ds; mov %ax, %es; mov %ax, %ss\n"
    "mov %cr0, %eax; and $0xfffffffe, %eax; mov %eax, %cr0; ljmp $0, $0x8000 + (1f - low_code); 1:\n"
    "xor %ax, %ax; mov %ax, %ds; mov %ax, %es; mov %ax, %ss; mov $0x7ff0, %sp\n"
    "lidtw %cs:0x8000 + (real_idt - low_code); call 0x8200 - 0x8000 + low_code\n"
    "back: cli; xor %ax, %ax; mov %ax, %ds; mov %cr0, %eax; or $1, %eax; mov %eax, %cr0\n"
    "ljmpl $8, $low_return\n"
    "real_idt: .word 0x3ff; .long 0\n"
    // The handlers of vectors: AX is the vector.
    "handler_de: mov $0, %ax; jmp note\n handler_ud: mov $6, %ax; jmp note\n handler_gp: mov $13, %ax; jmp note\n"
    "handler_ss: mov $12, %ax; jmp note\n handler_60: mov $0x60, %ax; jmp note\n handler_br: mov $5, %ax; jmp note\n"
    "note: push %cs; pop %ds; movzx %ax, %eax; mov %eax, 0x7000; xor %eax, %eax; mov %sp, %ax; mov %eax, 0x7004\n"
    "mov %sp, %bp; mov %ss:(%bp), %ax; mov %eax, 0x7008; mov %ss:4(%bp), %ax; mov %eax, 0x700c\n"
    "xor %ax, %ax; mov %ax, %ss; mov $0x7fee, %sp; ret\n"
    "low_code_end: .code32\n");
extern u8 handler_de[], handler_ud[], handler_gp[], handler_ss[], handler_60[], handler_br[];
void enter_real(void);

static void vector(u8 number, u8 *handler) { ((volatile u32 *)0)[number] = LOW + (handler - low_code); }

/** Runs 16-bit code in real mode; it ends by RET or a fault. Registers are unknown at its start. */
static void run_real(const u8 *code, u32 size) {
  memset((void *)0x7000, 0xff, 16);
  memcpy((void *)(LOW + 0x200), code, size);
  ((u8 *)LOW + 0x200)[size] = 0xc3;
  enter_real();
}
#define REAL(...) \
  do { \
    static const u8 code[] = {__VA_ARGS__}; \
    run_real(code, sizeof(code)); \
  } while (0)
#define NOTHING 0xffffffff

static void real_mode(void) {
  REAL(0x90);
  check("real mode and back", MAILBOX[0], NOTHING);
  REAL(0xcd, 0x60);
  check("INT", MAILBOX[0], 0x60);
  check("it pushes 6 bytes", MAILBOX[1] & 0xffff, 0x7fee - 6);
  check("its return address", MAILBOX[2] & 0xffff, LOW + 0x202);
  REAL(0x0f, 0x0b);
  check("#UD", MAILBOX[0], 6);
  check("at its instruction", MAILBOX[2] & 0xffff, LOW + 0x200);
  REAL(0x31, 0xc9, 0xf7, 0xf1);
  check("#DE", MAILBOX[0], 0);
  check("pushes no error code", MAILBOX[1] & 0xffff, 0x7fee - 6);
  REAL(0x67, 0x66, 0xa1, 0xfe, 0xff, 0x00, 0x00);
  check("a doubleword across 64 KiB is #GP", MAILBOX[0], 13);
  check("without an error code", MAILBOX[1] & 0xffff, 0x7fee - 6);
  REAL(0xbe, 0xff, 0xff, 0xad);
  check("a word across 64 KiB", MAILBOX[0], 13);
  REAL(0xbe, 0xff, 0xff, 0xac);
  check("the last byte", MAILBOX[0], NOTHING);
  REAL(0x0f, 0x00, 0xc0);
  check("SLDT is #UD", MAILBOX[0], 6);
  REAL(0x0f, 0x02, 0xc0);
  check("LAR is #UD", MAILBOX[0], 6);
  REAL(0x63, 0xc0);
  check("ARPL is #UD", MAILBOX[0], 6);
  REAL(0xfb, 0xfa, 0xf4 - 0x64);
  check("STI and CLI need no level", MAILBOX[0], NOTHING);
  REAL(0x0f, 0x20, 0xc0);
  check("MOV from CR0", MAILBOX[0], NOTHING);
  REAL(0xb8, 0x34, 0x12, 0x8e, 0xc0, 0x8c, 0xc3, 0x39, 0xc3, 0x74, 0x02, 0x0f, 0x0b);
  check("a segment register takes any paragraph", MAILBOX[0], NOTHING);
  REAL(0x62, 0x06, 0x00, 0x70);
  check("BOUND outside is #BR", MAILBOX[0], 5);
  REAL(0xf0, 0x90);
  check("LOCK NOP is #UD", MAILBOX[0], 6);
  // A table that is too short for the vector: #GP, whose vector is there.
  REAL(0x66, 0x31, 0xc0, 0x89, 0xc5, 0xc7, 0x06, 0x10, 0x70, 0x3f, 0x00, 0xc7, 0x06, 0x12, 0x70, 0x00, 0x00, 0xc7, 0x06, 0x14, 0x70, 0x00, 0x00,
       0x0f, 0x01, 0x1e, 0x10, 0x70, 0xcd, 0x60);
  check("a vector beyond the table is #GP", MAILBOX[0], 13);
}

/** Limits of protected mode stay in real mode until a register is loaded. */
static void unreal(void) {
  // mov eax, cr0; or al, 1; mov cr0, eax; mov bx, 0x10; mov fs, bx; and al, ~1; mov cr0, eax; mov al, fs:[ebx] at 1 MiB
  REAL(0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, 0xbb, 0x10, 0x00, 0x8e, 0xe3, 0x24, 0xfe, 0x0f, 0x22, 0xc0,
       0x66, 0xbb, 0x00, 0x00, 0x10, 0x00, 0x64, 0x67, 0x8a, 0x03);
  check("a limit of 4 GiB stays in real mode", MAILBOX[0], NOTHING);
  REAL(0x31, 0xc0, 0x8e, 0xe0, 0x66, 0xbb, 0x00, 0x00, 0x01, 0x00, 0x64, 0x67, 0x8a, 0x03);
  check("and stays when the register is loaded in real mode", MAILBOX[0], NOTHING);
}

#define SYSTEM_CONTROL_A 0x92
static void a20(void) {
  volatile u8 *low = (volatile u8 *)0x6000;
  volatile u8 *high = (volatile u8 *)0x106000;
  const u8 kept = *high;
  out8(SYSTEM_CONTROL_A, in8(SYSTEM_CONTROL_A) | 2);
  *low = 0x11;
  *high = 0x22;
  check("an open A20 gate", *low, 0x11);
  check("port 0x92 shows it", in8(SYSTEM_CONTROL_A) & 2, 2);
  out8(SYSTEM_CONTROL_A, in8(SYSTEM_CONTROL_A) & ~2);
  *low = 0x33;
  const u8 wrapped = *high;
  out8(SYSTEM_CONTROL_A, in8(SYSTEM_CONTROL_A) | 2);
  check("a closed A20 gate", wrapped, 0x33);
  *high = kept;
}

void payload_main(void) {
  set_segment(CODE16_SLOT, 0, 0xffff, PRESENT | CODE_XR, 0);
  set_segment(DATA16_SLOT, 0, 0xffff, PRESENT | DATA_RW, 0);
  memcpy((void *)LOW, low_code, low_code_end - low_code);
  vector(0, handler_de);
  vector(5, handler_br);
  vector(6, handler_ud);
  vector(12, handler_ss);
  vector(13, handler_gp);
  vector(0x60, handler_60);
  real_mode();
  unreal();
  a20();
}
