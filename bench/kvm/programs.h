// What the guest and the program that starts it agree on.
#ifndef WKVM_BENCH_KVM_PROGRAMS_H
#define WKVM_BENCH_KVM_PROGRAMS_H

#define FLAT_PROGRAMS(apply) \
  apply(integer) apply(sieve) apply(calls) apply(matrix) apply(nbody) apply(x87) apply(simd) apply(repcopy) \
  apply(ssecopy) apply(chase)

/** The guest is linked to 4 MiB and has this much memory, of which the upper part is the heap. */
#define MEMORY_BYTES (128u << 20)
#define HEAP_ADDRESS (16u << 20)
#define EXIT_PORT 0x80
#define EXIT_PORT_TEXT "0x80"

#endif
