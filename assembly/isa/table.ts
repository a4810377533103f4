// The instruction table as a whole: importing this file registers every row.
import "./rows/arithmetic.ts";
import "./rows/branch.ts";
import "./rows/avx.ts";
import "./rows/fma.ts";
import "./rows/move.ts";
import "./rows/shift.ts";
import "./rows/string.ts";
import "./rows/system.ts";
import "./rows/crypto.ts";
import "./rows/sse-convert.ts";
import "./rows/sse-float.ts";
import "./rows/sse-integer.ts";
import "./rows/sse-move.ts";
import "./rows/sse-shuffle.ts";
import "./rows/sse41.ts";
import "./rows/sse42.ts";
import "./rows/state.ts";
import "./rows/x87.ts";

export { rows } from "./row.ts";
