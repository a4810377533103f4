// Runs the oracle's operations on the core's floating-point functions: names to calls.
import { CPU_FTAG, CPU_MXCSR, CPU_X87, CPU_XMM, VCPU_BASE } from "../../assembly/layout.ts";
import {
  IN_A,
  IN_B,
  IN_CONTROL,
  IN_EMPTY,
  OUT_BYTES,
  OUT_FLAGS,
  OUT_MEMORY,
  OUT_STATUS,
  OUT_TRAPPED,
} from "./float-case.ts";

type Call = (...values: (number | bigint | boolean)[]) => number | bigint | undefined;

export interface FloatCore {
  memory: WebAssembly.Memory;
  view: DataView;
  exports: Record<string, Call> & { fault: WebAssembly.Global };
}

const DST = VCPU_BASE + CPU_XMM;
const SRC = DST + 32;
const STATUS_FLAGS = 0x44;
const ARITHMETIC = ["add", "sub", "mul", "div", "min", "max", "sqrt"];

export function isX87(name: string): boolean {
  return name.startsWith("f");
}

/** The answer record of one SSE operation, or undefined where the name has no counterpart. */
export function runSse(core: FloatCore, name: string, record: Buffer): Buffer | undefined {
  const bytes = new Uint8Array(core.memory.buffer);
  const answer = Buffer.alloc(OUT_BYTES);
  bytes.set(record.subarray(IN_A, IN_A + 16), DST);
  bytes.set(record.subarray(IN_B, IN_B + 16), SRC);
  core.view.setUint32(VCPU_BASE + CPU_MXCSR, record.readUInt32LE(IN_CONTROL), true);
  core.exports.setFlags!(STATUS_FLAGS);
  core.exports.clearFault!();
  const general = callSse(core, name, record.readBigUInt64LE(IN_B));
  if (general === undefined) return undefined;
  const fault = core.exports.fault.value as number;
  answer.writeUInt32LE(core.view.getUint32(VCPU_BASE + CPU_MXCSR, true), OUT_STATUS);
  answer.fill(0xcc, OUT_MEMORY, OUT_MEMORY + 16);
  answer.writeUInt32LE(fault ? 1 : 0, OUT_TRAPPED);
  if (fault) return answer;
  answer.set(bytes.subarray(DST, DST + 16), 0);
  answer.writeBigUInt64LE(general, 16);
  answer.writeUInt32LE(Number(core.exports.getFlags!()) & 0x8d5, OUT_FLAGS);
  return answer;
}

// Performs the operation on DST and SRC; returns what the general register holds afterwards.
function callSse(core: FloatCore, name: string, general: bigint): bigint | undefined {
  const { exports: x, view } = core;
  const [stem, immediateText] = name.replace(/^v(?=cmp)/, "").split("_") as [string, string?];
  const immediate = Number(immediateText ?? 0);
  const unsigned = (value: number | bigint | undefined) => BigInt.asUintN(64, BigInt(value as bigint));
  const a32 = () => view.getUint32(DST, true);
  const a64 = () => view.getBigUint64(DST, true);
  const b32 = () => view.getUint32(SRC, true);
  const b64 = () => view.getBigUint64(SRC, true);
  const scalar = (value: number | bigint | undefined, bytes: 4 | 8): bigint => {
    if (!x.sseCommit!()) return general;
    if (bytes === 4) view.setUint32(DST, Number(value), true);
    else view.setBigUint64(DST, unsigned(value), true);
    return general;
  };
  const integer = (value: number | bigint | undefined): bigint => (x.sseCommit!() ? unsigned(value) : general);
  const narrow = (): bigint => {
    if (!(x.fault as unknown as WebAssembly.Global).value) view.setBigUint64(DST + 8, 0n, true);
    return general;
  };
  const operation = ARITHMETIC.indexOf(stem.slice(0, -2));
  if (operation >= 0) {
    const kind = { pd: "packedF64", ps: "packedF32", sd: "scalarF64", ss: "scalarF32" }[stem.slice(-2)] as string;
    x[kind]!(operation, DST, SRC);
    return general;
  }
  x.sseBegin!();
  switch (stem) {
    case "cmppd":
      x.vectorCompareF64!(DST, DST, SRC, immediate, 16);
      return general;
    case "cmpps":
      x.vectorCompareF32!(DST, DST, SRC, immediate, 16);
      return general;
    case "roundpd":
      x.vectorRoundF64!(DST, SRC, immediate, 16);
      return general;
    case "roundps":
      x.vectorRoundF32!(DST, SRC, immediate, 16);
      return general;
    case "dppd":
      x.dotF64!(DST, DST, SRC, immediate);
      return general;
    case "dpps":
      x.dotF32!(DST, DST, SRC, immediate, 16);
      return general;
    case "comisd":
      x.comiF64!(a64(), b64(), 1);
      return general;
    case "comiss":
      x.comiF32!(a32(), b32(), 1);
      return general;
    case "ucomisd":
      x.comiF64!(a64(), b64(), 0);
      return general;
    case "ucomiss":
      x.comiF32!(a32(), b32(), 0);
      return general;
    case "addsubpd":
      x.addSubF64!(DST, DST, SRC, 16);
      return general;
    case "addsubps":
      x.addSubF32!(DST, DST, SRC, 16);
      return general;
    case "haddpd":
      x.horizontalF64!(DST, DST, SRC, 16, 0);
      return general;
    case "haddps":
      x.horizontalF32!(DST, DST, SRC, 16, 0);
      return general;
    case "hsubpd":
      x.horizontalF64!(DST, DST, SRC, 16, 1);
      return general;
    case "hsubps":
      x.horizontalF32!(DST, DST, SRC, 16, 1);
      return general;
    case "cvtps2pd":
      x.vectorF32ToF64!(DST, SRC, 16);
      return general;
    case "cvtpd2ps":
      x.vectorF64ToF32!(DST, SRC, 16);
      return narrow();
    case "cvtss2sd":
      return scalar(x.f32ToF64!(b32()), 8);
    case "cvtsd2ss":
      return scalar(x.f64ToF32!(b64()), 4);
    case "cvtps2dq":
      x.vectorF32ToI32!(DST, SRC, 0, 16);
      return general;
    case "cvttps2dq":
      x.vectorF32ToI32!(DST, SRC, 1, 16);
      return general;
    case "cvtpd2dq":
      x.vectorF64ToI32!(DST, SRC, 0, 16);
      return narrow();
    case "cvttpd2dq":
      x.vectorF64ToI32!(DST, SRC, 1, 16);
      return narrow();
    case "cvtdq2ps":
      x.vectorI32ToF32!(DST, SRC, 16);
      return general;
    case "cvtdq2pd":
      x.vectorI32ToF64!(DST, SRC, 16);
      return general;
    case "cvtsd2si":
      return integer(x.f64ToI64!(a64(), 0));
    case "cvttsd2si":
      return integer(x.f64ToI64!(a64(), 1));
    case "cvtss2si":
      return integer(x.f32ToI64!(a32(), 0));
    case "cvttss2si":
      return integer(x.f32ToI64!(a32(), 1));
    case "cvtsi2sd":
      return scalar(x.i64ToF64!(general), 8);
    case "cvtsi2ss":
      return scalar(x.i64ToF32!(general), 4);
    case "vcvtph2ps":
      x.vectorF16ToF32!(DST, SRC, 16);
      return general;
    case "vcvtps2ph":
      x.vectorF32ToF16!(DST, SRC, immediate, 16);
      return narrow();
    case "vfmaddpd":
    case "vfmsubpd":
    case "vfnmaddpd":
    case "vfnmsubpd":
    case "vfmaddps":
    case "vfmsubps":
    case "vfnmaddps":
    case "vfnmsubps": {
      const size = stem.endsWith("d") ? 8 : 4;
      const product = stem.startsWith("vfn") ? 1 : 0;
      const addend = stem.includes("sub") ? 1 : 0;
      const lanes = [];
      for (let i = 0; i < 16; i += size) {
        if (size === 8)
          lanes.push(
            x.fmaF64!(
              view.getBigUint64(SRC + i, true),
              view.getBigUint64(DST + i, true),
              view.getBigUint64(DST + (i ^ 8), true),
              product,
              addend,
            ),
          );
        else
          lanes.push(
            x.fmaF32!(
              view.getUint32(SRC + i, true),
              view.getUint32(DST + i, true),
              view.getUint32(DST + (i ^ 8), true),
              product,
              addend,
            ),
          );
      }
      if (!x.sseCommit!()) return general;
      for (const [i, lane] of lanes.entries()) {
        if (size === 8) view.setBigUint64(DST + 8 * i, unsigned(lane), true);
        else view.setUint32(DST + 4 * i, Number(lane), true);
      }
      return general;
    }
    case "rcpps":
    case "rsqrtps":
      for (let i = 0; i < 16; i += 4) {
        const lane = view.getUint32(SRC + i, true);
        view.setUint32(DST + i, Number(stem === "rcpps" ? x.reciprocalF32!(lane) : x.reciprocalSqrtF32!(lane)), true);
      }
      return general;
    default:
      return undefined;
  }
}

const RESULTS = VCPU_BASE + CPU_X87;

/** The answer record of one x87 operation, or undefined where the name has no counterpart. */
export function runX87(core: FloatCore, name: string, record: Buffer): Buffer | undefined {
  const { exports: x, view } = core;
  const bytes = new Uint8Array(core.memory.buffer);
  const empty = record.readUInt32LE(IN_EMPTY);
  x.fninit!();
  bytes.fill(0, RESULTS, RESULTS + 128);
  if (empty < 2) x.fldF80!(record.readBigUInt64LE(IN_B), record.readUInt16LE(IN_B + 8));
  if (empty < 1) x.fldF80!(record.readBigUInt64LE(IN_A), record.readUInt16LE(IN_A + 8));
  x.fldcw!(record.readUInt32LE(IN_CONTROL));
  x.setFlags!(STATUS_FLAGS);
  const answer = Buffer.alloc(OUT_BYTES);
  answer.fill(0xcc, OUT_MEMORY, OUT_MEMORY + 16);
  if (!callX87(core, name, record, answer)) return undefined;
  const status = Number(x.statusWord!());
  const top = (status >> 11) & 7;
  for (let i = 0; i < 2; i++) {
    const at = RESULTS + 16 * ((top + i) & 7);
    answer.set(bytes.subarray(at, at + 10), i * 16);
  }
  answer.writeUInt32LE(status, OUT_STATUS);
  const tags = view.getUint32(VCPU_BASE + CPU_FTAG, true);
  answer.writeUInt32LE((Number(x.getFlags!()) & 0x8d5) | (tags << 16), OUT_FLAGS);
  return answer;
}

const OPERATIONS: Record<string, number> = { fadd: 0, fmul: 1, fsub: 4, fsubr: 5, fdiv: 6, fdivr: 7 };
const CONSTANTS = ["fld1", "fldl2t", "fldl2e", "fldpi", "fldlg2", "fldln2", "fldz"];

// False: unknown. Store operations leave their bytes in the answer.
function callX87(core: FloatCore, name: string, record: Buffer, answer: Buffer): boolean {
  const x = core.exports;
  const [stem, kind] = name.split("_") as [string, string?];
  const operation = OPERATIONS[stem.replace(/p$/, "")];
  const f32 = record.readUInt32LE(IN_B);
  const f64 = record.readBigUInt64LE(IN_B);
  const integer = kind === "i16" ? record.readInt16LE(IN_B) : record.readInt32LE(IN_B);
  const high = record.readUInt16LE(IN_B + 8);
  const store = (size: number, ready: number | bigint | undefined, popping: number): boolean => {
    if (ready) {
      const low = Buffer.alloc(16);
      low.writeBigUInt64LE(BigInt.asUintN(64, (x.storeLow as unknown as WebAssembly.Global).value as bigint), 0);
      low.writeUInt16LE(Number((x.storeHigh as unknown as WebAssembly.Global).value) & 0xffff, 8);
      low.copy(answer, OUT_MEMORY, 0, size);
    }
    x.storeDone!(popping);
    return true;
  };
  if (operation !== undefined) {
    if (kind === "f32") x.arithmeticF32!(operation, f32);
    else if (kind === "f64") x.arithmeticF64!(operation, f64);
    else if (kind === "0") x.arithmeticSt!(operation, 1, 0, 0);
    else if (kind === "1") x.arithmeticSt!(operation, 1, 1, stem.endsWith("p") ? 1 : 0);
    else x.arithmeticInteger!(operation, integer);
    return true;
  }
  if (CONSTANTS.includes(stem)) {
    x.fldConstant!(CONSTANTS.indexOf(stem));
    return true;
  }
  switch (name) {
    case "fcom":
      x.fcomSt!(1, 0, 0);
      return true;
    case "fcomp":
      x.fcomSt!(1, 0, 1);
      return true;
    case "fcompp":
      x.fcomSt!(1, 0, 2);
      return true;
    case "fucom":
      x.fcomSt!(1, 1, 0);
      return true;
    case "fucomp":
      x.fcomSt!(1, 1, 1);
      return true;
    case "fucompp":
      x.fcomSt!(1, 1, 2);
      return true;
    case "fcom_f32":
      x.fcomF32!(f32, 0);
      return true;
    case "fcom_f64":
      x.fcomF64!(f64, 0);
      return true;
    case "ficom_i16":
    case "ficom_i32":
      x.fcomInteger!(integer, 0);
      return true;
    case "fcomi":
      x.fcomiSt!(1, 0, 0);
      return true;
    case "fcomip":
      x.fcomiSt!(1, 0, 1);
      return true;
    case "fucomi":
      x.fcomiSt!(1, 1, 0);
      return true;
    case "fucomip":
      x.fcomiSt!(1, 1, 1);
      return true;
    case "fcmovb":
      x.setFlags!(0x95);
      x.fcmov!(1, 1);
      return true;
    case "fcmovnb":
      x.setFlags!(0x95);
      x.fcmov!(1, 0);
      return true;
    case "fabs_":
      x.fabs!();
      return true;
    case "fprem":
      x.fprem!(0);
      return true;
    case "fprem1":
      x.fprem!(1);
      return true;
    case "fxch":
      x.fxch!(1);
      return true;
    case "fld_1":
      x.fldSt!(1);
      return true;
    case "fld_full":
      for (let i = 0; i < 7; i++) x.fldConstant!(6);
      return true;
    case "fst_1":
      x.fstSt!(1, 0);
      return true;
    case "fstp_1":
      x.fstSt!(1, 1);
      return true;
    case "ffree_1":
      x.ffree!(1, 0);
      return true;
    case "ffreep_1":
      x.ffree!(1, 1);
      return true;
    case "fincstp":
      x.moveTop!(1);
      return true;
    case "fdecstp":
      x.moveTop!(-1);
      return true;
    case "fld_f32":
      x.fldF32!(f32);
      return true;
    case "fld_f64":
      x.fldF64!(f64);
      return true;
    case "fld_f80":
      x.fldF80!(f64, high);
      return true;
    case "fild_i16":
    case "fild_i32":
      x.fild!(BigInt(integer));
      return true;
    case "fild_i64":
      x.fild!(BigInt.asIntN(64, f64));
      return true;
    case "fbld":
      x.fbld!(f64, high);
      return true;
    case "fst_f32":
      return store(4, x.storeF32!(), 0);
    case "fstp_f32":
      return store(4, x.storeF32!(), 1);
    case "fst_f64":
      return store(8, x.storeF64!(), 0);
    case "fstp_f64":
      return store(8, x.storeF64!(), 1);
    case "fstp_f80":
      return store(10, x.storeF80!(), 1);
    case "fist_i16":
      return store(2, x.storeInteger!(16, 0), 0);
    case "fistp_i16":
      return store(2, x.storeInteger!(16, 0), 1);
    case "fist_i32":
      return store(4, x.storeInteger!(32, 0), 0);
    case "fistp_i32":
      return store(4, x.storeInteger!(32, 0), 1);
    case "fistp_i64":
      return store(8, x.storeInteger!(64, 0), 1);
    case "fisttp_i16":
      return store(2, x.storeInteger!(16, 1), 1);
    case "fisttp_i32":
      return store(4, x.storeInteger!(32, 1), 1);
    case "fisttp_i64":
      return store(8, x.storeInteger!(64, 1), 1);
    case "fbstp":
      return store(10, x.storeDecimal!(), 1);
    default:
      break;
  }
  const plain = x[name];
  if (!plain) return false;
  plain();
  return true;
}
