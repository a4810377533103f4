// What stands for the translator in a core that has none: the TypeScript core, which could not call WebAssembly's
// functions by number (host/core-ts/compiler). The same names as in translator.ts, batch.ts, heat.ts, regions.ts and unmapped.ts.

export const HOT: u32 = 1;

/** Heat that nothing uses up. */
export function initialHeat(): u32 {
  return 0xffffffff;
}

export function firstHeat(_trace: usize): u32 {
  return initialHeat();
}

export function noteOverwritten(_trace: usize): void {}

export function isForced(): bool {
  return false;
}

/** No trace has a region. */
export function regionOf(_trace: usize, _linear: u64): u32 {
  return 0;
}

/** Never called: there is no region to enter. */
export function enterRegion(_slot: u32, _trace: usize): u32 {
  return 0;
}

export function noteUnmapped(_trace: usize): void {}

export function looksFurther(_trace: usize): bool {
  return false;
}

export function pagesHold(_trace: usize, _linear: u64): bool {
  return true;
}

export function pagesAreGlobal(_trace: usize, _linear: u64): bool {
  return false;
}

export function endBatch(): void {}

export function flushBatch(): void {}

export function forgetTranslations(): void {}

export function dropRegions(_host: usize, _length: i32): void {}
