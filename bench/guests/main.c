// Runs benchmark programs and prints what each took by this system's own clock. As the first process of a guest it
// takes its arguments from behind "--" on the kernel's command line, and turns the machine off at the end.
//
//   main REPEATS SCALE NAME...
//
// Lines: @begin NAME REPEAT, @result NAME REPEAT CHECKSUM ELAPSED_NS CPU_NS, @failed NAME REPEAT STATUS, @done.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "programs.h"

enum { READING_TIME_US = 5000 };

struct program {
  const char *name;
  uint64_t (*run)(unsigned scale);
};

#define ENTRY(name) {#name, name##_run},
static const struct program programs[] = {PROGRAMS(ENTRY)};

static uint64_t elapsed_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static uint64_t time_ns(struct timeval t) {
  return t.tv_sec * 1000000000ull + t.tv_usec * 1000ull;
}

/** Processor time of this process and of the children it has waited for. */
static uint64_t processor_ns(void) {
  struct rusage own, children;
  getrusage(RUSAGE_SELF, &own);
  getrusage(RUSAGE_CHILDREN, &children);
  return time_ns(own.ru_utime) + time_ns(own.ru_stime) + time_ns(children.ru_utime) + time_ns(children.ru_stime);
}

/** In a process of its own: what goes wrong ends that one only. */
static void measure(const struct program *program, unsigned repeat, unsigned scale) {
  printf("@begin %s %u\n", program->name, repeat);
  fflush(stdout);
  tcdrain(STDOUT_FILENO);
  // Whoever reads the line looks at this system's use of the processor now, before the program has any.
  usleep(READING_TIME_US);
  pid_t child = fork();
  if (child == 0) {
    uint64_t began = elapsed_ns(), used = processor_ns();
    uint64_t checksum = program->run(scale);
    used = processor_ns() - used;
    began = elapsed_ns() - began;
    // No program's checksum is 0: it lacked something.
    if (checksum == 0) _exit(1);
    printf("@result %s %u %016llx %llu %llu\n", program->name, repeat, (unsigned long long)checksum,
           (unsigned long long)began, (unsigned long long)used);
    fflush(stdout);
    _exit(0);
  }
  int status = -1;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
    printf("@failed %s %u %d\n", program->name, repeat, status);
    fflush(stdout);
  }
}

int main(int count, char **arguments) {
  // What forks_run() executes.
  if (count == 2 && strcmp(arguments[1], "nothing") == 0) return 0;
  if (getpid() == 1) {
    mkdir("/proc", 0755);
    mount("proc", "/proc", "proc", 0, NULL);
  }
  unsigned repeats = count > 1 ? atoi(arguments[1]) : 1;
  unsigned scale = count > 2 ? atoi(arguments[2]) : 1;
  for (int i = 3; i < count; i++) {
    for (unsigned p = 0; p < sizeof programs / sizeof *programs; p++) {
      if (strcmp(programs[p].name, arguments[i]) != 0) continue;
      for (unsigned repeat = 0; repeat < repeats; repeat++) measure(&programs[p], repeat, scale);
    }
  }
  printf("@done\n");
  fflush(stdout);
  // A serial port takes its time, and a machine that is turned off, or cannot be, sends nothing more.
  tcdrain(STDOUT_FILENO);
  if (getpid() == 1) reboot(RB_POWER_OFF);
  return 0;
}
