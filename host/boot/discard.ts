// Giving memory back without waiting for the garbage collector, which sees a large buffer as a small object.

/**
 * Frees the memory behind `bytes`, which is empty afterwards: it is moved to a message port that nobody reads.
 * Arrays that are only a part of their buffer are left alone.
 */
export function discard(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (!(buffer instanceof ArrayBuffer) || bytes.byteLength !== buffer.byteLength) {
    return;
  }
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(null, [buffer]);
  port1.close();
  port2.close();
}
