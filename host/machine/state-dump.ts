// A processor's registers as text, for crash reports and monitors.
import type { KvmRegs } from "../kvm/registers.ts";
import type { KvmSegment, KvmSregs } from "../kvm/sregs.ts";

const GENERAL = [
  ["rax", "rbx", "rcx", "rdx"],
  ["rsi", "rdi", "rbp", "rsp"],
  ["r8", "r9", "r10", "r11"],
  ["r12", "r13", "r14", "r15"],
] as const;
const SEGMENTS = ["es", "cs", "ss", "ds", "fs", "gs", "ldt", "tr"] as const;

/** Several lines, in the layout of QEMU's "info registers" as far as it goes. */
export function dumpRegisters(regs: KvmRegs, sregs: KvmSregs): string {
  const lines = GENERAL.map((row) => row.map((name) => `${label(name)}=${hex(regs[name], 16)}`).join(" "));
  const cpl = sregs.ss.dpl;
  lines.push(`RIP=${hex(regs.rip, 16)} RFL=${hex(regs.rflags, 8)} CPL=${cpl}`);
  lines.push(...SEGMENTS.map((name) => dumpSegment(name, sregs[name])));
  lines.push(`GDT=     ${hex(sregs.gdt.base, 16)} ${hex(sregs.gdt.limit, 8)}`);
  lines.push(`IDT=     ${hex(sregs.idt.base, 16)} ${hex(sregs.idt.limit, 8)}`);
  const control = (["cr0", "cr2", "cr3", "cr4"] as const).map((name) => `${label(name)}=${hex(sregs[name], 8)}`);
  lines.push(`${control.join(" ")} EFER=${hex(sregs.efer, 16)}`);
  return lines.join("\n");
}

function dumpSegment(name: string, segment: KvmSegment): string {
  const kind = segment.unusable ? "unusable" : `type ${segment.type} s ${segment.s} dpl ${segment.dpl}`;
  const size = `p ${segment.present} db ${segment.db} l ${segment.l}`;
  return `${label(name)}=${hex(segment.selector, 4)} ${hex(segment.base, 16)} ${hex(segment.limit, 8)} ${kind} ${size}`;
}

function label(name: string): string {
  return name.toUpperCase().padEnd(3);
}

function hex(value: bigint | number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
