// Paging of 32-bit mode: two levels, 4 MiB pages and PSE-36, and PAE with its four pointers.
#include "paging32.h"
#include "trap.h"

/** Where tests map pages: nothing else is there. */
#define AT 0x40000000u
#define LARGE 0x50000000u

static u32 directory[1024] __attribute__((aligned(4096)));
static u32 table[1024] __attribute__((aligned(4096)));
static u64 pointers[4] __attribute__((aligned(32)));
static u64 wide_directories[4][512] __attribute__((aligned(4096)));
static u64 wide_table[512] __attribute__((aligned(4096)));
static u8 page[PAGE] __attribute__((aligned(4096)));

static void read_at(u32 address) { TRY("mov (%0), %%al", "r"(address)); }
static void write_at(u32 address) { TRY("movb $1, (%0)", "r"(address)); }
static void user_write(u32 address) { TRY_USER("movb $1, (%0)", "r"(address)); }

static void paging_off(void) {
  write_cr0(read_cr0() & ~CR0_PG);
}

static void two_levels(void) {
  // The first 16 MiB by 4 MiB pages, which PSE lets.
  write_cr4(read_cr4() | CR4_PSE);
  for (u32 i = 0; i < 1024; i++) directory[i] = i < 4 || i >= 0x3fb ? i << 22 | PTE_P | PTE_W | PTE_U | PTE_PS : 0;
  directory[AT >> 22] = (u32)table | PTE_P | PTE_W | PTE_U;
  table[0] = (u32)page | PTE_P;
  write_cr3((u32)directory);
  write_cr0(read_cr0() | CR0_PG | CR0_WP);
  read_at(AT);
  check_trap("a page of two levels", NONE, 0);
  check("A is set in the page's entry", table[0] & (PTE_A | PTE_D), PTE_A);
  check("A is set in the directory", directory[AT >> 22] & PTE_A, PTE_A);
  write_at(AT);
  check_fault("a write to a read-only page", PF_P | PF_W, AT);
  user_write(AT);
  check_fault("a write at level 3 to a supervisor's page", PF_P | PF_W | PF_U, AT);
  read_at(AT + PAGE);
  check_fault("a page that is not there", 0, AT + PAGE);
  table[0] = (u32)page | PTE_P | PTE_W;
  flush_page((void *)AT);
  write_at(AT);
  check("D is set by a write", table[0] & PTE_D, PTE_D);
  TRY("call *%0", "r"(AT + PAGE));
  check_fault("a fetch has no bit of its own without NX", 0, AT + PAGE);
  directory[AT >> 22] &= ~PTE_W;
  flush_tlb();
  write_at(AT);
  check_fault("a read-only directory entry", PF_P | PF_W, AT);
  // The physical address is 4 MiB: nothing of the payload is there.
  directory[LARGE >> 22] = 0x400000 | PTE_P | PTE_W | PTE_PS;
  *(volatile u32 *)0x423456 = 0xabcd;
  check("a 4 MiB page", *(volatile u32 *)(LARGE + 0x23456), 0xabcd);
  check("A is set in a 4 MiB page's entry", directory[LARGE >> 22] & (PTE_A | PTE_D), PTE_A);
  write_at(LARGE + 0x3fffff);
  check("D is set in a 4 MiB page's entry", directory[LARGE >> 22] & PTE_D, PTE_D);
  directory[LARGE >> 22] = 0x400000 | PTE_P | PTE_W | PTE_PS | 1 << 21;
  flush_page((void *)LARGE);
  read_at(LARGE);
  check_fault("bit 21 of a 4 MiB page's entry is reserved", PF_P | PF_RSVD, LARGE);
  directory[LARGE >> 22] = 0x400000 | PTE_P | PTE_W | PTE_PS | 1 << 12;
  flush_page((void *)LARGE);
  read_at(LARGE);
  check_trap("bit 12 of a 4 MiB page's entry is PAT", NONE, 0);
  // Without PSE, PS means nothing: the entry names a table, at 4 MiB, whose first entry is made here.
  *(volatile u32 *)0x400000 = (u32)page | PTE_P | PTE_W;
  page[0] = 0x5a;
  u32 *low = (u32 *)wide_table;
  for (u32 i = 0; i < 1024; i++) low[i] = i << 12 | PTE_P | PTE_W | PTE_U;
  directory[0] = (u32)low | PTE_P | PTE_W | PTE_U;
  directory[LARGE >> 22] = 0x400000 | PTE_P | PTE_W | PTE_PS;
  write_cr4(read_cr4() & ~(u32)CR4_PSE);
  flush_tlb();
  TRY("mov (%0), %%al; cmp $0x5a, %%al; je 1f; ud2; 1:", "r"(LARGE));
  check_trap("PS means nothing without PSE", NONE, 0);
  write_cr4(read_cr4() | CR4_PSE);
  flush_tlb();
  TRY("mov (%0), %%eax", "r"(AT + PAGE - 2));
  check_fault("an access into a page that is not there", 0, AT + PAGE);
  // NX needs PAE.
  if (cpuid_or_zero(0x80000001, 0).edx & 1 << 20) {
    write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_NXE);
    TRY("call *%0", "r"(AT + PAGE));
    check_fault("NXE gives a fetch no bit without PAE", 0, AT + PAGE);
    write_msr(MSR_EFER, read_msr(MSR_EFER) & ~(u64)EFER_NXE);
  }
  TRY("mov %0, %%eax; mov %%eax, %%cr0", "r"(read_cr0() & ~(u32)CR0_PE));
  check_trap("PG without PE", GP, 0);
  paging_off();
}

static void pae(void) {
  for (u32 i = 0; i < 4; i++) {
    pointers[i] = (u32)wide_directories[i] | PTE_P;
    for (u32 j = 0; j < 512; j++) wide_directories[i][j] = (u64)(i << 30 | j << 21) | PTE_P | PTE_W | PTE_U | PTE_PS;
  }
  u64 *entry = &wide_directories[AT >> 30][AT >> 21 & 511];
  memset(wide_table, 0, sizeof(wide_table));
  *entry = (u32)wide_table | PTE_P | PTE_W | PTE_U;
  wide_table[0] = (u32)page | PTE_P;
  write_cr3((u32)pointers);
  write_cr4(read_cr4() | CR4_PAE);
  write_cr0(read_cr0() | CR0_PG);
  read_at(AT);
  check_trap("a page of PAE", NONE, 0);
  check("A is set in a wide entry", wide_table[0] & (PTE_A | PTE_D), PTE_A);
  check("A is not set in a pointer", pointers[AT >> 30], (u32)wide_directories[AT >> 30] | PTE_P);
  write_at(AT);
  check_fault("a write to a read-only page of PAE", PF_P | PF_W, AT);
  wide_table[0] = (u32)page | PTE_P | PTE_NX;
  flush_page((void *)AT);
  read_at(AT);
  check_fault("bit 63 without NXE", PF_P | PF_RSVD, AT);
  if (cpuid_or_zero(0x80000001, 0).edx & 1 << 20) {
    write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_NXE);
    flush_tlb();
    read_at(AT);
    check_trap("bit 63 with NXE", NONE, 0);
    page[0] = 0xc3;
    TRY("call *%0", "r"(AT));
    check_fault("a fetch from an NX page", PF_P | PF_FETCH, AT);
  }
  wide_table[0] = (u32)page | PTE_P | 1ull << 60;
  flush_page((void *)AT);
  read_at(AT);
  check_fault("bit 60 of a PAE entry", PF_P | PF_RSVD, AT);
  wide_directories[LARGE >> 30][LARGE >> 21 & 511] = 0x400000 | PTE_P | PTE_W | PTE_PS;
  flush_tlb();
  *(volatile u32 *)0x512344 = 0x77;
  check("a 2 MiB page", *(volatile u32 *)(LARGE + 0x112344), 0x77);
  write_at(LARGE);
  check("A and D of a 2 MiB page", wide_directories[LARGE >> 30][LARGE >> 21 & 511] & (PTE_A | PTE_D), PTE_A | PTE_D);
  wide_directories[LARGE >> 30][LARGE >> 21 & 511] = 0x400000 | PTE_P | PTE_W | PTE_PS | 1 << 13;
  flush_tlb();
  read_at(LARGE);
  check_fault("bit 13 of a 2 MiB page's entry is reserved", PF_P | PF_RSVD, LARGE);
  // The pointers are registers: they are read when CR3 is loaded.
  const u64 kept = pointers[1];
  pointers[1] = 0;
  *entry = (u32)wide_table | PTE_P | PTE_W | PTE_U;
  wide_table[0] = (u32)page | PTE_P;
  flush_page((void *)AT);
  read_at(AT);
  check_trap("a pointer is read with CR3 only", NONE, 0);
  write_cr3((u32)pointers);
  read_at(AT);
  check_fault("and then it counts", 0, AT);
  pointers[1] = kept | PTE_W;
  TRY("mov %0, %%cr3", "r"(pointers));
  check_trap("a reserved bit of a pointer", GP, 0);
  pointers[1] = PTE_W;
  TRY("mov %0, %%cr3", "r"(pointers));
  check_trap("a reserved bit of a pointer that is not present", NONE, 0);
  pointers[1] = kept | 1ull << 62;
  TRY("mov %0, %%cr3", "r"(pointers));
  check_trap("a high bit of a pointer", GP, 0);
  pointers[1] = kept;
  write_cr3((u32)pointers);
  TRY("mov %0, %%eax; mov %%eax, %%cr4", "r"(read_cr4() | 1 << 15));
  check_trap("a reserved bit of CR4", GP, 0);
}

void payload_main(void) {
  two_levels();
  pae();
  paging_off();
}
