// What lies behind a translation: memory slots, the dirty log, pages with code, MMIO and its log.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as L from "../../assembly/layout.ts";
import * as B from "../../assembly/mmu/doorbell-layout.ts";
import { A, compileMmu, D, MmuMachine, P, RAM, RAM_SIZE, SCRATCH, U, W } from "./mmu-core.ts";

const code = compileMmu();
const machine = () => new MmuMachine(code);
const EINVAL = -22;
const EEXIST = -17;
const ENOENT = -2;
const LOG = 1;
const READONLY = 2;
const MMIO = 0xd0000000n;
const KIND_READ = 1;
const KIND_WRITE = 2;

test("slots are validated as KVM_SET_USER_MEMORY_REGION does", () => {
  const m = machine();
  const set = (slot: number, flags: number, gpa: bigint, size: bigint, host: number) =>
    m.call("setSlot", slot, flags, gpa, size, host);
  const end = BigInt(RAM_SIZE);
  assert.equal(set(1, 4, end, 0x1000n, RAM), EINVAL, "unknown flag");
  assert.equal(set(1, 0, end + 1n, 0x1000n, RAM), EINVAL, "misaligned address");
  assert.equal(set(1, 0, end, 0x1001n, RAM), EINVAL, "misaligned size");
  assert.equal(set(1, 0, end, 0x1000n, RAM + 8), EINVAL, "misaligned memory");
  assert.equal(set(L.VM_MAX_SLOTS, 0, end, 0x1000n, RAM), EINVAL, "slot number");
  assert.equal(set(1, 0, 0xfffffffffffff000n, 0x2000n, RAM), EINVAL, "wraps");
  assert.equal(set(1, 0, 1n << 52n, 0x1000n, RAM), EINVAL, "beyond 52 bits");
  assert.equal(set(1, 0, end, 0x1000n, RAM - 0x1000), EINVAL, "before guest RAM");
  assert.equal(set(1, 0, end, 0x2000n, RAM + RAM_SIZE - 0x1000), EINVAL, "past guest RAM");
  assert.equal(set(1, 0, end, 0x100000000n, RAM), EINVAL, "larger than guest RAM");
  assert.equal(set(1, 0, end, 0n, RAM), EINVAL, "deletes nothing");
  assert.equal(set(1, 0, end - 0x1000n, 0x2000n, RAM), EEXIST, "overlap");
  assert.equal(set(1, 0, end, 0x1000n, RAM), 0);
  assert.equal(set(1, 0, end, 0x2000n, RAM), EINVAL, "size of an existing slot");
  assert.equal(set(1, READONLY, end, 0x1000n, RAM), EINVAL, "read-only flag of an existing slot");
  m.put(0, 0x77n);
  assert.equal(m.read(end), 0x77n);
  assert.equal(set(1, 0, end + 0x5000n, 0x1000n, RAM), 0, "moves");
  m.call("tlbFlushAll");
  assert.equal(m.read(end), "exit 6");
  assert.equal(m.read(end + 0x5000n), 0x77n);
  assert.equal(set(1, 0, 0n, 0n, 0), 0, "deletes");
  m.call("tlbFlushAll");
  assert.equal(m.read(end + 0x5000n), "exit 6");
});

test("a slot change asks every vCPU to flush", () => {
  const m = machine();
  m.set32(L.VM_VCPU_COUNT, 2);
  const requests = L.CPU_FUEL + 4;
  m.call("setSlot", 0, LOG, 0n, BigInt(RAM_SIZE), RAM);
  for (const index of [0, 1]) {
    assert.equal(
      m.view.getUint32(L.VCPU_BASE + index * L.VCPU_SIZE + requests, true) & L.REQ_TLB_FLUSH,
      L.REQ_TLB_FLUSH,
    );
  }
});

test("read-only slots: reads are RAM, writes are MMIO", () => {
  const m = machine();
  m.call("setSlot", 1, READONLY, 0xf0000000n, 0x1000n, RAM + 0x8000);
  m.put(0x8000, 0x1234n);
  assert.equal(m.read(0xf0000000n), 0x1234n);
  assert.equal(m.write(0xf0000004n, 0x55n, 2), "exit 6");
  assert.equal(m.cpu(L.RUN_MMIO_GPA), 0xf0000004n);
  assert.equal(m.cpu32(L.RUN_MMIO_LEN), 2);
  assert.equal(m.cpu32(L.RUN_MMIO_IS_WRITE), 1);
  assert.equal(m.cpu(L.RUN_MMIO_DATA), 0x55n);
  assert.equal(m.get(0x8000), 0x1234n);
  assert.equal(m.call("physWrite", 0xf0000000n, 1n, 4), 0);
  assert.equal(m.call("pageWrite", 0xf0000000n), 0);
  assert.equal(m.call("pageRead", 0xf0000000n), RAM + 0x8000);
});

test("page tables in a read-only slot are used as they are", () => {
  const m = machine();
  m.call("setSlot", 1, READONLY, 0x10000000n, 0x1000n, RAM + 0x4000);
  m.longMode();
  m.put(0x3000, 0x10000000n | P | W | U);
  m.map(5, 0x9000n | P | W);
  assert.equal(m.write(0x5000n, 9n), 1n);
  assert.equal(m.get(0x9000), 9n);
  assert.equal(m.get(0x4028), 0x9000n | P | W);
});

function dirtyPages(m: MmuMachine, slot = 0): number[] {
  assert.equal(m.call("dirtyLog", slot, SCRATCH), 0);
  // The run loop takes the request before the next instruction.
  m.call("tlbFlushAll");
  const pages = [];
  for (let page = 0; page < RAM_SIZE >> 12; page++) {
    if ((m.view.getUint8(SCRATCH + (page >> 3)) >> (page & 7)) & 1) pages.push(page);
  }
  return pages;
}

test("the dirty log has each page written since it was last read", () => {
  const m = machine();
  assert.equal(m.call("dirtyLog", 0, SCRATCH), ENOENT, "no log");
  assert.equal(m.call("dirtyLog", 5, SCRATCH), ENOENT, "no slot");
  assert.equal(m.call("dirtyLog", L.VM_MAX_SLOTS, SCRATCH), EINVAL);
  m.write(0x3000n, 1n);
  m.call("setSlot", 0, LOG, 0n, BigInt(RAM_SIZE), RAM);
  m.call("tlbFlushAll");
  assert.deepEqual(dirtyPages(m), [], "begins empty");
  m.read(0x3000n);
  m.write(0x4000n, 1n);
  m.write(0x4008n, 1n);
  m.write(0x5fffn, 1n);
  m.write(0x3ff0000n, 1n);
  m.call("physWrite", 0x9000n, 1n, 4);
  m.call("dmaWritten", 0xafffn, 2n);
  assert.deepEqual(dirtyPages(m), [4, 5, 6, 9, 10, 11, 0x3ff0]);
  assert.deepEqual(dirtyPages(m), []);
  m.read(0x4010n);
  m.write(0x4010n, 1n);
  assert.deepEqual(dirtyPages(m), [4], "having been read gives a page no write tag");
  m.longMode();
  m.map(5, 0x9000n | P | W);
  m.read(0x5000n);
  assert.deepEqual(dirtyPages(m), [1, 2, 3, 4], "accessed bits are writes to the tables");
  assert.equal(m.get(0x4028), 0x9000n | P | W | A);
  m.write(0x5000n, 1n);
  assert.deepEqual(dirtyPages(m), [4, 9]);
  assert.equal(m.get(0x4028) & D, D);
});

/** Writes after which a page that held code is one of data (assembly/mmu/recent-code.ts). */
const WRITES_TO_DATA = 64;

test("a write to a line with code is reported after it is done", () => {
  const m = machine();
  m.write(0x5000n, 1n);
  assert.notEqual(m.call("pageWrite", 0x5000n), 0);
  m.call("markCode", RAM + 0x5100, 0x81);
  assert.equal(m.call("pageWrite", 0x5000n), 0);
  m.write(0x50ffn, 0xffn, 1);
  m.write(0x5200n, 0xffn, 1);
  assert.equal(m.global("codeWrites"), 0, "the lines around it");
  m.write(0x50ffn, 0xaaaan, 2);
  assert.equal(m.global("codeWrites"), 1);
  assert.equal(m.global("codeHost"), RAM + 0x50ff);
  assert.equal(m.global("codeLength"), 2);
  m.write(0x5180n, 1n, 1);
  assert.equal(m.global("codeWrites"), 2, "the second line");
  m.call("dmaWritten", 0x4000n, 0x3000n);
  assert.equal(m.global("codeWrites"), 3, "DMA");
  m.call("unmarkCode", RAM + 0x5100, 0x81);
  m.write(0x5100n, 1n);
  assert.equal(m.global("codeWrites"), 3);
  assert.equal(m.call("pageWrite", 0x5000n), 0, "it may become code again");
  for (let i = 0; i < WRITES_TO_DATA; i++) m.write(0x5100n, 1n);
  assert.equal(m.call("pageWrite", 0x5000n), RAM + 0x5000);
  m.call("markCode", RAM + 0x5ffe, 4);
  m.write(0x6000n, 1n, 1);
  assert.equal(m.global("codeWrites"), 4, "code that crosses pages");
  m.call("unmarkAllCode");
  for (let i = 0; i < WRITES_TO_DATA; i++) m.write(0x6000n, 1n);
  assert.equal(m.call("pageWrite", 0x6000n), RAM + 0x6000);
});

/** Plays user space: puts the answer to the exit into the log and begins the instruction again. */
function answer(m: MmuMachine, data = 0n): void {
  const kind = m.cpu32(L.RUN_MMIO_IS_WRITE) ? KIND_WRITE : KIND_READ;
  m.call("logAdd", kind, m.cpu(L.RUN_MMIO_GPA), m.cpu32(L.RUN_MMIO_LEN), data);
  m.call("logRewind");
}

test("MMIO leaves to user space and finds the answer when it comes again", () => {
  const m = machine();
  assert.equal(m.read(MMIO + 4n, 2), "exit 6");
  assert.equal(m.cpu(L.RUN_MMIO_GPA), MMIO + 4n);
  assert.equal(m.cpu32(L.RUN_MMIO_LEN), 2);
  assert.equal(m.cpu32(L.RUN_MMIO_IS_WRITE), 0);
  answer(m, 0xffffbeefn);
  assert.equal(m.read(MMIO + 4n, 2), 0xbeefn, "no more than the length");
  assert.equal(m.write(MMIO + 8n, 0x1234n, 4), "exit 6");
  answer(m);
  assert.equal(m.read(MMIO + 4n, 2), 0xbeefn);
  assert.equal(m.write(MMIO + 8n, 0x1234n, 4), 1n);
  m.call("logReset");
  assert.equal(m.write(MMIO + 8n, 0x1234n, 4), "exit 6");
  answer(m);
  m.setCpu(L.CPU_RIP, 0x1000n);
  m.call("logRewind");
  assert.equal(m.call("logPending"), 0, "the host has moved RIP");
});

test("an access half in RAM, half in MMIO touches RAM last", () => {
  const m = machine();
  const border = BigInt(RAM_SIZE) - 2n;
  m.put(RAM_SIZE - 8, 0n);
  assert.equal(m.write(border, 0x44332211n), "exit 6");
  assert.equal(m.cpu(L.RUN_MMIO_DATA), 0x4433n);
  assert.equal(m.get(RAM_SIZE - 8), 0n);
  answer(m);
  assert.equal(m.write(border, 0x44332211n), 1n);
  assert.equal(m.get(RAM_SIZE - 8), 0x2211000000000000n);
  m.call("logReset");
  assert.equal(m.read(border), "exit 6");
  answer(m, 0xbbaan);
  assert.equal(m.read(border), 0xbbaa2211n);
  m.call("logReset");
  m.call("setSlot", 1, 0, 0xd0001000n, 0x1000n, RAM + 0x8000);
  assert.equal(m.write(0xd0000ffdn, 0x44332211n), "exit 6");
  assert.equal(m.cpu(L.RUN_MMIO_DATA), 0x332211n);
  assert.equal(m.cpu32(L.RUN_MMIO_LEN), 3);
  assert.equal(m.get(0x8000), 0n);
  answer(m);
  assert.equal(m.write(0xd0000ffdn, 0x44332211n), 1n);
  assert.equal(m.get(0x8000), 0x44n);
});

test("blocks go through MMIO 8 bytes at a time, and scratch where they are not in one page of RAM", () => {
  const m = machine();
  assert.equal(m.call("ptrRead", 0x5010n, 16), RAM + 0x5010);
  m.put(0x5ff8, 0x0102030405060708n);
  m.put(0x6000, 0x1112131415161718n);
  const scratch = L.VCPU_BASE + L.CPU_SCRATCH;
  assert.equal(m.call("ptrRead", 0x5ff8n, 16), scratch);
  assert.equal(m.view.getBigUint64(scratch + 8, true), 0x1112131415161718n);
  assert.equal(m.call("ptrRead", MMIO, 16), 0);
  m.outcome(0n);
  answer(m, 0xaan);
  assert.equal(m.call("ptrRead", MMIO, 16), 0);
  assert.equal(m.cpu(L.RUN_MMIO_GPA), MMIO + 8n);
  m.outcome(0n);
  answer(m, 0xbbn);
  assert.equal(m.call("ptrRead", MMIO, 16), scratch);
  assert.equal(m.view.getBigUint64(scratch, true), 0xaan);
  assert.equal(m.view.getBigUint64(scratch + 8, true), 0xbbn);
  m.call("logReset");
  for (let i = 0; i < L.ACCESS_LOG_MAX; i++) {
    assert.equal(m.call("writeBytes", MMIO, SCRATCH, 512), 0);
    assert.equal(m.outcome(0n), "exit 6");
    answer(m);
  }
  assert.equal(m.call("writeBytes", MMIO, SCRATCH, 512), 0);
  assert.equal(m.outcome(0n), "exit 17", "more than the log can hold");
});

test("chips, doorbells and coalesced writes stay in the core", () => {
  const m = machine();
  assert.equal(m.write(0xfee00000n, 0x99n), 1n);
  assert.equal(m.read(0xfee00000n), 0x99n);
  const bell = (i: number, address: bigint, length: number, flags: number, data = 0n) => {
    const at = B.DOORBELLS + i * B.DOORBELL_SIZE;
    m.view.setBigUint64(at + B.DOORBELL_ADDRESS, address, true);
    m.view.setBigUint64(at + B.DOORBELL_DATA, data, true);
    m.set32(at + B.DOORBELL_LENGTH, length);
    m.set32(at + B.DOORBELL_FLAGS, flags | B.DOORBELL_VALID);
    m.set32(B.DOORBELL_COUNT, i + 1);
  };
  bell(0, MMIO, 2, B.DOORBELL_DATAMATCH, 7n);
  bell(1, MMIO + 4n, 0, 0);
  bell(2, 0x70n, 1, B.DOORBELL_PIO);
  assert.equal(m.write(MMIO, 7n, 2), 1n);
  assert.equal(m.write(MMIO, 8n, 2), "exit 6", "other data");
  assert.equal(m.write(MMIO, 7n, 4), "exit 6", "other length");
  assert.equal(m.write(MMIO + 4n, 1n, 8), 1n, "any length");
  assert.equal(m.read(MMIO + 4n), "exit 6", "reads do not ring");
  assert.equal(m.call("doorbellPio", 0x70, 1, 1), 1);
  assert.equal(m.call("doorbellPio", 0x71, 1, 1), 0);
  assert.deepEqual(m.rung, [0, 1, 2]);
  assert.equal(m.stat(L.STAT_DOORBELLS), 3n);
  m.view.setBigUint64(B.ZONES + B.ZONE_ADDRESS, MMIO + 0x100n, true);
  m.set32(B.ZONES + B.ZONE_LENGTH, 8);
  m.set32(B.ZONE_COUNT, 1);
  assert.equal(m.write(MMIO + 0x104n, 0x11223344n), 1n);
  assert.equal(m.write(MMIO + 0x106n, 1n), "exit 6", "not wholly inside");
  assert.equal(m.view.getUint32(B.RING_LAST, true), 1);
  assert.equal(m.view.getBigUint64(B.RING_ENTRIES, true), MMIO + 0x104n);
  assert.equal(m.view.getUint32(B.RING_ENTRIES + 8, true), 4);
  assert.equal(m.view.getBigUint64(B.RING_ENTRIES + 16, true), 0x11223344n);
  for (let i = 1; i < B.RING_MAX - 1; i++) assert.equal(m.write(MMIO + 0x100n, 1n), 1n);
  assert.equal(m.write(MMIO + 0x100n, 1n), "exit 6", "a full ring");
  answer(m);
  m.set32(B.RING_FIRST, 5);
  assert.equal(m.write(MMIO + 0x100n, 1n), 1n);
  assert.equal(m.view.getUint32(B.RING_LAST, true), B.RING_MAX - 1, "what user space took is not put in as well");
  assert.equal(m.view.getUint32(B.RING_FIRST, true), 5);
});

test("accesses to a page with a data breakpoint are all looked at", () => {
  const m = machine();
  m.write(0x8010n, 1n);
  assert.equal(m.global("slices"), 0);
  m.setCpu(L.CPU_DR + 56, 1n);
  m.call("tlbFlushAll");
  m.read(0x8010n);
  m.write(0x8012n, 1n);
  m.modify(0x8010n);
  m.call("ptrRead", 0x8000n, 32);
  m.call("readBytes", 0x8000n, SCRATCH, 32);
  m.call("writeBytes", 0x7ff0n, SCRATCH, 64);
  assert.equal(m.global("slices"), 6);
  m.read(0x8014n);
  m.write(0x800cn, 1n);
  assert.equal(m.global("slices"), 6, "its neighbours");
  assert.equal(m.call("pageRead", 0x8000n), 0);
  assert.equal(m.call("pageWrite", 0x8000n), 0);
  assert.equal(m.call("pageWrite", 0x9000n), RAM + 0x9000);
});

test("code outside RAM: an exit in the kernel, #UD in user mode", () => {
  const m = machine();
  assert.equal(m.fetch(MMIO), "exit 17");
  assert.equal(m.cpu32(L.RUN_ERROR), 1);
  m.privilege(3);
  assert.equal(m.fetch(MMIO), "#6 err -1");
});

test("KVM_TRANSLATE has no side effects and ignores rights", () => {
  const m = machine();
  m.longMode();
  m.map(5, 0x9000n | P);
  m.privilege(3);
  assert.equal(m.call("translateNoFault", 0x5123n), 0x9123n);
  assert.equal(m.get(0x4028), 0x9000n | P);
  assert.equal(m.call("translateNoFault", 0x6000n), -1n);
  assert.equal(m.call("translateNoFault", 0x800000000000n), -1n);
});

test("physical accesses stay inside one slot", () => {
  const m = machine();
  m.put(RAM_SIZE - 8, 0x1122334455667788n);
  assert.equal(m.call("physRead", BigInt(RAM_SIZE) - 8n, 8), 0x1122334455667788n);
  assert.equal(m.call("physRead", BigInt(RAM_SIZE) - 4n, 8), -1n);
  assert.equal(m.call("physRead", BigInt(RAM_SIZE), 4), 0xffffffffn);
  assert.equal(m.call("physWrite", BigInt(RAM_SIZE) - 4n, 0n, 8), 0);
  assert.equal(m.call("gpaToHost", BigInt(RAM_SIZE)), 0);
});
