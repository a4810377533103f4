// Hardware task switches: by JMP, CALL, task gate, interrupt and IRET; TSSs of 32 and 16 bits; what they check.
#include "trap.h"

#define SLOT FREE_SLOT
#define OTHER SELECTOR(SLOT)
#define GATE_SLOT (FREE_SLOT + 1)
#define LDT_SLOT (FREE_SLOT + 2)
#define TSS16_SLOT (FREE_SLOT + 3)
#define BUSY(slot) ((gdt[slot] >> 40) & 0x1f)
#define FLAG_TS 8

struct tss16 {
  u16 link, sp0, ss0, sp1, ss1, sp2, ss2, ip, flags, ax, cx, dx, bx, sp, bp, si, di, es, cs, ss, ds, ldt;
};

static struct tss other;
static struct tss16 small;
static u8 stack[0x1000] __attribute__((aligned(16)));
u32 task_eax, task_flags, task_cr0, task_link, task_tr, task_runs, task_esp;
/** What the other task does: notes what it finds and goes back by IRET, and again when it is called again. */
extern u8 task_code[], task_jumps[], task_ends[];
asm(".globl task_code, task_jumps, task_ends\n"
    "task_code: mov %eax, task_eax; mov %esp, task_esp; pushf; popl task_flags; mov %cr0, %eax; mov %eax, task_cr0; str %eax; mov %eax, task_tr\n"
    "incl task_runs; iret; incl task_runs; iret; jmp task_code\n"
    "task_jumps: incl task_runs; ljmp $0x40, $0; jmp task_jumps\n"
    // Ends the TRY from within: NT is cleared so that nothing returns.
    "task_ends: incl task_runs; mov resume_sp, %esp; push $2; popf; jmp *resume_ip\n");

static void set_other(void *entry) {
  memset(&other, 0, sizeof(other));
  other.eip = (u32)entry;
  other.eflags = 2;
  other.esp = (u32)stack + sizeof(stack);
  other.ss = other.ds = other.es = DATA0;
  other.cs = CODE0;
  other.esp0 = other.esp;
  other.ss0 = DATA0;
  other.eax = 0x12345678;
  other.io_map = sizeof(other);
  set_segment(SLOT, (u32)&other, 0x67, PRESENT | TSS32, 0);
}

static void switches(void) {
  set_other(task_code);
  TRY("lcall $0x50, $0");
  check_trap("CALL to a TSS and IRET", NONE, 0);
  check("the other task has run", task_runs, 1);
  check("with its registers", task_eax, 0x12345678);
  check("with its stack", task_esp, (u32)stack + sizeof(stack));
  check("NT was set in it", task_flags & FLAG_NT, FLAG_NT);
  check("TR was its selector", task_tr, OTHER);
  check("TS was set", task_cr0 & FLAG_TS, FLAG_TS);
  check("its link is the first task", other.link & 0xffff, TSS_SELECTOR);
  check("IRET leaves it available", BUSY(SLOT), TSS32);
  check("the first task is busy all along", BUSY(TSS_SELECTOR >> 3), TSS32_BUSY);
  check("its registers were saved", other.eflags & FLAG_NT, 0);
  TRY("lcall $0x50, $0");
  check("it goes on where it left", task_runs, 2);
  asm volatile("clts");
  set_other(task_jumps);
  TRY("ljmp $0x50, $0");
  check_trap("JMP to a TSS and back", NONE, 0);
  check("the task that was jumped to", task_runs, 3);
  check("JMP leaves it available", BUSY(SLOT), TSS32);
  check("JMP writes no link", other.link, 0);
  set_other(task_code);
  gdt[GATE_SLOT] = (u64)OTHER << 16 | (u64)(PRESENT | DPL(3) | TASK_GATE) << 40;
  TRY_USER("lcall %0, $0", "i"(SELECTOR(GATE_SLOT)));
  check_trap("a task gate from level 3", NONE, 0);
  check("its task has run", task_runs, 4);
  TRY_USER("lcall $0x50, $0");
  check_trap("a TSS of level 0 from level 3", GP, OTHER);
  // Through the IDT.
  set_other(task_code);
  idt[0x60].access = PRESENT | TASK_GATE;
  idt[0x60].selector = OTHER;
  TRY("int $0x60");
  check_trap("INT through a task gate", NONE, 0);
  check("the task of an INT", task_runs, 5);
  // An exception's error code is on the new stack.
  idt[GP].access = PRESENT | TASK_GATE;
  idt[GP].selector = OTHER;
  static volatile u16 selector = DATA3 | 0xff00;
  set_other(task_ends);
  TRY("mov %0, %%ds", "m"(selector));
  idt[GP].access = PRESENT | INTERRUPT_GATE32;
  idt[GP].selector = CODE0;
  check("a fault through a task gate", task_runs, 6);
  check("its error code", *(u32 *)(stack + sizeof(stack) - 4), selector & ~3);
  // Back to the first task's TSS by hand.
  gdt[TSS_SELECTOR >> 3] &= ~(2ull << 40);
  asm volatile("ltr %w0; clts" : : "r"(TSS_SELECTOR));
}

static void refused(void) {
  set_other(task_code);
  TRY("lcall $0x40, $0");
  check_trap("CALL to a busy TSS", GP, TSS_SELECTOR);
  TRY("ljmp $0x40, $0");
  check_trap("JMP to a busy TSS", GP, TSS_SELECTOR);
  set_segment(SLOT, (u32)&other, 0x67, TSS32, 0);
  TRY("lcall $0x50, $0");
  check_trap("CALL to a TSS that is not present", NP, OTHER);
  set_segment(SLOT, (u32)&other, 0x66, PRESENT | TSS32, 0);
  TRY("lcall $0x50, $0");
  check_trap("CALL to a TSS that is too short", TS, OTHER);
  set_other(task_code);
  gdt[GATE_SLOT] = (u64)OTHER << 16 | (u64)TASK_GATE << 40;
  TRY("lcall %0, $0", "i"(SELECTOR(GATE_SLOT)));
  check_trap("a task gate that is not present", NP, SELECTOR(GATE_SLOT));
  gdt[GATE_SLOT] = (u64)DATA0 << 16 | (u64)(PRESENT | TASK_GATE) << 40;
  TRY("lcall %0, $0", "i"(SELECTOR(GATE_SLOT)));
  check_trap("a task gate to data", GP, DATA0);
  gdt[GATE_SLOT] = (u64)TSS_SELECTOR << 16 | (u64)(PRESENT | TASK_GATE) << 40;
  TRY("lcall %0, $0", "i"(SELECTOR(GATE_SLOT)));
  check_trap("a task gate to a busy TSS", GP, TSS_SELECTOR);
  // IRET with NT: the link has to be a busy TSS.
  tss.link = OTHER;
  TRY("pushf; orl $0x4000, (%%esp); popf; iret");
  check_trap("IRET to a task that is not busy", TS, OTHER);
  tss.link = DATA0;
  TRY("pushf; orl $0x4000, (%%esp); popf; iret");
  check_trap("IRET to a link that is data", TS, DATA0);
  tss.link = 0;
  TRY("pushf; orl $0x4000, (%%esp); popf; iret");
  check_trap("IRET to a null link", TS, 0);
}

/** Faults of the new task: they happen in it. */
static void incoming(const char *name, const char *where, int vector, u32 error) {
  TRY("ljmp $0x50, $0");
  check_trap(name, vector, error);
  u16 tr;
  asm volatile("str %0" : "=r"(tr));
  check(where, tr, OTHER);
  gdt[TSS_SELECTOR >> 3] &= ~(2ull << 40);
  asm volatile("ltr %w0; clts" : : "r"(TSS_SELECTOR));
}

static void new_state(void) {
  set_other(task_code);
  other.cs = DATA0;
  incoming("a task whose CS is data", "it is the new task's fault", TS, DATA0);
  set_other(task_code);
  other.cs = 0;
  incoming("a task whose CS is null", "the fault of a null CS", TS, 0);
  set_other(task_code);
  // At level 3, so that the handler has another stack.
  other.cs = CODE3;
  other.ss = 0;
  incoming("a task whose SS is null", "the fault of a null SS", TS, 0);
  set_other(task_code);
  other.ds = CODE0 | 1;
  incoming("a task whose DS has the wrong RPL", "the fault of DS", TS, CODE0);
  set_other(task_code);
  other.es = SELECTOR(SLOTS);
  incoming("a task whose ES is beyond the GDT", "the fault of ES", TS, SELECTOR(SLOTS));
  set_other(task_code);
  other.ldt = DATA0;
  incoming("a task whose LDT is data", "the fault of the LDT", TS, DATA0);
  set_other(task_code);
  set_segment(LDT_SLOT, (u32)stack, 0xff, LDT, 0);
  other.ldt = SELECTOR(LDT_SLOT);
  incoming("a task whose LDT is not present", "the fault of an absent LDT", TS, SELECTOR(LDT_SLOT));
  set_other(task_code);
  set_segment(LDT_SLOT, 0, 0xfffff, DATA_RW, FLAG_G | FLAG_B);
  other.fs = SELECTOR(LDT_SLOT);
  incoming("a task whose FS is not present", "the fault of FS", NP, SELECTOR(LDT_SLOT));
  set_other((void *)task_code);
  set_segment(LDT_SLOT, 0, 0xfff, PRESENT | CODE_XR, FLAG_B);
  other.cs = SELECTOR(LDT_SLOT);
  incoming("a task whose EIP is beyond its code", "the fault of EIP", GP, 0);
  set_other(task_code);
  other.trap = 1;
  write_dr6(0);
  incoming("a task with the T bit", "the trap of the T bit", DB, 0);
  check("it sets BT", read_dr6() & 0xe00f, 0x8000);
  check("before its first instruction", trap.ip, (u32)task_code);
  write_dr6(0);
}

static void small_tasks(void) {
  // The 16-bit task runs 32-bit code: only its registers' low halves come from its TSS.
  extern u8 small_code[];
  memset(&small, 0, sizeof(small));
  set_segment(LDT_SLOT, (u32)small_code, 0xffff, PRESENT | CODE_XR, FLAG_B);
  small.cs = SELECTOR(LDT_SLOT);
  small.ss = small.ds = small.es = DATA0;
  small.ax = 0x9876;
  small.flags = 2;
  small.sp = 0x8000;
  set_segment(TSS16_SLOT, (u32)&small, sizeof(small) - 1, PRESENT | TSS16, 0);
  task_eax = 0;
  TRY("lcall %0, $0", "i"(SELECTOR(TSS16_SLOT)));
  check_trap("CALL to a 16-bit TSS and IRET", NONE, 0);
  check("its AX", task_eax & 0xffff, 0x9876);
  check("its link", small.link, TSS_SELECTOR);
  check("its IP was saved", small.ip != 0, 1);
  check("it is available again", BUSY(TSS16_SLOT), TSS16);
  set_segment(TSS16_SLOT, (u32)&small, sizeof(small) - 2, PRESENT | TSS16, 0);
  TRY("lcall %0, $0", "i"(SELECTOR(TSS16_SLOT)));
  check_trap("a 16-bit TSS that is too short", TS, SELECTOR(TSS16_SLOT));
}
asm(".globl small_code\nsmall_code: mov %eax, task_eax; iret; nop");

/** #DF through a task gate, as operating systems do it: the stack of the old task is of no use. */
static void double_fault(void) {
  set_other(task_ends);
  idt[DF].access = PRESENT | TASK_GATE;
  idt[DF].selector = OTHER;
  task_runs = 0;
  // An expand-down stack with no room: PUSH is #SS, for which there is no room either.
  set_segment(LDT_SLOT, 0, 0xfffff, PRESENT | DATA_DOWN, FLAG_G | FLAG_B);
  TRY("mov %0, %%ss; push %%eax", "r"(SELECTOR(LDT_SLOT)));
  check("#SS on a stack without room is a #DF task", task_runs, 1);
  check("its error code is 0", *(u32 *)(stack + sizeof(stack) - 4), 0);
  check("the old task's SS was saved", tss.ss & 0xffff, SELECTOR(LDT_SLOT));
}

void payload_main(void) {
  switches();
  refused();
  new_state();
  small_tasks();
  double_fault();
}
