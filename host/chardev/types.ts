// A character device back end: what stands on the other side of a serial port or a debug console.

/** Takes and gives bytes; the front end (a device) does not know whether it is a terminal, a file or a socket. */
export interface Chardev {
  /** Output from the guest. The array is the caller's and may change after the call. */
  write(bytes: Uint8Array): void;
  /**
   * Registers the front end that takes input for the guest; a later call replaces it, null removes it.
   * The listener accepts every byte it is given and queues what its device cannot take yet.
   */
  onInput(listener: ((bytes: Uint8Array) => void) | null): void;
  /**
   * Back-pressure: false asks the back end to hold further input because the queue of the front end is long,
   * true asks for more. A back end that cannot hold its source (a keyboard) leaves this out.
   */
  setReady?(ready: boolean): void;
}
