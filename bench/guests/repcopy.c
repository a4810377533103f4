// Copies and fills of a megabyte by string instructions: bytes, then words of the processor's width.
#include <stdlib.h>

#include "programs.h"

enum { BYTES = 1 << 20 };

#ifdef __x86_64__
#define WORDS "q"
#else
#define WORDS "l"
#endif

static void copy_bytes(void *to, const void *from, unsigned long n) {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

static void copy_words(void *to, const void *from, unsigned long n) {
  __asm__ volatile("rep movs" WORDS : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

static void fill_words(void *to, unsigned long value, unsigned long n) {
  __asm__ volatile("rep stos" WORDS : "+D"(to), "+c"(n) : "a"(value) : "memory");
}

uint64_t repcopy_run(unsigned scale) {
  uint8_t *a = malloc(BYTES + 64), *b = malloc(BYTES + 64);
  uint64_t sum = 0, state = 5;
  for (int i = 0; i < BYTES + 64; i++) a[i] = (uint8_t)(next_random(&state) >> 20);
  for (uint32_t round = 0; round < scale * 12u; round++) {
    copy_bytes(b, a + (round & 15), BYTES);
    copy_words(a + 8, b + 1, BYTES / sizeof(long) - 8);
    sum = mix(sum, b[round * 4099 % BYTES] | (uint64_t)a[round * 8191 % BYTES] << 32);
    fill_words(b + BYTES / 2, (unsigned long)sum, BYTES / 2 / sizeof(long));
    sum = mix(sum, b[BYTES - 1 - (round & 7)]);
  }
  free(a);
  free(b);
  return sum;
}
