// What an instruction does, as data: a typed list of micro-operations. Every printer and the masks read it.

/** Operation width in bits. Values of 8, 16 and 32 bits travel as i32, 64-bit ones as i64. */
export type Width = 8 | 16 | 32 | 64;
export type Type = "i32" | "i64" | "f32" | "f64" | "v128" | "ptr" | "void";

/** How the flags are derived from the operands of a flag-setting operation (execute/flags.ts, CC_*). */
export type FlagKind =
  | "add" // dst = result, src = second operand
  | "adc1" // as add, with a carry in
  | "sub" // dst = first operand, src = second operand
  | "sbb1" // as sub, with a borrow in
  | "logic" // dst = result
  | "inc" // dst = result, src = CF to keep
  | "dec" // dst = result, src = CF to keep
  | "shl" // dst = result, src = operand shifted by count - 1: its top bit is CF
  | "shr" // dst = result, src = operand shifted by count - 1: its low bit is CF
  | "mul" // dst = low result, src = 1 if CF and OF
  | "scan" // dst = source, whose being zero is ZF; the others are undefined
  | "count"; // dst = result, src = CF; the others but ZF are undefined

const FLAG_KINDS: readonly FlagKind[] = ["add", "adc1", "sub", "sbb1", "logic", "inc", "dec", "shl", "shr", "mul"];

/** Kinds that leave more undefined than another that they are computed as. */
const COMPUTED_AS: Partial<Record<FlagKind, FlagKind>> = { scan: "logic", count: "mul" };

/** CC_* of a kind (execute/flags.ts). */
export function flagCode(kind: FlagKind): number {
  return FLAG_KINDS.indexOf(COMPUTED_AS[kind] ?? kind) + 1;
}

/** Whether the second value of a kind is a number by itself: not aligned with the first. */
export function hasPlainSource(kind: FlagKind): boolean {
  return kind === "inc" || kind === "dec" || kind === "mul" || kind === "count";
}

/** Two-operand operations on i32 and i64 (named as in WebAssembly; comparisons yield i32). */
export type BinaryOp =
  | "add"
  | "sub"
  | "mul"
  | "and"
  | "or"
  | "xor"
  | "shl"
  | "shr_u"
  | "shr_s"
  | "rotl"
  | "rotr"
  | "eq"
  | "ne"
  | "lt_u"
  | "lt_s"
  | "le_u"
  | "le_s"
  | "div_u"
  | "rem_u";
export type UnaryOp =
  | "eqz"
  | "clz"
  | "ctz"
  | "popcnt"
  | "extend8_s"
  | "extend16_s"
  | "extend32_s"
  | "wrap"
  | "extend_u"
  | "extend_s";

/** A value: the micro-operation that makes it. */
export interface Value {
  readonly id: number;
  readonly type: Type;
}

export type MicroOp = Value &
  (
    | { readonly op: "const"; readonly value: bigint }
    /** The immediate of the instruction, sign-extended by the decoder as its kind asks for. */
    | { readonly op: "imm"; readonly width: Width }
    /** A general register named by a record slot. */
    | { readonly op: "get"; readonly slot: number; readonly width: Width }
    | { readonly op: "put"; readonly slot: number; readonly width: Width; readonly args: readonly [Value] }
    /** A general register known when the row is written (RAX in MUL). */
    | { readonly op: "getFixed"; readonly register: number; readonly high: boolean; readonly width: Width }
    | {
        readonly op: "putFixed";
        readonly register: number;
        readonly high: boolean;
        readonly width: Width;
        readonly args: readonly [Value];
      }
    /** The raw register number in a record slot: segment, control, x87, MMX, XMM registers. */
    | { readonly op: "index"; readonly slot: number }
    /** Linear address of the memory operand, segment checks done for an access of this size; may fault. `aligned`: off a
     * boundary of its size #GP(0) comes before what its segment raises; the guard that follows raises the rest. */
    | {
        readonly op: "address";
        readonly bytes: number;
        readonly write: boolean;
        readonly aligned?: boolean;
        readonly args: readonly Value[];
      }
    /** Effective address without segment base or checks (LEA). */
    | { readonly op: "effective" }
    | { readonly op: "load"; readonly width: Width; readonly args: readonly [Value] }
    /** A load that a store to the same address follows; faults as the store would. */
    | { readonly op: "modify"; readonly width: Width; readonly locked: boolean; readonly args: readonly [Value] }
    | { readonly op: "store"; readonly width: Width; readonly args: readonly [Value, Value] }
    /** The store that completes a modify: args are the modify, then the new value. */
    | {
        readonly op: "complete";
        readonly width: Width;
        readonly locked: boolean;
        readonly args: readonly [Value, Value];
      }
    /** Host address of a vector or x87 operand's bytes, for reading; may fault. `aligned`: off a boundary of as many bytes
     * (16 or 32) it is #GP(0). */
    | {
        readonly op: "pointer";
        readonly slot: number;
        readonly file: "xmm" | "mmx";
        readonly bytes: number;
        readonly memory: boolean;
        readonly aligned: boolean;
      }
    /** The host address so many bytes behind another: the upper half of a YMM register, or of an operand in memory. */
    | { readonly op: "offset"; readonly bytes: number; readonly args: readonly [Value] }
    | { readonly op: "vload"; readonly bytes: number; readonly args: readonly [Value] }
    | { readonly op: "vstore"; readonly bytes: number; readonly args: readonly [Value, Value] }
    /** Stores 16 bytes to guest memory: the linear address, then a v128. All of it is written, or it faults. */
    | { readonly op: "vwrite"; readonly args: readonly [Value, Value] }
    | { readonly op: "simd"; readonly name: string; readonly args: readonly (Value | number)[] }
    | { readonly op: "binary"; readonly name: BinaryOp; readonly args: readonly [Value, Value] }
    | { readonly op: "unary"; readonly name: UnaryOp; readonly args: readonly [Value] }
    | { readonly op: "select"; readonly args: readonly [Value, Value, Value] }
    /** One of the sixteen conditions of Jcc, from the lazy flags. */
    | { readonly op: "condition"; readonly code: number }
    | { readonly op: "flags"; readonly kind: FlagKind; readonly width: Width; readonly args: readonly Value[] }
    /** Sets the six status flags to a value in RFLAGS layout. */
    | { readonly op: "setFlags"; readonly args: readonly [Value] }
    | { readonly op: "getFlags" }
    /** Address of the next instruction. */
    | { readonly op: "nextRip" }
    /** A helper shared by every tier. */
    | {
        readonly op: "call";
        readonly module: string;
        readonly name: string;
        readonly faults: boolean;
        readonly args: readonly Value[];
      }
    /** Raises vector (error code or -1) if the condition holds. */
    | { readonly op: "guard"; readonly vector: number; readonly error: number; readonly args: readonly [Value] }
    | { readonly op: "when"; readonly args: readonly [Value]; readonly body: readonly MicroOp[] }
    /** Ends the instruction by a jump relative to the next one: the immediate is the displacement. */
    | { readonly op: "branch"; readonly width: Width; readonly args: readonly [] | readonly [Value] }
    /** Ends the instruction by a jump to a computed address in the same code segment. */
    | { readonly op: "jump"; readonly width: Width; readonly args: readonly [Value] }
    /** Ends the trace: what follows depends on state that a helper changed. */
    | { readonly op: "end" }
  );
