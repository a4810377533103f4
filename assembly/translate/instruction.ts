// The decoded instruction that is being expanded, and what its steps share.

/** Its record. */
export let record: usize = 0;
/** Displacement of the next instruction. */
export let nextDelta: i32 = 0;
/** False: nobody looks at the flags that the instruction leaves. */
export let flagsLive: bool = true;
/** Local with the host address of its MICRO_MODIFY; 0: there has been none. */
export let modifyHost: u32 = 0;
/** Offset in its instructions. */
export let modifyOffset: u32 = 0;
export function setModified(local: u32, offset: u32): void {
  modifyHost = local;
  modifyOffset = offset;
}

/** Begins the instruction in `rec`; `next`: displacement behind it; `live`: its flags may be looked at. */
export function beginInstruction(rec: usize, next: i32, live: bool): void {
  record = rec;
  nextDelta = next;
  flagsLive = live;
  modifyHost = 0;
}
