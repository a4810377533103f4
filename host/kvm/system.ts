// Kvm: what /dev/kvm is: the core, its capabilities, and the way to a VM.

import { type CoreCompiler, type CoreProgram, type CoreSource, compileCore, loadTypeScriptCore } from "./core.ts";
import { cpuidFor } from "./cpuid.ts";
import type { KvmCpuidEntry } from "./cpuid-table.ts";
import { KvmError } from "./errors.ts";
import { extensionValue } from "./extensions.ts";
import { LockstepProgram } from "./lockstep/index.ts";
import { SAVED_MSRS } from "./msrs.ts";
import { describeObstacle, findObstacle, type TranslationObstacle } from "./obstacle.ts";
import { checkTranslation, NO_TRANSLATION, type Translation, type TranslationOptions } from "./translation.ts";
import { Vm, type VmOptions } from "./vm.ts";

/** KVM_API_VERSION. */
export const KVM_API_VERSION = 12;

/** What WKVM_ACCEL asks for, such as "jit,threshold=1": what a program does not name itself. */
function namedAccelerator(): { accel: Accelerator; threshold: number | undefined } {
  const env = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env;
  const [accel = "", threshold] = (env?.["WKVM_ACCEL"] ?? "").split(",threshold=");
  return { accel: (accel || "jit") as Accelerator, threshold: threshold === undefined ? undefined : Number(threshold) };
}

/** How guest code is executed. */
export type Accelerator = "jit" | "interp" | "ts" | "lockstep";

/** Options of `Kvm.open()`. */
export interface KvmOptions extends TranslationOptions {
  /** "jit" (default): core.wasm makes WebAssembly of what is executed often; "interp": it interprets; "ts": the core in
   * plain TypeScript, where WebAssembly is not allowed; "lockstep": two of them on one machine, compared as they go. WKVM_ACCEL in the environment names another default. */
  readonly accel?: Accelerator | undefined;
  /** With "lockstep": which cores, and the instructions between two comparisons at most (default 100,000). */
  readonly lockstep?: { readonly a: Accelerator; readonly b: Accelerator; readonly every?: number } | undefined;
  /** The core, where it is not to be the one that lies beside this module: compiled, as bytes, or where to get it. */
  readonly core?: CoreSource;
  /** What compiles it where it is not compiled, for who keeps compiled code (default WebAssembly.compile()). */
  readonly compile?: CoreCompiler;
}

/** Loads the core of an accelerator. Throws ENODEV. */
async function programFor(accel: Accelerator, { core, compile }: KvmOptions): Promise<CoreProgram> {
  if (accel === "ts" && core === undefined) return loadTypeScriptCore();
  if (accel !== "interp" && accel !== "jit") throw new KvmError("ENODEV", `accelerator '${accel}' is not available`);
  if (typeof WebAssembly === "undefined") {
    throw new KvmError("ENODEV", "this platform has no WebAssembly (the accelerator 'ts' does without)");
  }
  if (typeof SharedArrayBuffer === "undefined") {
    throw new KvmError("ENODEV", "this platform has no SharedArrayBuffer (a page needs cross-origin isolation)");
  }
  return compileCore(core, compile);
}

/** How an accelerator translates on this host. Throws EINVAL. */
function translationOf(
  accel: Accelerator,
  options: TranslationOptions,
  obstacle: TranslationObstacle | undefined,
): Translation {
  if (accel !== "jit") return NO_TRANSLATION;
  const asked = checkTranslation(options);
  return obstacle ? NO_TRANSLATION : asked;
}

/** What keeps the accelerators from translating where one of them would. Throws where that leaves nothing to verify. */
function obstacleTo(
  accelerators: readonly Accelerator[],
  verify: boolean | undefined,
): TranslationObstacle | undefined {
  const obstacle = accelerators.includes("jit") ? findObstacle() : undefined;
  if (verify && obstacle) throw new KvmError("ENODEV", `nothing can be verified: ${describeObstacle(obstacle)}`);
  return obstacle;
}

/**
 * The way in: what opening /dev/kvm is on Linux.
 *
 * @example
 * const kvm = await Kvm.open();
 * const vm = kvm.createVm({ memorySize: 64 << 20 });
 */
export class Kvm {
  readonly #program: CoreProgram;
  readonly #translation: Translation;
  #closed = false;

  /**
   * Why guest code is interpreted though "jit" was asked for, or is the default; undefined where it is translated. A VM
   * may meet an obstacle later, when it has something to translate (`vm.onObstacle`).
   *
   * @example
   * if (kvm.translationObstacle) console.warn(describeObstacle(kvm.translationObstacle));
   */
  readonly translationObstacle: TranslationObstacle | undefined;

  private constructor(program: CoreProgram, translation: Translation, obstacle: TranslationObstacle | undefined) {
    this.#program = program;
    this.#translation = translation;
    this.translationObstacle = obstacle;
  }

  /**
   * Loads and compiles the core, once for all calls without `core` (open("/dev/kvm")).
   * Rejects with ENODEV where it cannot be loaded, where threads' shared memory is missing, for an accelerator that
   * is not there, and for `verify` where nothing can be translated; with EPERM where the host forbids WebAssembly (a
   * content security policy without 'wasm-unsafe-eval'); with EINVAL for `verify` without "jit".
   *
   * @example
   * const kvm = await Kvm.open({ core: new URL("/assets/core.wasm", location.href) });
   */
  static async open(options: KvmOptions = {}): Promise<Kvm> {
    const named = namedAccelerator();
    const { accel = named.accel, threshold = named.threshold } = options;
    const asked = { ...options, threshold };
    if (options.verify && accel !== "jit") throw new KvmError("EINVAL", `'${accel}' has no regions to verify`);
    if (accel !== "lockstep") {
      const program = await programFor(accel, options);
      const obstacle = obstacleTo([accel], options.verify);
      return new Kvm(program, translationOf(accel, asked, obstacle), obstacle);
    }
    const { a = "interp", b = "ts", every } = options.lockstep ?? {};
    const [first, second] = [await programFor(a, options), await programFor(b, options)];
    const obstacle = obstacleTo([a, b], false);
    const pair = {
      a: { name: a, program: first, translation: translationOf(a, asked, obstacle) },
      b: { name: b, program: second, translation: translationOf(b, asked, obstacle) },
    };
    return new Kvm(new LockstepProgram(every === undefined ? pair : { ...pair, every }), NO_TRANSLATION, obstacle);
  }

  /**
   * The API's version: 12 (KVM_GET_API_VERSION).
   *
   * @example
   * if (kvm.getApiVersion() !== 12) throw new Error("not this KVM");
   */
  getApiVersion(): number {
    this.#open();
    return KVM_API_VERSION;
  }

  /**
   * 0 where a capability (KVM_CAP_*) is missing, else 1 or its number, such as a maximum (KVM_CHECK_EXTENSION).
   *
   * @example
   * const slots = kvm.checkExtension(KVM_CAP_NR_MEMSLOTS);
   */
  checkExtension(capability: number): number {
    this.#open();
    return extensionValue(capability);
  }

  /**
   * Everything that CPUID can truthfully show, as one vCPU's table (KVM_GET_SUPPORTED_CPUID). `cpuidFor()` makes
   * tables for a model and several vCPUs.
   *
   * @example
   * vcpu.setCpuid2(kvm.getSupportedCpuid());
   */
  getSupportedCpuid(): KvmCpuidEntry[] {
    this.#open();
    return cpuidFor("max");
  }

  /**
   * The model-specific registers that hold a guest's state (KVM_GET_MSR_INDEX_LIST).
   *
   * @example
   * const saved = vcpu.getMsrs(kvm.getMsrIndexList());
   */
  getMsrIndexList(): number[] {
    this.#open();
    return [...SAVED_MSRS];
  }

  /**
   * Makes a VM without vCPUs and slots (KVM_CREATE_VM). `memorySize`: bytes of backing store, whole pages; it is
   * reserved, and committed as it is used. `maxVcpus`: 1..16. Throws EINVAL for other sizes, ENOMEM where they do not fit 4 GiB
   * or the host has no memory.
   *
   * @example
   * const vm = kvm.createVm({ memorySize: 256 << 20, maxVcpus: 2 });
   */
  createVm(options: VmOptions): Vm {
    this.#open();
    return Vm.create(this.#program, options, this.#translation, this.translationObstacle);
  }

  /**
   * Gives up the handle. VMs that it made go on.
   *
   * @example
   * using kvm = await Kvm.open();
   */
  close(): void {
    this.#closed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): void {
    if (this.#closed) throw new KvmError("EBADF", "this handle is closed");
  }
}
