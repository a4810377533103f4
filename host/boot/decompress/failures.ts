// What the decoders of unpack.wasm find wrong, in words.
import {
  FAIL_CHECKSUM,
  FAIL_DAMAGED,
  FAIL_DICTIONARY,
  FAIL_FILTERS,
  FAIL_TOO_LONG,
  FAIL_TRUNCATED,
} from "../../../assembly/unpack/codes.ts";

const TEXTS = new Map<number, string>([
  [FAIL_TRUNCATED, "the data is truncated"],
  [FAIL_DAMAGED, "the data is damaged"],
  [FAIL_CHECKSUM, "the checksum of a block is wrong"],
  [FAIL_FILTERS, "its filter chain is not supported, only LZMA2 and x86 + LZMA2"],
  [FAIL_DICTIONARY, "data with a dictionary is not supported"],
  [FAIL_TOO_LONG, "more comes out than is announced"],
]);

/** `code`: FAIL_* of assembly/unpack/codes.ts. */
export function describeFailure(code: number): string {
  return TEXTS.get(code) ?? "the data is damaged or truncated";
}
