// A word goes to and fro between two processes: two pipes, two context switches a round.
#include <sys/wait.h>
#include <unistd.h>

#include "programs.h"

static int word(int to, int from, uint32_t *value) {
  return write(to, value, sizeof *value) == sizeof *value && read(from, value, sizeof *value) == sizeof *value;
}

uint64_t pipes_run(unsigned scale) {
  int there[2], back[2];
  uint32_t rounds = scale * 2000u, value = 1;
  uint64_t sum = 0;
  if (pipe(there) != 0 || pipe(back) != 0) return 0;
  pid_t child = fork();
  if (child < 0) return 0;
  if (child == 0) {
    close(there[1]);
    while (read(there[0], &value, sizeof value) == sizeof value) {
      value = value * 1664525u + 1013904223u;
      if (write(back[1], &value, sizeof value) != sizeof value) break;
    }
    _exit(0);
  }
  for (uint32_t i = 0; i < rounds; i++) {
    if (!word(there[1], back[0], &value)) return 0;
    sum = mix(sum, value);
  }
  close(there[1]);
  waitpid(child, 0, 0);
  return sum;
}
