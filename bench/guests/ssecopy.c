// Copies of a megabyte by 16-byte loads and stores, aligned and not.
#include <emmintrin.h>
#include <stdlib.h>

#include "programs.h"

enum { BYTES = 1 << 20 };

static void vectors(void *to, const void *from, unsigned long n) {
  for (unsigned long i = 0; i < n; i += 16) {
    _mm_storeu_si128((__m128i *)((char *)to + i), _mm_loadu_si128((const __m128i *)((const char *)from + i)));
    // The compiler would make a call of memmove of it.
    __asm__ volatile("" : : : "memory");
  }
}

uint64_t ssecopy_run(unsigned scale) {
  uint8_t *a = malloc(BYTES + 64), *b = malloc(BYTES + 64);
  uint64_t sum = 0, state = 5;
  for (int i = 0; i < BYTES + 64; i++) a[i] = (uint8_t)(next_random(&state) >> 20);
  for (uint32_t round = 0; round < scale * 16u; round++) {
    vectors(b, a + (round & 15), BYTES);
    vectors(a + 16, b, BYTES - 16);
    a[round] ^= (uint8_t)round;
    sum = mix(sum, b[round * 4099 % BYTES] | (uint64_t)a[round * 8191 % BYTES] << 32);
  }
  free(a);
  free(b);
  return sum;
}
