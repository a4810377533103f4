// Translated code: modules of regions, which the core has written, become functions in its table.

/** A module in a vCPU's memory, and where `count` u32 lie that name the slots of the core's table for its functions. */
export interface RegionModule {
  readonly address: number;
  readonly length: number;
  readonly slots: number;
  readonly count: number;
}

/** Entries that the function table grows by. */
const TABLE_STEP = 1024;

/**
 * Makes a module of translated regions and puts its functions into the core's table. 0: this host does not allow code
 * to be made at run time (a content security policy without wasm-unsafe-eval), or its engine has no tail calls.
 * Throws for a module of regions that is not valid.
 * A module without regions is for the imports of those that follow. `onModule` is shown its bytes and slots first.
 */
export function addRegions(
  core: WebAssembly.Exports,
  memory: WebAssembly.Memory,
  regions: RegionModule,
  onModule?: (module: Uint8Array, slots: Uint32Array) => void,
): number {
  const { address, length, slots, count } = regions;
  // The bytes are copied: a module cannot be made of shared memory.
  const bytes = new Uint8Array(memory.buffer).slice(address, address + length);
  const numbers = new Uint32Array(memory.buffer, slots, count).slice();
  onModule?.(bytes, numbers);
  let module: WebAssembly.Module;
  try {
    module = new WebAssembly.Module(bytes);
  } catch (error) {
    // The first module is the one with tail calls, which not every engine has.
    const mayBeForeign = count === 0 || isForbidden(error as Error);
    if (error instanceof WebAssembly.CompileError && !mayBeForeign) throw error;
    return 0;
  }
  const imports = importsOf(core, memory);
  const { exports } = new WebAssembly.Instance(module, { c: imports });
  if (count === 0) Object.assign(imports, exports);
  const table = core["table"] as WebAssembly.Table;
  numbers.forEach((slot, i) => {
    const missing = slot + 1 - table.length;
    if (missing > 0) table.grow(Math.max(missing, TABLE_STEP));
    table.set(slot, exports[`r${i}`]);
  });
  return 1;
}

/** Empties the slots that `count` u32 at `slots` name: the engine frees a module when none of its functions is left. */
export function discardRegions(
  core: WebAssembly.Exports,
  memory: WebAssembly.Memory,
  slots: number,
  count: number,
): void {
  const table = core["table"] as WebAssembly.Table;
  for (const slot of new Uint32Array(memory.buffer, slots, count)) {
    // One of a batch that never became a module may lie behind the end.
    if (slot < table.length) table.set(slot, null);
  }
}

/** True for what engines throw where code must not be made: an error that names the policy, not the module. */
function isForbidden(error: Error): boolean {
  return /content security policy|disallowed by embedder|unsafe-eval/i.test(error.message);
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
