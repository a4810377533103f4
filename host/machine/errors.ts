/** A machine that cannot be built as asked, or that cannot go on; the message is for its user. */
export class MachineError extends Error {
  override readonly name: string = "MachineError";
}

/** The guest did something after which its processor cannot go on. */
export class GuestCrash extends MachineError {
  override readonly name = "GuestCrash";
  /** Registers at that moment, several lines of text. */
  readonly dump: string;

  constructor(message: string, dump: string) {
    super(message);
    this.dump = dump;
  }
}
