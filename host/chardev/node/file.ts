// A file that takes what the guest writes.
import { closeSync, openSync, writeSync } from "node:fs";
import type { Chardev } from "../types.ts";

const BUFFER_BYTES = 4096;

/** Output only. Throws the system's error when the file cannot be opened. */
export class FileChardev implements Chardev {
  private readonly descriptor: number;
  private readonly buffer = new Uint8Array(BUFFER_BYTES);
  private used = 0;
  private scheduled = false;
  private closed = false;

  constructor(path: string, append = false) {
    this.descriptor = openSync(path, append ? "a" : "w");
  }

  write(bytes: Uint8Array): void {
    for (const byte of bytes) {
      this.buffer[this.used++] = byte;
      if (this.used === BUFFER_BYTES) this.flush();
    }
    if (this.used === 0 || this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  onInput(_listener: ((bytes: Uint8Array) => void) | null): void {}

  /** Writes what is buffered and closes the file. */
  close(): void {
    this.flush();
    if (!this.closed) closeSync(this.descriptor);
    this.closed = true;
  }

  private flush(): void {
    if (this.closed) return;
    let done = 0;
    while (done < this.used) done += writeSync(this.descriptor, this.buffer, done, this.used - done);
    this.used = 0;
  }
}
