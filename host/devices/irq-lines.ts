// Wires between devices and interrupt controllers.
import type { IrqLine } from "./bus.ts";

/** A wire that several devices pull: it is high while one of them holds it high. */
export class SharedIrqLine {
  private readonly target: (level: boolean) => void;
  private holders = 0;

  /** @param target called when the level of the whole wire changes */
  constructor(target: (level: boolean) => void) {
    this.target = target;
  }

  /** One more device on the wire. */
  connect(): IrqLine {
    let own = false;
    return {
      set: (level) => {
        if (level === own) {
          return;
        }
        own = level;
        this.holders += level ? 1 : -1;
        if (this.holders === (level ? 1 : 0)) {
          this.target(level);
        }
      },
    };
  }
}
