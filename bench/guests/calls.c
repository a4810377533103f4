// Recursion, and calls through pointers that a predictor has to guess.
#include "programs.h"

static __attribute__((noinline)) uint32_t fibonacci(uint32_t n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static uint64_t add(uint64_t x) { return x + 0x1234567; }
static uint64_t twist(uint64_t x) { return x ^ x >> 17; }
static uint64_t grow(uint64_t x) { return x * 5 + 1; }
static uint64_t turn(uint64_t x) { return x << 11 | x >> 53; }

uint64_t calls_run(unsigned scale) {
  static uint64_t (*const volatile table[4])(uint64_t) = {add, twist, grow, turn};
  uint64_t sum = 0, value = 1, state = 4101842887655102017u;
  for (uint32_t round = 0; round < scale * 2; round++) {
    sum = mix(sum, fibonacci(24));
    for (uint32_t i = 0; i < 300000; i++) value = table[next_random(&state) >> 62](value);
    sum = mix(sum, value);
  }
  return sum;
}
