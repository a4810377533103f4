// When external interrupts and NMIs are taken: IF, the shadows of STI and MOV SS, HLT, TPR, NMI blocking.
#include "interrupts.h"
#include "apic.h"
#include "paging.h"

#define LOW 0x31
#define HIGH 0x71
/** Notes the address of label 77. */
#define MARK "movq $77f, mark\n"
/** Sends interrupt 0x31 to this processor, without a read that would give it time. */
#define SEND "mov $0xfee00300, %%ebx; movl $0x44031, (%%rbx)\n"
#define SEND_NMI "mov $0xfee00310, %%ebx; mov own_id, %%eax; mov %%eax, (%%rbx); mov $0xfee00300, %%ebx; movl $0x4400, (%%rbx)\n"

/** Longer than an interrupt to oneself takes. */
#define A_WHILE "mov $1000, %%ecx; 9: dec %%ecx; jnz 9b\n"

word mark;
u32 own_id;

static void check_taken(const char *name, u8 vector, u32 times) {
  check(name, taken[vector], times);
  forget_interrupts();
}

static void shadows(void) {
  TRY("cli; " SEND "nop; nop");
  check_taken("not with IF clear", LOW, 0);
  TRY(MARK "sti; nop; 77: nop; cli");
  check("STI holds back for one instruction", taken_at, mark);
  check_taken("and then it comes", LOW, 1);
  TRY("cli; " SEND "nop; sti; cli; nop; nop");
  check_taken("not between STI and CLI", LOW, 0);
  TRY(MARK "pushf; orl $0x200, (%%rsp); popf; 77: nop; cli");
  check("POPF holds nothing back", taken_at, mark);
  check_taken("it came behind POPF", LOW, 1);
  TRY(MARK "cli; " SEND "mov %%rsp, %%rax; push $0x10; push %%rax; push $0x202; push $8; pushq $77f; iretq; 77: nop; cli");
  check("IRET holds nothing back", taken_at, mark);
  check_taken("it came behind IRET", LOW, 1);
  TRY(MARK "cli; " SEND "mov %%ss, %%eax; sti; mov %%eax, %%ss; nop; 77: nop; cli");
  check("MOV SS in the shadow of STI adds its own", taken_at == mark || taken_at == mark - 1, 1);
  check_taken("it came behind MOV SS", LOW, 1);
  TRY(MARK "cli; " SEND "sti; mov %%ss, %%eax; 77: cli");
  check_taken("STI and an instruction and CLI", LOW, 1);
  TRY(MARK "sti; nop; mov %%ss, %%ecx; " SEND "mov %%ecx, %%ss; nop; 77: nop; cli");
  check("an interrupt comes before or behind MOV SS and its shadow", taken_at <= mark && taken_at != mark - 1, 1);
  check_taken("once", LOW, 1);
  TRY("cli; " SEND "sti; hlt; cli");
  check_taken("STI and HLT wake", LOW, 1);
  TRY("sti; nop; " SEND A_WHILE "cli");
  check_taken("with IF set", LOW, 1);
  TRY_USER_FLAGS(0x3202, SEND A_WHILE "cli");
  check_taken("at level 3", LOW, 1);
  TRY(MARK "cli; " SEND "77: xor %%ecx, %%ecx; sti; div %%ecx");
  check("a fault in the shadow comes first", trap.vector, DE);
  check("and the interrupt does not", taken[LOW], 0);
  take_pending();
  check_taken("until it is let", LOW, 1);
  static u8 room[0x10000];
  TRY(MARK "mov %0, %%rdi; mov $0x10000, %%ecx; cli; " SEND "xor %%eax, %%eax; sti; 77: rep stosb; cli", "r"(room));
  check("RF is in its frame within a repeated instruction", taken_at != mark || taken_flags & FLAG_RF, 1);
  check_taken("in a repeated instruction", LOW, 1);
}

static void priorities(void) {
  apic_write(APIC_TPR, 0x30);
  self_ipi(LOW);
  take_pending();
  check_taken("TPR holds its class back", LOW, 0);
  apic_write(APIC_TPR, 0x2f);
  take_pending();
  check_taken("TPR lets the class above it", LOW, 1);
  self_ipi(LOW);
  self_ipi(HIGH);
  take_pending();
  check("the higher class first", taken_order[0] << 8 | taken_order[1], HIGH << 8 | LOW);
  forget_interrupts();
  asm volatile("mov %0, %%cr8" : : "r"(7ul));
  check("CR8 is TPR", apic_read(APIC_TPR), 0x70);
  apic_write(APIC_TPR, 0x45);
  word cr8;
  asm volatile("mov %%cr8, %0" : "=r"(cr8));
  check("TPR is CR8", cr8, 4);
  TRY("mov $16, %%eax; mov %%rax, %%cr8");
  check_trap("reserved bits of CR8", GP, 0);
  self_ipi(LOW);
  TRY(MARK "sti; xor %%eax, %%eax; nop; mov %%rax, %%cr8; 77: nop; nop; cli");
  check("lowering CR8 lets it come", taken_at == mark || taken_at == mark + 1, 1);
  check_taken("once behind CR8", LOW, 1);
  apic_write(APIC_TPR, 0);
  self_ipi(LOW);
  self_ipi(LOW);
  take_pending();
  take_pending();
  check_taken("two of one vector are one", LOW, 1);
}

static u32 nmis;
static u32 nested_nmis;
static u32 during;
static bool return_inside;
static u32 sent_inside = 1;

/** Counts NMIs; the first sends others, and may return to itself by IRET before it ends. */
static bool count_nmi(struct frame *frame) {
  if (frame->vector != NMI) return false;
  nmis++;
  if (nmis > 1) {
    nested_nmis += during;
    return true;
  }
  during = 1;
  for (u32 i = 0; i < sent_inside; i++) asm volatile(SEND_NMI A_WHILE : : : "rax", "rbx", "rcx", "memory");
  if (sent_inside == 1) check(return_inside ? "an NMI waits while one is handled" : "NMIs wait for their handler", nmis, 1);
  if (return_inside) {
    asm volatile("mov %%rsp, %%rax; push $0x10; push %%rax; push $2; push $8; pushq $1f; iretq; 1: nop; nop" : : : "rax", "memory");
    check("IRET within a handler lets the next one come", nmis, 2);
  }
  during = 0;
  return true;
}

static void nmi(void) {
  own_id = apic_read(APIC_ID);
  on_trap = count_nmi;
  TRY("cli; " SEND_NMI A_WHILE);
  check("an NMI needs no IF, and the second comes behind the first", nmis, 2);
  check("it does not come within the first", nested_nmis, 0);
  nmis = 0;
  sent_inside = 3;
  TRY("cli; " SEND_NMI A_WHILE);
  check("NMIs that come within one are one", nmis, 2);
  nmis = 0;
  sent_inside = 1;
  return_inside = true;
  TRY("cli; " SEND_NMI A_WHILE);
  check("the second NMI came within the first", nested_nmis, 1);
  nmis = 2;
  // INT 2 is an interrupt like others: it blocks nothing.
  TRY("int $2");
  check("INT 2 reaches the handler", nmis, 3);
  on_trap = NULL;
}

void payload_main(void) {
  open_apic();
  count_interrupts(apic_acknowledge);
  shadows();
  priorities();
  nmi();
}
