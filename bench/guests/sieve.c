// The sieve of Eratosthenes over two million bytes: strided stores and a scan.
#include <stdlib.h>
#include <string.h>

#include "programs.h"

enum { LIMIT = 2000000 };

uint64_t sieve_run(unsigned scale) {
  uint8_t *composite = malloc(LIMIT);
  uint64_t sum = 0;
  for (uint32_t round = 0; round < scale; round++) {
    memset(composite, 0, LIMIT);
    for (uint32_t i = 2; i * i < LIMIT; i++) {
      if (composite[i]) continue;
      for (uint32_t k = i * i; k < LIMIT; k += i) composite[k] = 1;
    }
    for (uint32_t i = 2; i < LIMIT; i++) {
      if (!composite[i]) sum = mix(sum, i);
    }
  }
  free(composite);
  return sum;
}
