// How far translated code may go into a segment without looking at its rights: CPU_SEG_READABLE and CPU_SEG_WRITABLE.
// SDM volume 3, sections 5.3 to 5.5.
import { cpu, SEG_ES, SEG_FS, SEG_GS, segAttr, segLimit } from "../cpu";
import { CPU_SEG_READABLE, CPU_SEG_WRITABLE } from "../layout";
import { ATTR_CODE, ATTR_EXPAND_DOWN, ATTR_READABLE, ATTR_UNUSABLE, ATTR_WRITABLE } from "./descriptors";
import { usesDescriptors } from "./privilege";

/** More than any offset and operand: a 4 GiB segment lets accesses wrap. */
const EVERYTHING: u64 = 0x200000000;

/** Derives the reach of the segments; `flat`: that of FS and GS alone, as nobody asks for the others'. */
export function updateReach(flat: bool): void {
  const descriptors = usesDescriptors();
  for (let seg = flat ? SEG_FS : SEG_ES; seg <= SEG_GS; seg++) {
    const attr = segAttr(seg);
    const limit = segLimit(seg);
    let readable = limit == 0xffffffff ? EVERYTHING : <u64>limit + 1;
    let writable = readable;
    if (descriptors) {
      if (attr & ATTR_UNUSABLE) readable = writable = 0;
      else if (attr & ATTR_CODE) {
        writable = 0;
        if (!(attr & ATTR_READABLE)) readable = 0;
      } else if (attr & ATTR_EXPAND_DOWN) readable = writable = 0;
      else if (!(attr & ATTR_WRITABLE)) writable = 0;
    }
    const at = cpu + (<usize>seg << 3);
    store<u64>(at, readable, CPU_SEG_READABLE);
    store<u64>(at, writable, CPU_SEG_WRITABLE);
  }
}
