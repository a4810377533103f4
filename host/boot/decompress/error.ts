/** Compressed data that is damaged, or uses a feature that is not supported. */
export class DecompressError extends Error {
  override readonly name = "DecompressError";
}
