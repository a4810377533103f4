// Runs the guest of guest.c on /dev/kvm and prints what bench/guests/main.c prints.
//
//   flat GUEST REPEATS SCALE NAME...
//
// With no arguments it only tries whether ring-3 code runs here: status 0, or a line that says why not and status 1.
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "programs.h"

enum { TABLES = 0x10000, STACK = 0x3ff000, PAGE = 4096 };
/** Present, writable, for ring 3; and a large page. */
enum { USER = 7, LARGE = 0x80 };

static const char *const names[] = {
#define ENTRY(name) #name,
    FLAT_PROGRAMS(ENTRY)
#undef ENTRY
};

static uint8_t *memory;
static int vcpu;
static struct kvm_run *state;

static void fail(const char *what) {
  printf("%s: %s\n", what, strerror(errno));
  exit(1);
}

/** The first GiB to itself by pages of 2 MiB. */
static void map_memory(void) {
  uint64_t *pml4 = (uint64_t *)(memory + TABLES), *pdpt = pml4 + 512, *directory = pdpt + 512;
  pml4[0] = (TABLES + PAGE) | USER;
  pdpt[0] = (TABLES + 2 * PAGE) | USER;
  for (uint64_t i = 0; i < MEMORY_BYTES >> 21; i++) directory[i] = i << 21 | LARGE | USER;
}

static void open_machine(void) {
  int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (kvm < 0) fail("/dev/kvm cannot be opened");
  int vm = ioctl(kvm, KVM_CREATE_VM, 0);
  if (vm < 0) fail("KVM_CREATE_VM");
  memory = mmap(0, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  struct kvm_userspace_memory_region region = {.memory_size = MEMORY_BYTES, .userspace_addr = (uint64_t)memory};
  if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0) fail("KVM_SET_USER_MEMORY_REGION");
  vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
  if (vcpu < 0) fail("KVM_CREATE_VCPU");
  state = mmap(0, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
  if (state == MAP_FAILED) fail("mmap of the vCPU");
  struct {
    struct kvm_cpuid2 head;
    struct kvm_cpuid_entry2 entries[256];
  } cpuid = {.head = {.nent = 256}};
  if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid) < 0 || ioctl(vcpu, KVM_SET_CPUID2, &cpuid) < 0) fail("CPUID");
}

/** 64-bit mode, ring 3, with ports allowed and SSE on. */
static void enter_ring_3(uint64_t entry, uint64_t first, uint64_t second) {
  struct kvm_sregs system;
  if (ioctl(vcpu, KVM_GET_SREGS, &system) < 0) fail("KVM_GET_SREGS");
  system.cr3 = TABLES;
  system.cr4 = 0x620;
  system.cr0 = 0x80000033;
  system.efer = 0x500;
  struct kvm_segment code = {
      .limit = 0xffffffff, .selector = 0x23, .type = 11, .present = 1, .dpl = 3, .s = 1, .l = 1, .g = 1};
  struct kvm_segment data = code;
  data.selector = 0x1b;
  data.type = 3;
  data.l = 0;
  data.db = 1;
  system.cs = code;
  system.ds = system.es = system.fs = system.gs = system.ss = data;
  if (ioctl(vcpu, KVM_SET_SREGS, &system) < 0) fail("KVM_SET_SREGS");
  struct kvm_regs registers = {.rip = entry, .rsp = STACK - 8, .rdi = first, .rsi = second, .rflags = 0x3002};
  if (ioctl(vcpu, KVM_SET_REGS, &registers) < 0) fail("KVM_SET_REGS");
}

/** Until the guest's OUT; what it leaves in RAX, or 0 where it ends in another way. */
static uint64_t run(void) {
  struct kvm_regs registers;
  while (ioctl(vcpu, KVM_RUN, 0) == 0 || errno == EINTR) {
    if (state->exit_reason == KVM_EXIT_INTR) continue;
    if (state->exit_reason != KVM_EXIT_IO || state->io.port != EXIT_PORT) return 0;
    if (ioctl(vcpu, KVM_GET_REGS, &registers) < 0) return 0;
    return registers.rax;
  }
  return 0;
}

static uint64_t load(const char *path) {
  FILE *file = fopen(path, "rb");
  Elf64_Ehdr header;
  if (!file || fread(&header, sizeof header, 1, file) != 1) fail(path);
  for (int i = 0; i < header.e_phnum; i++) {
    Elf64_Phdr segment;
    fseek(file, (long)(header.e_phoff + i * sizeof segment), SEEK_SET);
    if (fread(&segment, sizeof segment, 1, file) != 1) fail(path);
    if (segment.p_type != PT_LOAD || segment.p_filesz == 0) continue;
    fseek(file, (long)segment.p_offset, SEEK_SET);
    if (fread(memory + segment.p_paddr, segment.p_filesz, 1, file) != 1) fail(path);
  }
  fclose(file);
  return header.e_entry;
}

static uint64_t elapsed_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static uint64_t processor_ns(void) {
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec * 1000000000ull + used.tv_nsec;
}

static void try_ring_3(void) {
  static const uint8_t code[] = {0xb8, 0x2a, 0, 0, 0, 0xe6, EXIT_PORT}; // mov $42, %eax; out %al, $EXIT_PORT
  memcpy(memory + 0x400000, code, sizeof code);
  enter_ring_3(0x400000, 0, 0);
  if (run() == 42) exit(0);
  printf("ring-3 code does not run: exit %u\n", state->exit_reason);
  exit(1);
}

int main(int count, char **arguments) {
  open_machine();
  map_memory();
  if (count < 4) try_ring_3();
  uint64_t entry = load(arguments[1]);
  for (int i = 4; i < count; i++) {
    for (unsigned number = 0; number < sizeof names / sizeof *names; number++) {
      if (strcmp(names[number], arguments[i]) != 0) continue;
      for (int repeat = 0; repeat < atoi(arguments[2]); repeat++) {
        printf("@begin %s %d\n", names[number], repeat);
        fflush(stdout);
        uint64_t began = elapsed_ns(), used = processor_ns();
        enter_ring_3(entry, number, atoi(arguments[3]));
        uint64_t checksum = run();
        used = processor_ns() - used;
        began = elapsed_ns() - began;
        if (checksum == 0) printf("@failed %s %d %u\n", names[number], repeat, state->exit_reason);
        else
          printf("@result %s %d %016llx %llu %llu\n", names[number], repeat, (unsigned long long)checksum,
                 (unsigned long long)began, (unsigned long long)used);
        fflush(stdout);
      }
    }
  }
  printf("@done\n");
  return 0;
}
