// A multiboot kernel (Multiboot specification 0.6.96) that repeats single events: exits of several kinds, misses of the
// TLB, exceptions. It has no system around it, so that the time between two lines is the events' alone.
//
// Lines on the first serial port: @begin NAME COUNT, @end NAME, @done.
#include <stdint.h>

#define MULTIBOOT_MAGIC 0x1badb002u

__attribute__((section(".multiboot"), used)) static const uint32_t header[3] = {MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC};

enum { SERIAL = 0x3f8, DELAY_PORT = 0x80, PIC_MASK = 0x21, LINE_STATUS = 5, TRANSMITTER_EMPTY = 0x20 };
/** Between RAM and the interrupt controllers, where no machine here has a device. */
#define NO_DEVICE ((volatile uint32_t *)0xd0000000u)
/** Pages to touch: fewer than any TLB here can hold, so that only those that were flushed miss. */
enum { PAGE = 4096, PAGES = 128, ENTRIES = 1024 };
#define REGION 0x1000000u

__asm__(
    ".globl _start\n"
    "_start: lgdt table_register\n"
    " ljmp $8, $1f\n"
    "1: mov $16, %eax\n"
    " mov %eax, %ds\n mov %eax, %es\n mov %eax, %ss\n"
    " mov $stack + 16384, %esp\n"
    " call run\n"
    "1: hlt\n"
    " jmp 1b\n"
    // Skips the two bytes of the ud2 that it came from.
    ".globl undefined\n"
    "undefined: addl $2, (%esp)\n"
    " iret\n");
extern void undefined(void);

__attribute__((used)) static uint8_t stack[16384];
static uint32_t directory[ENTRIES] __attribute__((aligned(PAGE)));
/** For the first 32 MiB; what lies above is mapped by large pages. */
static uint32_t tables[8][ENTRIES] __attribute__((aligned(PAGE)));
static uint64_t gates[32];

/** What a boot loader's segments are loaded from need not be there any more. */
static const uint64_t descriptors[3] = {0, 0x00cf9b000000ffff, 0x00cf93000000ffff};
__attribute__((used)) static const struct __attribute__((packed)) {
  uint16_t limit;
  const void *base;
} table_register = {sizeof descriptors - 1, descriptors};

static inline void out(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in(uint16_t port) {
  uint8_t value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static void print(const char *text) {
  for (; *text; text++) {
    while (!(in(SERIAL + LINE_STATUS) & TRANSMITTER_EMPTY)) {}
    out(SERIAL, *text);
  }
}

static void print_number(uint32_t number) {
  char digits[11], *at = digits + 10;
  *at = 0;
  do *--at = '0' + number % 10;
  while (number /= 10);
  print(at);
}

static void enable_paging(void) {
  for (uint32_t i = 0; i < ENTRIES; i++) {
    directory[i] = i < 8 ? (uint32_t)tables[i] | 3 : i << 22 | 0x83;
  }
  for (uint32_t i = 0; i < 8 * ENTRIES; i++) tables[i / ENTRIES][i % ENTRIES] = i << 12 | 3;
  __asm__ volatile(
      "mov %%cr4, %%eax\n or $0x10, %%eax\n mov %%eax, %%cr4\n"
      "mov %0, %%cr3\n"
      "mov %%cr0, %%eax\n or $0x80000000, %%eax\n mov %%eax, %%cr0"
      :
      : "r"(directory)
      : "eax", "memory");
}

static void enable_exceptions(void) {
  uint32_t handler = (uint32_t)undefined;
  gates[6] = (uint64_t)(handler >> 16) << 48 | 0x8e00ull << 32 | 8u << 16 | (handler & 0xffff);
  struct __attribute__((packed)) {
    uint16_t limit;
    void *base;
  } table = {sizeof gates - 1, gates};
  __asm__ volatile("lidt %0" : : "m"(table));
}

static void delay_port(void) {
  out(DELAY_PORT, 0);
}

static void no_device(void) {
  *NO_DEVICE = 0;
}

static void interrupt_mask(void) {
  in(PIC_MASK);
}

static void undefined_instruction(void) {
  __asm__ volatile("ud2");
}

static void touch(void) {
  for (uint32_t i = 0; i < PAGES; i++) {
    // Another line of each page, so that the processor's own caches do not compete for one set.
    (void)*(volatile uint32_t *)(REGION + i * PAGE + i % 64 * 64);
  }
}

static void flush(void) {
  uint32_t cr3;
  __asm__ volatile("mov %%cr3, %0\n mov %0, %%cr3" : "=r"(cr3) : : "memory");
}

static void touch_flushed(void) {
  flush();
  touch();
}

static void repeat(const char *name, uint32_t count, void (*event)(void)) {
  print("@begin ");
  print(name);
  print(" ");
  print_number(count);
  print("\n");
  for (uint32_t i = 0; i < count; i++) event();
  print("@end ");
  print(name);
  print("\n");
}

__attribute__((used)) void run(void) {
  enable_exceptions();
  enable_paging();
  // Whatever a machine does at the first of a kind is done before.
  for (uint32_t i = 0; i < 2000; i++) {
    delay_port();
    no_device();
    interrupt_mask();
    undefined_instruction();
    touch_flushed();
  }
  repeat("pio", 300000, delay_port);
  repeat("mmio", 300000, no_device);
  repeat("light", 300000, interrupt_mask);
  repeat("exception", 300000, undefined_instruction);
  repeat("hits", 8000, touch);
  repeat("misses", 8000, touch_flushed);
  repeat("flushes", 100000, flush);
  print("@done\n");
}
