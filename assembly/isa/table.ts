// The instruction table as a whole: importing this file registers every row.
import "./rows/arithmetic.ts";
import "./rows/branch.ts";
import "./rows/move.ts";
import "./rows/shift.ts";
import "./rows/string.ts";
import "./rows/system.ts";
import "./rows/x87.ts";

export { rows } from "./row.ts";
