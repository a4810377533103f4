// core.wasm: the ABI, and what translated code imports (translate/imports.ts): globals g, functions j and h
// with their numbers.
export * from "./index";
export { fault as g0 } from "./cpu";
export { findSpan as j13, findToRead as j11, findToWrite as j12, j0, j1, j14, j15, j16, j17, j2, j3 } from "./translate/runtime";
export {
  attachX87 as j4, compareX87 as j7, computeX87 as j6, detachX87 as j5, integerOfX87 as j8,
} from "./translate/x87/runtime";
export { copyRun as j9, fillRun as j10 } from "./translate/string-runtime";
export * from "./generated/helpers";
