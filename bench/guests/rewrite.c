// Code that is rewritten before each call: the constant that a function returns, and at times its length.
#include <string.h>
#include <sys/mman.h>

#include "programs.h"

uint64_t rewrite_run(unsigned scale) {
  uint8_t *code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint64_t sum = 0;
  if (code == MAP_FAILED) return 0;
  for (uint32_t i = 0; i < scale * 40000u; i++) {
    uint32_t at = 0, constant = i * 2654435761u;
    for (uint32_t n = 0; n < (i & 7); n++) code[at++] = 0x90; // nop
    code[at++] = 0xb8;                                        // mov $constant, %eax
    memcpy(code + at, &constant, 4);
    code[at + 4] = 0xc3; // ret
    // The compiler must not think that it knows what is there.
    __asm__ volatile("" : : : "memory");
    for (int n = 0; n < 4; n++) sum = mix(sum, ((uint32_t(*)(void))code)());
  }
  munmap(code, 4096);
  return sum;
}
