// The numbers of FLOAT_* in execute/float/soft.ts, which only asc can read.
export const FLOAT_ADD = 0;
export const FLOAT_SUB = 1;
export const FLOAT_MUL = 2;
export const FLOAT_DIV = 3;
export const FLOAT_MIN = 4;
export const FLOAT_MAX = 5;
export const FLOAT_SQRT = 6;
