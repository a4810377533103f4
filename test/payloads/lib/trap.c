#include "trap.h"

struct trap trap;
bool (*on_trap)(struct frame *frame);
word resume_ip, resume_sp;
u8 user_stack[0x4000] __attribute__((aligned(16)));
void begin_check(const char *name, bool passed);

static void print_trap(int vector, u32 error) {
  if (vector == NONE) {
    print("no trap");
    return;
  }
  print("vector ");
  print_hex(vector);
  print(" error ");
  print_hex(error);
}

/** Called by the stubs; false: continue behind the TRY. */
bool take_trap(struct frame *frame) {
  word cr2 = read_cr2();
  if (on_trap != NULL && on_trap(frame)) return true;
  trap = (struct trap){
    .vector = frame->vector == LEAVE_VECTOR ? NONE : (int)frame->vector,
    .error = frame->error,
    .ip = frame->ip,
    .cs = frame->cs & 0xffff,
    .flags = frame->flags,
    .sp = frame->sp,
    .ss = frame->ss & 0xffff,
    .cr2 = cr2,
    .frame = (word)&frame->ip,
  };
  if (resume_ip != 0) return false;
  begin_check("no unexpected trap", false);
  print(": got ");
  print_trap(trap.vector, trap.error);
  print(" at ");
  print_hex(trap.ip);
  print(" cr2 ");
  print_hex(cr2);
  print("\n");
  finish();
}

void check_trap(const char *name, int vector, u32 error) {
  bool passed = trap.vector == vector && (vector == NONE || trap.error == error);
  begin_check(name, passed);
  if (!passed) {
    print(": got ");
    print_trap(trap.vector, trap.error);
    print(" want ");
    print_trap(vector, error);
    print(" (at ");
    print_hex(trap.ip);
    print(")");
  }
  print("\n");
}

void check_fault(const char *name, u32 error, word address) {
  bool passed = trap.vector == PF && trap.error == error && trap.cr2 == address;
  if (passed || trap.vector != PF || trap.error != error) {
    check_trap(name, PF, error);
    return;
  }
  begin_check(name, false);
  print(": got CR2 ");
  print_hex(trap.cr2);
  print(" want ");
  print_hex(address);
  print("\n");
}

void payload_start(void) {
  // Firmware may have left a timer running.
  out8(0x21, 0xff);
  out8(0xa1, 0xff);
  load_tables();
  payload_main();
  finish();
}
