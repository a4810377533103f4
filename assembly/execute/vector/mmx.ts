// What an MMX instruction does to the x87 state. SDM volume 1, 9.5.
import { CPU_FTAG } from "../../layout";
import { cpu } from "../../cpu";
import { mmxWritten } from "../x87/check";
import { setFpuTop } from "../x87/state";

/** After the last thing that may fault: TOP is 0 and every register valid. */
export function mmxUsed(): void {
  setFpuTop(0);
  store<u32>(cpu, 0xff, CPU_FTAG);
}

/** The same where the instruction writes MMX register `index`. */
export function mmxUsedFor(index: u32): void {
  mmxUsed();
  mmxWritten(index);
}
