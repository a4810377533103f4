// The console: port 0xe9 where something answers there (Bochs, whose serial port keeps a real one's pace), else COM1.
#include "payload.h"

#define DEBUG_PORT 0xe9
#define COM1 0x3f8
#define COM1_LINE_CONTROL (COM1 + 3)
#define COM1_LINE_STATUS (COM1 + 5)
#define TRANSMITTER_EMPTY 0x20
#define EXIT_PORT 0xf4
#define BOCHS_SHUTDOWN_PORT 0x8900

static u16 port;
static u32 checks;
static u32 failures;

static void open_console(void) {
  if (in8(DEBUG_PORT) == DEBUG_PORT) {
    port = DEBUG_PORT;
    return;
  }
  port = COM1;
  out8(COM1_LINE_CONTROL, 0x80);
  out8(COM1, 1);
  out8(COM1 + 1, 0);
  out8(COM1_LINE_CONTROL, 3);
}

void print(const char *text) {
  if (port == 0) open_console();
  for (; *text != '\0'; text++) {
    if (port == COM1) {
      while (!(in8(COM1_LINE_STATUS) & TRANSMITTER_EMPTY)) continue;
    }
    out8(port, *text);
  }
}

void print_hex(u64 value) {
  char digits[17];
  char *at = digits + 16;
  *at = '\0';
  do {
    *--at = "0123456789abcdef"[value & 15];
    value >>= 4;
  } while (value != 0);
  print(at);
}

void begin_check(const char *name, bool passed) {
  checks++;
  if (!passed) failures++;
  print(passed ? "ok " : "not ok ");
  print(name);
}

void check(const char *name, u64 got, u64 want) {
  begin_check(name, got == want);
  if (got != want) {
    print(": got ");
    print_hex(got);
    print(" want ");
    print_hex(want);
  }
  print("\n");
}

void skip(const char *name, const char *reason) {
  print("skip ");
  print(name);
  print(": ");
  print(reason);
  print("\n");
}

void note(const char *text, u64 value) {
  print("# ");
  print(text);
  print(" ");
  print_hex(value);
  print("\n");
}

static void end_line(const char *word) {
  print(word);
  print(" ");
  print_hex(checks);
  print("\n");
}

void expect_shutdown(void) { end_line("shutdown"); }

_Noreturn void finish(void) {
  end_line("done");
  out8(EXIT_PORT, failures != 0);
  for (const char *text = "Shutdown"; *text != '\0'; text++) out8(BOCHS_SHUTDOWN_PORT, *text);
  for (;;) asm volatile("cli; hlt");
}

// gcc may call these for what C assigns.
void *memset(void *to, int value, size_t size) {
  for (u8 *at = to; size != 0; size--) *at++ = (u8)value;
  return to;
}
void *memcpy(void *to, const void *from, size_t size) {
  u8 *out = to;
  for (const u8 *in = from; size != 0; size--) *out++ = *in++;
  return to;
}
