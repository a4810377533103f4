// What misuse of a handle throws: an error with the errno that the ioctl would have returned.

/** Linux errno numbers (asm-generic/errno-base.h, errno.h) that this API uses. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENOSPC: 28,
  EOPNOTSUPP: 95,
} as const;

/** The name of a Linux error number. */
export type Errno = keyof typeof ERRNO;

/**
 * An error of the KVM API.
 *
 * `code` is the errno's name (`"EINVAL"`), `errno` its positive number (22), as Node's own system errors have them.
 *
 * @example
 * try {
 *   vm.createVcpu(99);
 * } catch (error) {
 *   if (error instanceof KvmError && error.code === "EINVAL") console.error(error.message);
 *   else throw error;
 * }
 */
export class KvmError extends Error {
  override readonly name = "KvmError";
  readonly code: Errno;
  readonly errno: number;
  /** The message without the code in front of it. */
  readonly reason: string;

  constructor(code: Errno, reason: string) {
    super(`${code}: ${reason}`);
    this.code = code;
    this.errno = ERRNO[code];
    this.reason = reason;
  }
}

const byNumber = new Map<number, Errno>(Object.entries(ERRNO).map(([name, number]) => [number, name as Errno]));

/** Turns a result of the core (0 or more, or a negative errno) into the result or a thrown KvmError. */
export function check(result: number, what: string): number {
  if (result >= 0) return result;
  throw new KvmError(byNumber.get(-result) ?? "EIO", what);
}

/** Throws EINVAL unless `value` is an integer in [least, most]. */
export function checkInteger(value: number, least: number, most: number, what: string): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new KvmError("EINVAL", `${what} must be an integer from ${least} to ${most}, not ${value}`);
  }
}

/** A 64-bit quantity as it comes in: bigint or a non-negative integer number. Throws EINVAL for anything else. */
export function toU64(value: bigint | number, what: string): bigint {
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new KvmError("EINVAL", `${what} must be an integer: ${value}`);
    value = BigInt(value);
  }
  if (value < 0n || value > 0xffff_ffff_ffff_ffffn) {
    throw new KvmError("EINVAL", `${what} does not fit 64 unsigned bits: ${value}`);
  }
  return value;
}
