// SMEP, SMAP, UMIP, protection keys, PCID and INVPCID.
#include "paging.h"
#include "trap.h"

#define AT FREE_ADDRESS
#define HAS_SMEP (cpuid_or_zero(7, 0).ebx & 1 << 7)
#define HAS_SMAP (cpuid_or_zero(7, 0).ebx & 1 << 20)
#define HAS_INVPCID (cpuid_or_zero(7, 0).ebx & 1 << 10)
#define HAS_UMIP (cpuid_or_zero(7, 0).ecx & 1 << 2)
#define HAS_PKU (cpuid_or_zero(7, 0).ecx & 1 << 3)
#define MSR_PKRS 0x6e1
#define HAS_PKS (cpuid_or_zero(7, 0).ecx & 1u << 31)
#define HAS_PCID (cpuid(1, 0).ecx & 1 << 17)

static void smep(u8 *page) {
  if (!HAS_SMEP) {
    skip("SMEP", "not there");
    return;
  }
  page[0] = 0xc3;
  TRY("call *%0", "r"(AT));
  check_trap("a fetch from a user's page without SMEP", NONE, 0);
  write_cr4(read_cr4() | CR4_SMEP);
  TRY("call *%0", "r"(AT));
  check_fault("a fetch from a user's page with SMEP", PF_P | PF_FETCH, AT);
  TRY("mov (%0), %%al", "r"(AT));
  check_trap("SMEP lets read", NONE, 0);
  u64 *top = entry_at(AT, 3);
  *top &= ~PTE_U;
  flush_page((void *)AT);
  TRY("call *%0", "r"(AT));
  check_trap("a supervisor's top entry makes it a supervisor's page", NONE, 0);
  *top |= PTE_U;
  flush_page((void *)AT);
  map_at(AT + PAGE, 0, 0);
  TRY("call *%0", "r"(AT + PAGE));
  check_fault("SMEP makes a fetch known in the error code", PF_FETCH, AT + PAGE);
  write_cr4(read_cr4() & ~(word)CR4_SMEP);
}

static void smap(u8 *page) {
  if (!HAS_SMAP) {
    skip("SMAP", "not there");
    return;
  }
  page[0] = 0xc3;
  TRY("stac");
  check_trap("STAC needs no CR4.SMAP", NONE, 0);
  write_cr4(read_cr4() | CR4_SMAP);
  TRY("clac; mov (%0), %%al", "r"(AT));
  check_fault("a read of a user's page with SMAP", PF_P, AT);
  TRY("clac; movb $0xc3, (%0)", "r"(AT));
  check_fault("a write to a user's page with SMAP", PF_P | PF_W, AT);
  TRY("stac; mov (%0), %%al; clac", "r"(AT));
  check_trap("STAC lets read", NONE, 0);
  TRY("clac; call *%0", "r"(AT));
  check_trap("SMAP lets fetch", NONE, 0);
  TRY("stac; movb $0xc3, (%0); clac; mov (%0), %%al", "r"(AT));
  check_fault("CLAC counts at once", PF_P, AT);
  TRY("clac; invlpg (%0); prefetcht0 (%0)", "r"(AT));
  check_trap("INVLPG and PREFETCH are no accesses", NONE, 0);
  // What the processor reads by itself.
  *(u64 *)page = segment(0, 0xfffff, PRESENT | DATA_RW, FLAG_G | FLAG_B);
  set_system_segment(FREE_SLOT, AT, 7, PRESENT | LDT);
  TRY("lldt %w0; stac; mov $4, %%eax; mov %%eax, %%ds", "r"(SELECTOR(FREE_SLOT)));
  check_fault("a descriptor in a user's page, even with AC", PF_P, AT + 0);
  TRY("lldt %w0", "r"(0));
  TRY("sub $256, %%rsp; clac; stac; ud2");
  check("AC is in the frame", trap.flags & FLAG_AC, FLAG_AC);
  write_cr4(read_cr4() & ~(word)CR4_SMAP);
}

static void umip(void) {
  TRY_USER(".byte 0x0f, 0x01, 0xcb");
  check_trap("STAC at level 3", UD, 0);
  if (HAS_INVPCID) {
    TRY_USER("xor %%eax, %%eax; invpcid (%%rsp), %%rax");
    check_trap("INVPCID at level 3", GP, 0);
  }
  if (!HAS_UMIP) {
    skip("UMIP", "not there");
    return;
  }
  static u8 room[16];
  TRY_USER("sgdt %0", "m"(room));
  check_trap("SGDT at level 3 without UMIP", NONE, 0);
  write_cr4(read_cr4() | CR4_UMIP);
  TRY_USER("sgdt %0", "m"(room));
  check_trap("SGDT with UMIP", GP, 0);
  TRY_USER("sidt %0", "m"(room));
  check_trap("SIDT with UMIP", GP, 0);
  TRY_USER("sldt %%eax");
  check_trap("SLDT with UMIP", GP, 0);
  TRY_USER("str %%eax");
  check_trap("STR with UMIP", GP, 0);
  TRY_USER("smsw %%eax");
  check_trap("SMSW with UMIP", GP, 0);
  TRY_USER("mov %0, %%rax; sgdt (%%rax)", "r"(AT + 0x10000));
  check_trap("UMIP counts before the operand's page", GP, 0);
  TRY("sgdt %0; sldt %%eax; str %%eax; smsw %%eax", "m"(room));
  check_trap("UMIP is nothing to level 0", NONE, 0);
  write_cr4(read_cr4() & ~(word)CR4_UMIP);
}

#define WRITE_PKRU(value) "xor %%ecx, %%ecx; xor %%edx, %%edx; mov $" #value ", %%eax; .byte 0x0f, 0x01, 0xef\n"
#define READ_PKRU ".byte 0x0f, 0x01, 0xee\n"

static void keys(u8 *page) {
  if (!HAS_PKU) {
    skip("protection keys", "not there");
    return;
  }
  page[0] = 0xc3;
  TRY("xor %%ecx, %%ecx; " READ_PKRU);
  check_trap("RDPKRU without CR4.PKE", UD, 0);
  check("OSPKE before", cpuid(7, 0).ecx >> 4 & 1, 0);
  write_cr4(read_cr4() | CR4_PKE);
  check("OSPKE", cpuid(7, 0).ecx >> 4 & 1, 1);
  TRY("mov $1, %%ecx; " READ_PKRU);
  check_trap("RDPKRU with ECX", GP, 0);
  TRY("xor %%ecx, %%ecx; mov $1, %%edx; xor %%eax, %%eax; .byte 0x0f, 0x01, 0xef");
  check_trap("WRPKRU with EDX", GP, 0);
  static u32 pkru;
  TRY(WRITE_PKRU(0x12345678) "mov $-1, %%edx;" READ_PKRU "mov %%eax, %0; mov %%edx, %%ebx; " WRITE_PKRU(0) "test %%ebx, %%ebx; jz 1f; ud2; 1:",
      "m"(pkru));
  check_trap("RDPKRU clears EDX", NONE, 0);
  check("RDPKRU", pkru, 0x12345678);
  map_at(AT, 0, (u64)page | PTE_P | PTE_W | PTE_U | PTE_KEY(5));
  // Key 5: access disabled is bit 10, write disabled bit 11.
  TRY(WRITE_PKRU(0x400) "mov (%0), %%al", "r"(AT));
  check_fault("a read at level 0 with the key disabled", PF_P | PF_KEY, AT);
  TRY(WRITE_PKRU(0x400) "movb $0, (%0)", "r"(AT));
  check_fault("a write at level 0 with the key disabled", PF_P | PF_W | PF_KEY, AT);
  TRY_USER(WRITE_PKRU(0x400) "mov (%0), %%bl", "r"(AT));
  check_fault("a read at level 3 with the key disabled", PF_P | PF_U | PF_KEY, AT);
  TRY(WRITE_PKRU(0x400) "call *%0", "r"(AT));
  check_trap("keys let fetch", NONE, 0);
  TRY(WRITE_PKRU(0x800) "mov (%0), %%al", "r"(AT));
  check_trap("a read with writes disabled", NONE, 0);
  TRY_USER(WRITE_PKRU(0x800) "movb $0xc3, (%0)", "r"(AT));
  check_fault("a write at level 3 with writes disabled", PF_P | PF_W | PF_U | PF_KEY, AT);
  write_cr0(read_cr0() | CR0_WP);
  TRY(WRITE_PKRU(0x800) "movb $0xc3, (%0)", "r"(AT));
  check_fault("a write at level 0 with writes disabled and WP", PF_P | PF_W | PF_KEY, AT);
  write_cr0(read_cr0() & ~(word)CR0_WP);
  TRY(WRITE_PKRU(0x800) "movb $0xc3, (%0)", "r"(AT));
  check_trap("a write at level 0 with writes disabled, without WP", NONE, 0);
  write_cr0(read_cr0() | CR0_WP);
  TRY(WRITE_PKRU(0));
  map_at(AT, 0, (u64)page | PTE_P | PTE_W | PTE_KEY(5));
  TRY(WRITE_PKRU(0xc00) "mov (%0), %%al; mov %%al, (%0); " WRITE_PKRU(0), "r"(AT));
  check_trap("keys are nothing to a supervisor's page", NONE, 0);
  TRY_USER(WRITE_PKRU(0));
  check_trap("WRPKRU at level 3", NONE, 0);
  map_at(AT, 0, (u64)page | PTE_P | PTE_U | PTE_KEY(5));
  TRY_USER(WRITE_PKRU(0x400) "movb $0, (%0)", "r"(AT));
  check_fault("a read-only page and a disabled key", PF_P | PF_W | PF_U | PF_KEY, AT);
  TRY(WRITE_PKRU(0));
  write_cr4(read_cr4() & ~(word)CR4_PKE);
  map_at(AT, 0, (u64)page | PTE_P | PTE_W | PTE_U);
}

static void supervisor_keys(u8 *page) {
  if (!HAS_PKS) {
    skip("supervisor keys", "not there");
    return;
  }
  write_cr4(read_cr4() | CR4_PKS);
  TRY("mov %0, %%ecx; xor %%eax, %%eax; mov $1, %%edx; wrmsr", "r"(MSR_PKRS));
  check_trap("PKRS has 32 bits", GP, 0);
  map_at(AT, 0, (u64)page | PTE_P | PTE_W | PTE_KEY(5));
  write_msr(MSR_PKRS, 0x400);
  TRY("mov (%0), %%al", "r"(AT));
  check_fault("a read of a supervisor's page with the key disabled", PF_P | PF_KEY, AT);
  TRY_USER("mov (%0), %%al", "r"(AT));
  check_fault("level 3 is told nothing of the key", PF_P | PF_U, AT);
  TRY("call *%0", "r"(AT));
  check_trap("supervisor keys let fetch", NONE, 0);
  write_msr(MSR_PKRS, 0x800);
  write_cr0(read_cr0() | CR0_WP);
  TRY("movb $0xc3, (%0)", "r"(AT));
  check_fault("a write to a supervisor's page with writes disabled", PF_P | PF_W | PF_KEY, AT);
  write_cr0(read_cr0() & ~(word)CR0_WP);
  TRY("movb $0xc3, (%0)", "r"(AT));
  check_trap("the same without WP", NONE, 0);
  write_cr0(read_cr0() | CR0_WP);
  map_at(AT, 0, (u64)page | PTE_P | PTE_W | PTE_U | PTE_KEY(5));
  write_msr(MSR_PKRS, 0x400);
  TRY("mov (%0), %%al", "r"(AT));
  check_trap("PKRS is nothing to a user's page", NONE, 0);
  write_msr(MSR_PKRS, 0);
  write_cr4(read_cr4() & ~(word)CR4_PKS);
  map_at(AT, 0, (u64)page | PTE_P | PTE_W | PTE_U);
}

static struct {
  u64 pcid, address;
} operand __attribute__((aligned(16)));

static void invpcid(word type, u64 pcid, word address) {
  operand.pcid = pcid;
  operand.address = address;
  TRY("invpcid %1, %0", "r"(type), "m"(operand));
}

static void pcid(u8 *one) {
  if (!HAS_PCID) {
    skip("PCID", "not there");
    return;
  }
  u8 *two = new_page();
  one[0] = 1;
  two[0] = 2;
  volatile u8 *at = (volatile u8 *)AT;
  u64 *entry = map_at(AT, 0, (u64)one | PTE_P | PTE_W);
  const u64 root = read_cr3();
  TRY("mov %0, %%cr3", "r"(root | 8));
  check_trap("PWT in CR3", NONE, 0);
  TRY("mov %0, %%cr4", "r"(read_cr4() | CR4_PCIDE));
  check_trap("PCIDE with PWT in CR3", GP, 0);
  write_cr3(root);
  TRY("mov %0, %%cr3", "r"(root | 1ul << 63));
  check_trap("bit 63 of CR3 without PCIDE", GP, 0);
  TRY("mov %0, %%cr4", "r"(read_cr4() | CR4_PCIDE));
  check_trap("PCIDE", NONE, 0);
  TRY("mov %0, %%rax; mov %%rax, %%cr0", "r"(read_cr0() & ~CR0_PG));
  check_trap("clearing PG with PCIDE", GP, 0);
  TRY("mov %0, %%cr3", "r"(root | 1ul << 62));
  check_trap("bit 62 of CR3", GP, 0);
  write_cr3(root | 1);
  check("a page of PCID 1", *at, 1);
  write_cr3(root | 2);
  *entry = (u64)two | PTE_P | PTE_W;
  check("PCID 2 knows nothing of PCID 1", *at, 2);
  write_cr3(root | 1);
  check("a write to CR3 without bit 63 forgets its PCID", *at, 2);
  write_cr3(root | 2 | 1ul << 63);
  check("bit 63 reads as 0", read_cr3(), root | 2);
  check("PCID 2 again", *at, 2);
  *entry = (u64)one | PTE_P | PTE_W;
  write_cr3(root | 2);
  check("PCID 2 forgotten", *at, 1);
  *entry = (u64)two | PTE_P | PTE_W;
  write_cr4(read_cr4() & ~(word)CR4_PGE);
  write_cr4(read_cr4() | CR4_PGE);
  check("a change of CR4.PGE forgets every PCID", *at, 2);
  if (HAS_INVPCID) {
    *entry = (u64)one | PTE_P | PTE_W;
    invpcid(0, 2, AT);
    check("INVPCID of an address", *at, 1);
    *entry = (u64)two | PTE_P | PTE_W;
    invpcid(1, 2, 0);
    check("INVPCID of a PCID", *at, 2);
    *entry = (u64)one | PTE_P | PTE_W | PTE_G;
    invpcid(2, 0, 0);
    check("INVPCID of everything", *at, 1);
    *entry = (u64)two | PTE_P | PTE_W;
    invpcid(2, 0, 0);
    check("INVPCID of everything forgets global pages", *at, 2);
    *entry = (u64)one | PTE_P | PTE_W;
    invpcid(3, 0, 0);
    check("INVPCID of everything but global pages", *at, 1);
    invpcid(4, 0, 0);
    check_trap("INVPCID of type 4", GP, 0);
    invpcid(1, 0x1000, 0);
    check_trap("INVPCID with a reserved bit", GP, 0);
    invpcid(0, 2, 0x800000000000ul);
    check_trap("INVPCID of a non-canonical address", GP, 0);
    invpcid(1, 2, 0x800000000000ul);
    check_trap("INVPCID of a PCID with a non-canonical address", NONE, 0);
    TRY("xor %%eax, %%eax; invpcid (%0), %%rax", "r"(AT + 0x10000));
    check_fault("INVPCID reads its operand", 0, AT + 0x10000);
  } else skip("INVPCID with PCID", "not there");
  write_cr3(root);
  write_cr4(read_cr4() & ~(word)CR4_PCIDE);
  if (HAS_INVPCID) {
    invpcid(1, 2, 0);
    check_trap("INVPCID of PCID 2 without PCIDE", GP, 0);
    invpcid(0, 2, 0);
    check_trap("INVPCID of an address of PCID 2 without PCIDE", GP, 0);
    invpcid(1, 0, 0);
    check_trap("INVPCID of PCID 0 without PCIDE", NONE, 0);
  }
}

void payload_main(void) {
  u8 *page = map_page(AT, PTE_P | PTE_W | PTE_U);
  own_memory(0);
  smep(page);
  smap(page);
  pcid(page);
  own_memory(PTE_U);
  map_at(AT, 0, (u64)page | PTE_P | PTE_W | PTE_U);
  umip();
  keys(page);
  supervisor_keys(page);
}
