// What control registers, EFER, XCR0 and MSRs take, and what they make of instructions.
#include "paging.h"
#include "trap.h"

#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SFMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX 0xc0000103
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_PAT 0x277
#define MSR_MTRR_DEFAULT 0x2ff
#define NON_CANONICAL 0x800000000000ul

static void try_cr0(word value) { TRY("mov %0, %%rax; mov %%rax, %%cr0", "r"(value)); }
static void try_cr4(word value) { TRY("mov %0, %%rax; mov %%rax, %%cr4", "r"(value)); }
static void try_cr3(word value) { TRY("mov %0, %%rax; mov %%rax, %%cr3", "r"(value)); }
static void try_msr(u32 index, u64 value) { TRY("wrmsr", "a"((u32)value), "d"((u32)(value >> 32)), "c"(index)); }

static void cr0(void) {
  const word own = read_cr0();
  try_cr0(own | CR0_NW);
  check_trap("NW without CD", GP, 0);
  try_cr0(own | CR0_NW | CR0_CD);
  check_trap("NW with CD", NONE, 0);
  try_cr0(own | 1ul << 32);
  check_trap("high bits of CR0", GP, 0);
  try_cr0(own & ~(word)CR0_ET);
  check("ET reads as 1", read_cr0() & CR0_ET, CR0_ET);
  write_cr0(own);
  TRY("mov $0xfff1, %%eax; lmsw %%ax; lmsw %%ax");
  check("LMSW cannot clear PE, nor touch others", read_cr0() & ~0xful, own & ~0xful);
  write_cr0(own);
  TRY("xor %%eax, %%eax; lmsw %%ax");
  check("LMSW leaves PE", read_cr0() & CR0_PE, CR0_PE);
  write_cr0(own);
  static word seen;
  TRY("mov $-1, %%rax; smsw %%eax; mov %%rax, %0", "m"(seen));
  check("SMSW of 32 bits reads CR0", seen, own);
  TRY("mov %%rax, %%cr1");
  check_trap("CR1", UD, 0);
  TRY("mov %%cr5, %%rax");
  check_trap("CR5", UD, 0);
  TRY(".byte 0x44, 0x0f, 0x20, 0xc8");
  check_trap("CR9", UD, 0);
  write_cr0(own | CR0_TS);
  TRY("clts");
  check("CLTS", read_cr0() & CR0_TS, 0);
  TRY("mov %0, %%rax; mov %%rax, %%cr2", "r"(NON_CANONICAL));
  check_trap("CR2 takes anything", NONE, 0);
  check("CR2", read_cr2(), NON_CANONICAL);
}

static void cr4(void) {
  const word own = read_cr4();
  try_cr4(own | 1ul << 15);
  check_trap("bit 15 of CR4", GP, 0);
  try_cr4(own | 1ul << 32);
  check_trap("high bits of CR4", GP, 0);
  static const struct {
    const char *name;
    word bit;
    u32 leaf, shift;
    u8 ecx;
  } features[] = {
    {"SMEP", CR4_SMEP, 7, 7, 0}, {"SMAP", CR4_SMAP, 7, 20, 0}, {"FSGSBASE", CR4_FSGSBASE, 7, 0, 0},
    {"UMIP", CR4_UMIP, 7, 2, 1}, {"PKE", CR4_PKE, 7, 3, 1},    {"PCIDE", CR4_PCIDE, 1, 17, 1},
    {"OSXSAVE", CR4_OSXSAVE, 1, 26, 1}, {"LA57", 1 << 12, 7, 16, 1}, {"VMXE", 1 << 13, 1, 5, 1},
    {"SMXE", 1 << 14, 1, 6, 1}, {"PKS", CR4_PKS, 7, 31, 1},
  };
  own_memory(0);
  for (unsigned i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
    struct cpuid leaf = cpuid_or_zero(features[i].leaf, 0);
    bool there = ((features[i].ecx ? leaf.ecx : leaf.ebx) >> features[i].shift) & 1;
    if (features[i].bit == 1 << 12 && there) {
      // In long mode it cannot be changed.
      there = false;
    }
    if (features[i].bit == 1 << 13 && there) continue;
    try_cr4(own | features[i].bit);
    check_trap(features[i].name, there ? NONE : GP, 0);
    write_cr4(own);
  }
  own_memory(PTE_U);
  write_cr4(own | CR4_TSD);
  TRY("rdtsc");
  check_trap("RDTSC with TSD at level 0", NONE, 0);
  TRY_USER("rdtsc");
  check_trap("RDTSC with TSD at level 3", GP, 0);
  write_cr4(own & ~(word)CR4_TSD);
  TRY_USER("rdtsc");
  check_trap("RDTSC without TSD at level 3", NONE, 0);
  write_cr4(own & ~(word)CR4_PCE);
  TRY_USER("mov $0x7fffffff, %%ecx; rdpmc");
  check_trap("RDPMC without PCE at level 3", GP, 0);
  TRY("rdfsbase %%rax");
  check_trap("RDFSBASE without FSGSBASE", UD, 0);
  if (cpuid_or_zero(7, 0).ebx & 1) {
    write_cr4(own | CR4_FSGSBASE);
    static u64 base;
    TRY("mov $0x12345678, %%eax; wrfsbase %%rax; rdfsbase %%rbx; mov %%rbx, %0", "m"(base));
    check("WRFSBASE", base, 0x12345678);
    TRY("mov %0, %%rax; wrgsbase %%rax", "r"(NON_CANONICAL));
    check_trap("WRGSBASE of a non-canonical address", GP, 0);
    write_cr4(own);
  }
  TRY("movaps %%xmm0, %%xmm0");
  check_trap("SSE without OSFXSR", UD, 0);
  write_cr4(own);
}

static void cr3(void) {
  const word own = read_cr3();
  try_cr3(own | 1ul << 52);
  check_trap("bit 52 of CR3", GP, 0);
  const u32 width = cpuid_or_zero(0x80000008, 0).eax & 0xff;
  try_cr3(own | 1ul << width);
  check_trap("an address in CR3 beyond what there is", GP, 0);
  try_cr3(own | 0x7);
  check_trap("low bits of CR3", NONE, 0);
  write_cr3(own);
}

static void efer(void) {
  const u64 own = read_msr(MSR_EFER);
  try_msr(MSR_EFER, own & ~(u64)EFER_LME);
  check_trap("clearing LME while paging", GP, 0);
  try_msr(MSR_EFER, own | 1 << 9);
  check_trap("bit 9 of EFER", GP, 0);
  try_msr(MSR_EFER, own | 1ul << 40);
  check_trap("high bits of EFER", GP, 0);
  try_msr(MSR_EFER, own & ~(u64)EFER_LMA);
  check_trap("LMA cannot be written, nor faults", NONE, 0);
  check("LMA stays", read_msr(MSR_EFER) & EFER_LMA, EFER_LMA);
  write_msr(MSR_EFER, own | EFER_SCE);
  check("SCE", read_msr(MSR_EFER) & EFER_SCE, EFER_SCE);
  write_msr(MSR_EFER, own);
}

static void msrs(void) {
  static const struct {
    const char *name, *value;
    u32 index;
  } addresses[] = {
    {"a non-canonical LSTAR", "LSTAR", MSR_LSTAR},
    {"a non-canonical CSTAR", "CSTAR", MSR_CSTAR},
    {"a non-canonical FS base", "FS base", MSR_FS_BASE},
    {"a non-canonical GS base", "GS base", MSR_GS_BASE},
    {"a non-canonical kernel GS base", "kernel GS base", MSR_KERNEL_GS_BASE},
    {"a non-canonical SYSENTER ESP", "SYSENTER ESP", MSR_SYSENTER_ESP},
  };
  for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
    try_msr(addresses[i].index, NON_CANONICAL);
    check_trap(addresses[i].name, GP, 0);
    write_msr(addresses[i].index, 0xffff800000001234ul);
    check(addresses[i].value, read_msr(addresses[i].index), 0xffff800000001234ul);
  }
  write_msr(MSR_GS_BASE, 0);
  write_msr(MSR_FS_BASE, 0);
  TRY("mov $0x12345678, %%ecx; rdmsr");
  check_trap("RDMSR of an MSR that there is not", GP, 0);
  TRY("mov $0x12345678, %%ecx; wrmsr");
  check_trap("WRMSR of an MSR that there is not", GP, 0);
  TRY("mov $0x123, %%rcx; mov $-1, %%rax; mov $-1, %%rdx; mov $0x10, %%ecx; rdmsr; shr $32, %%rax; shr $32, %%rdx; or %%rdx, %%rax; jz 1f; ud2; 1:");
  check_trap("RDMSR clears the high halves", NONE, 0);
  try_msr(MSR_PAT, 0x0007040600070406ul);
  check_trap("PAT", NONE, 0);
  try_msr(MSR_PAT, 0x0007040600070402ul);
  check_trap("PAT with a reserved type", GP, 0);
  try_msr(MSR_PAT, 0x0807040600070406ul);
  check_trap("PAT with a reserved bit", GP, 0);
  try_msr(MSR_MTRR_DEFAULT, 0xc02);
  check_trap("MTRR default with a reserved type", GP, 0);
  try_msr(MSR_SFMASK, 0xffffffff);
  check_trap("SFMASK", NONE, 0);
  write_msr(MSR_SYSENTER_CS, 8);
  check("SYSENTER CS", read_msr(MSR_SYSENTER_CS), 8);
  if (cpuid_or_zero(0x80000001, 0).edx & 1 << 27) {
    write_msr(MSR_TSC_AUX, 0x1234);
    static u32 aux;
    TRY_USER("rdtscp; mov %%ecx, %0", "m"(aux));
    check("RDTSCP reads TSC_AUX", aux, 0x1234);
  }
}

static void xcr0(void) {
  if (!(cpuid(1, 0).ecx & 1 << 26)) {
    skip("XCR0", "no XSAVE");
    return;
  }
  TRY("xor %%ecx, %%ecx; xgetbv");
  check_trap("XGETBV without OSXSAVE", UD, 0);
  check("CPUID's OSXSAVE before", cpuid(1, 0).ecx >> 27 & 1, 0);
  write_cr4(read_cr4() | CR4_OSXSAVE | CR4_OSFXSR);
  check("CPUID's OSXSAVE", cpuid(1, 0).ecx >> 27 & 1, 1);
  TRY_USER("xor %%ecx, %%ecx; xgetbv");
  check_trap("XGETBV at level 3", NONE, 0);
  TRY("mov $5, %%ecx; xgetbv");
  check_trap("XGETBV of XCR5", GP, 0);
  TRY_USER("xor %%ecx, %%ecx; xgetbv; xsetbv");
  check_trap("XSETBV at level 3", GP, 0);
  TRY("xor %%ecx, %%ecx; xor %%edx, %%edx; mov $2, %%eax; xsetbv");
  check_trap("XCR0 without x87", GP, 0);
  TRY("xor %%ecx, %%ecx; xor %%edx, %%edx; mov $5, %%eax; xsetbv");
  check_trap("XCR0 with AVX and no SSE", GP, 0);
  TRY("xor %%ecx, %%ecx; mov $0x80000000, %%edx; mov $3, %%eax; xsetbv");
  check_trap("XCR0 with a bit that there is not", GP, 0);
  TRY("mov $1, %%ecx; xor %%edx, %%edx; mov $1, %%eax; xsetbv");
  check_trap("XSETBV of XCR1", GP, 0);
  TRY("xor %%ecx, %%ecx; xor %%edx, %%edx; mov $3, %%eax; xsetbv");
  check_trap("XCR0 with x87 and SSE", NONE, 0);
  if (cpuid_or_zero(0xd, 1).eax & 4) {
    static u64 in_use;
    static u8 image[1024] __attribute__((aligned(64)));
    // A header without bits puts every component into its initial state, but MXCSR is loaded.
    *(u32 *)(image + 24) = 0x1f80;
    TRY("fninit; mov $3, %%eax; xor %%edx, %%edx; xrstor %1; mov $1, %%ecx; xgetbv; mov %%rax, %0", "m"(in_use), "m"(image));
    check("XGETBV of 1 leaves out x87 and SSE in their initial state", in_use & 3, 0);
  } else skip("XGETBV of 1", "not there");
  write_cr4(read_cr4() & ~(word)CR4_OSXSAVE);
}

void payload_main(void) {
  cr0();
  cr4();
  cr3();
  efer();
  msrs();
  xcr0();
}
