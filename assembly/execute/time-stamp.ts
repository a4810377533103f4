// RDTSC, RDTSCP and what RDPID reads: small enough for translated code to call them by themselves.
import { CR4_TSD, cpu, GP, raiseError, RAX, RCX, RDX, setGpr } from "../cpu";
import { CPU_CPL, CPU_CR4, CPU_TSC_AUX } from "../layout";
import { readTsc } from "../irqchip/clock";

function timeAllowed(): bool {
  if (load<u64>(cpu, CPU_CR4) & CR4_TSD && load<u32>(cpu, CPU_CPL) > 0) {
    raiseError(GP, 0);
    return false;
  }
  return true;
}

export function rdtsc(): void {
  if (!timeAllowed()) return;
  const value = readTsc();
  setGpr(RAX, value & 0xffffffff);
  setGpr(RDX, value >> 32);
}

export function rdtscp(): void {
  if (!timeAllowed()) return;
  rdtsc();
  setGpr(RCX, load<u64>(cpu, CPU_TSC_AUX) & 0xffffffff);
}

export function readTscAux(): u32 {
  return <u32>load<u64>(cpu, CPU_TSC_AUX);
}
