// Vectors, error codes and frames of exceptions; what the IDT may hold; which of two causes counts; double faults.
#include "paging.h"
#include "trap.h"

#define NON_CANONICAL 0x800000000000ul
/** The error code that names an IDT entry. */
#define IDT_ERROR(vector) ((vector) << 3 | 2)
#define EXT 1
#define TEST_VECTOR 0x60
#define INT_TEST "int $0x60"
#define TEST_IST 3
#define DF_IST 4
#define GATE (PRESENT | INTERRUPT_GATE32)
#define SLOT (FREE_SLOT)

static u8 test_stack[0x1000] __attribute__((aligned(16)));
static u8 fault_stack[0x1000] __attribute__((aligned(16)));

static void restore_gate(int vector) { set_gate(vector, trap_stub(vector), CODE0, GATE, vector == DF ? DF_IST : 0); }

static void vectors(void) {
  TRY("xor %%eax, %%eax; xor %%edx, %%edx; div %%eax");
  check_trap("#DE by a zero divisor", DE, 0);
  TRY("mov $2, %%ecx; mov $2, %%edx; xor %%eax, %%eax; div %%ecx");
  check_trap("#DE by a quotient that does not fit", DE, 0);
  TRY("movabs $0x8000000000000000, %%rax; cqo; mov $-1, %%rcx; idiv %%rcx");
  check_trap("#DE by IDIV of the most negative number", DE, 0);
  TRY("ud2");
  check_trap("#UD by UD2", UD, 0);
  TRY(".byte 0x0f, 0xb9, 0xc0");
  check_trap("#UD by UD1", UD, 0);
  TRY(".byte 0x0f, 0xff, 0xc0");
  check_trap("#UD by UD0", UD, 0);
  TRY("int3");
  check_trap("#BP by INT3", BP, 0);
  TRY(".byte 0x06");
  check_trap("#UD by PUSH ES", UD, 0);
  TRY(".byte 0xce");
  check_trap("#UD by INTO", UD, 0);
  TRY(".byte 0xd4, 10");
  check_trap("#UD by AAM", UD, 0);
  TRY(".byte 0x9a, 0, 0, 0, 0, 0, 0");
  check_trap("#UD by a direct far CALL", UD, 0);
  TRY(".byte 0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x90");
  check_trap("no trap by 15 bytes of NOP", NONE, 0);
  TRY(".byte 0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x90");
  check_trap("#GP by 16 bytes of NOP", GP, 0);
  TRY("mov %0, %%rax; mov (%%rax), %%eax", "r"(NON_CANONICAL));
  check_trap("#GP by a non-canonical address", GP, 0);
  TRY("mov %0, %%rax; mov %%ss:(%%rax), %%eax", "r"(NON_CANONICAL));
  check_trap("an SS prefix does not make it #SS", GP, 0);
  TRY("mov %0, %%rax; jmp *%%rax", "r"(NON_CANONICAL));
  check_trap("#GP by a jump to a non-canonical address", GP, 0);
  TRY("mov %0, %%rbp; mov (%%rbp), %%eax", "r"(NON_CANONICAL));
  check_trap("#SS by a non-canonical address from RBP", SS, 0);
  TRY("mov %0, %%rbp; mov %%ds:(%%rbp), %%eax", "r"(NON_CANONICAL));
  check_trap("a DS prefix does not make it #GP", SS, 0);
  TRY("mov %0, %%rax; mov (%%rax), %%eax", "r"(NON_CANONICAL - 2));
  check_trap("#GP by an access that ends non-canonical", GP, 0);
  restore_gate(SS);
  set_gate(SS, trap_stub(SS), CODE0, GATE, TEST_IST);
  TRY("mov %0, %%rsp; pop %%rax", "r"(NON_CANONICAL));
  check_trap("#SS by POP from a non-canonical stack", SS, 0);
  TRY("mov %0, %%rsp; push %%rax", "r"(NON_CANONICAL + 8));
  check_trap("#SS by PUSH to a non-canonical stack", SS, 0);
  TRY("mov %0, %%rsp; call 1f; 1:", "r"(NON_CANONICAL + 8));
  check_trap("#SS by CALL with a non-canonical stack", SS, 0);
  restore_gate(SS);
}

static void user_level(void) {
  TRY_USER("hlt");
  check_trap("#GP by HLT at level 3", GP, 0);
  TRY_USER("cli");
  check_trap("#GP by CLI at level 3", GP, 0);
  TRY_USER("mov %%cr0, %%rax");
  check_trap("#GP by MOV from CR0 at level 3", GP, 0);
  TRY_USER("mov %%rax, %%dr7");
  check_trap("#GP by MOV to DR7 at level 3", GP, 0);
  TRY_USER("xor %%ecx, %%ecx; rdmsr");
  check_trap("#GP by RDMSR at level 3", GP, 0);
  TRY_USER("clts");
  check_trap("#GP by CLTS at level 3", GP, 0);
  TRY_USER("invlpg (%%rsp)");
  check_trap("#GP by INVLPG at level 3", GP, 0);
  TRY_USER("wbinvd");
  check_trap("#GP by WBINVD at level 3", GP, 0);
  TRY_USER("swapgs");
  check_trap("#GP by SWAPGS at level 3", GP, 0);
  TRY_USER("sysretq");
  check_trap("SYSRET is #UD at level 3 too without SCE", UD, 0);
  TRY_USER("in $0x80, %%al");
  check_trap("#GP by IN that the I/O map forbids", GP, 0);
  TRY_USER("mov %0, %%rax; lgdt (%%rax)", "r"(FREE_ADDRESS));
  check_trap("the level counts before the operand's page", GP, 0);
  TRY_USER("mov %0, %%rax; lock; lgdt (%%rax)", "r"(FREE_ADDRESS));
  check_trap("LOCK counts before the level", UD, 0);
  TRY_USER(INT_TEST);
  check_trap("#GP by INT through a gate of level 0", GP, IDT_ERROR(TEST_VECTOR));
  TRY_USER("int $14");
  check_trap("#GP by INT 14", GP, IDT_ERROR(PF));
  TRY_USER(".byte 0xf1");
  check_trap("INT1 needs no level", DB, 0);
  TRY_USER("ud2");
  check("CS in a frame from level 3", trap.cs, CODE3_64);
  check("SS in a frame from level 3", trap.ss, DATA3_64);
  check("SP in a frame from level 3", trap.sp, USER_STACK);
  check("the frame is on the stack of level 0", trap.frame, tss.sp0 - 5 * 8);
  TRY_USER("push $0; popf; pushf; orl $0x40000, (%%rsp); popf; mov 1(%%rsp), %%eax");
  check_trap("no #AC without CR0.AM", NONE, 0);
  write_cr0(read_cr0() | CR0_AM);
  TRY_USER("pushf; orl $0x40000, (%%rsp); popf; mov -7(%%rsp), %%eax");
  check_trap("#AC by a misaligned read at level 3", AC, 0);
  TRY_USER("pushf; orl $0x40000, (%%rsp); popf; mov %%ax, -7(%%rsp)");
  check_trap("#AC by a misaligned write at level 3", AC, 0);
  TRY_USER("pushf; orl $0x40000, (%%rsp); popf; mov -7(%%rsp), %%al");
  check_trap("no #AC by a byte", NONE, 0);
  TRY("pushf; orl $0x40000, (%%rsp); popf; mov -7(%%rsp), %%eax");
  check_trap("no #AC at level 0", NONE, 0);
  write_cr0(read_cr0() & ~(word)CR0_AM);
}

/** RIP, RFLAGS and the stack as handlers find them. */
static void frames(void) {
  TRY("ud2");
  check("RF is set in a fault's frame", trap.flags & FLAG_RF, FLAG_RF);
  TRY("int3");
  check("RF is clear in INT3's frame", trap.flags & FLAG_RF, 0);
  TRY("mov %0, %%rax; mov (%%rax), %%eax", "r"(FREE_ADDRESS));
  check("RF is set in a page fault's frame", trap.flags & FLAG_RF, FLAG_RF);
  TRY("sub $3, %%rsp; mov %%rsp, %%rbx; ud2");
  check("a frame starts at a multiple of 16", trap.frame & 15, 8);
  check("SP in the frame is as it was", trap.sp & 7, 5);
  check("SS is pushed without a change of level", trap.ss, DATA0);
  set_gate(UD, trap_stub(UD), CODE0, GATE, TEST_IST);
  TRY("ud2");
  check("a gate's IST is taken at level 0", trap.frame, (word)test_stack + sizeof(test_stack) - 5 * 8);
  restore_gate(UD);
}

static void interrupt_table(void) {
  struct gate *gate = &idt[TEST_VECTOR];
  TRY(INT_TEST);
  check("INT reaches its gate", trap.vector, TEST_VECTOR);
  gate->access = INTERRUPT_GATE32;
  TRY(INT_TEST);
  check_trap("#NP by a gate that is not present", NP, IDT_ERROR(TEST_VECTOR));
  TRY_USER(INT_TEST);
  check_trap("the gate's level counts before its presence", GP, IDT_ERROR(TEST_VECTOR));
  static const struct {
    const char *name;
    u8 type;
  } bad[] = {
    {"#GP by a call gate in the IDT", CALL_GATE32}, {"#GP by a task gate in the IDT of long mode", TASK_GATE},
    {"#GP by a 16-bit gate in the IDT of long mode", INTERRUPT_GATE16}, {"#GP by a TSS in the IDT", TSS32},
    {"#GP by an empty gate", 0}, {"#GP by a code segment in the IDT", CODE_XR},
  };
  for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    gate->access = PRESENT | bad[i].type;
    TRY(INT_TEST);
    check_trap(bad[i].name, GP, IDT_ERROR(TEST_VECTOR));
  }
  set_gate(TEST_VECTOR, trap_stub(TEST_VECTOR), 0, GATE, 0);
  TRY(INT_TEST);
  check_trap("#GP by a gate to a null selector", GP, 0);
  gate->selector = 3;
  TRY(INT_TEST);
  check_trap("#GP by a gate to a null selector with RPL", GP, 0);
  gate->selector = SELECTOR(SLOTS);
  TRY(INT_TEST);
  check_trap("#GP by a gate to a selector beyond the GDT", GP, SELECTOR(SLOTS));
  gate->selector = DATA0 | 1;
  TRY(INT_TEST);
  check_trap("#GP by a gate to a data segment", GP, DATA0);
  gate->selector = CODE0_32;
  TRY(INT_TEST);
  check_trap("#GP by a gate to 32-bit code", GP, CODE0_32);
  gate->selector = 4;
  TRY(INT_TEST);
  check_trap("#GP by a gate to an LDT that there is not", GP, 4);
  set_segment(SLOT, 0, 0xfffff, CODE_XR, FLAG_G | FLAG_L);
  gate->selector = SELECTOR(SLOT);
  TRY(INT_TEST);
  check_trap("#NP by a gate to code that is not present", NP, SELECTOR(SLOT));
  set_segment(SLOT, 0, 0xfffff, PRESENT | DPL(3) | CODE_XR, FLAG_G | FLAG_L);
  TRY(INT_TEST);
  check_trap("#GP by a gate to code of an outer level", GP, SELECTOR(SLOT));
  set_segment(SLOT, 0, 0xfffff, PRESENT | CODE_XR, FLAG_G | FLAG_L);
  gate->selector = SELECTOR(SLOT) | 3;
  TRY(INT_TEST);
  check("a gate's RPL does not count", trap.vector, TEST_VECTOR);
  check("a gate sets the accessed bit of its code", (gdt[SLOT] >> 40) & 1, 1);
  set_segment(SLOT, 0, 0xfffff, PRESENT | CONFORMING, FLAG_G | FLAG_L);
  gate->access = GATE | DPL(3);
  TRY_USER("lea -256(%%rsp), %%rsp; " INT_TEST);
  check("a gate to conforming code keeps SS of level 3", trap.ss, DATA3_64);
  set_gate(TEST_VECTOR, NON_CANONICAL, CODE0, GATE, 0);
  TRY(INT_TEST);
  check_trap("#GP by a gate with a non-canonical offset", GP, 0);
  restore_gate(TEST_VECTOR);
  load_idt(idt, (TEST_VECTOR << 4) - 1);
  TRY(INT_TEST);
  check_trap("#GP by a vector beyond the IDT", GP, IDT_ERROR(TEST_VECTOR));
  load_idt(idt, (TEST_VECTOR << 4) + 14);
  TRY(INT_TEST);
  check_trap("#GP by a vector half in the IDT", GP, IDT_ERROR(TEST_VECTOR));
  load_idt(idt, (TEST_VECTOR << 4) + 15);
  TRY(INT_TEST);
  check("the IDT's last vector", trap.vector, TEST_VECTOR);
  load_idt(idt, sizeof(idt) - 1);
}

/** What happens when delivering an exception raises another. */
static void nested(void) {
  const word no_stack = FREE_ADDRESS + 0x100000;
  idt[UD].access = INTERRUPT_GATE32;
  TRY("ud2");
  check_trap("#UD, whose gate is not present gives #NP with EXT", NP, IDT_ERROR(UD) | EXT);
  idt[UD].access = PRESENT | CALL_GATE32;
  TRY("ud2");
  check_trap("#UD, whose gate is none gives #GP with EXT", GP, IDT_ERROR(UD) | EXT);
  set_gate(UD, trap_stub(UD), DATA0, GATE, 0);
  TRY("ud2");
  check_trap("#UD, whose gate leads to data gives #GP with EXT", GP, DATA0 | EXT);
  set_gate(UD, trap_stub(UD), 0, GATE, 0);
  TRY("ud2");
  check_trap("#UD, whose gate leads to null gives #GP with EXT", GP, EXT);
  restore_gate(UD);
  idt[BP].access = DPL(3) | INTERRUPT_GATE32;
  TRY("int3");
  check_trap("INT3, whose gate is not present gives #NP without EXT", NP, IDT_ERROR(BP));
  idt[BP].access = GATE | DPL(3);
  tss.ist[TEST_IST - 1] = no_stack;
  set_gate(UD, trap_stub(UD), CODE0, GATE, TEST_IST);
  TRY("ud2");
  check_fault("#UD on a stack that is not mapped gives #PF", PF_W, no_stack - 8);
  restore_gate(UD);
  set_gate(GP, trap_stub(GP), CODE0, GATE, TEST_IST);
  TRY("mov %0, %%rax; mov (%%rax), %%eax", "r"(NON_CANONICAL));
  check_fault("#GP on a stack that is not mapped gives #PF", PF_W, no_stack - 8);
  restore_gate(GP);
  tss.ist[TEST_IST - 1] = NON_CANONICAL + 0x100;
  set_gate(UD, trap_stub(UD), CODE0, GATE, TEST_IST);
  TRY("ud2");
  check_trap("#UD on a non-canonical stack gives #SS with EXT", SS, EXT);
  restore_gate(UD);
  tss.ist[TEST_IST - 1] = no_stack;

  idt[DE].access = INTERRUPT_GATE32;
  TRY("xor %%ecx, %%ecx; div %%ecx");
  check_trap("#DE and #NP gives #DF", DF, 0);
  check("#DF takes its IST", trap.frame, (word)fault_stack + sizeof(fault_stack) - 5 * 8);
  restore_gate(DE);
  idt[GP].access = INTERRUPT_GATE32;
  TRY("mov %0, %%rax; mov (%%rax), %%eax", "r"(NON_CANONICAL));
  check_trap("#GP and #NP gives #DF", DF, 0);
  restore_gate(GP);
  idt[NP].access = INTERRUPT_GATE32;
  idt[UD].access = INTERRUPT_GATE32;
  TRY("ud2");
  check_trap("#UD, #NP and #NP gives #DF", DF, 0);
  restore_gate(NP);
  restore_gate(UD);
  idt[PF].access = INTERRUPT_GATE32;
  TRY("mov %0, %%rax; mov (%%rax), %%eax", "r"(FREE_ADDRESS));
  check_trap("#PF and #NP gives #DF", DF, 0);
  check("#PF that becomes #DF sets CR2", trap.cr2, FREE_ADDRESS);
  restore_gate(PF);
  set_gate(PF, trap_stub(PF), CODE0, GATE, TEST_IST);
  TRY("mov %0, %%rax; mov (%%rax), %%eax", "r"(FREE_ADDRESS));
  check_trap("#PF and #PF gives #DF", DF, 0);
  check("the second #PF sets CR2", trap.cr2, no_stack - 8);
  TRY("mov %0, %%rsp; push %%rax", "r"(FREE_ADDRESS + 0x1000));
  check_trap("#PF of PUSH and #PF gives #DF", DF, 0);
  restore_gate(PF);
  TRY("mov %0, %%rsp; int3", "r"(FREE_ADDRESS + 0x1000));
  check_trap("INT3 and #PF and #PF on the same stack gives #DF", DF, 0);
  TRY("int $8");
  // The stub takes RIP for the error code.
  check("INT 8 pushes no error code", trap.frame, (word)fault_stack + sizeof(fault_stack) - 4 * 8);
}

void payload_main(void) {
  tss.ist[TEST_IST - 1] = (word)(test_stack + sizeof(test_stack));
  tss.ist[DF_IST - 1] = (word)(fault_stack + sizeof(fault_stack));
  restore_gate(DF);
  vectors();
  user_level();
  frames();
  interrupt_table();
  nested();
}
