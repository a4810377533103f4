// FXCH, FINCSTP, FDECSTP, FNINIT, FNCLEX, FLDCW, FNSTCW, FNSTSW.
import { CPU_FCS, CPU_FCW, CPU_FDP, CPU_FDS, CPU_FIP, CPU_FOP, CPU_FTAG } from "../../layout";
import { cpu } from "../../cpu";
import {
  FCW_INIT, fpuTop, FSW_BUSY, FSW_C1, FSW_STACK, FSW_SUMMARY, fsw, isEmpty, setFpuTop, setFsw, setIndefinite, setSt,
  stackUnderflow, stExp, stSig, updateSummary,
} from "./state";
import { X_ALL } from "../../softfloat/status";

/** FXCH: an empty register takes part as the indefinite where underflow is masked. */
export function fxch(i: i32): void {
  if (isEmpty(0) || isEmpty(i)) {
    if (!stackUnderflow()) return;
    if (isEmpty(0)) setIndefinite(0);
    if (isEmpty(i)) setIndefinite(i);
  } else {
    setFsw(fsw() & ~FSW_C1);
  }
  const sig = stSig(0);
  const signExp = stExp(0);
  setSt(0, stSig(i), stExp(i));
  setSt(i, sig, signExp);
}

/** FINCSTP (1) and FDECSTP (-1): moves TOP, tags stay. */
export function moveTop(by: i32): void {
  setFsw(fsw() & ~FSW_C1);
  setFpuTop(fpuTop() + by);
}

/** FNINIT: default control, no exceptions, all empty, TOP 0; register contents stay. */
export function fninit(): void {
  store<u32>(cpu, FCW_INIT, CPU_FCW);
  setFsw(0);
  setFpuTop(0);
  store<u32>(cpu, 0, CPU_FTAG);
  store<u32>(cpu, 0, CPU_FOP);
  store<u32>(cpu, 0, CPU_FCS);
  store<u32>(cpu, 0, CPU_FDS);
  store<u64>(cpu, 0, CPU_FIP);
  store<u64>(cpu, 0, CPU_FDP);
}

/** FNCLEX: exception flags, stack fault, summary and busy go; condition codes stay. */
export function fnclex(): void {
  setFsw(fsw() & ~(X_ALL | FSW_STACK | FSW_SUMMARY | FSW_BUSY));
}

/** The control word as silicon keeps it: bit 6 reads as 1, bits 7 and 13-15 as 0. */
export function cleanFcw(value: u32): u32 {
  return (value & 0x1f7f) | 0x40;
}

/** FLDCW: unmasking an exception that is flagged makes it pending. */
export function fldcw(value: u32): void {
  store<u32>(cpu, cleanFcw(value), CPU_FCW);
  updateSummary();
}
