// How a VM's translator is set up: what -accel jit takes as properties.

import {
  JIT_SPARING,
  PROFILE_SOONER,
  VM_JIT_MODULES,
  VM_JIT_PACE,
  VM_JIT_PROFILE,
  VM_JIT_THRESHOLD,
  VM_JIT_VERIFY,
} from "../../assembly/layout.ts";
import { checkInteger } from "./errors.ts";

/** What the translator is told, of "jit" and of both cores of "lockstep". */
export interface TranslationOptions {
  /** How often code is entered before it is translated (default 12,000; less where Vm.expectHotCode() says so); 1: before
   * it is executed at all, as long as there are few regions (docs/decisions/0029). */
  readonly threshold?: number | undefined;
  /** Modules of translated code that each vCPU keeps (default 1,024, some 120 KiB of the host's memory each); what was
   * not entered for longest makes room. */
  readonly maxModules?: number | undefined;
  /** Compares what each region does with what the interpreter does: run() throws a `RegionDifference` where they
   * differ. For VMs whose only vCPU is vCPU 0, of "jit" alone. */
  readonly verify?: boolean | undefined;
}

/** The same, complete. */
export interface Translation {
  readonly threshold: number;
  readonly maxModules: number;
  readonly verify: boolean;
}

/** docs/decisions/0006. */
const DEFAULT_THRESHOLD = 12000;
/** Twice what a boot makes, and with all else below 300 MiB. */
const DEFAULT_MODULES = 1024;
/** MODULES_MAX of assembly/translate/layout.ts. */
const MODULES_MAX = 4096;

/** Nothing is translated. */
export const NO_TRANSLATION: Translation = { threshold: 0, maxModules: 0, verify: false };

/** Fills in the defaults. Throws EINVAL for what is out of range. */
export function checkTranslation(options: TranslationOptions): Translation {
  const { threshold = DEFAULT_THRESHOLD, maxModules = DEFAULT_MODULES, verify = false } = options;
  checkInteger(threshold, 1, 0x7fffffff, "threshold");
  checkInteger(maxModules, 1, MODULES_MAX, "maxModules");
  return { threshold, maxModules, verify };
}

/** Tells a VM's translator, which looks each time. */
export function writeTranslation(memory: DataView, { threshold, maxModules, verify }: Translation): void {
  memory.setUint32(VM_JIT_THRESHOLD, threshold, true);
  memory.setUint32(VM_JIT_MODULES, maxModules, true);
  memory.setUint32(VM_JIT_VERIFY, verify ? 1 : 0, true);
  memory.setUint32(VM_JIT_PACE, JIT_SPARING, true);
}

/** Where machine code outlives the VM, a region need not be entered as often to be worth it (docs/decisions/0038). */
const SOONER = 3;

/** Has what becomes hot translated sooner than writeTranslation() said, unless that is at once. Behind loadProfile(). */
export function translateSooner(memory: DataView): void {
  const threshold = memory.getUint32(VM_JIT_THRESHOLD, true);
  memory.setUint32(VM_JIT_THRESHOLD, Math.min(threshold, Math.max(2, Math.floor(threshold / SOONER))), true);
  memory.setUint32(VM_JIT_PROFILE, PROFILE_SOONER, true);
}
