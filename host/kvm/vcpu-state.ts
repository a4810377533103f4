// One vCPU's area of linear memory together with the core instance that is bound to it: what every
// conversion between the area and a struct of the KVM API works on.

import { CPU_FUEL, REQ_STATE, VCPU_BASE, VCPU_SIZE } from "../../assembly/layout.ts";
import type { CoreExports } from "./core.ts";
import type { VmMemory } from "./memory.ts";

/** Offsets are those of assembly/layout.ts, from the vCPU's base. */
export class VcpuState {
  readonly memory: VmMemory;
  readonly core: CoreExports;
  readonly index: number;
  readonly base: number;

  constructor(memory: VmMemory, core: CoreExports, index: number) {
    this.memory = memory;
    this.core = core;
    this.index = index;
    this.base = VCPU_BASE + index * VCPU_SIZE;
  }

  u8(offset: number): number {
    return this.memory.view.getUint8(this.base + offset);
  }

  setU8(offset: number, value: number): void {
    this.memory.view.setUint8(this.base + offset, value);
  }

  u16(offset: number): number {
    return this.memory.view.getUint16(this.base + offset, true);
  }

  setU16(offset: number, value: number): void {
    this.memory.view.setUint16(this.base + offset, value, true);
  }

  u32(offset: number): number {
    return this.memory.view.getUint32(this.base + offset, true);
  }

  setU32(offset: number, value: number): void {
    this.memory.view.setUint32(this.base + offset, value, true);
  }

  u64(offset: number): bigint {
    return this.memory.view.getBigUint64(this.base + offset, true);
  }

  setU64(offset: number, value: bigint): void {
    this.memory.view.setBigUint64(this.base + offset, value, true);
  }

  f64(offset: number): number {
    return this.memory.view.getFloat64(this.base + offset, true);
  }

  /** A copy of `length` bytes. */
  copy(offset: number, length: number): Uint8Array<ArrayBuffer> {
    return this.memory.copy(this.base + offset, length);
  }

  put(offset: number, bytes: Uint8Array): void {
    this.memory.bytes.set(bytes, this.base + offset);
  }

  /** Sets REQ_* bits in the request word. Other threads set theirs at the same time, hence atomically. */
  request(bits: number): void {
    Atomics.or(this.memory.i32, (this.base + CPU_FUEL + 4) >> 2, bits);
  }

  /** Tells the core that registers were set from outside, so that it derives its state again. */
  changed(): void {
    this.request(REQ_STATE);
  }
}
