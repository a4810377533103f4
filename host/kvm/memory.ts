// Linear memory of a VM, as assembly/layout.ts maps it: who lies where, how large, and the few words
// that the threads of the user side share.

import {
  MAX_VCPUS,
  VCPU_BASE,
  VCPU_SIZE,
  VM_CODE_LINES,
  VM_DIRTY_PAGES,
  VM_HOST,
  VM_ICOUNT_SHIFT,
  VM_MAX_VCPUS,
  VM_RAM_BASE,
  VM_RAM_SIZE,
  VM_TSC_KHZ,
  VM_WALL_EPOCH,
} from "../../assembly/layout.ts";
import { type CoreProgram, type LinearMemory, makeMemory } from "./core.ts";
import { KvmError } from "./errors.ts";
import { obstacleNumber, obstacleNumbered, type TranslationObstacle } from "./obstacle.ts";

/** Bytes in a page of guest memory. */
export const PAGE_SIZE = 0x1000;
const WASM_PAGE = 0x10000;
/** The most a wasm32 memory can hold. */
const LINEAR_LIMIT = 0x1_0000_0000;

/** 1 GHz: a tick is a nanosecond. */
export const DEFAULT_TSC_KHZ = 1_000_000;

// The words at VM_HOST.
/** i32: pages of the backing store that allocate() has handed out. */
const HOST_ALLOCATED = VM_HOST;
/** u32: bit n: vCPU n exists. */
const HOST_VCPUS = VM_HOST + 4;
/** u32: what keeps the VM's code from being translated (obstacle.ts). */
const HOST_OBSTACLE = VM_HOST + 12;
/** i64: sharedClockNs() at the VM's creation. */
export const HOST_EPOCH = VM_HOST + 16;
/** i32[HOST_DOORBELL_CELLS]: doorbells that rang in a thread that does not know their EventFd. */
export const HOST_DOORBELLS = VM_HOST + 0x1000;

/** Where the variable parts of linear memory lie; byte offsets. */
export interface MemoryLayout {
  readonly codeLines: number;
  readonly dirtyPages: number;
  readonly ramBase: number;
  readonly ramSize: number;
  /** Bytes of linear memory in all, a multiple of 64 KiB. */
  readonly total: number;
}

/**
 * Lays out linear memory for `memorySize` bytes of backing store and `maxVcpus` vCPUs.
 * Throws EINVAL for sizes that are not positive whole pages, ENOMEM for what 4 GiB cannot hold (about 3.7 GiB of RAM).
 */
export function layOut(memorySize: number, maxVcpus: number): MemoryLayout {
  if (!Number.isSafeInteger(memorySize) || memorySize <= 0 || memorySize % PAGE_SIZE !== 0) {
    throw new KvmError("EINVAL", `memorySize must be a positive multiple of ${PAGE_SIZE}: ${memorySize}`);
  }
  if (!Number.isInteger(maxVcpus) || maxVcpus < 1 || maxVcpus > MAX_VCPUS) {
    throw new KvmError("EINVAL", `maxVcpus must be an integer from 1 to ${MAX_VCPUS}: ${maxVcpus}`);
  }
  const pages = memorySize / PAGE_SIZE;
  const codeLines = VCPU_BASE + maxVcpus * VCPU_SIZE;
  const dirtyPages = roundUp(codeLines + 4 * pages, PAGE_SIZE);
  const ramBase = roundUp(dirtyPages + pages, WASM_PAGE);
  const total = roundUp(ramBase + memorySize, WASM_PAGE);
  if (total > LINEAR_LIMIT) {
    const most = Math.floor((LINEAR_LIMIT - ramBase) / PAGE_SIZE) * PAGE_SIZE;
    throw new KvmError("ENOMEM", `${memorySize} bytes of guest memory do not fit; at most about ${most} do`);
  }
  return { codeLines, dirtyPages, ramBase, ramSize: memorySize, total };
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/**
 * A VM's linear memory: typed views and the allocation of backing store. All of its state lies in the memory
 * itself, so any thread that has the memory can open it.
 */
export class VmMemory {
  readonly memory: LinearMemory;
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly i32: Int32Array;
  readonly ramBase: number;
  readonly ramSize: number;

  private constructor(memory: LinearMemory) {
    this.memory = memory;
    this.view = new DataView(memory.buffer);
    this.bytes = new Uint8Array(memory.buffer);
    this.i32 = new Int32Array(memory.buffer);
    this.ramBase = this.u32(VM_RAM_BASE);
    this.ramSize = this.u32(VM_RAM_SIZE);
  }

  /** Makes the memory of a new VM. Throws EINVAL and ENOMEM as layOut() does, ENOMEM too where the host refuses. */
  static create(
    memorySize: number,
    maxVcpus: number,
    epochNs: bigint,
    wallNs: number,
    program?: CoreProgram,
  ): VmMemory {
    const layout = layOut(memorySize, maxVcpus);
    let memory: LinearMemory;
    try {
      memory = makeMemory(program, layout.total);
    } catch (error) {
      throw new KvmError("ENOMEM", `the host gives no ${layout.total} bytes of shared memory: ${String(error)}`);
    }
    const view = new DataView(memory.buffer);
    view.setUint32(VM_RAM_BASE, layout.ramBase, true);
    view.setUint32(VM_RAM_SIZE, layout.ramSize, true);
    view.setUint32(VM_CODE_LINES, layout.codeLines, true);
    view.setUint32(VM_DIRTY_PAGES, layout.dirtyPages, true);
    view.setUint32(VM_TSC_KHZ, DEFAULT_TSC_KHZ, true);
    view.setInt32(VM_ICOUNT_SHIFT, -1, true);
    view.setFloat64(VM_WALL_EPOCH, wallNs, true);
    view.setUint32(VM_MAX_VCPUS, maxVcpus, true);
    view.setBigInt64(HOST_EPOCH, epochNs, true);
    return new VmMemory(memory);
  }

  /** Opens the memory of a VM that another thread made. Throws EINVAL where it is none. */
  static open(memory: LinearMemory): VmMemory {
    const opened = memory.buffer.byteLength > VCPU_BASE ? new VmMemory(memory) : undefined;
    if (!opened || opened.ramBase === 0 || opened.ramBase + opened.ramSize > memory.buffer.byteLength) {
      throw new KvmError("EINVAL", "this memory is not a VM's");
    }
    return opened;
  }

  get maxVcpus(): number {
    return this.u32(VM_MAX_VCPUS);
  }

  get epochNs(): bigint {
    return this.view.getBigInt64(HOST_EPOCH, true);
  }

  /** Hands out `bytes`, rounded up to pages, of the backing store: a page-aligned offset. ENOMEM where none is left. */
  allocate(bytes: number): number {
    if (!Number.isSafeInteger(bytes) || bytes <= 0) {
      throw new KvmError("EINVAL", `an allocation needs a positive number of bytes: ${bytes}`);
    }
    const pages = Math.ceil(bytes / PAGE_SIZE);
    const limit = this.ramSize / PAGE_SIZE;
    const cell = HOST_ALLOCATED >> 2;
    for (;;) {
      const taken = Atomics.load(this.i32, cell);
      if (taken + pages > limit) {
        throw new KvmError("ENOMEM", `${bytes} bytes asked for, ${(limit - taken) * PAGE_SIZE} of backing store left`);
      }
      if (Atomics.compareExchange(this.i32, cell, taken, taken + pages) === taken) {
        return this.ramBase + taken * PAGE_SIZE;
      }
    }
  }

  /** Marks vCPU `index` as existing. Returns false where it existed already. */
  claimVcpu(index: number): boolean {
    return (Atomics.or(this.i32, HOST_VCPUS >> 2, 1 << index) & (1 << index)) === 0;
  }

  /** True where some thread has made vCPU `index`. */
  hasVcpu(index: number): boolean {
    return (Atomics.load(this.i32, HOST_VCPUS >> 2) & (1 << index)) !== 0;
  }

  /** True where any vCPU exists. */
  get anyVcpu(): boolean {
    return Atomics.load(this.i32, HOST_VCPUS >> 2) !== 0;
  }

  /** What keeps the VM's code from being translated, whichever thread met it. */
  get obstacle(): TranslationObstacle | undefined {
    return obstacleNumbered(this.u32(HOST_OBSTACLE));
  }

  set obstacle(obstacle: TranslationObstacle | undefined) {
    this.setU32(HOST_OBSTACLE, obstacleNumber(obstacle));
  }

  u8(at: number): number {
    return this.view.getUint8(at);
  }

  u32(at: number): number {
    return this.view.getUint32(at, true);
  }

  setU32(at: number, value: number): void {
    this.view.setUint32(at, value, true);
  }

  u64(at: number): bigint {
    return this.view.getBigUint64(at, true);
  }

  setU64(at: number, value: bigint): void {
    this.view.setBigUint64(at, value, true);
  }

  f64(at: number): number {
    return this.view.getFloat64(at, true);
  }

  /** A copy of `length` bytes: never a view, since browser APIs refuse views of shared memory. */
  copy(at: number, length: number): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(length);
    // Most copies are the few bytes of a port or register, for which a view would cost more than the loop.
    if (length <= 8) for (let i = 0; i < length; i++) out[i] = this.bytes[at + i] as number;
    else out.set(this.bytes.subarray(at, at + length));
    return out;
  }
}
