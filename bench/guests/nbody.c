// Five bodies under gravity in doubles, in SSE2 on both kinds of guest.
#include "doubles.h"

uint64_t nbody_run(unsigned scale) {
  return bodies(scale * 80000);
}
