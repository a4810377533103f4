// The memory of unpack.wasm: read-only tables that asc places, working space, then what the host puts there: the packed
// bytes, and behind them room for the unpacked ones. Nothing lies behind that but SLACK, so that damaged data can spoil
// nothing but its own result, and reaches the end of the memory, which traps, before it reaches anything else.

/** 128 KiB and SLACK: literals of a zstd block. */
export const LITERALS = 0x10000;
/** Probabilities of LZMA; tables of zstd; the table of CRC-32. */
export const WORK = 0x40000;
/** From here on the memory is the host's to divide. */
export const DATA = 0x60000;
/** Bytes behind packed and behind unpacked data that are read and written without a closer look. */
export const SLACK = 64;
