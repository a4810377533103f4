// The work of matrix.c and nbody.c on the x87, which rounds to 64 bits of mantissa in between.
#pragma GCC target("fpmath=387")
#include "doubles.h"

uint64_t x87_run(unsigned scale) {
  return mix(matrices(scale * 5), bodies(scale * 25000));
}
