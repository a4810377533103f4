// Port I/O. The chips of the core answer at once; every other port leaves to the host, and the instruction is
// executed again when the host has answered. SDM volume 2, IN, OUT, INS, OUTS.
import { count, cpu, leave, RAX, gpr, setGpr } from "../cpu";
import { KVM_EXIT_IO, KVM_EXIT_IO_IN, KVM_EXIT_IO_OUT } from "../exits";
import { CPU_PIO_DATA, RUN_IO_COUNT, RUN_IO_DIRECTION, RUN_IO_PORT, RUN_IO_SIZE, STAT_LIGHT_PIO } from "../layout";
import { chipPortRead, chipPortWrite } from "../irqchip/index";
import { ENTRY_DATA, LOG_PIO_IN, LOG_PIO_OUT, logFind } from "../mmu/access-log";
import { coalescePio, doorbellPio } from "../mmu/doorbell";
import { checkIoBreakpoint } from "./debug";
import { ioAllowed } from "./privilege";

/** Fills the run page for KVM_EXIT_IO and leaves. The data are in CPU_PIO_DATA. */
export function leaveForPort(direction: u32, port: u32, size: u32, elements: u32): void {
  store<u32>(cpu, direction, RUN_IO_DIRECTION);
  store<u32>(cpu, port, RUN_IO_PORT);
  store<u32>(cpu, size, RUN_IO_SIZE);
  store<u32>(cpu, elements, RUN_IO_COUNT);
  leave(KVM_EXIT_IO);
}

/** Writes a value of 1, 2 or 4 bytes to AL, AX or EAX. */
function setAccumulator(value: u32, size: u32): void {
  if (size == 1) store<u8>(cpu, <u8>value);
  else if (size == 2) store<u16>(cpu, <u16>value);
  else setGpr(RAX, value);
}

/** IN: one access of `size` bytes. */
export function portIn(port: u32, size: u32): void {
  if (!ioAllowed(port, size)) return;
  const chip = chipPortRead(port, size);
  if (chip >= 0) {
    count(STAT_LIGHT_PIO);
    setAccumulator(<u32>chip, size);
    checkIoBreakpoint(port, size);
    return;
  }
  const answer = logFind(LOG_PIO_IN, port, size);
  if (!answer) {
    leaveForPort(KVM_EXIT_IO_IN, port, size, 1);
    return;
  }
  setAccumulator(load<u32>(answer, ENTRY_DATA), size);
  checkIoBreakpoint(port, size);
}

/** OUT: one access of `size` bytes. */
export function portOut(port: u32, size: u32): void {
  if (!ioAllowed(port, size)) return;
  const value = <u32>gpr(RAX) & (0xffffffff >>> (32 - 8 * size));
  // The log first: what the host has taken must not ring a doorbell too.
  if (logFind(LOG_PIO_OUT, port, size) || portOutLight(port, value, size)) {
    checkIoBreakpoint(port, size);
    return;
  }
  store<u32>(cpu, value, CPU_PIO_DATA);
  leaveForPort(KVM_EXIT_IO_OUT, port, size, 1);
}

/** True: a chip, an ioeventfd or a coalesced zone took the write. */
export function portOutLight(port: u32, value: u32, size: u32): bool {
  if (!chipPortWrite(port, value, size) && !doorbellPio(port, value, size) && !coalescePio(port, value, size)) return false;
  count(STAT_LIGHT_PIO);
  return true;
}
