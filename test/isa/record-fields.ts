// Fields of a decoded record (assembly/decode/record.ts, which only asc can read).

export const R_R0 = 8;
export const R_R1 = 9;
export const R_BASE = 10;
export const R_INDEX = 11;
export const R_SCALE = 12;
export const R_SEGMENT = 13;
export const R_R2 = 14;
export const R_EA = 15;
export const R_DISP = 16;
export const R_NEXT = 20;
export const R_IMM = 24;
