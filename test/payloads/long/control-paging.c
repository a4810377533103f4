// What CR0 and CR4 refuse of 64-bit code that turns paging or protection off.
#include "trap.h"

void payload_main(void) {
  const word cr0 = read_cr0();
  const word cr4 = read_cr4();
  TRY("mov %0, %%rax; mov %%rax, %%cr4", "r"(cr4 & ~(word)CR4_PAE));
  check_trap("clearing PAE", GP, 0);
  TRY("mov %0, %%rax; mov %%rax, %%cr0", "r"(cr0 & ~(word)CR0_PE));
  check_trap("PG without PE", GP, 0);
  TRY("mov %0, %%rax; mov %%rax, %%cr0", "r"(cr0 & ~CR0_PG));
  check_trap("clearing PG", GP, 0);
  TRY("mov %0, %%rax; mov %%rax, %%cr0", "r"(cr0 & ~CR0_PG & ~(word)CR0_PE));
  check_trap("clearing PE and PG", GP, 0);
  check("CR0 is as it was", read_cr0(), cr0);
  check("CR4 is as it was", read_cr4(), cr4);
}
