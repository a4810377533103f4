// Translated code: modules of regions, which the core has written, become functions in its table.

import { obstacleBehind, type TranslationObstacle } from "./obstacle.ts";

/** A module in a vCPU's memory, and where `count` u32 lie that name the slots of the core's table for its functions. */
export interface RegionModule {
  readonly address: number;
  readonly length: number;
  readonly slots: number;
  readonly count: number;
}

/** Makes an instance of a module of `regions` regions, 0: of what their modules import. */
export type InstantiateRegions = (
  module: Uint8Array<ArrayBuffer>,
  imports: WebAssembly.Imports,
  regions: number,
) => WebAssembly.Instance;

/** Who is told of modules. */
export interface RegionListeners {
  /** Is shown each module before it is compiled, and the slots of the function table it is for. */
  onModule?(module: Uint8Array, slots: Uint32Array): void;
  /** In place of the engine's own compiler. */
  instantiateRegions?: InstantiateRegions | undefined;
  /** Is told that modules are about to be given up. */
  onDiscard?(): void;
  /** Is told why a module was not made. */
  onObstacle?(obstacle: TranslationObstacle): void;
}

/** Entries that the function table grows by. */
const TABLE_STEP = 1024;

/**
 * Makes a module of translated regions and puts its functions into the core's table. 0: the host did not let it, and
 * `onObstacle` was told why. Throws for a module that is not valid. A module without regions is for the imports of those
 * that follow.
 */
export function addRegions(
  core: WebAssembly.Exports,
  memory: WebAssembly.Memory,
  regions: RegionModule,
  listeners: RegionListeners = {},
): number {
  const { address, length, slots, count } = regions;
  // The bytes are copied: a module cannot be made of shared memory.
  const bytes = new Uint8Array(memory.buffer).slice(address, address + length);
  const numbers = new Uint32Array(memory.buffer, slots, count).slice();
  listeners.onModule?.(bytes, numbers);
  const imports = importsOf(core, memory);
  let exports: WebAssembly.Exports;
  try {
    const instantiate = listeners.instantiateRegions ?? instantiateAnew;
    ({ exports } = instantiate(bytes, { c: imports }, count));
  } catch (error) {
    const obstacle = obstacleBehind(error, bytes);
    if (!obstacle) throw error;
    listeners.onObstacle?.(obstacle);
    return 0;
  }
  if (count === 0) Object.assign(imports, exports);
  const table = core["table"] as WebAssembly.Table;
  numbers.forEach((slot, i) => {
    const missing = slot + 1 - table.length;
    if (missing > 0) table.grow(Math.max(missing, TABLE_STEP));
    table.set(slot, exports[`r${i}`]);
  });
  return 1;
}

/** As the engine compiles it. */
function instantiateAnew(module: Uint8Array<ArrayBuffer>, imports: WebAssembly.Imports): WebAssembly.Instance {
  return new WebAssembly.Instance(new WebAssembly.Module(module), imports);
}

/** Empties the slots that `count` u32 at `slots` name: the engine frees a module when none of its functions is left. */
export function discardRegions(
  core: WebAssembly.Exports,
  memory: WebAssembly.Memory,
  slots: number,
  count: number,
  listeners: RegionListeners = {},
): void {
  listeners.onDiscard?.();
  const table = core["table"] as WebAssembly.Table;
  for (const slot of new Uint32Array(memory.buffer, slots, count)) {
    // One of a batch that never became a module may lie behind the end.
    if (slot < table.length) table.set(slot, null);
  }
}

const imports = new WeakMap<WebAssembly.Exports, WebAssembly.ModuleImports>();

/** What modules of regions may import: the core's exports and its memory (assembly/translate/module.ts). */
function importsOf(core: WebAssembly.Exports, memory: WebAssembly.Memory): WebAssembly.ModuleImports {
  let known = imports.get(core);
  if (!known) {
    known = { ...core, m0: memory, t0: core["table"]! };
    imports.set(core, known);
  }
  return known;
}
