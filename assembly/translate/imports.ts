// What a module of regions imports: globals, the ways out, and functions of the core as the batch uses them, numbered in the
// order of first use; and the function types that go with them. V8 compiles something for each type that a function is
// imported by, whether it turns out to be of use or not.
import { cpu } from "../cpu";
import { HELPERS_MAX, TR_HELPERS_USED, TR_TYPES_USED, TYPES_MAX } from "./layout";
import { I32, I64 } from "./writer";

/** A global: FAULT_* of the last call. */
export const G_FAULT: u32 = 0;

/** The ways out, functions of the vCPU's own module (ways.ts). */
export const F_LEAVE: u32 = 0;
export const F_MISS: u32 = 1;
export const F_LEAVE_OPEN: u32 = 2;
export const F_LEAVE_STORED: u32 = 3;
export const F_HELPERS: u32 = 4;

/** What is called where helpers are, by numbers behind theirs: exports j of the core (runtime.ts, x87/runtime.ts, string-runtime.ts). */
export const RUNTIME: u32 = 0x10000;
const RUNTIME_EXECUTE: u32 = RUNTIME;
export const RUNTIME_CONDITION: u32 = RUNTIME + 1;
export const RUNTIME_STORE_FLAGS: u32 = RUNTIME + 2;
export const RUNTIME_FLAGS: u32 = RUNTIME + 3;
export const RUNTIME_ATTACH_X87: u32 = RUNTIME + 4;
export const RUNTIME_DETACH_X87: u32 = RUNTIME + 5;
export const RUNTIME_COMPUTE_X87: u32 = RUNTIME + 6;
export const RUNTIME_COMPARE_X87: u32 = RUNTIME + 7;
export const RUNTIME_INTEGER_OF_X87: u32 = RUNTIME + 8;
export const RUNTIME_COPY_RUN: u32 = RUNTIME + 9;
export const RUNTIME_FILL_RUN: u32 = RUNTIME + 10;
/** findToRead, findToWrite of runtime.ts. */
export const RUNTIME_READS: u32 = RUNTIME + 11;
export const RUNTIME_WRITES: u32 = RUNTIME + 12;
/** findSpan of runtime.ts. */
export const RUNTIME_SPAN: u32 = RUNTIME + 13;
/** System calls (system.ts). */
export const RUNTIME_SYSCALL: u32 = RUNTIME + 14;
export const RUNTIME_SYSRET: u32 = RUNTIME + 15;
export const RUNTIME_SYSENTER: u32 = RUNTIME + 16;
export const RUNTIME_SYSEXIT: u32 = RUNTIME + 17;

/** Numbers of the types that are always there: that of regions, and that of ways out. */
export const TYPE_REGION: u32 = 0;
export const TYPE_WAY: u32 = 1;
export const TYPE_HELPERS: u32 = 2;
const TYPE_SIZE: usize = 16;

export function forgetImports(): void {
  store<u32>(cpu, 0, TR_HELPERS_USED);
  store<u32>(cpu, 0, TR_TYPES_USED);
}

export function usedHelpers(): u32 {
  return load<u32>(cpu, TR_HELPERS_USED);
}
export function usedHelper(index: u32): u32 {
  return load<u32>(cpu + 8 * index, TR_HELPERS_USED + 4);
}
export function usedHelperType(index: u32): u32 {
  return load<u32>(cpu + 8 * index, TR_HELPERS_USED + 8);
}
export function usedTypes(): u32 {
  return load<u32>(cpu, TR_TYPES_USED);
}
/** u8 count of parameters, u8 result (0: none), then the parameters' types. */
export function usedType(index: u32): usize {
  return cpu + TR_TYPES_USED + 4 + <usize>index * TYPE_SIZE;
}

/** Parameters of the type that is being put together. */
let draft: u64 = 0;
let drafted: u32 = 0;
export function beginType(): void {
  draft = 0;
  drafted = 0;
}
export function addParameter(type: u32): void {
  draft |= <u64>type << (drafted << 3);
  drafted++;
}

/** Function number of a helper called with the parameters put together, and a result (0: none). */
export function helperFunction(helper: u32, result: u32): u32 {
  const n = usedHelpers();
  for (let i: u32 = 0; i < n; i++) if (usedHelper(i) == helper) return F_HELPERS + i;
  store<u32>(cpu + 8 * n, helper, TR_HELPERS_USED + 4);
  store<u32>(cpu + 8 * n, TYPE_HELPERS + typeFor(result), TR_HELPERS_USED + 8);
  store<u32>(cpu, n + 1, TR_HELPERS_USED);
  return F_HELPERS + n;
}

/** Function number of what has the interpreter's case execute a record: its address, and that of its trace. */
export function executeFunction(): u32 {
  beginType();
  addParameter(I32);
  addParameter(I64);
  return helperFunction(RUNTIME_EXECUTE, I32);
}

/** Function number of RUNTIME_CONDITION, RUNTIME_STORE_FLAGS or RUNTIME_FLAGS. The type that is being put together stays as it is. */
export function flagsFunction(helper: u32): u32 {
  const types = draft;
  const count = drafted;
  beginType();
  if (helper == RUNTIME_CONDITION) addParameter(I32);
  addParameter(I32);
  addParameter(I64);
  addParameter(I64);
  const f = helperFunction(helper, helper == RUNTIME_STORE_FLAGS ? 0 : I32);
  draft = types;
  drafted = count;
  return f;
}

function typeFor(result: u32): u32 {
  const n = usedTypes();
  for (let i: u32 = 0; i < n; i++) {
    const t = usedType(i);
    if (load<u8>(t) == drafted && load<u8>(t, 1) == result && load<u64>(t, 4) == draft) return i;
  }
  const t = usedType(n);
  store<u8>(t, <u8>drafted);
  store<u8>(t, <u8>result, 1);
  store<u64>(t, draft, 4);
  store<u32>(cpu, n + 1, TR_TYPES_USED);
  return n;
}

/** True: the batch has no room for the imports that one more region may need. */
export function importsFull(): bool {
  return usedHelpers() + 64 > HELPERS_MAX || usedTypes() + 20 > TYPES_MAX;
}
