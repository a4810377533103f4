// Which instructions LOCK may stand before, atomic accesses at edges, and code that changes itself.
#include "paging.h"
#include "trap.h"

#define AT FREE_ADDRESS

static u8 room[128] __attribute__((aligned(64)));

static void legality(void) {
  static const struct {
    const char *name;
    u8 size, code[9];
    bool legal;
  } rows[] = {
    {"ADD to memory", 4, {0xf0, 0x01, 0x03, 0x90}, true},     {"ADD from memory", 3, {0xf0, 0x03, 0x03}, false},
    {"ADD to a register", 3, {0xf0, 0x01, 0xc0}, false},      {"CMP with memory", 3, {0xf0, 0x39, 0x03}, false},
    {"OR of an immediate", 4, {0xf0, 0x83, 0x0b, 0x00}, true}, {"CMP of an immediate", 4, {0xf0, 0x83, 0x3b, 0x00}, false},
    {"XCHG with memory", 3, {0xf0, 0x87, 0x03}, true},        {"XCHG of registers", 3, {0xf0, 0x87, 0xc0}, false},
    {"MOV", 3, {0xf0, 0x89, 0x03}, false},                    {"NOP", 2, {0xf0, 0x90}, false},
    {"TEST", 3, {0xf0, 0x85, 0x03}, false},                   {"NOT", 3, {0xf0, 0xf7, 0x13}, true},
    {"NEG", 3, {0xf0, 0xf7, 0x1b}, true},                     {"MUL", 3, {0xf0, 0xf7, 0x23}, false},
    {"INC", 3, {0xf0, 0xff, 0x03}, true},                     {"DEC of a byte", 3, {0xf0, 0xfe, 0x0b}, true},
    {"PUSH", 3, {0xf0, 0xff, 0x33}, false},                   {"SHL", 3, {0xf0, 0xd1, 0x23}, false},
    {"BTS", 4, {0xf0, 0x0f, 0xab, 0x03}, true},               {"BT", 4, {0xf0, 0x0f, 0xa3, 0x03}, false},
    {"BTC of an immediate", 5, {0xf0, 0x0f, 0xba, 0x3b, 0x00}, true}, {"BT of an immediate", 5, {0xf0, 0x0f, 0xba, 0x23, 0x00}, false},
    {"XADD", 4, {0xf0, 0x0f, 0xc1, 0x03}, true},              {"XADD of registers", 4, {0xf0, 0x0f, 0xc1, 0xc0}, false},
    {"CMPXCHG", 4, {0xf0, 0x0f, 0xb1, 0x03}, true},           {"CMPXCHG8B", 4, {0xf0, 0x0f, 0xc7, 0x0b}, true},
    {"CMPXCHG16B", 5, {0xf0, 0x48, 0x0f, 0xc7, 0x0b}, true},  {"CMPXCHG8B of a register", 4, {0xf0, 0x0f, 0xc7, 0xc9}, false},
    {"IMUL", 4, {0xf0, 0x0f, 0xaf, 0x03}, false},             {"SHLD", 5, {0xf0, 0x0f, 0xa4, 0x03, 0x01}, false},
    {"MOVSB", 2, {0xf0, 0xa4}, false},                        {"LEA", 3, {0xf0, 0x8d, 0x03}, false},
    {"FLD", 3, {0xf0, 0xd9, 0x03}, false},                    {"SETZ", 4, {0xf0, 0x0f, 0x94, 0x03}, false},
    {"BSWAP", 3, {0xf0, 0x0f, 0xc8}, false},                  {"CPUID", 3, {0xf0, 0x0f, 0xa2}, false},
    {"JMP", 3, {0xf0, 0xeb, 0x00}, false},                    {"SETcc of a register", 4, {0xf0, 0x0f, 0x94, 0xc0}, false},
  };
  static u8 code[32] __attribute__((aligned(32)));
  static void *entry = code;
  for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    memcpy(code, rows[i].code, rows[i].size);
    code[rows[i].size] = 0xc3;
    memset(room, 0, sizeof(room));
    TRY("mov %0, %%rbx; mov %%rbx, %%rsi; mov %%rbx, %%rdi; xor %%eax, %%eax; xor %%edx, %%edx; xor %%ecx, %%ecx; call *%1", "r"(room), "m"(entry));
    check_trap(rows[i].name, rows[i].legal ? NONE : UD, 0);
  }
  TRY("cmpxchg16b 8(%0)", "r"(room));
  check_trap("CMPXCHG16B that is not aligned", GP, 0);
  TRY("lock; cmpxchg8b 4(%0)", "r"(room));
  check_trap("CMPXCHG8B that is not aligned", NONE, 0);
}

static void edges(void) {
  u8 *first = map_page(AT, PTE_P | PTE_W);
  map_at(AT + PAGE, 0, 0);
  memset(first + PAGE - 8, 0x11, 8);
  TRY("lock; incl (%0)", "r"(AT + PAGE - 2));
  check_fault("a locked increment into a page that is not there", PF_W, AT + PAGE);
  check("it changed nothing", first[PAGE - 2] << 8 | first[PAGE - 1], 0x1111);
  u8 *second = map_page(AT + PAGE, PTE_P | PTE_W);
  TRY("lock; addl $0x01010101, (%0)", "r"(AT + PAGE - 2));
  check("a locked addition across pages", first[PAGE - 2] << 24 | first[PAGE - 1] << 16 | second[0] << 8 | second[1], 0x12120101);
  map_at(AT, 0, (u64)first | PTE_P);
  write_cr0(read_cr0() | CR0_WP);
  static u32 value = 5;
  TRY("mov $1, %%eax; lock; cmpxchg %%ecx, (%0)", "b"(AT));
  check_fault("CMPXCHG on a read-only page, even where it fails", PF_P | PF_W, AT);
  TRY("mov $6, %%eax; mov $9, %%ecx; lock; cmpxchg %%ecx, %0; cmp $5, %%eax; je 1f; ud2; 1:", "m"(value));
  check_trap("CMPXCHG that fails loads EAX", NONE, 0);
  check("and keeps memory", value, 5);
  TRY("mov $3, %%eax; lock; xadd %%eax, %0; cmp $5, %%eax; je 1f; ud2; 1:", "m"(value));
  check("the sum of XADD", value, 8);
}

/** Code that is written while it is in use, through the same address and through others. */
static void changing_code(void) {
  u8 *page = map_page(AT, PTE_P | PTE_W);
  u8 *alias = (u8 *)AT + 0x10000;
  map_at((word)alias, 0, (u64)page | PTE_P | PTE_W);
  static u32 got;
  // mov $imm, %eax; ret
  static const u8 code[] = {0xb8, 1, 0, 0, 0, 0xc3};
  memcpy(page, code, sizeof(code));
  u32 sum = 0;
  for (u32 i = 1; i <= 100; i++) {
    *(u32 *)(page + 1) = i;
    TRY("call *%1; mov %%eax, %0", "m"(got), "r"(AT));
    sum += got;
  }
  check("code that changes between calls", sum, 5050);
  sum = 0;
  for (u32 i = 1; i <= 100; i++) {
    *(volatile u32 *)(alias + 1) = i;
    TRY("call *%1; mov %%eax, %0", "m"(got), "r"(AT));
    sum += got;
  }
  check("code that changes through an alias", sum, 5050);
  // An instruction that writes the next one: what was INC is to be NOP.
  TRY("xor %%eax, %%eax; lea 1f(%%rip), %%rbx; movw $0x9090, (%%rbx); 1: inc %%eax; mov %%eax, %0; movw $0xc0ff, (%%rbx)", "m"(got));
  check("an instruction that writes the next", got, 0);
  // A loop that changes itself: INC becomes DEC after two rounds.
  TRY("xor %%eax, %%eax; mov $4, %%ecx; lea 2f(%%rip), %%rbx\n"
      "1: cmp $2, %%ecx; jne 2f; movb $0xc8, 1(%%rbx); 2: inc %%eax; dec %%ecx; jnz 1b; mov %%eax, %0; movb $0xc0, 1(%%rbx)", "m"(got));
  check("a loop that changes itself", got, 0);
  // REP MOVSB over the code behind it.
  static const u8 nops[16] = {0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90};
  TRY("xor %%eax, %%eax; lea 1f(%%rip), %%rdi; mov %1, %%rsi; mov $4, %%ecx; rep movsb; 1: inc %%eax; inc %%eax; mov %%eax, %0", "m"(got), "r"(nops));
  check("REP MOVSB over the next instructions", got, 0);
  // An instruction that lies across two pages, whose second half changes.
  map_page(AT + PAGE, PTE_P | PTE_W);
  u8 *across = (u8 *)AT + PAGE - 3;
  memcpy(across, code, sizeof(code));
  sum = 0;
  for (u32 i = 1; i <= 10; i++) {
    *(volatile u8 *)(AT + PAGE) = i;
    TRY("call *%1; mov %%eax, %0", "m"(got), "r"(across));
    sum += got >> 16;
  }
  check("an instruction across pages, whose second part changes", sum, 55);
  // The second page is exchanged for another.
  u8 *other = new_page();
  memcpy(other, (u8 *)AT + PAGE, 16);
  other[0] = 0x77;
  map_at(AT + PAGE, 0, (u64)other | PTE_P | PTE_W);
  TRY("call *%1; mov %%eax, %0", "m"(got), "r"(across));
  check("an instruction across pages, whose second page is exchanged", got >> 16 & 0xff, 0x77);
  // The same address shows other code with other tables.
  u8 *twin = new_page();
  memcpy(page, code, sizeof(code));
  memcpy(twin, code, sizeof(code));
  twin[1] = 2;
  u32 seen = 0;
  for (int i = 0; i < 8; i++) {
    map_at(AT, 0, (u64)(i & 1 ? twin : page) | PTE_P | PTE_W);
    TRY("call *%1; mov %%eax, %0", "m"(got), "r"(AT));
    seen = seen << 2 | got;
  }
  check("code behind one address, exchanged in turns", seen, 0x6666);
  // Code that is read as data while it runs, and written with what it holds already.
  TRY("lea 1f(%%rip), %%rbx; mov $3, %%ecx; xor %%eax, %%eax; 1: inc %%eax; mov (%%rbx), %%dl; mov %%dl, (%%rbx); dec %%ecx; jnz 1b; mov %%eax, %0", "m"(got));
  check("code that writes itself unchanged", got, 3);
}

void payload_main(void) {
  legality();
  edges();
  changing_code();
}
