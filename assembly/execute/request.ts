// Requests to the running vCPU: bits in the high half of CPU_FUEL, which the interpreter tests at every trace entry.
import { cpu, fault, FAULT_RESUME } from "../cpu";
import { CPU_FUEL, CPU_SHADOW, REQ_SLICE } from "../layout";

/** 1: an interrupt is ready, but IF or a shadow holds it back: whoever sets IF asks for a look. */
export let interruptWaiting: i32 = 0;

/** Leave the interpreter before the next trace, so that the run loop looks at events, TF and mode. */
export function requestSlice(): void {
  atomic.or<u32>(cpu + 4, REQ_SLICE, CPU_FUEL);
}

/** Called where RFLAGS.IF may have become 1. */
export function interruptsEnabled(): void {
  if (interruptWaiting) requestSlice();
}

/** CPU_SHADOW: interrupts wait one instruction after STI. */
export const SHADOW_STI: u32 = 1;

/** Holds interrupts back for one instruction. kind: SHADOW_STI, or SHADOW_MOV_SS (segments.ts), which holds debug traps back too. */
export function beginShadow(kind: u32): void {
  store<u32>(cpu, kind, CPU_SHADOW);
  requestSlice();
}

/** Leaves a repeated instruction between two iterations: it goes on after the requests were looked at. */
export function resumeLater(): void {
  fault = FAULT_RESUME;
}
