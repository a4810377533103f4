// The benchmark programs that need no system, as a guest of /dev/kvm's without one: ring 3, flat memory, no interrupts.
// A run is entered with the program's number and the scale as arguments and ends by an OUT with the checksum in RAX.
#include <stddef.h>
#include <stdint.h>

#include "../guests/programs.h"
#include "programs.h"

static uint64_t (*const programs[])(unsigned) = {
#define ENTRY(name) name##_run,
    FLAT_PROGRAMS(ENTRY)
#undef ENTRY
};

/** Where malloc() gives from; a run gives all of it back. */
static uint8_t *heap;

void *malloc(size_t size) {
  uint8_t *block = heap;
  heap += (size + 63) & ~(size_t)63;
  return block;
}

void free(void *block) {
  (void)block;
}

void *memset(void *to, int value, size_t size) {
  void *start = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
  return start;
}

void *memcpy(void *to, const void *from, size_t size) {
  void *start = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
  return start;
}

__attribute__((noreturn, used)) void _start(uint64_t number, uint64_t scale) {
  heap = (uint8_t *)HEAP_ADDRESS;
  uint64_t checksum = programs[number]((unsigned)scale);
  for (;;) __asm__ volatile("out %%al, $" EXIT_PORT_TEXT : : "a"(checksum));
}
