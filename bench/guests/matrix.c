// A product of matrices of doubles, in SSE2 on both kinds of guest.
#include "doubles.h"

uint64_t matrix_run(unsigned scale) {
  return matrices(scale * 18);
}
