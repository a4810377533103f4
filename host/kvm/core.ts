// The kernel side: core.wasm, compiled once, instantiated once a vCPU and once a VM and thread.

import { joinHalves, type MakeCore } from "../core-ts/core.ts";
import { KvmError } from "./errors.ts";
import { describeObstacle, obstacleBehind } from "./obstacle.ts";
import { isNode, moduleAt, randomU32, wallNs } from "./platform.ts";
import { addRegions, discardRegions, type RegionListeners } from "./regions.ts";

/**
 * What core.wasm exports (assembly/index.ts). An i64 crosses as a signed bigint. Results called errno are 0 or more,
 * or a negative Linux error number.
 */
export interface CoreExports {
  /** Binds this instance to a vCPU's area. */
  vcpuSelect(index: number): void;
  /** Puts the bound vCPU into its power-up state. */
  vcpuReset(): void;
  /** Runs the bound vCPU for at most maxNs of host time; returns KVM_EXIT_*. */
  run(maxNs: number, mayBlock: number): number;
  getRflags(): bigint;
  setRflags(value: bigint): void;
  /** Validates the system registers in memory and derives all that follows from them. errno. */
  commitSregs(): number;
  /** The table of KVM_SET_CPUID2 has changed: derives CPU_FEATURES. */
  cpuidChanged(): void;
  /** errno. */
  setSlot(slot: number, flags: number, gpa: bigint, size: bigint, host: number): number;
  /** Writes the dirty bitmap of a slot to `out` and clears the log. errno. */
  dirtyLog(slot: number, out: number): number;
  /** Guest physical address of a linear one, or -1. */
  translate(va: bigint): bigint;
  /** How many took the interrupt, 0: it merged with a pending one, -1: masked or routed nowhere; -ENXIO. */
  irqLine(gsi: number, level: number): number;
  /** As irqLine; -EINVAL without local APICs. */
  signalMsi(address: bigint, data: number): number;
  /** errno. */
  createIrqchip(): number;
  /** errno. */
  createSplitIrqchip(): number;
  /** errno. */
  createPit(flags: number): number;
  /** Power-up state of the chips that belong to no vCPU. */
  chipReset(): void;
  /** The host has written the 8259s' or the IOAPIC's state. */
  irqchipLoaded(): void;
  /** The host has written the PIT's state. */
  pitStateLoaded(): void;
  /** errno. */
  setPitReinject(on: number): number;
  /** Writes the computed registers of the bound vCPU's APIC page. */
  lapicSave(): void;
  /** The host has written the bound vCPU's APIC page. */
  lapicLoaded(): void;
  /** Locks the routing table, for the host to write it; routesEnd() has to follow. */
  routesBegin(): void;
  /** errno. */
  routesEnd(): number;
  /** host.doorbell(RESAMPLE_DOORBELL + gsi) is called when the guest acknowledges the GSI. errno. */
  setResample(gsi: number, on: number): number;
  /** Holds the line of a resampled GSI high until the guest acknowledges it. As irqLine. */
  resampleLine(gsi: number): number;
  readMsr(index: number): bigint;
  /** 0 or 1: done. */
  writeMsr(index: number, value: bigint): number;
  /** 1: the last readMsr or writeMsr succeeded. */
  msrOk(): number;
  /** Writes a standard-format XSAVE image. */
  saveXsave(address: number): void;
  /** errno. */
  loadXsave(address: number): number;
  getTpr(): bigint;
  setTpr(value: bigint): void;
  /** A host device wrote guest RAM: dirty log and decoded code. */
  dmaWritten(gpa: bigint, length: bigint): void;
  /** Guest time of the next timer, or Infinity. */
  nextDeadline(): number;
  /** Guest time now, ns. */
  guestNs(): number;
  /** errno. */
  setTscKhz(khz: number): number;
  /** KVM clock, ns. */
  kvmClockGet(): number;
  kvmClockSet(ns: number): void;
}

/** All that a guest could act on the host by: the imports of core.wasm (assembly/host.ts). */
export interface CoreImports extends RegionListeners {
  nowNs(): number;
  /** In place of the platform's. */
  wallNs?(): number;
  randomU32?(): number;
  doorbell(index: number): void;
  trace(kind: number, a: bigint, b: bigint, c: bigint): void;
}

/** A memory that a core works on: a WebAssembly.Memory, or for the TypeScript core nothing but its buffer. */
export interface LinearMemory {
  readonly buffer: ArrayBufferLike;
}

/** Makes memories and cores of a kind that this file does not know: pairs in lockstep. */
export interface CoreFactory {
  makeMemory(bytes: number): LinearMemory;
  instantiate(memory: LinearMemory, imports: CoreImports): CoreExports;
}

/** What cores are made of: core.wasm, compiled, the TypeScript core, or something of other cores. */
export type CoreProgram = WebAssembly.Module | MakeCore<CoreExports> | CoreFactory;

const isFactory = (program: CoreProgram | undefined): program is CoreFactory =>
  typeof program === "object" && "instantiate" in program;

/** How a program is named where it is posted to another thread: a function cannot be. */
export type CoreName = WebAssembly.Module | "ts";

/** Where a core may come from. */
export type CoreSource = WebAssembly.Module | BufferSource | URL;

/** Instantiates the core over a VM's memory. */
export function instantiate(program: CoreProgram, memory: LinearMemory, imports: CoreImports): CoreExports {
  if (isFactory(program)) return program.instantiate(memory, imports);
  const wall = imports.wallNs ?? wallNs;
  const random = imports.randomU32 ?? randomU32;
  if (typeof program === "function") {
    return program(memory.buffer, {
      nowNs: imports.nowNs,
      wallNs: wall,
      randomU32: () => random() | 0,
      doorbell: (index) => imports.doorbell(index >>> 0),
      trace: (kind, al, ah, bl, bh, cl, ch) =>
        imports.trace(kind, joinHalves(al, ah), joinHalves(bl, bh), joinHalves(cl, ch)),
    });
  }
  const host = {
    compile: (address: number, length: number, slots: number, count: number) =>
      addRegions(instance.exports, memory as WebAssembly.Memory, { address, length, slots, count }, imports),
    discard: (slots: number, count: number) =>
      discardRegions(instance.exports, memory as WebAssembly.Memory, slots, count, imports),
    nowNs: imports.nowNs,
    wallNs: wall,
    randomU32: random,
    doorbell: (index: number) => imports.doorbell(index >>> 0),
    trace: imports.trace,
  };
  const instance: WebAssembly.Instance = new WebAssembly.Instance(program, {
    env: { memory: memory as WebAssembly.Memory, abort: stopped },
    host,
  });
  return instance.exports as unknown as CoreExports;
}

/** An assertion of the core failed: the run loop of the host turns it into an INTERNAL_ERROR exit. */
function stopped(): never {
  throw new WebAssembly.RuntimeError("the core stopped");
}

/** A memory of `bytes`, a multiple of 64 KiB, for cores of this program (core.wasm without one). Throws what the host throws where it has none. */
export function makeMemory(program: CoreProgram | undefined, bytes: number): LinearMemory {
  if (isFactory(program)) return program.makeMemory(bytes);
  if (typeof program !== "function") {
    const pages = bytes / 0x10000;
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  }
  return { buffer: typeof SharedArrayBuffer === "undefined" ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes) };
}

/** What a program is called in another thread. Throws EINVAL for pairs in lockstep, which stay in one. */
export function nameOf(program: CoreProgram): CoreName {
  if (isFactory(program)) throw new KvmError("EINVAL", "this VM's cores stay in one thread");
  return typeof program === "function" ? "ts" : program;
}

/** The program of a name. Throws ENODEV for a TypeScript core that this thread has not loaded. */
export function programNamed(name: CoreName): CoreProgram {
  if (name !== "ts") return name;
  if (!typescriptCore) throw new KvmError("ENODEV", 'this thread has to call Kvm.open({ accel: "ts" }) first');
  return typescriptCore;
}

let typescriptCore: MakeCore<CoreExports> | undefined;

/** Loads the TypeScript core, which lies beside this file (or beside the core that WKVM_CORE names). Throws ENODEV. */
export async function loadTypeScriptCore(): Promise<CoreProgram> {
  const at = new URL("core-ts.js", await shippedUrl());
  try {
    const module = await moduleAt<{ makeCore: MakeCore<CoreExports> }>(at.href);
    typescriptCore = module.makeCore;
    return module.makeCore;
  } catch (error) {
    throw new KvmError("ENODEV", `the TypeScript core cannot be loaded from ${at.href}: ${String(error)}`);
  }
}

let shipped: Promise<WebAssembly.Module> | undefined;

/** Makes a module of a core's bytes, as WebAssembly.compile() does. */
export type CoreCompiler = (bytes: BufferSource) => Promise<WebAssembly.Module>;

const compileNow: CoreCompiler = (bytes) => WebAssembly.compile(bytes);

/**
 * Compiles the given core, or once and for all the one that lies beside this file. Throws ENODEV without either, EPERM
 * where the host lets nobody compile.
 */
export async function compileCore(
  source?: CoreSource,
  compile: CoreCompiler = compileNow,
): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (source === undefined) {
    shipped ??= compileShipped(compile);
    return shipped;
  }
  return compileFrom(source, compile, "this core cannot be used");
}

/** `complaint`: what an error begins with. */
async function compileFrom(
  source: BufferSource | URL,
  compile: CoreCompiler,
  complaint: string,
): Promise<WebAssembly.Module> {
  const unusable = (error: unknown) => new KvmError("ENODEV", `${complaint}: ${String(error)}`);
  let bytes: BufferSource;
  try {
    bytes = source instanceof URL ? await load(source) : source;
  } catch (error) {
    throw unusable(error);
  }
  try {
    return await compile(bytes);
  } catch (error) {
    if (obstacleBehind(error, bytes) !== "forbidden") throw unusable(error);
    throw new KvmError("EPERM", `${describeObstacle("forbidden")}; the accelerator 'ts' does without`);
  }
}

/** Where core.wasm is shipped, or the one that the environment names. */
async function shippedUrl(): Promise<URL> {
  const env = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env;
  const named = isNode ? env?.["WKVM_CORE"] : undefined;
  return named ? await fileUrl(named) : new URL("./core.wasm", import.meta.url);
}

async function compileShipped(compile: CoreCompiler): Promise<WebAssembly.Module> {
  const at = await shippedUrl();
  try {
    return await compileFrom(at, compile, `core.wasm cannot be loaded from ${at.href}`);
  } catch (error) {
    shipped = undefined;
    throw error;
  }
}

async function fileUrl(path: string): Promise<URL> {
  const { pathToFileURL } = await moduleAt<typeof import("node:url")>("node:url");
  return pathToFileURL(path);
}

async function load(url: URL): Promise<BufferSource> {
  if (isNode && url.protocol === "file:") {
    const { readFile } = await moduleAt<typeof import("node:fs/promises")>("node:fs/promises");
    return readFile(url);
  }
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url.href}: ${answer.status} ${answer.statusText}`);
  return answer.arrayBuffer();
}
