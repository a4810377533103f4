// A fault that cannot be delivered, in delivering a double fault: the processor shuts down.
#include "trap.h"

void payload_main(void) {
  TRY("ud2");
  check_trap("with an IDT a fault is a fault", UD, 0);
  expect_shutdown();
  load_idt(idt, 0);
  asm volatile("ud2");
}
