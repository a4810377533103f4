// What V8 has optimised of the core, from one process to the next (docs/decisions/0032).
import { join } from "node:path";
import { cachedDataVersionTag } from "node:v8";
import { VCPU_BASE, VCPU_SIZE } from "../../../assembly/layout.ts";
import { type CoreExports, instantiate, makeMemory } from "../../kvm/core.ts";
import { hashOf, readKept, writeKept } from "./kept-file.ts";
import { machineCodeOf, moduleWithCode } from "./machine-code.ts";

/** Of the files' names: one for each core, engine and set of the engine's flags. */
const PREFIX = "core-";
/** A file is written again once there is this much more. */
const GROWTH = 1.01;
/** Less is not worth a file: a machine of which nothing became hot. */
const WORTH_BYTES = 32 << 10;

/** A core that has been compiled, and what it was compiled of and under. */
interface Compiled {
  readonly module: WebAssembly.Module;
  readonly bytes: Uint8Array;
  readonly tag: number;
  readonly path: string;
}

export class CoreCode {
  #core: Compiled | undefined;
  #keptBytes = 0;

  constructor(private readonly folder: string) {}

  /** Whether the core's code came from an earlier process. */
  get isRecalled(): boolean {
    return this.#keptBytes > 0;
  }

  /** Names the core, and the engine with its flags and the processor that the code is for; undefined: none has been compiled. */
  get name(): string | undefined {
    return this.#core && nameOf(this.#core.bytes, this.#core.tag);
  }

  /** As WebAssembly.compile() of a core's bytes, with what V8 made of them before. */
  async compile(source: BufferSource): Promise<WebAssembly.Module> {
    const bytes = bytesOf(source);
    const tag = cachedDataVersionTag();
    const path = join(this.folder, `${PREFIX}${nameOf(bytes, tag)}.code`);
    const code = readKept(path, bytes);
    const recalled = code && moduleWithCode(bytes, code);
    if (recalled) this.#keptBytes = code.length;
    const module = recalled ?? (await WebAssembly.compile(source));
    this.#core = { module, bytes, tag, path };
    return module;
  }

  /** Keeps what has been optimised until now, if that is more than was recalled. V8's flags have to be what they were in compile(). */
  keep(): void {
    if (!this.#core) return;
    const { module, bytes, path, tag } = this.#core;
    // Under other flags V8 would not take it back.
    if (cachedDataVersionTag() !== tag) return;
    const code = machineCodeOf(module, instanceOf(module).kvmClockGet);
    if (!code || code.length < Math.max(WORTH_BYTES, this.#keptBytes * GROWTH)) return;
    this.#keptBytes = code.length;
    writeKept(path, PREFIX, bytes, code);
  }
}

function nameOf(bytes: Uint8Array, tag: number): string {
  return `${hashOf(bytes).toString("hex").slice(0, 16)}-${tag.toString(16)}`;
}

/** For a function of the module's: what V8 makes of them, all instances share. */
function instanceOf(module: WebAssembly.Module): CoreExports {
  const nothing = (): void => {};
  const imports = { nowNs: () => 0, doorbell: nothing, trace: nothing };
  return instantiate(module, makeMemory(module, VCPU_BASE + VCPU_SIZE), imports);
}

function bytesOf(source: BufferSource): Uint8Array {
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
}
