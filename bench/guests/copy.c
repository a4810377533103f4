// Copies and fills of a megabyte: by rep movsb, rep movsq, rep stosq, and by 16-byte loads and stores.
#include <emmintrin.h>
#include <stdlib.h>

#include "programs.h"

enum { BYTES = 1 << 20 };

static void repeat_bytes(void *to, const void *from, unsigned long n) {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

static void repeat_words(void *to, const void *from, unsigned long n) {
  __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

static void fill(void *to, uint64_t value, unsigned long n) {
  __asm__ volatile("rep stosq" : "+D"(to), "+c"(n) : "a"(value) : "memory");
}

static void vectors(void *to, const void *from, unsigned long n) {
  for (unsigned long i = 0; i < n; i += 16) {
    _mm_storeu_si128((__m128i *)((char *)to + i), _mm_loadu_si128((const __m128i *)((const char *)from + i)));
    __asm__ volatile("" : : : "memory");
  }
}

uint64_t copy_run(unsigned scale) {
  uint8_t *a = malloc(BYTES + 64), *b = malloc(BYTES + 64);
  uint64_t sum = 0, state = 5;
  for (int i = 0; i < BYTES + 64; i++) a[i] = (uint8_t)(next_random(&state) >> 20);
  for (uint32_t round = 0; round < scale * 8u; round++) {
    repeat_bytes(b, a + (round & 15), BYTES);
    vectors(a + 8, b, BYTES - 16);
    repeat_words(b + 1, a, BYTES / 8);
    sum = mix(sum, b[round * 4099 % BYTES] | (uint64_t)a[round * 8191 % BYTES] << 32);
    fill(b + BYTES / 2, sum, BYTES / 16);
    sum = mix(sum, b[BYTES - 1 - (round & 7)]);
  }
  free(a);
  free(b);
  return sum;
}
