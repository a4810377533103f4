// unpack.wasm: what Linux kernels are packed with. A module of its own, over a memory of its own, which is thrown away as a
// whole: the user side makes one when a kernel is to be unpacked.
export { failure } from "./failure";
export { unpackLz4 } from "./lz4-legacy";
export { unpackXz } from "./xz";
export { unpackZstd } from "./zstd/zstd";
