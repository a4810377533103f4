// Integer arithmetic of every kind in registers: adds, shifts, rotates, multiplications, divisions, bit counts.
#include "programs.h"

uint64_t integer_run(unsigned scale) {
  uint64_t a = 0x0123456789abcdefu, b = 1, state = 88172645463325252u;
  for (uint32_t i = 0; i < scale * 1000000u; i++) {
    uint64_t r = next_random(&state);
    a += r * 6364136223846793005u + (b >> 3);
    b ^= (a << (r & 63)) | (a >> (-r & 63));
    if (r & 1) a -= b / (i | 1);
    else b += (uint32_t)a % ((uint32_t)(r >> 40) | 3);
    b += __builtin_ctzll(a | 1ull << 63) + (uint64_t)((int32_t)a >> 5);
  }
  return mix(a, b);
}
