// Micro-operations as bytes: what the translator, in AssemblyScript, expands at run time.
//
// A list is a header of four bytes and then the steps, up to MICRO_END:
//
//   u8 values         how many values the steps define; they are numbered from 0 in the order of definition, the
//                     bodies of MICRO_WHEN included, so that an operand is one byte
//   u8 attributes     ATTRIBUTE_*
//   u8 flags read     status flags that must be right on entry: CF PF AF ZF SF OF from bit 0; bit 6: interrupts wait
//                     until the next instruction is done (FLAGS_SHADOW); bit 7: the trace ends, but control goes on
//                     behind (FLAGS_STRAIGHT)
//   u8 flags written  status flags that are set whatever happens (six bits as above)
//
// A step is an opcode byte MICRO_*, then its fields. MICRO_DEFERRED (bit 7 of the opcode) marks a value that is used
// exactly once, and that may be computed where it is used: nothing in between changes what it reads. An expander may
// emit it there, as a tree on WebAssembly's stack, or ignore the bit and give it a local.
// Fields: `v` the number of a value; `w` log2 of a width in bytes (0: 8 bits, 3: 64); `slot` 0-2 a register field of
// the record (R_R0, R_R1, R_R2); leb: unsigned LEB128; wasm: the opcode byte of WebAssembly, to be copied.
// Types of values: i32 for widths of 8 to 32 bits, i64 for 64, host addresses i32.
//
//   MICRO_CONST32   sleb                 i32; the bytes of the operand of i32.const
//   MICRO_CONST64   sleb                 i64; the bytes of the operand of i64.const
//   MICRO_IMM       w                    the record's immediate, cut to the width: i32, or i64 where w is 3
//   MICRO_GET       slot*4+w             general register of the slot, zero-extended
//   MICRO_PUT       slot*4+w v           8 and 16 bits leave the rest of the register, 32 bits clear the upper half
//   MICRO_GET_FIXED w*32+high*16+number  general register by number; high: its second byte (AH)
//   MICRO_PUT_FIXED w*32+high*16+number v
//   MICRO_INDEX     slot                 i32: the number in the slot
//   MICRO_ADDRESS   leb                  i64: linear address of the memory operand; leb: bytes*2, +1: for writing
//   MICRO_ADDRESS_PLUS leb v             as above, displaced by v (i64)
//   MICRO_ADDRESS_ALIGNED leb            as MICRO_ADDRESS; off a 16-byte boundary #GP(0) comes before what its segment
//                                        raises (execute/vector/memory.ts)
//   MICRO_EFFECTIVE                      i64: offset of the memory operand in its segment
//   MICRO_LOAD      w v                  zero-extended; v: linear address
//   MICRO_MODIFY    w v                  a load that faults as a store; the next MICRO_COMPLETE of it follows
//   MICRO_MODIFY_LOCKED w v              atomically with its MICRO_COMPLETE_LOCKED, or tried again
//   MICRO_STORE     w v v                address, value: the low bits are stored
//   MICRO_COMPLETE  w v v                the value of the MICRO_MODIFY, new value
//   MICRO_COMPLETE_LOCKED w v v
//   MICRO_POINTER   flags leb            i32: host address of a vector operand's bytes; leb: their number; flags: bits
//                                        0-1 slot, 2 MMX register, 3 memory operand, 4 #GP(0) off a boundary of as many bytes (16 or 32)
//   MICRO_OFFSET    leb v                i32: the host address leb bytes behind one that MICRO_POINTER gave: the upper
//                                        half of a YMM register, of which the lower one is the XMM register
//   MICRO_VLOAD     bytes v              i32 (1, 2, 4), i64 (8) or v128 (16) at a host address
//   MICRO_VSTORE    bytes v v            address, value
//   MICRO_VWRITE    v v                  stores 16 bytes to guest memory: linear address, v128; all of it or a fault
//   MICRO_OP32 MICRO_OP64                i32 or i64: wasm count v...; operations of WebAssembly on one to three values,
//                                        select (0x1b) with the condition as its last operand
//   MICRO_SELECT128 v v v                v128: as select
//   MICRO_SIMD      type*16+count v... length bytes   type 0 i32, 1 i64, 4 v128; the bytes are the operation with its
//                                        prefix 0xfd and lane immediates, to be copied
//   MICRO_CONDITION code                 i32, 0 or 1: condition of Jcc
//   MICRO_FLAGS     cc v [v]             cc: what CPU_CC_OP gets (kind*4+w); CPU_CC_DST gets the first value and
//                                        CPU_CC_SRC the second, left-aligned in 64 bits, but the second plainly for
//                                        kinds 6, 7, 10 (inc, dec, mul); kind 5 (logic) has one value
//   MICRO_SET_FLAGS v                    status flags in RFLAGS layout
//   MICRO_GET_FLAGS                      i32: status flags in RFLAGS layout
//   MICRO_NEXT_RIP                       i64: address of the next instruction
//   MICRO_CALL      leb shape count v... leb: number of the helper (generated/helpers.ts);
//                                        shape: bits 0-2 the function's result (0 i32, 1 i64, 4 v128, 7 none), bit 3
//                                        may fault, bit 4 the result is dropped: the step defines no value
//   MICRO_GUARD     vector sleb v        raises if v is not 0; sleb: error code, -1: none
//   MICRO_WHEN      v leb                the steps in the next leb bytes are executed if v is not 0
//   MICRO_BRANCH    w                    jump by the immediate, at operand size w
//   MICRO_BRANCH_IF w v
//   MICRO_JUMP      w v
//   MICRO_LEAVE                          the trace ends: state that decoding depends on may have changed
import { deferredValues } from "./deferred.ts";
import { packFlags } from "./flag-bits.ts";
import type { Signatures } from "./helper-signatures.ts";
import { argumentsOf, masksOf } from "./masks.ts";
import { flagCode, type MicroOp, type Type, type Value, type Width } from "./micro-op.ts";
import type { Variant } from "./variant.ts";
import { binaryOpcode, signedLeb, simdBytes, unaryOpcode, unsignedLeb } from "./wasm-opcodes.ts";

/** Opcode bytes; printed as MICRO_* constants. */
export const MICRO = {
  END: 0,
  CONST32: 1,
  CONST64: 2,
  IMM: 3,
  GET: 4,
  PUT: 5,
  GET_FIXED: 6,
  PUT_FIXED: 7,
  INDEX: 8,
  ADDRESS: 9,
  ADDRESS_PLUS: 10,
  EFFECTIVE: 11,
  LOAD: 12,
  MODIFY: 13,
  MODIFY_LOCKED: 14,
  STORE: 15,
  COMPLETE: 16,
  COMPLETE_LOCKED: 17,
  POINTER: 18,
  VLOAD: 19,
  VSTORE: 20,
  OP32: 21,
  OP64: 22,
  SELECT128: 23,
  SIMD: 24,
  CONDITION: 25,
  FLAGS: 26,
  SET_FLAGS: 27,
  GET_FLAGS: 28,
  NEXT_RIP: 29,
  CALL: 30,
  GUARD: 31,
  WHEN: 32,
  BRANCH: 33,
  BRANCH_IF: 34,
  JUMP: 35,
  LEAVE: 36,
  VWRITE: 37,
  ADDRESS_ALIGNED: 38,
  OFFSET: 39,
  DEFERRED: 0x80,
} as const;

/** Attributes of a list; printed as ATTRIBUTE_* constants. WIDTH_SHIFT: log2 of the operation's width in bytes, two bits. */
export const ATTRIBUTES = {
  MAY_FAULT: 1,
  MEMORY: 2,
  WRITES_MEMORY: 4,
  ENDS: 8,
  NEEDS_RIP: 16,
  CALLS: 32,
  WIDTH_SHIFT: 6,
} as const;

/** Bits of the third header byte. */
export const FLAGS_SHADOW = 64;
export const FLAGS_STRAIGHT = 128;

const SELECT = 0x1b;
const TYPE_CODE: Record<Type, number> = { i32: 0, ptr: 0, i64: 1, f32: 2, f64: 3, v128: 4, void: 7 };
const log = (width: Width): number => Math.log2(width / 8);

/** Numbers for helpers, given out in the order of first use, and their signatures. */
export class Helpers {
  private readonly numbers = new Map<string, number>();

  constructor(readonly signatures: Signatures) {}

  of(module: string, name: string): number {
    const key = `${module}.${name}`;
    let number = this.numbers.get(key);
    if (number === undefined) this.numbers.set(key, (number = this.numbers.size));
    return number;
  }

  /** "module.name" by number. */
  get names(): readonly string[] {
    return [...this.numbers.keys()];
  }
}

/** The bytes of a variant's list. Throws where a body uses a value outside the scope that defines it. */
export function serialize(variant: Variant, helpers: Helpers): Uint8Array {
  const numbers = numberValues(variant);
  const deferred = deferredValues(variant.steps);
  const steps = new Writer(variant, numbers, deferred, helpers).list(variant.steps);
  const masks = masksOf(variant);
  let attributes = log(variant.width) << ATTRIBUTES.WIDTH_SHIFT;
  if (masks.mayFault) attributes |= ATTRIBUTES.MAY_FAULT;
  if (masks.readsMemory || masks.writesMemory) attributes |= ATTRIBUTES.MEMORY;
  if (masks.writesMemory) attributes |= ATTRIBUTES.WRITES_MEMORY;
  if (variant.row.ends) attributes |= ATTRIBUTES.ENDS;
  if (variant.row.needsRip) attributes |= ATTRIBUTES.NEEDS_RIP;
  if (steps.calls) attributes |= ATTRIBUTES.CALLS;
  return Uint8Array.from([
    numbers.size,
    attributes,
    packFlags(masks.flagsRead) | (variant.row.shadow ? FLAGS_SHADOW : 0) | (variant.row.straight ? FLAGS_STRAIGHT : 0),
    packFlags(masks.flagsWritten),
    ...steps.bytes,
    MICRO.END,
  ]);
}

function numberValues(variant: Variant): Map<Value, number> {
  const numbers = new Map<Value, number>();
  const visit = (steps: readonly MicroOp[], outer: ReadonlySet<Value>): void => {
    const known = new Set(outer);
    for (const step of steps) {
      for (const a of argumentsOf(step))
        if (!known.has(a)) throw new Error(`${variant.key}: ${step.op} uses a value from outside its scope`);
      if (step.op === "when") visit(step.body, known);
      if (step.type !== "void") {
        numbers.set(step, numbers.size);
        known.add(step);
      }
    }
  };
  visit(variant.steps, new Set());
  if (numbers.size > 255) throw new Error(`${variant.key}: more than 255 values`);
  return numbers;
}

class Writer {
  calls = false;

  constructor(
    private readonly variant: Variant,
    private readonly numbers: ReadonlyMap<Value, number>,
    private readonly deferred: ReadonlySet<Value>,
    private readonly helpers: Helpers,
  ) {}

  list(steps: readonly MicroOp[]): { bytes: number[]; calls: boolean } {
    const bytes = steps.flatMap((step) => {
      const [opcode, ...fields] = this.step(step);
      return opcode === undefined ? [] : [this.deferred.has(step) ? opcode | MICRO.DEFERRED : opcode, ...fields];
    });
    return { bytes, calls: this.calls };
  }

  private v(value: Value): number {
    return this.numbers.get(value)!;
  }

  private values(step: MicroOp): number[] {
    return argumentsOf(step).map((a) => this.v(a));
  }

  /** Result and faults of a call. Throws where the body does not call the helper as it is declared. */
  private shapeOf(s: MicroOp & { op: "call" }): number {
    const { parameters, result } = this.helpers.signatures.of(s.module, s.name);
    const given = s.args.map((a) => (a.type === "ptr" ? "i32" : a.type));
    const dropped = s.type === "void" && result !== "void";
    if (parameters.join() !== given.join() || (!dropped && TYPE_CODE[s.type] !== TYPE_CODE[result])) {
      throw new Error(
        `${this.variant.key}: ${s.name}(${parameters.join(", ")}): ${result} is called as (${given.join(", ")}): ${s.type}`,
      );
    }
    return TYPE_CODE[result] | (s.faults ? 8 : 0) | (dropped ? 16 : 0);
  }

  private step(s: MicroOp): number[] {
    switch (s.op) {
      case "const":
        return s.type === "i64"
          ? [MICRO.CONST64, ...signedLeb(BigInt.asIntN(64, s.value))]
          : [MICRO.CONST32, ...signedLeb(BigInt.asIntN(32, s.value))];
      case "imm":
        return [MICRO.IMM, log(s.width)];
      case "get":
        return [MICRO.GET, s.slot * 4 + log(s.width)];
      case "put":
        return [MICRO.PUT, s.slot * 4 + log(s.width), ...this.values(s)];
      case "getFixed":
      case "putFixed":
        return [
          s.op === "getFixed" ? MICRO.GET_FIXED : MICRO.PUT_FIXED,
          log(s.width) * 32 + (s.high ? 16 : 0) + s.register,
          ...this.values(s),
        ];
      case "index":
        return [MICRO.INDEX, s.slot];
      case "address": {
        const opcode = s.args.length ? MICRO.ADDRESS_PLUS : s.aligned ? MICRO.ADDRESS_ALIGNED : MICRO.ADDRESS;
        return [opcode, ...unsignedLeb(s.bytes * 2 + (s.write ? 1 : 0)), ...this.values(s)];
      }
      case "effective":
        return [MICRO.EFFECTIVE];
      case "load":
        return [MICRO.LOAD, log(s.width), ...this.values(s)];
      case "modify":
        return [s.locked ? MICRO.MODIFY_LOCKED : MICRO.MODIFY, log(s.width), ...this.values(s)];
      case "store":
        return [MICRO.STORE, log(s.width), ...this.values(s)];
      case "complete":
        return [s.locked ? MICRO.COMPLETE_LOCKED : MICRO.COMPLETE, log(s.width), ...this.values(s)];
      case "pointer":
        return [
          MICRO.POINTER,
          (s.slot & 3) | (s.file === "mmx" ? 4 : 0) | (s.memory ? 8 : 0) | (s.aligned ? 16 : 0),
          ...unsignedLeb(s.bytes),
        ];
      case "offset":
        return [MICRO.OFFSET, ...unsignedLeb(s.bytes), ...this.values(s)];
      case "vload":
      case "vstore":
        return [s.op === "vload" ? MICRO.VLOAD : MICRO.VSTORE, s.bytes, ...this.values(s)];
      case "vwrite":
        return [MICRO.VWRITE, ...this.values(s)];
      case "simd": {
        const raw = simdBytes(
          s.name,
          s.args.filter((a) => typeof a === "number"),
        );
        return [MICRO.SIMD, TYPE_CODE[s.type] * 16 + this.values(s).length, ...this.values(s), raw.length, ...raw];
      }
      case "binary":
        return [
          s.type === "i64" ? MICRO.OP64 : MICRO.OP32,
          binaryOpcode(s.name, s.args[0].type as "i32"),
          2,
          ...this.values(s),
        ];
      case "unary":
        return [
          s.type === "i64" ? MICRO.OP64 : MICRO.OP32,
          unaryOpcode(s.name, s.args[0].type as "i32"),
          1,
          ...this.values(s),
        ];
      case "select": {
        const [condition, a, b] = s.args;
        const values = [this.v(a), this.v(b), this.v(condition)];
        if (s.type === "v128") return [MICRO.SELECT128, ...values];
        return [s.type === "i64" ? MICRO.OP64 : MICRO.OP32, SELECT, 3, ...values];
      }
      case "condition":
        return [MICRO.CONDITION, s.code];
      case "flags": {
        if ((s.kind === "logic" || s.kind === "scan") !== (s.args.length === 1))
          throw new Error(
            `${this.variant.key}: flags of kind ${s.kind} take ${s.kind === "logic" ? "one value" : "two values"}`,
          );
        return [MICRO.FLAGS, flagCode(s.kind) * 4 + log(s.width), ...this.values(s)];
      }
      case "setFlags":
        return [MICRO.SET_FLAGS, ...this.values(s)];
      case "getFlags":
        return [MICRO.GET_FLAGS];
      case "nextRip":
        return [MICRO.NEXT_RIP];
      case "call":
        this.calls = true;
        return [
          MICRO.CALL,
          ...unsignedLeb(this.helpers.of(s.module, s.name)),
          this.shapeOf(s),
          s.args.length,
          ...this.values(s),
        ];
      case "guard":
        return [MICRO.GUARD, s.vector, ...signedLeb(BigInt(s.error)), ...this.values(s)];
      case "when": {
        const body = this.list(s.body).bytes;
        return [MICRO.WHEN, ...this.values(s), ...unsignedLeb(body.length), ...body];
      }
      case "branch":
        return [s.args.length ? MICRO.BRANCH_IF : MICRO.BRANCH, log(s.width), ...this.values(s)];
      case "jump":
        return [MICRO.JUMP, log(s.width), ...this.values(s)];
      case "end":
        return [MICRO.LEAVE];
    }
  }
}
