// Paging: every mode, right and error code of the SDM, volume 3, chapter 4.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as L from "../../assembly/layout.ts";
import {
  A,
  CR0_PE,
  CR0_PG,
  CR0_WP,
  CR4_PAE,
  CR4_PCIDE,
  CR4_PGE,
  CR4_PKE,
  CR4_PKS,
  CR4_PSE,
  CR4_SMAP,
  CR4_SMEP,
  compileMmu,
  D,
  EFER_LONG_NO_NX,
  G,
  MmuMachine,
  NX,
  P,
  PS,
  RAM_SIZE,
  U,
  W,
} from "./mmu-core.ts";

const code = compileMmu();
const machine = () => new MmuMachine(code);

test("paging off: linear addresses are physical", () => {
  const m = machine();
  m.put(0x5000, 0x1122334455667788n);
  assert.equal(m.read(0x5000n, 8), 0x1122334455667788n);
  assert.equal(m.write(0x5ffen, 0xaabbccddn), 1n);
  assert.equal(m.read(0x5ffen), 0xaabbccddn);
  assert.equal(m.fetch(0x5000n), 0x5000n);
});

test("32-bit paging: rights, accessed and dirty bits, error codes", () => {
  const m = machine();
  m.put32(0x1000, 0x2000n | P | W | U);
  m.put32(0x2004, 0x9000n | P | U);
  m.put32(0x2008, 0xa000n | P | W);
  m.put32(0x9010, 0x12345678n);
  m.registers(CR0_PE | CR0_PG | CR0_WP, 0x1000n, 0n, 0n);
  m.privilege(3);
  assert.equal(m.read(0x1010n), 0x12345678n);
  assert.equal(m.get32(0x1000), 0x2000n | P | W | U | A);
  assert.equal(m.get32(0x2004), 0x9000n | P | U | A);
  assert.equal(m.write(0x1010n, 0n), "#14 err 7 cr2 0x1010");
  assert.equal(m.read(0x2000n), "#14 err 5 cr2 0x2000");
  assert.equal(m.read(0x3000n), "#14 err 4 cr2 0x3000");
  assert.equal(m.fetch(0x3000n), "#14 err 4 cr2 0x3000", "no I bit without NXE or SMEP");
  assert.equal(m.get32(0x2008), 0xa000n | P | W, "a refused access sets no accessed bit");
  m.privilege(0);
  assert.equal(m.write(0x2000n, 5n), 1n);
  assert.equal(m.get32(0x2008), 0xa000n | P | W | A | D);
  assert.equal(m.write(0x1010n, 0n), "#14 err 3 cr2 0x1010", "WP binds the supervisor");
  assert.equal(m.call("tlbCr0Changed", CR0_PE | CR0_PG | CR0_WP, CR0_PE | CR0_PG), 1);
  m.setCpu(L.CPU_CR0, CR0_PE | CR0_PG);
  assert.equal(m.write(0x1010n, 7n), 1n, "without WP it does not");
  assert.equal(m.get32(0x2004), 0x9000n | P | U | A | D);
});

test("32-bit paging: 4 MiB pages need CR4.PSE and have reserved bits", () => {
  const m = machine();
  m.put32(0x1004, 0x400000n | P | W | PS);
  m.put(0x654320, 42n);
  m.registers(CR0_PE | CR0_PG, 0x1000n, CR4_PSE, 0n);
  assert.equal(m.read(0x654320n), 42n);
  assert.equal(m.get32(0x1004), 0x400000n | P | W | PS | A);
  assert.equal(m.write(0x654321n, 0n, 1), 1n);
  assert.equal(m.get32(0x1004), 0x400000n | P | W | PS | A | D);
  m.put32(0x1008, 0x600000n | P | W | PS);
  assert.equal(m.read(0x800000n), "#14 err 9 cr2 0x800000", "bit 21 is reserved");
  m.put32(0x1008, 0x2000n | P | W | PS);
  assert.equal(m.read(0x800000n), "exit 6", "PSE-36: bit 13 of the entry is bit 32 of the address");
  assert.equal(m.cpu(L.RUN_MMIO_GPA), 0x100000000n);
  m.put32(0x2000, 0x9000n | P);
  m.put(0x9000, 77n);
  m.registers(CR0_PE | CR0_PG, 0x1000n, 0n, 0n);
  assert.equal(m.read(0x800000n), 77n, "without PSE the bit is ignored");
});

test("PAE paging: PDPTE registers, no-execute, reserved bits, 2 MiB pages", () => {
  const m = machine();
  m.put(0x1020, 0x2000n | P);
  m.put(0x1028, 0n);
  m.put(0x2000, 0x3000n | P | W | U);
  m.put(0x2008, 0x600000n | P | W | PS);
  m.put(0x3008, 0x9000n | P | W | NX);
  m.put(0x3010, 0x9000n | P | W | (1n << 52n));
  m.put(0x9000, 99n);
  m.put(0x654320, 42n);
  assert.equal(m.registers(CR0_PE | CR0_PG, 0x1020n, CR4_PAE, 0x800n), true);
  assert.equal(m.read(0x1000n), 99n);
  assert.equal(m.fetch(0x1000n), "#14 err 17 cr2 0x1000");
  assert.equal(m.read(0x2000n), "#14 err 9 cr2 0x2000", "bit 52 is reserved in PAE paging");
  assert.equal(m.read(0x254320n), 42n);
  m.put(0x2010, 0x602000n | P | W | PS);
  assert.equal(m.read(0x400000n), "#14 err 9 cr2 0x400000", "bit 13 of a 2 MiB entry is reserved");
  assert.equal(m.read(0x40000000n), "#14 err 0 cr2 0x40000000");
  m.put(0x1028, 0x2000n | P);
  assert.equal(m.read(0x40001000n), "#14 err 0 cr2 0x40001000", "the register is loaded by CR3, not by memory");
  m.call("setCr3", 0x1020n);
  assert.equal(m.read(0x40001000n), 99n);
  m.put(0x1030, 0x2000n | P | W);
  m.call("setCr3", 0x1020n);
  assert.equal(m.outcome(0n), "#13 err 0", "R/W is reserved in a PDPTE");
  m.setCpu(L.CPU_EFER, 0n);
  m.call("tlbEferChanged", 0x800n, 0n);
  assert.equal(m.read(0x1000n), "#14 err 9 cr2 0x1000", "NX is reserved without NXE");
  assert.equal(m.call("tlbCr4Changed", CR4_PAE, CR4_PAE | CR4_PGE), 0, "a CR4 write loads them too");
  assert.equal(m.outcome(0n), "#13 err 0");
});

test("4-level paging: pages of 4 KiB, 2 MiB and 1 GiB, reserved bits at each level", () => {
  const m = machine();
  m.longMode();
  m.map(5, 0x9000n | P | W);
  m.put(0x9008, 1n);
  m.put(0x3008, 0x400000n | P | W | PS);
  m.put(0x400008, 2n);
  m.put(0x2008, P | W | PS);
  m.put(0x800008, 3n);
  assert.equal(m.read(0x5008n), 1n);
  assert.equal(m.read(0x200008n), 2n);
  assert.equal(m.read(0x40800008n), 3n);
  assert.equal(m.write(0x40800008n, 4n), 1n);
  assert.equal(m.get(0x2008), P | W | PS | A | D);
  assert.equal(m.get(0x1000) & (A | D), A, "no dirty bit above the page");
  const reserved: [number, bigint, string][] = [
    [0x1008, 0x2000n | P | W | PS, "PS in a PML4E"],
    [0x1008, 0x2000n | P | W | (1n << 40n), "above MAXPHYADDR in a PML4E"],
    [0x1008, 0x2000n | P | W | (1n << 51n), "bit 51 in a PML4E"],
  ];
  for (const [at, entry, what] of reserved) {
    m.put(at, entry);
    assert.equal(m.read(0x8000000000n), "#14 err 9 cr2 0x8000000000", what);
  }
  m.put(0x1008, 0x2000n | P | W | (1n << 52n) | (1n << 62n));
  assert.equal(m.read(0x8000005008n), 1n, "bits 52-62 are ignored");
  m.put(0x2010, 0x2000n | P | PS);
  assert.equal(m.read(0x80000000n), "#14 err 9 cr2 0x80000000", "bit 13 of a 1 GiB entry");
  m.put(0x3010, 0x2000n | P | PS);
  assert.equal(m.read(0x400000n), "#14 err 9 cr2 0x400000", "bit 13 of a 2 MiB entry");
  m.put(0x3010, 0x4000n | P | W | (1n << 45n));
  assert.equal(m.read(0x400000n), "#14 err 9 cr2 0x400000", "address width in a PDE");
  m.map(6, 0x9000n | P | (1n << 45n));
  assert.equal(m.read(0x6000n), "#14 err 9 cr2 0x6000", "address width in a PTE");
  m.map(6, 1n << 45n);
  assert.equal(m.read(0x6000n), "#14 err 0 cr2 0x6000", "nothing is reserved in an absent entry");
  m.longMode(0n, 0n, EFER_LONG_NO_NX);
  m.map(7, 0x9000n | P | NX);
  assert.equal(m.read(0x7000n), "#14 err 9 cr2 0x7000", "NX without NXE");
  assert.equal(m.fetch(0x7000n), "#14 err 9 cr2 0x7000", "no I bit without NXE");
});

test("CPUID tells the address width and whether 1 GiB pages exist", () => {
  const m = machine();
  m.longMode();
  const table = L.VCPU_BASE + L.CPU_CPUID;
  m.set32(table, 2);
  m.set32(table + 4, 0x80000008);
  m.set32(table + 4 + 12, 0x3024);
  m.set32(table + 4 + 28, 0x80000001);
  m.call("mmuConfigure");
  m.map(6, 0x9000n | P | (1n << 36n));
  assert.equal(m.read(0x6000n), "#14 err 9 cr2 0x6000", "36 bits");
  m.put(0x2008, P | W | PS);
  assert.equal(m.read(0x40000000n), "#14 err 9 cr2 0x40000000", "no 1 GiB pages");
  m.set32(table + 4 + 28 + 24, 1 << 26);
  m.call("mmuConfigure");
  assert.equal(m.read(0x40000000n), 0n);
});

test("tables outside RAM count as not present", () => {
  const m = machine();
  m.longMode();
  m.put(0x3008, BigInt(RAM_SIZE) | P | W | U);
  assert.equal(m.read(0x200000n), "#14 err 0 cr2 0x200000");
  assert.equal(m.call("translateNoFault", 0x200000n), -1n);
});

test("rights are the AND of all levels, no-execute the OR", () => {
  const m = machine();
  m.longMode(0n, CR0_WP);
  m.map(5, 0x9000n | P | W | U);
  m.put(0x2000, 0x3000n | P | U);
  m.privilege(3);
  assert.equal(m.read(0x5000n), 0n);
  assert.equal(m.write(0x5000n, 1n), "#14 err 7 cr2 0x5000");
  m.put(0x2000, 0x3000n | P | W);
  m.call("tlbFlushAll");
  assert.equal(m.read(0x5000n), "#14 err 5 cr2 0x5000");
  m.put(0x2000, 0x3000n | P | W | U | NX);
  m.call("tlbFlushAll");
  assert.equal(m.write(0x5000n, 1n), 1n);
  assert.equal(m.fetch(0x5000n), "#14 err 21 cr2 0x5000");
});

test("SMEP and SMAP", () => {
  const m = machine();
  m.longMode(CR4_SMEP | CR4_SMAP, CR0_WP);
  m.map(5, 0x9000n | P | W | U);
  m.map(6, 0xa000n | P | W);
  m.privilege(3);
  assert.equal(m.fetch(0x5000n), 0x9000n);
  assert.equal(m.write(0x5000n, 1n), 1n);
  m.privilege(0);
  assert.equal(m.read(0x5000n), "#14 err 1 cr2 0x5000");
  assert.equal(m.write(0x5000n, 1n), "#14 err 3 cr2 0x5000");
  assert.equal(m.fetch(0x5000n), "#14 err 17 cr2 0x5000");
  assert.equal(m.fetch(0x6000n), 0xa000n);
  m.privilege(0, true);
  assert.equal(m.read(0x5000n), 1n, "AC lets the supervisor in");
  assert.equal(m.systemRead(0x5000n), "#14 err 1 cr2 0x5000", "but not an implicit access");
  assert.equal(m.fetch(0x5000n), "#14 err 17 cr2 0x5000", "and never a fetch");
  m.privilege(3);
  assert.equal(m.systemRead(0x6000n), 0n, "implicit accesses are the supervisor's at any CPL");
  assert.equal(m.systemRead(0x7000n), "#14 err 0 cr2 0x7000");
});

test("protection keys", () => {
  const m = machine();
  m.longMode(CR4_PKE, CR0_WP);
  m.map(5, 0x9000n | P | W | U | (3n << 59n));
  m.map(6, 0x9000n | P | W | (3n << 59n));
  const key = (bits: number) => {
    m.set32(L.VCPU_BASE + L.CPU_PKRU, bits << 6);
    m.call("tlbPkruChanged");
  };
  m.privilege(3);
  assert.equal(m.write(0x5000n, 1n), 1n);
  key(2);
  assert.equal(m.write(0x5000n, 1n), "#14 err 39 cr2 0x5000");
  assert.equal(m.read(0x5000n), 1n);
  key(1);
  assert.equal(m.read(0x5000n), "#14 err 37 cr2 0x5000");
  assert.equal(m.fetch(0x5000n), 0x9000n);
  m.privilege(0);
  assert.equal(m.read(0x5000n), "#14 err 33 cr2 0x5000", "user pages are denied to the supervisor too");
  assert.equal(m.read(0x6000n), 1n, "supervisor pages have no key");
});

test("protection keys of supervisor pages", () => {
  const m = machine();
  m.longMode(CR4_PKS, CR0_WP);
  m.map(5, 0x9000n | P | W | U | (3n << 59n));
  m.map(6, 0x9000n | P | W | (3n << 59n));
  const key = (bits: number) => {
    m.set32(L.VCPU_BASE + L.CPU_PKRS, bits << 6);
    m.call("tlbPkrsChanged");
  };
  key(2);
  assert.equal(m.write(0x6000n, 1n), "#14 err 35 cr2 0x6000");
  assert.equal(m.read(0x6000n), 0n);
  key(1);
  assert.equal(m.read(0x6000n), "#14 err 33 cr2 0x6000");
  assert.equal(m.fetch(0x6000n), 0x9000n);
  assert.equal(m.read(0x5000n), 0n, "user pages have keys of their own");
  m.privilege(3);
  assert.equal(m.read(0x6000n), "#14 err 5 cr2 0x6000");
});

test("non-canonical addresses raise #GP before any page fault", () => {
  const m = machine();
  m.longMode();
  assert.equal(m.read(0x800000000000n), "#13 err 0");
  assert.equal(m.global("faultNonCanonical"), 1);
  assert.equal(m.read(0x7ffffffffffen), "#13 err 0", "the last bytes count");
  assert.equal(m.fetch(0x800000000000n), "#13 err 0");
  assert.equal(m.read(0xffff800000000000n), "#14 err 0 cr2 0xffff800000000000");
});

test("an access across pages checks both before it does anything", () => {
  const m = machine();
  m.longMode(0n, CR0_WP);
  m.map(5, 0x9000n | P | W);
  m.map(6, 0xb000n | P);
  m.put(0x9ff8, 0n);
  assert.equal(m.write(0x5ffcn, 0x1122334455667788n, 8), "#14 err 3 cr2 0x6000");
  assert.equal(m.get(0x9ff8), 0n);
  assert.equal(m.modify(0x5ffen, 4), "#14 err 3 cr2 0x6000");
  m.map(5, 0n);
  m.call("tlbFlushPage", 0x5000n);
  assert.equal(m.write(0x5ffcn, 1n, 8), "#14 err 2 cr2 0x5ffc", "the lower page's fault comes first");
  m.map(5, 0x9000n | P | W);
  m.map(6, 0xb000n | P | W);
  assert.equal(m.write(0x5ffdn, 0x1122334455667788n, 8), 1n);
  assert.equal(m.get(0x9ff8) >> 40n, 0x667788n);
  assert.equal(m.get(0xb000), 0x1122334455n);
  assert.equal(m.read(0x5ffdn, 8), 0x1122334455667788n);
  assert.equal(m.read(0x5fffn, 2), 0x5566n);
});

test("INVLPG drops one page, and all of a large one", () => {
  const m = machine();
  m.longMode();
  m.map(5, 0x9000n | P | W);
  m.put(0x3008, 0x400000n | P | W | PS);
  m.put(0xa000, 7n);
  m.read(0x5000n);
  assert.equal(m.read(0x3ff000n), 0n);
  m.map(5, 0xa000n | P | W);
  m.put(0x3008, 0x600000n | P | W | PS);
  m.put(0x7ff000, 8n);
  assert.equal(m.read(0x5000n), 0n, "a stale entry stays until it is dropped");
  const generation = m.global("contextGeneration");
  m.call("tlbFlushPage", 0x5000n);
  assert.equal(m.global("contextGeneration"), generation, "no code is remembered there");
  assert.equal(m.read(0x5000n), 7n);
  assert.equal(m.read(0x3ff000n), 0n);
  m.call("tlbFlushPage", 0x200000n);
  assert.notEqual(m.global("contextGeneration"), generation);
  assert.equal(m.read(0x3ff000n), 8n, "a piece far from the address that INVLPG named");
});

test("a CR3 write without PCID keeps global pages only", () => {
  const m = machine();
  m.longMode(CR4_PGE);
  m.map(5, 0x9000n | P | W);
  m.map(6, 0x9000n | P | W | G);
  m.read(0x5000n);
  m.read(0x6000n);
  m.put(0xa000, 7n);
  m.map(5, 0xa000n | P | W);
  m.map(6, 0xa000n | P | W | G);
  m.call("setCr3", 0x1000n);
  assert.equal(m.read(0x5000n), 7n);
  assert.equal(m.read(0x6000n), 0n);
  m.call("tlbCr4Changed", CR4_PAE | CR4_PGE, CR4_PAE);
  assert.equal(m.read(0x6000n), 7n, "turning PGE off drops them");
  m.call("setCr3", 0x1000n | (1n << 63n));
  assert.equal(m.outcome(0n), "#13 err 0", "bit 63 without PCIDE");
  m.call("setCr3", 1n << 41n);
  assert.equal(m.outcome(0n), "#13 err 0", "beyond the address width");
  assert.equal(m.cpu(L.CPU_CR3), 0x1000n);
});

test("a CR3 write drops what took a global page's place in the TLB, and keeps a global page that took another's", () => {
  const m = machine();
  m.longMode(CR4_PGE);
  // 16 MiB apart: the same entry.
  m.put(0x3000 + 8 * 8, 0x400000n | P | W | PS);
  m.put(0x3000 + 8 * 16, 0x400000n | P | W | PS | G);
  m.map(5, 0x9000n | P | W | G);
  m.map(6, 0x9000n | P | W);
  m.read(0x5000n);
  m.read(0x1005000n);
  m.read(0x6000n);
  m.read(0x2006000n);
  m.put(0x605000, 7n);
  m.put(0x606000, 8n);
  m.put(0x3000 + 8 * 8, 0x600000n | P | W | PS);
  m.put(0x3000 + 8 * 16, 0x600000n | P | W | PS | G);
  for (let i = 0; i < 3; i++) {
    m.call("setCr3", 0x1000n);
    assert.equal(m.read(0x1005000n), 7n);
    assert.equal(m.read(0x2006000n), 0n);
  }
  m.call("tlbFlushAll");
  assert.equal(m.read(0x2006000n), 8n);
});

test("INVLPG of what is not in the TLB is taken for a piece of a large page hardly ever", () => {
  const m = machine();
  m.longMode();
  for (let i = 0; i < 256; i++) {
    m.put(0x3000 + 8 * i, 0x400000n | P | W | PS);
    m.read(BigInt(i) << 21n);
  }
  let taken = 0;
  for (let i = 256; i < 1024; i++) {
    const generation = m.global("contextGeneration");
    m.call("tlbFlushPage", BigInt(i) << 21n);
    if (m.global("contextGeneration") !== generation) taken++;
  }
  assert.ok(taken <= 3, `${taken} of 768`);
});

test("a flush finds every entry, however many were filled", () => {
  const m = machine();
  m.longMode(CR4_PGE);
  for (let i = 0; i < 512; i++) m.put(0x3000 + 8 * i, (BigInt(i % 32) << 21n) | P | W | U | PS | (i % 2 ? G : 0n));
  const touch = () => {
    for (let i = 0n; i < 3000n; i++) m.read(i << 12n);
  };
  touch();
  m.privilege(3);
  touch();
  m.call("tlbFlushNonGlobal");
  m.put(0x3000, 0n);
  m.put(0x3000 + 8 * 4, 0n);
  assert.equal(m.read(0x800000n), "#14 err 4 cr2 0x800000");
  touch();
  m.call("tlbFlushAll");
  for (let i = 0; i < 1100; i++) {
    m.call("tlbFlushPage", 0x200000n);
    m.read(0x200000n);
  }
  m.privilege(0);
  m.read(0x5ff000n);
  m.call("tlbFlushNonGlobal");
  m.put(0x3010, 0n);
  assert.equal(m.read(0x5ff000n), "#14 err 0 cr2 0x5ff000", "filled after the list was full");
  m.privilege(3);
  m.put(0x3008, 0n);
  assert.equal(m.read(0x200000n), 0n, "global");
  m.call("tlbFlushAll");
  assert.equal(m.read(0x200000n), "#14 err 4 cr2 0x200000");
  const misses = m.stat(L.STAT_TLB_MISSES);
  for (let i = 1536n; i < 2048n; i++) m.read(i << 12n);
  assert.equal(m.stat(L.STAT_TLB_MISSES) - misses, 512n);
});

test("PCID: contexts keep their entries, INVPCID drops what it names", () => {
  const m = machine();
  m.longMode(CR4_PCIDE | CR4_PGE);
  m.map(5, 0x9000n | P | W);
  m.map(6, 0x9000n | P | W | G);
  m.put(0xa000, 7n);
  const keep = 1n << 63n;
  const use = (pcid: bigint, flags = keep) => m.call("setCr3", 0x1000n | pcid | flags);
  use(1n);
  const generation = m.global("contextGeneration");
  m.read(0x5000n);
  m.read(0x6000n);
  m.map(5, 0xa000n | P | W);
  use(2n);
  assert.notEqual(m.global("contextGeneration"), generation);
  assert.equal(m.cpu(L.CPU_CR3), 0x1002n, "bit 63 is not kept");
  assert.equal(m.read(0x5000n), 7n);
  use(1n);
  assert.equal(m.global("contextGeneration"), generation);
  assert.equal(m.read(0x5000n), 0n, "PCID 1 has its entry still");
  use(1n, 0n);
  assert.equal(m.read(0x5000n), 7n);
  m.map(5, 0x9000n | P | W);
  m.map(6, 0xa000n | P | W | G);
  m.call("invpcid", 0n, 2n, 0x5000n);
  assert.equal(m.read(0x5000n), 7n, "another PCID's page");
  m.call("invpcid", 1n, 1n, 0n);
  assert.equal(m.read(0x5000n), 0n);
  assert.equal(m.read(0x6000n), 0n, "global pages survive a single-context flush");
  use(2n);
  m.read(0x6000n);
  m.map(6, 0x9000n | P | W | G);
  use(1n);
  m.map(6, 0xa000n | P | W | G);
  m.call("tlbFlushPage", 0x6000n);
  use(2n);
  assert.equal(m.read(0x6000n), 7n, "INVLPG reaches global pages under every PCID");
  m.map(6, 0x9000n | P | W | G);
  m.call("invpcid", 3n, 0n, 0n);
  assert.equal(m.read(0x6000n), 7n);
  m.call("invpcid", 2n, 0n, 0n);
  assert.equal(m.read(0x6000n), 0n);
  for (const [type, pcid, va] of [
    [4n, 0n, 0n],
    [1n, 0x1000n, 0n],
    [0n, 0n, 0x800000000000n],
  ] as const) {
    assert.equal(m.call("invpcid", type, pcid, va), 0);
    assert.equal(m.outcome(0n), "#13 err 0");
  }
});

test("PCID: more address spaces than contexts do not mix", () => {
  const m = machine();
  m.longMode(CR4_PCIDE);
  for (let round = 0; round < 3; round++) {
    for (let pcid = 0; pcid < 20; pcid++) {
      m.put(0x10000 + pcid * 0x1000, BigInt(pcid));
      m.map(5, BigInt(0x10000 + pcid * 0x1000) | P | W);
      m.call("setCr3", 0x1000n | BigInt(pcid) | (1n << 63n));
      assert.equal(m.read(0x5000n), BigInt(pcid));
    }
  }
});
