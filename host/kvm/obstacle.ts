// What keeps a host from translating: WebAssembly may be there, and the core run, where no more of it can be made.

/**
 * Why guest code is interpreted that was to be translated.
 * "no-tail-calls": the engine lacks WebAssembly's tail calls. "forbidden": code must not be made at run time (a content
 * security policy, or the embedder of an engine). "refused": a limit of the host (Chromium makes no module of more than
 * 8 MiB on a page's main thread, before version 115 none of more than 4 KiB), or no memory for code.
 */
export type TranslationObstacle = (typeof OBSTACLES)[number];

/** In the order of the numbers by which threads tell each other; 0: none. */
const OBSTACLES = ["no-tail-calls", "forbidden", "refused"] as const;

const TEXTS: Record<TranslationObstacle, string> = {
  "no-tail-calls":
    "this engine has no WebAssembly tail calls, which translated code needs (Node 20, Chrome 112 and newer have them, " +
    "unless a flag turns them off)",
  forbidden:
    "this host forbids WebAssembly made at run time (in a browser, the content security policy of the page or worker " +
    "has to allow script-src 'wasm-unsafe-eval')",
  refused: "this host made no more WebAssembly at run time (a limit of a page's main thread, or of memory)",
};

/** What is missing, and what to do about it, as half a sentence. */
export function describeObstacle(obstacle: TranslationObstacle): string {
  return TEXTS[obstacle];
}

/** The number of an obstacle, 0 without one. */
export function obstacleNumber(obstacle: TranslationObstacle | undefined): number {
  return obstacle === undefined ? 0 : OBSTACLES.indexOf(obstacle) + 1;
}

/** The obstacle of a number. */
export function obstacleNumbered(number: number): TranslationObstacle | undefined {
  return OBSTACLES[number - 1];
}

/** A module of one function, which calls itself by a tail call. */
const TAIL_CALL = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // magic number, version
  ...[1, 4, 1, 0x60, 0, 0], // type section: a function without parameters and results
  ...[3, 2, 1, 0], // function section
  ...[10, 6, 1, 4, 0, 0x12, 0, 0x0b], // code section: no locals; return_call 0; end
);

/** What keeps this thread from translating, as far as can be known before there is anything to translate. */
export function findObstacle(): TranslationObstacle | undefined {
  try {
    new WebAssembly.Instance(new WebAssembly.Module(TAIL_CALL));
    return undefined;
  } catch (error) {
    return obstacleBehind(error, TAIL_CALL) ?? "forbidden";
  }
}

/**
 * What an error says that a module's compilation or instantiation threw; undefined where the module itself is at fault.
 * Engines word it differently: it is the policy's where the bytes are those of a valid module.
 */
export function obstacleBehind(error: unknown, module: BufferSource): TranslationObstacle | undefined {
  if (!WebAssembly.validate(TAIL_CALL)) return "no-tail-calls";
  if (!WebAssembly.validate(module) || !(error as Error | null)?.name) return undefined;
  const { name } = error as Error;
  if (name === "RangeError") return "refused";
  return name === "CompileError" || name === "EvalError" ? "forbidden" : undefined;
}
