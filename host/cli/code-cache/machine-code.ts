// The machine code that V8 has made of a module, as bytes, and a module made of such bytes. Browsers keep it from one
// visit to the next by themselves; Node has no other way to it than the functions that V8 has for its own tests, which scripts may name
// once tuneEngine() has set its flags.

interface Serializer {
  /** Ends the process where no function has been optimised. */
  serialize(module: WebAssembly.Module): ArrayBuffer;
  /** Undefined for bytes that another version of V8 wrote, or this one under other flags or on another processor. */
  deserialize(code: ArrayBuffer, bytes: Uint8Array): WebAssembly.Module | undefined;
  /** Has the optimising compiler take an exported function now. */
  optimize(exported: unknown): void;
  isOptimized(exported: unknown): boolean;
}

/**
 * The code of `module`'s functions that the optimising compiler has taken. `one`: a small function that an instance of it exports.
 * Undefined where this engine does not optimise, or has no such interface.
 */
export function machineCodeOf(module: WebAssembly.Module, one: WebAssembly.ExportValue): Uint8Array | undefined {
  serializer()?.optimize(one);
  return optimizedCodeOf(module, one);
}

/** The code of a module of one function, which an instance of it exports, if the optimising compiler has taken that. */
export function optimizedCodeOf(module: WebAssembly.Module, exported: WebAssembly.ExportValue): Uint8Array | undefined {
  const v8 = serializer();
  return v8?.isOptimized(exported) ? new Uint8Array(v8.serialize(module)) : undefined;
}

/** A module of WebAssembly `bytes` whose functions have that code. `code` has to be what machineCodeOf() gave for these bytes: it is not checked. */
export function moduleWithCode(bytes: Uint8Array, code: Uint8Array): WebAssembly.Module | undefined {
  return serializer()?.deserialize(new Uint8Array(code).buffer, bytes);
}

let known: Serializer | undefined;

/** Undefined where V8 has no such functions, or may make no functions of strings. */
function serializer(): Serializer | undefined {
  try {
    known ??= {
      serialize: new Function("module", "return %SerializeWasmModule(module)") as Serializer["serialize"],
      deserialize: new Function(
        "code",
        "bytes",
        "return %DeserializeWasmModule(code, bytes)",
      ) as Serializer["deserialize"],
      optimize: new Function("f", "%WasmTierUpFunction(f)") as Serializer["optimize"],
      isOptimized: new Function("f", "return %IsTurboFanFunction(f)") as Serializer["isOptimized"],
    };
    return known;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof EvalError) return undefined;
    throw error;
  }
}
