// SHA-256 (FIPS 180-4) of a buffer, over and over. The constants are computed: fractional parts of roots of primes.
#include <math.h>
#include <string.h>

#include "programs.h"

static uint32_t constants[64], initial[8];

static void make_constants(void) {
  unsigned found = 0;
  for (unsigned n = 2; found < 64; n++) {
    unsigned prime = 1;
    for (unsigned d = 2; d * d <= n; d++) {
      if (n % d == 0) prime = 0;
    }
    if (!prime) continue;
    if (found < 8) initial[found] = (uint32_t)(uint64_t)(sqrtl(n) * 4294967296.0L);
    constants[found++] = (uint32_t)(uint64_t)(cbrtl(n) * 4294967296.0L);
  }
}

static inline uint32_t right(uint32_t x, int by) {
  return x >> by | x << (32 - by);
}

static void block(uint32_t *hash, const uint8_t *bytes) {
  uint32_t w[64], s[8];
  for (int i = 0; i < 16; i++) {
    uint32_t word;
    memcpy(&word, bytes + 4 * i, 4);
    w[i] = __builtin_bswap32(word);
  }
  for (int i = 16; i < 64; i++) {
    uint32_t low = right(w[i - 15], 7) ^ right(w[i - 15], 18) ^ w[i - 15] >> 3;
    uint32_t high = right(w[i - 2], 17) ^ right(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + low + w[i - 7] + high;
  }
  memcpy(s, hash, sizeof s);
  for (int i = 0; i < 64; i++) {
    uint32_t choose = (s[4] & s[5]) ^ (~s[4] & s[6]);
    uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
    uint32_t one = s[7] + (right(s[4], 6) ^ right(s[4], 11) ^ right(s[4], 25)) + choose + constants[i] + w[i];
    uint32_t two = (right(s[0], 2) ^ right(s[0], 13) ^ right(s[0], 22)) + majority;
    memmove(s + 1, s, 7 * sizeof *s);
    s[4] += one;
    s[0] = one + two;
  }
  for (int i = 0; i < 8; i++) hash[i] += s[i];
}

uint64_t sha256_run(unsigned scale) {
  uint8_t data[4096];
  uint32_t hash[8];
  make_constants();
  for (unsigned i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * 7);
  memcpy(hash, initial, sizeof hash);
  for (uint32_t n = 0; n < scale * 150u; n++) {
    for (unsigned i = 0; i < sizeof data; i += 64) block(hash, data + i);
  }
  uint64_t sum = 0;
  for (int i = 0; i < 8; i++) sum = mix(sum, hash[i]);
  return sum;
}
