// Runs another program of the guest, with files in memory as its input and output.
#ifndef WKVM_BENCH_COMMAND_H
#define WKVM_BENCH_COMMAND_H
#include <stddef.h>
#include <stdint.h>

/**
 * Runs `arguments[0]` (a path below the current folder) on `size` bytes of input and takes its output into a checksum;
 * 0 where it cannot be run, fails, or puts out nothing.
 */
uint64_t command_checksum(char *const arguments[], const void *input, size_t size);

#endif
