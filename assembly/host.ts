// All that the core imports besides its memory: the whole surface by which a guest could act on the host.

/** Nanoseconds of the host's monotonic clock since the VM was created. */
// @ts-ignore: decorator
@external("host", "nowNs") export declare function nowNs(): f64;
/** Nanoseconds since 1970, UTC. */
// @ts-ignore: decorator
@external("host", "wallNs") export declare function wallNs(): f64;
/** 32 bits from the host's cryptographic generator. */
// @ts-ignore: decorator
@external("host", "randomU32") export declare function randomU32(): u32;
/** An ioeventfd matched: its index in the doorbell table. */
// @ts-ignore: decorator
@external("host", "doorbell") export declare function doorbell(index: u32): void;
/** Makes a module of `length` bytes at `address` (translate/module.ts): its exports r0 to r(count - 1) go into the
 * slots of the function table that the `count` u32 at `slots` name. 0: the host does not allow it. */
// @ts-ignore: decorator
@external("host", "compile") export declare function compile(address: u32, length: u32, slots: u32, count: u32): i32;
/** Empties the slots of the function table that the `count` u32 at `slots` name. */
// @ts-ignore: decorator
@external("host", "discard") export declare function discard(slots: u32, count: u32): void;
/** Something to log (-d): LOG_* kind and three values whose meaning goes with it. */
// @ts-ignore: decorator
@external("host", "trace") export declare function trace(kind: u32, a: u64, b: u64, c: u64): void;
