// Page faults: memory is mapped, touched page by page, and given back.
#include <sys/mman.h>

#include "programs.h"

enum { PAGES = 2048 };

uint64_t faults_run(unsigned scale) {
  uint64_t sum = 0;
  for (uint32_t round = 0; round < scale * 2u; round++) {
    // Private pages of the usual size, whatever the system thinks of huge ones.
    uint8_t *memory = mmap(0, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return 0;
    madvise(memory, PAGES * 4096, MADV_NOHUGEPAGE);
    for (uint32_t i = 0; i < PAGES; i++) {
      sum = mix(sum, memory[i * 4096ul + 5]);
      memory[i * 4096ul + i] = (uint8_t)(i + round);
      sum = mix(sum, memory[i * 4096ul + i]);
    }
    munmap(memory, PAGES * 4096);
  }
  return sum;
}
