#define _GNU_SOURCE
#include "command.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "programs.h"

static int write_all(int file, const uint8_t *bytes, size_t size) {
  while (size > 0) {
    ssize_t written = write(file, bytes, size);
    if (written <= 0) return 0;
    bytes += written;
    size -= written;
  }
  return 1;
}

static uint64_t checksum_of(int file) {
  uint8_t bytes[4096];
  uint64_t sum = 0;
  ssize_t length;
  lseek(file, 0, SEEK_SET);
  while ((length = read(file, bytes, sizeof bytes)) > 0) {
    for (ssize_t i = 0; i < length; i++) sum = mix(sum, bytes[i]);
  }
  return sum;
}

uint64_t command_checksum(char *const arguments[], const void *input, size_t size) {
  int in = memfd_create("input", 0), out = memfd_create("output", 0);
  uint64_t sum = 0;
  if (in >= 0 && out >= 0 && write_all(in, input, size)) {
    lseek(in, 0, SEEK_SET);
    pid_t child = fork();
    if (child == 0) {
      dup2(in, 0);
      dup2(out, 1);
      execv(arguments[0], arguments);
      _exit(127);
    }
    int status = -1;
    if (child > 0 && waitpid(child, &status, 0) == child && status == 0) sum = checksum_of(out);
  }
  close(in);
  close(out);
  return sum;
}
