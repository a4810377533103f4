// What can be wrong with packed data: numbers that unpack.wasm says, and the host puts into words.

/** Positions lead outside of the data. */
export const FAIL_NONE = 0;
export const FAIL_TRUNCATED = 1;
/** What is written in it makes no sense. */
export const FAIL_DAMAGED = 2;
export const FAIL_CHECKSUM = 3;
/** The filters of an xz block are others than LZMA2, or the x86 filter and LZMA2. */
export const FAIL_FILTERS = 4;
/** A zstd frame needs a dictionary. */
export const FAIL_DICTIONARY = 5;
/** More comes out than is announced. */
export const FAIL_TOO_LONG = 6;
