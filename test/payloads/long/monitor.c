// MONITOR and MWAIT, PAUSE, HLT, UD in user mode; INVD and WBINVD; CPUID's bits that follow control registers.
#include "apic.h"
#include "interrupts.h"
#include "paging.h"

static u64 line_[8] __attribute__((aligned(64)));

void payload_main(void) {
  if (cpuid(1, 0).ecx & 8) {
    TRY("mov %0, %%rax; xor %%ecx, %%ecx; xor %%edx, %%edx; monitor", "r"(line_));
    check_trap("MONITOR", NONE, 0);
    TRY("mov %0, %%rax; mov $1, %%ecx; xor %%edx, %%edx; monitor", "r"(line_));
    check_trap("MONITOR with ECX", GP, 0);
    TRY("mov %0, %%rax; xor %%ecx, %%ecx; xor %%edx, %%edx; monitor", "r"(FREE_ADDRESS));
    check_trap("MONITOR of a page that is not there", PF, 0);
    TRY("mov %0, %%rax; xor %%ecx, %%ecx; xor %%edx, %%edx; monitor", "r"(0x800000000000ul));
    check_trap("MONITOR of a non-canonical address", GP, 0);
    TRY_USER("mov %0, %%rax; xor %%ecx, %%ecx; xor %%edx, %%edx; monitor", "r"(line_));
    check_trap("MONITOR at level 3", UD, 0);
    TRY_USER("xor %%eax, %%eax; xor %%ecx, %%ecx; mwait");
    check_trap("MWAIT at level 3", UD, 0);
    TRY("xor %%eax, %%eax; mov $4, %%ecx; mwait");
    check_trap("MWAIT with a reserved extension", GP, 0);
    open_apic();
    count_interrupts(apic_acknowledge);
    TRY("mov %0, %%rax; xor %%ecx, %%ecx; xor %%edx, %%edx; monitor; movq $1, %1; xor %%eax, %%eax; mwait", "r"(line_), "m"(line_));
    check_trap("MWAIT behind a write to the line does not wait", NONE, 0);
    self_ipi(0x31);
    TRY("mov %0, %%rax; xor %%ecx, %%ecx; xor %%edx, %%edx; monitor; sti; xor %%eax, %%eax; mwait; nop; cli", "r"(line_));
    check("an interrupt ends MWAIT", taken[0x31], 1);
    on_trap = NULL;
  } else {
    TRY("mov %0, %%rax; xor %%ecx, %%ecx; xor %%edx, %%edx; monitor", "r"(line_));
    check("MONITOR is undefined or nothing where it is not there", trap.vector == UD || trap.vector == NONE, 1);
  }
  TRY_USER("pause; cpuid");
  check_trap("PAUSE and CPUID at level 3", NONE, 0);
  TRY("wbinvd");
  check_trap("WBINVD", NONE, 0);
  TRY_USER("invd");
  check_trap("INVD at level 3", GP, 0);
  if (cpuid_or_zero(1, 0).edx & 1 << 19) {
    TRY("clflush (%0)", "r"(FREE_ADDRESS));
    check_trap("CLFLUSH of a page that is not there", PF, 0);
  } else skip("CLFLUSH", "not there");
  TRY("prefetcht0 (%0)", "r"(FREE_ADDRESS));
  check_trap("PREFETCH of a page that is not there", NONE, 0);
  TRY("prefetcht0 (%0)", "r"(0x800000000000ul));
  check_trap("PREFETCH of a non-canonical address", NONE, 0);
}
