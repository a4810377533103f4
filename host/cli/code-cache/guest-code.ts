// What a guest's code became, from one process to the next: what was hot and what its regions were made of, and V8's machine code
// of them (docs/decisions/0037). One file for each guest.
import { join } from "node:path";
import type { Vm } from "../../kvm/vm.ts";
import { compileRegions } from "../engine.ts";
import { hashOf, readKept, writeKept } from "./kept-file.ts";
import { RegionCode } from "./region-code.ts";

const PREFIX = "guest-";
/** How many runs are expected of a guest that has run before, at least: what is made again in this one is made in those. */
const RUNS = 16;
/** u32: bytes of the profile that follows; then the code. */
const HEADER_BYTES = 4;

export class GuestCode {
  readonly #regions = new RegionCode();
  readonly #path: string;
  readonly #what: Uint8Array;
  #profile: Uint8Array | undefined;

  /** `guest`: names the guest among those of this user; `core`: the core and the engine (CoreCode.name). */
  constructor(folder: string, guest: string, core: string) {
    this.#what = Buffer.from(`${core} ${guest}`);
    this.#path = join(folder, `${PREFIX}${hashOf(this.#what).toString("hex").slice(0, 16)}.code`);
    const kept = readKept(this.#path, this.#what);
    if (!kept) return;
    const profileEnd = HEADER_BYTES + new DataView(kept.buffer, kept.byteOffset).getUint32(0, true);
    this.#profile = kept.subarray(HEADER_BYTES, profileEnd);
    this.#regions.load(kept.subarray(profileEnd));
  }

  /** Whether nothing was kept. */
  get isEmpty(): boolean {
    return this.#profile === undefined;
  }

  /** Regions of this process that had their code from an earlier one. */
  get recalled(): number {
    return this.#regions.recalled;
  }

  /** Has a VM expect what was hot before. Before its vCPUs run. */
  expect(vm: Vm): void {
    vm.expectHotCode(this.#profile, { keepsCode: true });
  }

  /** Makes an instance of a module of `regions` regions, with code that is kept if there is some. */
  instantiate(bytes: Uint8Array<ArrayBuffer>, imports: WebAssembly.Imports, regions: number): WebAssembly.Instance {
    const recalled = regions === 1 ? this.#regions.recall(bytes) : undefined;
    if (recalled) return new WebAssembly.Instance(recalled, imports);
    const module = compileRegions(bytes, regions, this.isEmpty ? 1 : RUNS);
    const instance = new WebAssembly.Instance(module, imports);
    const [region] = Object.values(instance.exports);
    if (regions === 1 && typeof region === "function") this.#regions.note(bytes, module, region);
    return instance;
  }

  /** Takes what V8 has optimised by now, before it is given up. */
  gather(): void {
    this.#regions.gather();
  }

  /** Keeps what a VM found hot, and what V8 has optimised of it. */
  keep(vm: Vm): void {
    const profile = vm.hotCode();
    const code = this.#regions.collect();
    // A machine of which nothing became hot leaves what there is.
    if (code.length === 0 && vm.getStats().counters["regionsBuilt"] === 0) return;
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32LE(profile.length);
    writeKept(this.#path, PREFIX, this.#what, Buffer.concat([header, profile, code]));
  }
}
