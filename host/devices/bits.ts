// Sub-word access to registers that are wider than the access.

/** Returns `size` bytes of the 32-bit `register` from byte `offset` (0..3) on. */
export function extract(register: number, offset: number, size: number): number {
  const shifted = register >>> (offset * 8);
  return size >= 4 ? shifted : shifted & ((1 << (size * 8)) - 1);
}

/** Returns `register` with `size` bytes from byte `offset` (0..3) on replaced by `value`. */
export function insert(register: number, offset: number, size: number, value: number): number {
  const mask = (size >= 4 ? 0xffffffff : ((1 << (size * 8)) - 1) << (offset * 8)) >>> 0;
  return ((register & ~mask) | ((value << (offset * 8)) & mask)) >>> 0;
}
