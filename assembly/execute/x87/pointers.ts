// The last x87 instruction that is no control instruction: its address, its opcode, and the operand in memory of the last
// that had one. FNSTENV, FNSAVE and the XSAVE family show them. SDM volume 1, 8.1.8.
//
// Every x87 instruction notes what it has at hand; the rest follows from that for as long as no segment changes. CPU_FOP
// above 11 bits: it is the instruction's ABOUT_* word, CPU_FIP is the address of its trace, and CPU_FCS is still to be
// set. CPU_FDS above 16 bits: it is the same word, and CPU_FDP is a linear address.
import { CPU_FCS, CPU_FDP, CPU_FDS, CPU_FIP, CPU_FOP, CPU_TRACE_RIP } from "../../layout";
import { cpu, SEG_CS, segSel } from "../../cpu";

// What the decoder says about an instruction: FOP in bits 0-10, then
/** its offset from the start of its trace, nine bits (at most 33 instructions of 15 bytes); */
export const ABOUT_OFFSET: u32 = 11;
/** the number of its operand's segment, three bits; */
export const ABOUT_SEGMENT: u32 = 20;
/** it is 64-bit code; */
export const ABOUT_CODE64: u32 = 1 << 23;
/** where the vCPU has the segment's base, eight bits (R_SEGMENT), never 0. */
export const ABOUT_BASE: u32 = 24;

/** Above these CPU_FOP and CPU_FDS say that something is still to be set. */
export const FOP_BITS: u32 = 0x7ff;
export const SELECTOR_BITS: u32 = 0xffff;

/** Notes an instruction of the trace at CPU_TRACE_RIP by its ABOUT_*. */
// @ts-ignore: decorator
@inline export function noteInstruction(about: u32): void {
  store<u64>(cpu, load<u64>(cpu, CPU_TRACE_RIP), CPU_FIP);
  store<u32>(cpu, about, CPU_FOP);
}

/** The same for an instruction with an operand in memory, at a linear address. */
// @ts-ignore: decorator
@inline export function noteOperand(about: u32, address: u64): void {
  noteInstruction(about);
  store<u64>(cpu, address, CPU_FDP);
  store<u32>(cpu, about, CPU_FDS);
}

/** Puts the pointers right: before they are looked at, and before a segment changes. */
export function settlePointers(): void {
  const opcode = load<u32>(cpu, CPU_FOP);
  if (opcode > FOP_BITS) {
    const address = load<u64>(cpu, CPU_FIP) + (opcode >> ABOUT_OFFSET & 0x1ff);
    store<u64>(cpu, opcode & ABOUT_CODE64 ? address : address & 0xffffffff, CPU_FIP);
    store<u32>(cpu, segSel(SEG_CS), CPU_FCS);
    store<u32>(cpu, opcode & FOP_BITS, CPU_FOP);
  }
  const about = load<u32>(cpu, CPU_FDS);
  if (about <= SELECTOR_BITS) return;
  const offset = load<u64>(cpu, CPU_FDP) - load<u64>(cpu + (about >> ABOUT_BASE));
  store<u64>(cpu, about & ABOUT_CODE64 ? offset : offset & 0xffffffff, CPU_FDP);
  store<u32>(cpu, segSel(about >> ABOUT_SEGMENT & 7), CPU_FDS);
}
