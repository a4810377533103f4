// What stands before waiting x87 and all MMX instructions: a pending exception; and the aliasing of the MMX registers with
// the x87 stack. CR0.EM and CR0.TS are looked at when decoding. SDM volume 1, 8.7 and 9.5; volume 3, 2.5 and 12.
import { CPU_CR0, CPU_FTAG } from "../../layout";
import { cpu, CR0_MP, CR0_TS, MF, NM, raise } from "../../cpu";
import { mmxAddress } from "../vector-registers";
import { FSW_SUMMARY, fsw, setFpuTop } from "./state";

// Quirk: with CR0.NE = 0 a PC signals x87 exceptions by FERR# and IRQ 13. Here they are #MF all the same, as under KVM
// on VMX, which runs guests with NE = 1 whatever they set.

/** An unmasked exception is pending: #MF. */
// @ts-ignore: decorator
@inline export function isPending(): u32 { return fsw() & FSW_SUMMARY; }

/** #MF for a pending unmasked exception. False: raised. */
export function checkPending(): bool {
  if (isPending()) {
    raise(MF);
    return false;
  }
  return true;
}

/** WAIT: #NM only if CR0.MP and CR0.TS are both set. */
export function checkWait(): bool {
  const both = CR0_MP | CR0_TS;
  if ((load<u64>(cpu, CPU_CR0) & both) == both) {
    raise(NM);
    return false;
  }
  return checkPending();
}

/** EMMS: all registers empty, TOP 0; a pending exception comes first. */
export function emms(): void {
  if (!checkPending()) return;
  setFpuTop(0);
  store<u32>(cpu, 0, CPU_FTAG);
}

/** A write to an MMX register sets the exponent and sign of the x87 register to all ones. */
// @ts-ignore: decorator
@inline export function mmxWritten(index: i32): void { store<u16>(mmxAddress(index), 0xffff, 8); }
