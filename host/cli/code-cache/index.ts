// What one process leaves to the next in the user's cache folder, so that that compiles less: machine code of the core and of a guest's regions.
// It is only a cache: where it cannot be read, written or used, all goes on as without one.
import { CoreCode } from "./core-code.ts";
import { GuestCode } from "./guest-code.ts";

/** A cache in `folder`, for processes that have V8's flags as they are when the core is compiled. */
export class CodeCache {
  readonly core: CoreCode;

  constructor(private readonly folder: string) {
    this.core = new CoreCode(folder);
  }

  /** Of a guest, by a name that it has among this user's; undefined where no core has been compiled. */
  guest(name: string): GuestCode | undefined {
    return this.core.name === undefined ? undefined : new GuestCode(this.folder, name, this.core.name);
  }
}
