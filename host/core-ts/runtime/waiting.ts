// Sleeping in the core, where that is allowed.

/**
 * memory.atomic.wait32 on cell `index`: 0: woken, 1: the cell differs, 2: time is up. The timeout is an i64 in
 * nanoseconds as two halves; negative: for ever.
 */
export function wait(cells: Int32Array, index: number, expected: number, low: number, high: number): number {
  const ns = high * 4294967296 + (low >>> 0);
  const result = Atomics.wait(cells, index, expected, high < 0 ? Number.POSITIVE_INFINITY : ns / 1e6);
  return result === "ok" ? 0 : result === "not-equal" ? 1 : 2;
}
