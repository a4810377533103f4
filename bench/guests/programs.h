// The benchmark programs: each does `scale` units of its work and returns a checksum that depends on all of it.
#ifndef WKVM_BENCH_PROGRAMS_H
#define WKVM_BENCH_PROGRAMS_H
#include <stdint.h>

#define PROGRAMS(apply) \
  apply(integer) apply(sha256) apply(sieve) apply(calls) apply(matrix) apply(nbody) apply(x87) apply(simd) apply(repcopy) \
  apply(ssecopy) apply(chase) apply(faults) apply(syscalls) apply(pipes) apply(forks) apply(rewrite) apply(gzip) \
  apply(lua)

#define DECLARE(name) uint64_t name##_run(unsigned scale);
PROGRAMS(DECLARE)
#undef DECLARE

/** One step of a 64-bit generator (Marsaglia's xorshift): the same numbers everywhere. */
static inline uint64_t next_random(uint64_t *state) {
  uint64_t x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return *state = x;
}

/** Takes a value into a checksum. */
static inline uint64_t mix(uint64_t sum, uint64_t value) {
  sum = (sum ^ value) * 0x9e3779b97f4a7c15u;
  return sum ^ (sum >> 29);
}

#endif
