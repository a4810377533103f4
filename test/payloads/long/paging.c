// Paging of long mode: error codes, rights, reserved bits, accessed and dirty bits, accesses that cross pages.
#include "paging.h"
#include "trap.h"

#define AT FREE_ADDRESS
#define NEXT (AT + PAGE)
#define HUGE (AT + 0x8000000000ul)
#define GIANT (AT + 0x10000000000ul)

static u64 physical_bits;

static void read_at(word address) { TRY("mov (%0), %%al", "r"(address)); }
static void write_at(word address) { TRY("movb $1, (%0)", "r"(address)); }
static void user_read(word address) { TRY_USER("mov (%0), %%al", "r"(address)); }
static void user_write(word address) { TRY_USER("movb $1, (%0)", "r"(address)); }
static void fetch_at(word address) { TRY("call *%0", "r"(address)); }
static void user_fetch(word address) { TRY_USER("call *%0", "r"(address)); }

static void set(u64 *entry, u64 value) {
  *entry = value;
  flush_page((void *)AT);
}

static void not_present(void) {
  read_at(AT);
  check_fault("a read, nothing mapped", 0, AT);
  write_at(AT + 0x123);
  check_fault("a write, nothing mapped", PF_W, AT + 0x123);
  user_read(AT);
  check_fault("a read at level 3, nothing mapped", PF_U, AT);
  user_write(AT);
  check_fault("a write at level 3, nothing mapped", PF_U | PF_W, AT);
  fetch_at(AT);
  check_fault("a fetch, nothing mapped, without NX", 0, AT);
  TRY("lock; addl $0, (%0)", "r"(AT));
  check_fault("a locked addition counts as a write", PF_W, AT);
  TRY("cmpxchg %%eax, (%0)", "r"(AT));
  check_fault("CMPXCHG counts as a write", PF_W, AT);
  TRY("mov %0, %%rdi; mov %0, %%rsi; movsb", "r"(AT));
  check_fault("MOVSB reads first", 0, AT);
  TRY("push $0; pop (%0)", "r"(AT));
  check_fault("POP to memory", PF_W, AT);
  check("POP that faults leaves SP", trap.sp, resume_sp - 8);
  TRY("push (%0)", "r"(AT));
  check_fault("PUSH of memory reads", 0, AT);
  static word filled = 1;
  TRY("mov %0, %%rsp; pushq %1", "r"(AT + 16), "m"(filled));
  check("PUSH to a stack that is not mapped", trap.vector, DF);
}

static void rights(void) {
  u8 *page = map_page(AT, PTE_P);
  page[0] = 0xc3;
  u64 *entry = entry_at(AT, 0);
  const u64 base = (u64)page | PTE_P;
  set(entry, base);
  read_at(AT);
  check_trap("a read of a supervisor's page", NONE, 0);
  write_cr0(read_cr0() | CR0_WP);
  write_at(AT);
  check_fault("a write to a read-only page with WP", PF_P | PF_W, AT);
  user_read(AT);
  check_fault("a read at level 3 of a supervisor's page", PF_P | PF_U, AT);
  set(entry, base | PTE_U);
  user_read(AT);
  check_trap("a read at level 3 of a user's page", NONE, 0);
  user_write(AT);
  check_fault("a write at level 3 to a read-only page", PF_P | PF_W | PF_U, AT);
  write_cr0(read_cr0() & ~(word)CR0_WP);
  user_write(AT);
  check_fault("WP is nothing to level 3", PF_P | PF_W | PF_U, AT);
  write_at(AT + 8);
  check_trap("a write to a read-only page without WP", NONE, 0);
  check("a write without WP sets the dirty bit", *entry & PTE_D, PTE_D);
  write_cr0(read_cr0() | CR0_WP);
  write_at(AT);
  check_fault("WP counts again for a page that was written", PF_P | PF_W, AT);

  // Each level of tables can take rights away.
  static const char *const names[3][2] = {
    {"a write through a read-only directory", "level 3 through a supervisor's directory"},
    {"a write through a read-only directory pointer", "level 3 through a supervisor's directory pointer"},
    {"a write through a read-only top entry", "level 3 through a supervisor's top entry"},
  };
  set(entry, base | PTE_U | PTE_W);
  for (int level = 1; level < 4; level++) {
    u64 *table = entry_at(AT, level);
    const u64 kept = *table;
    set(table, kept & ~PTE_W);
    write_at(AT);
    check_fault(names[level - 1][0], PF_P | PF_W, AT);
    set(table, kept & ~PTE_U);
    user_read(AT);
    check_fault(names[level - 1][1], PF_P | PF_U, AT);
    set(table, kept);
  }
  user_write(AT);
  check_trap("rights that all levels give", NONE, 0);
  page[0] = 0xc3;
}

static void no_execute(void) {
  u64 *entry = entry_at(AT, 0);
  u8 *page = (u8 *)(*entry & PAGE_MASK);
  const u64 base = (u64)page | PTE_P | PTE_W | PTE_U;
  set(entry, base | PTE_NX);
  read_at(AT);
  check_fault("NX without EFER.NXE is reserved", PF_P | PF_RSVD, AT);
  write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_NXE);
  flush_tlb();
  read_at(AT);
  check_trap("a read of an NX page", NONE, 0);
  fetch_at(AT);
  check_fault("a fetch from an NX page", PF_P | PF_FETCH, AT);
  user_fetch(AT);
  check_fault("a fetch at level 3 from an NX page", PF_P | PF_FETCH | PF_U, AT);
  set(entry, base & ~PTE_P);
  fetch_at(AT);
  check_fault("a fetch, nothing mapped, with NXE", PF_FETCH, AT);
  set(entry, base);
  fetch_at(AT);
  check_trap("a fetch from a page without NX", NONE, 0);
  u64 *directory = entry_at(AT, 1);
  *directory |= PTE_NX;
  flush_page((void *)AT);
  fetch_at(AT);
  check_fault("NX in a directory", PF_P | PF_FETCH, AT);
  *directory &= ~PTE_NX;
  flush_page((void *)AT);
  // An instruction that crosses into the next page.
  map_page(NEXT, PTE_P | PTE_W | PTE_NX);
  page[PAGE - 1] = 0x90;
  fetch_at(NEXT - 1);
  check_fault("going on into an NX page", PF_P | PF_FETCH, NEXT);
  check("RIP of a fetch that fails behind an instruction", trap.ip, NEXT);
  page[PAGE - 1] = 0x48;
  fetch_at(NEXT - 1);
  check_fault("an instruction that ends in an NX page", PF_P | PF_FETCH, NEXT);
  check("RIP of an instruction that ends in an NX page", trap.ip, NEXT - 1);
  map_at(NEXT, 0, 0);
  fetch_at(NEXT - 1);
  check_fault("an instruction that ends where nothing is mapped", PF_FETCH, NEXT);
  page[PAGE - 2] = 0x0f;
  page[PAGE - 1] = 0x0b;
  fetch_at(NEXT - 2);
  check_trap("UD2 at a page's end needs no further byte", UD, 0);
  // Group 9 has no /0, but a SIB byte and a displacement would follow.
  page[PAGE - 3] = 0x0f;
  page[PAGE - 2] = 0xc7;
  page[PAGE - 1] = 0x44;
  fetch_at(NEXT - 3);
  check_fault("an undefined instruction is fetched to its end", PF_FETCH, NEXT);
  set(entry, base);
}

static void reserved(void) {
  u64 *entry = entry_at(AT, 0);
  const u64 base = *entry & ~(PTE_A | PTE_D);
  const u64 high = 1ul << physical_bits;
  if (physical_bits < 52) {
    static const char *const names[4] = {"a reserved address bit in a page's entry", "in a directory's entry",
                                         "in a directory pointer", "in a top entry"};
    for (int level = 0; level < 4; level++) {
      u64 *table = entry_at(AT, level);
      const u64 kept = *table;
      set(table, kept | high);
      read_at(AT);
      check_fault(names[level], PF_P | PF_RSVD, AT);
      set(table, kept);
    }
    set(entry, base | high);
    write_at(AT);
    check_fault("a write and a reserved bit", PF_P | PF_W | PF_RSVD, AT);
    user_write(AT);
    check_fault("a write at level 3 and a reserved bit", PF_P | PF_W | PF_U | PF_RSVD, AT);
    set(entry, (base & ~(PTE_U | PTE_W)) | high);
    user_write(AT);
    check_fault("a reserved bit counts before the rights", PF_P | PF_W | PF_U | PF_RSVD, AT);
    set(entry, (base & ~PTE_P) | high);
    read_at(AT);
    check_fault("reserved bits where nothing is present", 0, AT);
  } else skip("reserved address bits", "all 52 are implemented");
  set(entry, base);
  u64 *top = entry_at(AT, 3);
  *top |= PTE_PS;
  flush_page((void *)AT);
  read_at(AT);
  check_fault("PS in a top entry", PF_P | PF_RSVD, AT);
  *top &= ~PTE_PS;
  flush_page((void *)AT);
  map_at(HUGE, 1, 0x2000 | PTE_P | PTE_PS);
  read_at(HUGE);
  check_fault("a 2 MiB page that is not aligned", PF_P | PF_RSVD, HUGE);
  map_at(HUGE, 1, 0x1000 | PTE_P | PTE_PS);
  read_at(HUGE);
  check_trap("bit 12 of a 2 MiB page is PAT", NONE, 0);
  if (cpuid_or_zero(0x80000001, 0).edx & 1 << 26) {
    map_at(GIANT, 2, 0x200000 | PTE_P | PTE_PS);
    read_at(GIANT);
    check_fault("a 1 GiB page that is not aligned", PF_P | PF_RSVD, GIANT);
  } else skip("1 GiB pages", "not there");
}

static void bits(const char *name, int level, word address, u64 entry_bits, word touch, void (*access)(word), u64 want) {
  u64 *entry = map_at(address, level, entry_bits);
  access(touch);
  check(name, *entry & (PTE_A | PTE_D), want);
}

static void accessed_and_dirty(void) {
  const u64 page = (u64)new_page() | PTE_P;
  const u64 huge = 0x400000 | PTE_P | PTE_PS;
  bits("a read sets A", 0, AT, page, AT, read_at, PTE_A);
  bits("a write sets A and D", 0, AT, page | PTE_W, AT, write_at, PTE_A | PTE_D);
  bits("a write that is refused sets no D", 0, AT, page | PTE_A, AT, write_at, PTE_A);
  bits("a fetch sets A", 0, AT, page | PTE_W, AT, fetch_at, PTE_A);
  bits("a read sets A of a 2 MiB page", 1, HUGE, huge, HUGE + 0x12345, read_at, PTE_A);
  bits("a write sets A and D of a 2 MiB page", 1, HUGE, huge | PTE_W, HUGE + 0x112345, write_at, PTE_A | PTE_D);
  if (cpuid_or_zero(0x80000001, 0).edx & 1 << 26) {
    bits("a read sets A of a 1 GiB page", 2, GIANT, PTE_P | PTE_PS, GIANT + 0x1234567, read_at, PTE_A);
    bits("a write sets A and D of a 1 GiB page", 2, GIANT, PTE_P | PTE_PS | PTE_W, GIANT + 0x600000, write_at, PTE_A | PTE_D);
  }
  u64 *entry = map_at(AT, 0, page | PTE_W);
  for (int level = 1; level < 4; level++) *entry_at(AT, level) &= ~(PTE_A | PTE_D);
  flush_tlb();
  read_at(AT);
  check("a read sets A of the directory", *entry_at(AT, 1) & (PTE_A | PTE_D), PTE_A);
  check("a read sets A of the directory pointer", *entry_at(AT, 2) & PTE_A, PTE_A);
  check("a read sets A of the top entry", *entry_at(AT, 3) & PTE_A, PTE_A);
  write_at(AT);
  check("a write behind a read sets D", *entry & PTE_D, PTE_D);
  check("a write sets no D of the directory", *entry_at(AT, 1) & PTE_D, 0);
  set(entry, page | PTE_W);
  TRY("mov $1, %%eax; movl $2, (%0); cmpxchg %%ecx, (%0)", "r"(AT));
  check("CMPXCHG that fails sets D", *entry & PTE_D, PTE_D);
  set(entry, page | PTE_W);
  read_at(AT);
  *entry &= ~PTE_A;
  flush_page((void *)AT);
  read_at(AT);
  check("A that was cleared is set again behind INVLPG", *entry & PTE_A, PTE_A);
  *entry &= ~PTE_D;
  flush_page((void *)AT);
  write_at(AT);
  *entry &= ~PTE_D;
  flush_page((void *)AT);
  write_at(AT);
  check("D that was cleared is set again behind INVLPG", *entry & PTE_D, PTE_D);
  set(entry, page | PTE_W);
  TRY("mov %0, %%rdi; mov $8, %%ecx; xor %%eax, %%eax; rep stosq", "r"(AT));
  check("REP STOSQ sets D", *entry & PTE_D, PTE_D);
  set(entry, page | PTE_W);
  TRY("mov %0, %%rsp; push %%rax", "r"(AT + 64));
  check("PUSH sets D", *entry & PTE_D, PTE_D);
  set(entry, page | PTE_W);
  TRY("fnstcw (%0)", "r"(AT));
  check("FNSTCW sets D", *entry & PTE_D, PTE_D);
}

static void crossing(void) {
  u8 *first = map_page(AT, PTE_P | PTE_W);
  u64 *one = entry_at(AT, 0);
  u64 *two = map_at(NEXT, 0, 0);
  const word across = NEXT - 2;
  TRY("mov (%0), %%eax", "r"(across));
  check_fault("a read into a page that is not there", 0, NEXT);
  first[PAGE - 2] = first[PAGE - 1] = 0x77;
  TRY("movl $0, (%0)", "r"(across));
  check_fault("a write into a page that is not there", PF_W, NEXT);
  check("it wrote nothing", first[PAGE - 2] | first[PAGE - 1], 0x77);
  TRY("addl $1, (%0)", "r"(across));
  check_fault("an addition into a page that is not there", PF_W, NEXT);
  TRY("mov (%0), %%rax", "r"(NEXT - 1));
  check_fault("a read with one byte in the first page", 0, NEXT);
  TRY("mov -8(%0), %%rax", "r"(NEXT));
  check_trap("a read that ends at the page's end", NONE, 0);
  u8 *second = map_page(NEXT, PTE_P);
  set(one, (u64)first | PTE_P);
  TRY("movl $0, (%0)", "r"(across));
  check_fault("both pages read-only, the first counts", PF_P | PF_W, across);
  set(one, (u64)first | PTE_P | PTE_W);
  TRY("movl $0, (%0)", "r"(across));
  check_fault("the second page read-only", PF_P | PF_W, NEXT);
  check("nothing was written either", first[PAGE - 2], 0x77);
  set(one, 0);
  TRY("movl $0, (%0)", "r"(across));
  check_fault("the first page not there", PF_W, across);
  set(one, (u64)first | PTE_P | PTE_W | PTE_U);
  map_at(NEXT, 0, (u64)second | PTE_P | PTE_W);
  TRY_USER("movl $0, (%0)", "r"(across));
  check_fault("the second page a supervisor's", PF_P | PF_W | PF_U, NEXT);
  set(one, (u64)first | PTE_P | PTE_W);
  *two = (u64)second | PTE_P | PTE_W;
  flush_page((void *)NEXT);
  TRY("movl $0x44332211, (%0)", "r"(across));
  check("a write across pages", *(u16 *)(first + PAGE - 2) | *(u16 *)second << 16, 0x44332211);
  check("it sets D of the first page", *one & PTE_D, PTE_D);
  check("it sets D of the second page", *two & PTE_D, PTE_D);
  map_at(NEXT, 0, 0);
  TRY("mov %0, %%rdi; mov $16, %%ecx; mov $0x5a, %%al; rep stosb; ", "r"(NEXT - 6));
  check_fault("REP STOSB into a page that is not there", PF_W, NEXT);
  check("it wrote the first page's bytes", first[PAGE - 6] + first[PAGE - 1], 2 * 0x5a);
  TRY("mov %0, %%rsi; mov $16, %%ecx; rep lodsb", "r"(NEXT - 6));
  check_fault("REP LODSB into a page that is not there", 0, NEXT);
}

/** Where there is no RAM, tables read as ones, and ones are reserved. */
static void tables_elsewhere(void) {
  u64 *directory = entry_at(AT, 1);
  const u64 kept = *directory;
  set(directory, 0xd0000000 | TABLE);
  read_at(AT);
  check_fault("a table where no RAM is", PF_P | PF_RSVD, AT);
  set(directory, kept);
}

/** What must not be remembered once it has been thrown away, and what may never be remembered. */
static void staleness(void) {
  u8 *one = new_page();
  u8 *two = new_page();
  one[0] = 1;
  two[0] = 2;
  volatile u8 *at = (volatile u8 *)AT;
  u64 *entry = map_at(AT, 0, (u64)one | PTE_P | PTE_W);
  check("a page", *at, 1);
  *entry = (u64)two | PTE_P | PTE_W;
  flush_page((void *)(AT + 0xfff));
  check("INVLPG by any address in the page", *at, 2);
  *entry = (u64)one | PTE_P | PTE_W;
  flush_tlb();
  check("a write to CR3", *at, 1);
  set(entry, (u64)two | PTE_P | PTE_W | PTE_G);
  write_cr4(read_cr4() | CR4_PGE);
  check("a global page", *at, 2);
  *entry = (u64)one | PTE_P | PTE_W | PTE_G;
  flush_page((void *)AT);
  check("INVLPG of a global page", *at, 1);
  *entry = (u64)two | PTE_P | PTE_W | PTE_G;
  write_cr4(read_cr4() & ~(word)CR4_PGE);
  check("a change of CR4.PGE", *at, 2);
  set(entry, 0);
  read_at(AT);
  check_fault("a page that went", 0, AT);
  *entry = (u64)one | PTE_P | PTE_W;
  check("absence is not remembered", *at, 1);
  u64 *directory = entry_at(AT, 1);
  const u64 kept = *directory;
  u64 *table = new_page();
  table[0] = (u64)two | PTE_P | PTE_W;
  *directory = (u64)table | TABLE;
  flush_page((void *)AT);
  check("INVLPG forgets tables too", *at, 2);
  *directory = kept;
  flush_page((void *)AT);
  check("and once more", *at, 1);
  map_at(HUGE, 1, 0x400000 | PTE_P | PTE_W | PTE_PS);
  volatile u8 *huge = (volatile u8 *)HUGE;
  *(volatile u8 *)0x412345 = 0x41;
  *(volatile u8 *)0x612345 = 0x61;
  check("a 2 MiB page", huge[0x12345], 0x41);
  *entry_at(HUGE, 1) = 0x600000 | PTE_P | PTE_W | PTE_PS;
  flush_page((void *)(HUGE + 0x1ff000));
  check("INVLPG of a 2 MiB page by another address in it", huge[0x12345], 0x61);
  TRY("invlpg (%0)", "r"(0x800000000000ul));
  check_trap("INVLPG of a non-canonical address", NONE, 0);
  TRY(".byte 0x0f, 0x01, 0xff");
  check_trap("INVLPG of a register", UD, 0);
  // The second of two pages that change places is of the same table.
  set(entry, (u64)one | PTE_P | PTE_W);
  map_at(NEXT, 0, (u64)two | PTE_P | PTE_W);
  *(u16 *)(AT + 0xfff) = 0xbbaa;
  check("an alias sees what was written", one[0xfff] << 8 | two[0], 0xaabb);
}

void payload_main(void) {
  u32 sizes = cpuid_or_zero(0x80000008, 0).eax;
  physical_bits = sizes ? sizes & 0xff : 36;
  static u8 fault_stack[0x1000] __attribute__((aligned(16)));
  tss.ist[0] = (word)(fault_stack + sizeof(fault_stack));
  set_gate(DF, trap_stub(DF), CODE0, PRESENT | INTERRUPT_GATE32, 1);
  not_present();
  rights();
  no_execute();
  reserved();
  accessed_and_dirty();
  crossing();
  tables_elsewhere();
  staleness();
}
