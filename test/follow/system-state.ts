// Segments, tables, control and debug registers: as QEMU prints them, and as KVM has them.
import type { KvmDebugregs } from "../../host/kvm/debug.ts";
import type { KvmSegment, KvmSregs } from "../../host/kvm/sregs.ts";

const SEGMENTS = { ES: "es", CS: "cs", SS: "ss", DS: "ds", FS: "fs", GS: "gs", LDT: "ldt", TR: "tr" } as const;

/** What is compared; the APIC's registers are the peer's own. */
export interface SystemState {
  readonly sregs: Omit<KvmSregs, "cr8" | "apicBase" | "interruptBitmap">;
  readonly debugregs: KvmDebugregs;
}

/** Reads QEMU's text. Throws where something is missing. */
export function parseSystem(text: string): SystemState {
  const number = (name: string): bigint => {
    const found = new RegExp(`\\b${name}=([0-9a-f]+)`).exec(text)?.[1];
    if (found === undefined) throw new Error(`the peer's state has no ${name}:\n${text}`);
    return BigInt(`0x${found}`);
  };
  const table = (name: string): { base: bigint; limit: number } => {
    const found = new RegExp(`^${name}= +([0-9a-f]+) ([0-9a-f]+)`, "m").exec(text);
    if (!found) throw new Error(`the peer's state has no ${name}:\n${text}`);
    return { base: BigInt(`0x${found[1]}`), limit: Number.parseInt(found[2] ?? "", 16) & 0xffff };
  };
  const segments = Object.entries(SEGMENTS).map(([name, key]) => {
    const found = new RegExp(`^${name} *=([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+)`, "m").exec(text);
    if (!found) throw new Error(`the peer's state has no ${name}:\n${text}`);
    const [selector, base, limit, flags] = found.slice(1).map((digits) => BigInt(`0x${digits}`));
    return [key, segment(Number(selector), base ?? 0n, Number(limit), Number(flags))];
  });
  return {
    sregs: {
      ...(Object.fromEntries(segments) as Record<(typeof SEGMENTS)[keyof typeof SEGMENTS], KvmSegment>),
      gdt: table("GDT"),
      idt: table("IDT"),
      cr0: number("CR0"),
      cr2: number("CR2"),
      cr3: number("CR3"),
      cr4: number("CR4"),
      efer: number("EFER"),
    },
    debugregs: {
      db: [number("DR0"), number("DR1"), number("DR2"), number("DR3")],
      dr6: number("DR6"),
      dr7: number("DR7"),
    },
  };
}

/** `flags`: the high word of the descriptor. */
function segment(selector: number, base: bigint, limit: number, flags: number): KvmSegment {
  const bit = (n: number): number => (flags >>> n) & 1;
  return {
    selector,
    base,
    limit,
    type: (flags >>> 8) & 15,
    s: bit(12),
    dpl: (flags >>> 13) & 3,
    present: bit(15),
    avl: bit(20),
    l: bit(21),
    db: bit(22),
    g: bit(23),
    unusable: bit(15) ? 0 : 1,
  };
}

/** One line for each register that differs: what it is in the peer, what in wkvm. */
export function differentSystem(peer: SystemState, own: { sregs: KvmSregs; debugregs: KvmDebugregs }): string[] {
  const found: string[] = [];
  const check = (name: string, theirs: string, ours: string): void => {
    if (theirs !== ours) found.push(`${name}: ${theirs} in the peer, ${ours} in wkvm`);
  };
  for (const key of Object.values(SEGMENTS)) {
    check(key.toUpperCase(), segmentText(peer.sregs[key]), segmentText(own.sregs[key]));
  }
  for (const key of ["gdt", "idt"] as const) {
    const [theirs, ours] = [peer.sregs[key], own.sregs[key]];
    check(key.toUpperCase(), `${hex(theirs.base)} ${theirs.limit}`, `${hex(ours.base)} ${ours.limit}`);
  }
  for (const key of ["cr0", "cr2", "cr3", "cr4", "efer"] as const) {
    check(key.toUpperCase(), hex(peer.sregs[key]), hex(own.sregs[key]));
  }
  const debug = ({ db, dr6, dr7 }: KvmDebugregs): string => [...db, dr6, dr7].map(hex).join(" ");
  check("DR", debug(peer.debugregs), debug(own.debugregs));
  return found;
}

/** TCG does not set a code segment's accessed bit in far jumps, calls and returns. */
const ACCESSED = 1;

/** Of a null segment only selector and base are visible. */
function segmentText({ selector, base, limit, type, s, dpl, present, avl, l, db, g }: KvmSegment): string {
  const name = `${selector.toString(16)} base ${hex(base)}`;
  if (!present || selector < 4) return name;
  return `${name} limit ${limit.toString(16)} type ${s ? type | ACCESSED : type} s${s} dpl${dpl} avl${avl} l${l} db${db} g${g}`;
}

const hex = (value: bigint): string => value.toString(16);
