// Which RAM holds decoded code, and what a write to it sets off (DESIGN, section 4).
//
// VM_CODE_LINES has a mask a page of guest RAM, a bit a line of 128 bytes. A page with a mask has
// no write tags, so every write to it comes through ramWritten(). The masks are the VM's, the
// traces each vCPU's own.
import { codeWritten } from "../decode/traces";
import { TLB_ADDEND, TLB_WRITE, VM_CODE_LINES, VM_RAM_BASE, VM_RAM_SIZE } from "../layout";
import { entriesToVisit, entryToVisit } from "./contexts";
import { dirtyByte } from "./dirty";
import { isRecentCode, noteRecentCode } from "./recent-code";
import { flushOthers } from "./shootdown";
import { CONTEXTS } from "./state";
import { TLB_NO_TAG, contextRecord } from "./tlb";

/** Address of the line mask of the page that holds RAM byte `host`. */
// @ts-ignore: decorator
@inline export function codeMask(host: usize): usize {
  return <usize>load<u32>(VM_CODE_LINES) + ((host - load<u32>(VM_RAM_BASE)) >>> 12 << 2);
}

/** Bits of the lines that `length` bytes at `host`, all in one page, touch. */
// @ts-ignore: decorator
@inline function lineBits(host: usize, length: usize): u32 {
  const first = <u32>host >> 7 & 31;
  const last = <u32>(host + length - 1) >> 7 & 31;
  return ((<u32>0xffffffff) << first) & ((<u32>0xffffffff) >>> (31 - last));
}

/**
 * Notes that code was decoded from `length` bytes of RAM at `host`; later writes there call codeWritten().
 * Where other vCPUs may run, it has to be called before the bytes are read: when it returns, none of
 * them can write them unnoticed any more.
 */
export function markCode(host: usize, length: i32): void {
  const end = host + length;
  while (host < end) {
    const page = host & ~0xfff;
    const here = min<usize>(end, page + 0x1000) - host;
    const mask = codeMask(host);
    const bits = lineBits(host, here);
    if ((load<u32>(mask) & bits) != bits && atomic.or<u32>(mask, bits) == 0) {
      if (!isRecentCode(page)) dropWriteTags(page);
      noteRecentCode(page);
      flushOthers();
    }
    host += here;
  }
}

/** Notes that no vCPU has traces from any line that `length` bytes at `host` touch. */
export function unmarkCode(host: usize, length: i32): void {
  const end = host + length;
  while (host < end) {
    const here = min<usize>(end, (host & ~0xfff) + 0x1000) - host;
    atomic.and<u32>(codeMask(host), ~lineBits(host, here));
    host += here;
  }
}

/** Notes that no vCPU has any traces. */
export function unmarkAllCode(): void {
  memory.fill(load<u32>(VM_CODE_LINES), 0, load<u32>(VM_RAM_SIZE) >>> 12 << 2);
}

/**
 * To be called after `length` bytes of RAM at `host` were written other than through a write tag: notes
 * the pages as dirty and has code on the written lines dropped. It may be longer than a page.
 */
export function ramWritten(host: usize, length: usize): void {
  const end = host + length;
  while (host < end) {
    const here = min<usize>(end, (host & ~0xfff) + 0x1000) - host;
    // Where no slot logs, nobody looks at this byte, and the log clears it when it begins.
    store<u8>(dirtyByte(host), 1);
    if (load<u32>(codeMask(host)) & lineBits(host, here)) codeWritten(host, <i32>here);
    host += here;
  }
}

/** Takes the write tags of a host page out of all contexts of this vCPU. */
function dropWriteTags(page: usize): void {
  for (let context: u32 = 0; context < CONTEXTS; context++) {
    const total = entriesToVisit(contextRecord(context));
    for (let i: u32 = 0; i < total; i++) {
      const entry = entryToVisit(context, total, i);
      const tag = load<u64>(entry, TLB_WRITE);
      if (tag != TLB_NO_TAG && <usize>tag + load<u32>(entry, TLB_ADDEND) == page) {
        store<u64>(entry, TLB_NO_TAG, TLB_WRITE);
      }
    }
  }
}
