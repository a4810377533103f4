// What the other parts use of the MMU.
export { probeRead, probeWrite, tlb } from "./tlb";
export {
  read8, read16, read32, read64, readMem, readSlow, rmwReadSlow, sysRead, sysWrite, write8, write16, write32, write64,
  writeMem, writeSlow,
} from "./access";
export { ptrRead, readBytes, writeBytes } from "./block";
export { fetchGpa, fetchTranslate, pageRead, pageWrite, translateNoFault } from "./translate";
export { dmaWritten, physRead, physWrite } from "./physical";
export { gpaToHost, setSlot } from "./slots";
export { dirtyLog } from "./dirty";
export { markCode, ramWritten, unmarkAllCode, unmarkCode } from "./code";
export {
  contextGeneration, resumeContext, tlbFlushAll, tlbFlushNonGlobal, tlbFlushPage, updateAccessClass,
} from "./contexts";
export {
  invpcid, mmuConfigure, mmuReset, setCr3, tlbCr0Changed, tlbCr4Changed, tlbEferChanged, tlbPkrsChanged, tlbPkruChanged,
} from "./registers";
export { enterGuest, leaveGuest, requestAll, requestOthers } from "./shootdown";
export { logAdd, logFind, logFull, logPending, logReset, logRewind } from "./access-log";
export { coalescePio, doorbellPio } from "./doorbell";
