// The shortest system call, and short writes and reads through a pipe that never blocks.
#include <sys/syscall.h>
#include <unistd.h>

#include "programs.h"

uint64_t syscalls_run(unsigned scale) {
  uint64_t sum = 0;
  int ends[2];
  long self = syscall(SYS_getpid);
  if (pipe(ends) != 0) return 0;
  for (uint32_t i = 0; i < scale * 20000u; i++) {
    sum = mix(sum, syscall(SYS_getpid) == self);
    if (i & 7) continue;
    uint32_t word = i;
    if (write(ends[1], &word, sizeof word) != sizeof word || read(ends[0], &word, sizeof word) != sizeof word) return 0;
    sum = mix(sum, word);
  }
  close(ends[0]);
  close(ends[1]);
  return sum;
}
