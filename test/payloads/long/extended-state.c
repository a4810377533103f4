// When AVX instructions and XSAVE may run, and what XSAVE, XRSTOR and their images have to be.
#include "paging.h"
#include "trap.h"

static u8 image[4096] __attribute__((aligned(64)));
#define VADDPS ".byte 0xc5, 0xfc, 0x58, 0xc0\n"
#define HEADER (*(u64 *)(image + 512))
#define COMPACTION (*(u64 *)(image + 520))

static void avx(void) {
  if (!(cpuid(1, 0).ecx & 1 << 28)) {
    skip("AVX", "not there");
    return;
  }
  write_cr4(read_cr4() & ~(word)CR4_OSXSAVE);
  TRY(VADDPS);
  check_trap("AVX without OSXSAVE", UD, 0);
  write_cr4(read_cr4() | CR4_OSXSAVE);
  write_xcr0(3);
  TRY(VADDPS);
  check_trap("AVX without its bit of XCR0", UD, 0);
  write_cr0(read_cr0() | CR0_TS);
  TRY(VADDPS);
  check_trap("which counts before TS", UD, 0);
  write_xcr0(7);
  TRY(VADDPS);
  check_trap("AVX with TS", NM, 0);
  TRY(".byte 0xf0\n" VADDPS);
  check_trap("LOCK before VEX counts before TS", UD, 0);
  TRY(".byte 0x66\n" VADDPS);
  check_trap("66 before VEX", UD, 0);
  TRY(".byte 0x48\n" VADDPS);
  check_trap("REX before VEX", UD, 0);
  asm volatile("clts");
  TRY(VADDPS);
  check_trap("AVX", NONE, 0);
  write_cr0(read_cr0() | CR0_EM);
  TRY(VADDPS);
  check_trap("EM is nothing to AVX", NONE, 0);
  write_cr0(read_cr0() & ~(word)CR0_EM);
  TRY(".byte 0xc5, 0xfc, 0x28, 0x07", "D"(image + 8));
  check_trap("VMOVAPS that is not aligned", GP, 0);
  TRY(".byte 0xc5, 0xfc, 0x10, 0x07", "D"(image + 8));
  check_trap("VMOVUPS that is not aligned", NONE, 0);
  TRY(".byte 0xc5, 0xfc, 0x10, 0x07", "D"(FREE_ADDRESS - 16));
  check("VMOVUPS into a page that is not there", trap.vector, PF);
}

static void states(void) {
  TRY("xsave 8(%%rdi)", "D"(image), "a"(7), "d"(0));
  check_trap("XSAVE that is not aligned", GP, 0);
  write_cr0(read_cr0() | CR0_TS);
  TRY("xsave (%%rdi)", "D"(image), "a"(7), "d"(0));
  check_trap("XSAVE with TS", NM, 0);
  asm volatile("clts");
  memset(image, 0, sizeof(image));
  TRY("xsave (%%rdi)", "D"(image), "a"(7), "d"(0));
  check_trap("XSAVE", NONE, 0);
  check("it names what is in use at most", HEADER & ~7ul, 0);
  HEADER = 1ul << 60;
  TRY("xrstor (%%rdi)", "D"(image), "a"(7), "d"(0));
  check_trap("XRSTOR of a component that is not enabled", GP, 0);
  HEADER = 0;
  *(u64 *)(image + 528) = 1;
  TRY("xrstor (%%rdi)", "D"(image), "a"(7), "d"(0));
  check_trap("XRSTOR with a reserved byte of the header", GP, 0);
  *(u64 *)(image + 528) = 0;
  HEADER = 3;
  *(u32 *)(image + 24) = 0xffff0000;
  TRY("xrstor (%%rdi)", "D"(image), "a"(7), "d"(0));
  check_trap("XRSTOR with reserved bits of MXCSR", GP, 0);
  *(u32 *)(image + 24) = 0x1f80;
  *(u64 *)(image + 160) = 0x1122334455667788ul;
  static u64 low;
  TRY("xrstor (%%rdi); movq %%xmm0, %0", "m"(low), "D"(image), "a"(7), "d"(0));
  check("XRSTOR loads XMM0", low, 0x1122334455667788ul);
  HEADER = 1;
  TRY("xrstor (%%rdi); movq %%xmm0, %0", "m"(low), "D"(image), "a"(7), "d"(0));
  check("XRSTOR of a component that the image has not clears it", low, 0);
  const u32 features = cpuid_or_zero(0xd, 1).eax;
  if (!(features & 2)) {
    skip("XSAVEC", "not there");
    return;
  }
  COMPACTION = 1ul << 63 | 1;
  HEADER = 2;
  TRY("xrstor (%%rdi)", "D"(image), "a"(7), "d"(0));
  check_trap("XRSTOR of a compact image with more than it has room for", GP, 0);
  COMPACTION = 1;
  HEADER = 1;
  TRY("xrstor (%%rdi)", "D"(image), "a"(7), "d"(0));
  check_trap("XRSTOR of a compact image without bit 63", GP, 0);
  COMPACTION = 0;
  TRY("xsavec (%%rdi)", "D"(image), "a"(7), "d"(0));
  check("XSAVEC makes a compact image", COMPACTION, 1ul << 63 | 7);
}

void payload_main(void) {
  if (!(cpuid(1, 0).ecx & 1 << 26)) {
    skip("XSAVE", "not there");
    return;
  }
  write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXSAVE);
  avx();
  write_xcr0(cpuid(1, 0).ecx & 1 << 28 ? 7 : 3);
  states();
}
