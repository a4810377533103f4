// The guest that test cases run in: 64-bit paging with the two windows of case.ts at CPL 3, the
// segments of the host process in its GDT and LDT, and a gate for each vector that ends in HLT.
//
// Supervisor structures lie in the kernel's half, so that the whole lower half looks to a case as
// it does to the host process: nothing there but the windows.
import { type KvmSegment, type KvmSregs, segmentWithRights } from "../../host/kvm/sregs.ts";
import {
  CODE_BYTES,
  CODE_FILL,
  CODE_WINDOW,
  DATA_BYTES,
  DATA_WINDOW,
  READ_ONLY_OFFSET,
  SEGMENTS,
  type Segment,
} from "../differential/case.ts";

/** Linear address of guest physical 0 as the supervisor sees it. */
export const KERNEL_BASE = 0xffff_8000_0000_0000n;
export const GUEST_BYTES = 0xc0000;
export const GDT = 0x1000;
export const GDT_LIMIT = 0x6f;
export const LDT = 0x2000;
export const LDT_LIMIT = 0x3f;
export const IDT = 0x3000;
export const TSS = 0x4000;
export const TSS_LIMIT = 0x67;
/** A HLT every STUB_STEP bytes: the handler of each vector. */
export const STUBS = 0x5000;
export const STUB_STEP = 16;
/** IRETQ: what a case is entered by. */
export const LAUNCH = 0x6000;
/** The same, once the code window's pages have been mapped to another place: an INVLPG for each comes first. */
export const LAUNCH_MAPPED = 0x6010;
/** The frame that LAUNCH pops: rip, cs, rflags, rsp, ss. */
export const LAUNCH_FRAME = 0x7000;
/** Top of the stack that exceptions are delivered on. */
export const STACK_TOP = 0x8ff0;
export const PML4 = 0x9000;
const USER_PDPT = 0xa000;
const USER_PD = 0xb000;
const CODE_PT = 0xc000;
const DATA_PT = 0xd000;
const KERNEL_PDPT = 0xe000;
const KERNEL_PD = 0xf000;
/** Physical pages of the windows. */
export const CODE_PHYSICAL = 0x10000;
export const DATA_PHYSICAL = 0x20000;
/** Places that the code window can be mapped to, for cases that wait for one another: the first is CODE_PHYSICAL. */
export const PLACES = 64;
const OTHER_PLACES = 0x40000;
/** Bits of the entry of a code page besides its address: present, user, accessed. */
const CODE_PAGE = 0x25;

export const KERNEL_CS = 0x08;
export const TSS_SELECTOR = 0x40;
export const LDT_SELECTOR = 0x50;
/** Vectors that ring 3 may raise by INT n, as Linux's IDT has them. */
const USER_GATES = [3, 4];

const PRESENT = 1n;
const WRITABLE = 2n;
const USER = 4n;
const ACCESSED = 0x20n;
const DIRTY = 0x40n;
const LARGE = 0x80n;
const NO_EXECUTE = 1n << 63n;

/** An 8-byte code or data descriptor. */
function descriptor(segment: Segment): bigint {
  const granular = (segment.attributes & 0x8000) !== 0;
  const limit = BigInt(granular ? Math.floor(segment.limit / 4096) : segment.limit);
  const base = BigInt(segment.base);
  return (
    (limit & 0xffffn) |
    ((base & 0xffffffn) << 16n) |
    (BigInt(segment.attributes & 0xff) << 40n) |
    ((limit >> 16n) << 48n) |
    (BigInt(segment.attributes >> 12) << 52n) |
    ((base >> 24n) << 56n)
  );
}

/** The two halves of a TSS or LDT descriptor in long mode. */
function system(base: bigint, limit: number, type: number): [bigint, bigint] {
  const low =
    BigInt(limit) | ((base & 0xffffffn) << 16n) | (BigInt(0x80 | type) << 40n) | (((base >> 24n) & 0xffn) << 56n);
  return [low, base >> 32n];
}

/** Writes the guest's memory; `image` is GUEST_BYTES of zeros. */
export function buildGuest(image: Uint8Array, data: Uint8Array): void {
  const view = new DataView(image.buffer, image.byteOffset, GUEST_BYTES);
  const put = (at: number, value: bigint): void => view.setBigUint64(at, value, true);

  put(GDT + KERNEL_CS, 0x00af9b000000ffffn);
  for (const segment of SEGMENTS) {
    put((segment.selector & 4 ? LDT : GDT) + (segment.selector & ~7), descriptor(segment));
  }
  for (const [selector, base, limit, type] of [
    [TSS_SELECTOR, TSS, TSS_LIMIT, 11],
    [LDT_SELECTOR, LDT, LDT_LIMIT, 2],
  ] as const) {
    const [low, high] = system(KERNEL_BASE + BigInt(base), limit, type);
    put(GDT + selector, low);
    put(GDT + selector + 8, high);
  }
  put(TSS + 4, KERNEL_BASE + BigInt(STACK_TOP));
  // No I/O permission bitmap: its offset lies beyond the limit.
  view.setUint16(TSS + 102, TSS_LIMIT + 1, true);

  for (let vector = 0; vector < 256; vector++) {
    const handler = KERNEL_BASE + BigInt(STUBS + vector * STUB_STEP);
    const dpl = USER_GATES.includes(vector) ? 3n : 0n;
    put(
      IDT + vector * 16,
      (handler & 0xffffn) |
        (BigInt(KERNEL_CS) << 16n) |
        ((0x8en | (dpl << 5n)) << 40n) |
        (((handler >> 16n) & 0xffffn) << 48n),
    );
    put(IDT + vector * 16 + 8, handler >> 32n);
    image[STUBS + vector * STUB_STEP] = 0xf4;
  }
  const iretq = [0x48, 0xcf];
  image.set(iretq, LAUNCH);
  const invlpg = [0x0f, 0x01, 0x3c, 0x25];
  view.setUint32(LAUNCH_MAPPED + 4, CODE_WINDOW, true);
  view.setUint32(LAUNCH_MAPPED + 12, CODE_WINDOW + 4096, true);
  image.set(invlpg, LAUNCH_MAPPED);
  image.set(invlpg, LAUNCH_MAPPED + 8);
  image.set(iretq, LAUNCH_MAPPED + 16);

  const table = PRESENT | WRITABLE | USER | ACCESSED;
  put(PML4, BigInt(USER_PDPT) | table);
  put(PML4 + 256 * 8, BigInt(KERNEL_PDPT) | PRESENT | WRITABLE | ACCESSED);
  put(KERNEL_PDPT, BigInt(KERNEL_PD) | PRESENT | WRITABLE | ACCESSED);
  put(KERNEL_PD, PRESENT | WRITABLE | ACCESSED | DIRTY | LARGE);
  put(USER_PDPT, BigInt(USER_PD) | table);
  put(USER_PD + (CODE_WINDOW >>> 21) * 8, BigInt(CODE_PT) | table);
  put(USER_PD + (DATA_WINDOW >>> 21) * 8, BigInt(DATA_PT) | table);
  mapCode(view, 0, 0);
  for (let offset = 0; offset < DATA_BYTES; offset += 4096) {
    const at = DATA_PT + (((DATA_WINDOW + offset) >>> 12) & 511) * 8;
    const rights = offset === READ_ONLY_OFFSET ? 0n : WRITABLE | DIRTY;
    put(at, BigInt(DATA_PHYSICAL + offset) | PRESENT | USER | ACCESSED | rights | NO_EXECUTE);
  }
  for (let n = 0; n < PLACES; n++) image.fill(CODE_FILL, placeOf(n), placeOf(n) + CODE_BYTES);
  image.set(data, DATA_PHYSICAL);
}

/** Guest physical address of a place for code, 0 to PLACES - 1. */
export function placeOf(n: number): number {
  return n === 0 ? CODE_PHYSICAL : OTHER_PLACES + n * CODE_BYTES;
}

/** Maps the code window to a place, for the next entry through LAUNCH_MAPPED. `ram`: where the guest's memory begins. */
export function mapCode(view: DataView, ram: number, place: number): void {
  for (let offset = 0; offset < CODE_BYTES; offset += 4096) {
    const entry = ram + CODE_PT + (((CODE_WINDOW + offset) >>> 12) & 511) * 8;
    view.setUint32(entry, (placeOf(place) + offset) | CODE_PAGE, true);
  }
}

/** CR0: PE MP ET NE WP AM PG; CR4: PAE PGE OSFXSR OSXMMEXCPT FSGSBASE; EFER: SCE LME LMA NXE. */
const CR0 = 0x80050033n;
const CR4 = 0x106a0n;
const CR4_OSXSAVE = 1n << 18n;
const EFER = 0xd01n;

/** The registers between cases: long mode at CPL 0, interrupts off, the guest's own tables. */
export function homeRegisters(now: KvmSregs): KvmSregs {
  const data = segmentWithRights(0x2b, 0xc0f3);
  const none: KvmSegment = { ...segmentWithRights(0, 0), present: 0, unusable: 1 };
  return {
    ...now,
    cs: segmentWithRights(KERNEL_CS, 0xa09b),
    ss: none,
    ds: data,
    es: data,
    fs: none,
    gs: none,
    tr: { ...segmentWithRights(TSS_SELECTOR, 0x8b), base: KERNEL_BASE + BigInt(TSS), limit: TSS_LIMIT },
    ldt: { ...segmentWithRights(LDT_SELECTOR, 0x82), base: KERNEL_BASE + BigInt(LDT), limit: LDT_LIMIT },
    gdt: { base: KERNEL_BASE + BigInt(GDT), limit: GDT_LIMIT },
    idt: { base: KERNEL_BASE + BigInt(IDT), limit: 0xfff },
    cr0: CR0,
    cr3: BigInt(PML4),
    cr4: CR4 | CR4_OSXSAVE,
    efer: EFER,
  };
}
