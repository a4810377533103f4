// A chain of pointers through 64 MiB, one 64-byte line after the other in random order: TLB misses and little else.
#include <stdlib.h>

#include "programs.h"

enum { LINES = 1 << 20 };

struct line {
  uint32_t next;
  uint32_t value;
  uint8_t rest[56];
};

uint64_t chase_run(unsigned scale) {
  struct line *lines = malloc(sizeof *lines * LINES);
  uint64_t sum = 0, state = 3935559000370003845u;
  for (uint32_t i = 0; i < LINES; i++) lines[i].next = lines[i].value = i;
  // Sattolo's shuffle: one cycle through all of them.
  for (uint32_t i = LINES - 1; i > 0; i--) {
    uint32_t other = next_random(&state) % i, next = lines[i].next;
    lines[i].next = lines[other].next;
    lines[other].next = next;
    lines[i].value = (uint32_t)state;
  }
  uint32_t at = 0;
  for (uint32_t i = 0; i < scale * 300000u; i++) {
    sum += lines[at].value;
    at = lines[at].next;
  }
  free(lines);
  return mix(sum, at);
}
