// Reads serialised lists (assembly/isa/serialize.ts): one step at a time, as the run-time translator has to.
import { MICRO } from "../../assembly/isa/serialize.ts";

/** The fields of a step; which of them count depends on its opcode. */
export interface Step {
  opcode: number;
  deferred: boolean;
  /** Type of the value it defines, or undefined. */
  type: "i32" | "i64" | "v128" | undefined;
  /** Result of a call's function, which a step that defines no value drops. */
  result: "i32" | "i64" | "v128" | undefined;
  /** Numbers of the values it takes. */
  values: number[];
  /** Log2 of the width in bytes. */
  width: number;
  /** Slot, register, condition, flags, bytes, helper, vector or operation. */
  field: number;
  /** A second one: shape of a call, error code of a guard. */
  more: number;
  constant: bigint;
  /** Bytes to be copied. */
  raw: Uint8Array;
  /** Where the body of a MICRO_WHEN starts, and where the next step does. */
  body: number;
  next: number;
}

const TYPES = ["i32", "i64", undefined, undefined, "v128"] as const;

export class Reader {
  at = 0;

  constructor(readonly list: Uint8Array) {}

  private byte(): number {
    return this.list[this.at++]!;
  }

  private leb(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const b = this.byte();
      value |= (b & 0x7f) << shift;
      if (!(b & 0x80)) return value;
    }
  }

  private sleb(): bigint {
    let value = 0n;
    for (let shift = 0n; ; ) {
      const b = this.byte();
      value |= BigInt(b & 0x7f) << shift;
      shift += 7n;
      if (!(b & 0x80)) return BigInt.asIntN(Number(shift), value);
    }
  }

  private values(count: number): number[] {
    return Array.from({ length: count }, () => this.byte());
  }

  /** The step at `at`. */
  read(at: number): Step {
    this.at = at;
    const head = this.byte();
    const step: Step = {
      opcode: head & 0x7f,
      deferred: (head & MICRO.DEFERRED) !== 0,
      type: undefined,
      result: undefined,
      values: [],
      width: 0,
      field: 0,
      more: 0,
      constant: 0n,
      raw: new Uint8Array(),
      body: 0,
      next: 0,
    };
    this.fields(step);
    step.next = this.at;
    return step;
  }

  private fields(s: Step): void {
    const ofWidth = (width: number): "i32" | "i64" => (width === 3 ? "i64" : "i32");
    switch (s.opcode) {
      case MICRO.CONST32:
      case MICRO.CONST64:
        s.type = s.opcode === MICRO.CONST64 ? "i64" : "i32";
        s.constant = this.sleb();
        break;
      case MICRO.IMM:
        s.width = this.byte();
        s.type = ofWidth(s.width);
        break;
      case MICRO.GET:
      case MICRO.PUT: {
        const b = this.byte();
        s.width = b & 3;
        s.field = b >> 2;
        if (s.opcode === MICRO.GET) s.type = ofWidth(s.width);
        else s.values = this.values(1);
        break;
      }
      case MICRO.GET_FIXED:
      case MICRO.PUT_FIXED: {
        const b = this.byte();
        s.width = b >> 5;
        // As a record names registers: the offset of the byte.
        s.field = (b & 15) * 8 + ((b >> 4) & 1);
        if (s.opcode === MICRO.GET_FIXED) s.type = ofWidth(s.width);
        else s.values = this.values(1);
        break;
      }
      case MICRO.INDEX:
        s.field = this.byte();
        s.type = "i32";
        break;
      case MICRO.ADDRESS:
      case MICRO.ADDRESS_ALIGNED:
      case MICRO.ADDRESS_PLUS:
        s.field = this.leb();
        s.values = this.values(s.opcode === MICRO.ADDRESS_PLUS ? 1 : 0);
        s.type = "i64";
        break;
      case MICRO.EFFECTIVE:
      case MICRO.NEXT_RIP:
        s.type = "i64";
        break;
      case MICRO.LOAD:
      case MICRO.MODIFY:
      case MICRO.MODIFY_LOCKED:
        s.width = this.byte();
        s.values = this.values(1);
        s.type = ofWidth(s.width);
        break;
      case MICRO.VWRITE:
        s.values = this.values(2);
        break;
      case MICRO.STORE:
      case MICRO.COMPLETE:
      case MICRO.COMPLETE_LOCKED:
        s.width = this.byte();
        s.values = this.values(2);
        break;
      case MICRO.POINTER:
        s.field = this.byte();
        s.more = this.leb();
        s.type = "i32";
        break;
      case MICRO.OFFSET:
        s.field = this.leb();
        s.values = this.values(1);
        s.type = "i32";
        break;
      case MICRO.VLOAD:
      case MICRO.VSTORE:
        s.field = this.byte();
        s.values = this.values(s.opcode === MICRO.VLOAD ? 1 : 2);
        if (s.opcode === MICRO.VLOAD) s.type = s.field === 16 ? "v128" : s.field === 8 ? "i64" : "i32";
        break;
      case MICRO.OP32:
      case MICRO.OP64:
        s.field = this.byte();
        s.values = this.values(this.byte());
        s.type = s.opcode === MICRO.OP64 ? "i64" : "i32";
        break;
      case MICRO.SELECT128:
        s.values = this.values(3);
        s.type = "v128";
        break;
      case MICRO.SIMD: {
        const shape = this.byte();
        s.type = TYPES[shape >> 4];
        s.values = this.values(shape & 15);
        const length = this.byte();
        s.raw = this.list.subarray(this.at, this.at + length);
        this.at += length;
        break;
      }
      case MICRO.CONDITION:
        s.field = this.byte();
        s.type = "i32";
        break;
      case MICRO.FLAGS:
        s.field = this.byte();
        s.width = s.field & 3;
        s.values = this.values(s.field >> 2 === 5 ? 1 : 2);
        break;
      case MICRO.SET_FLAGS:
        s.values = this.values(1);
        break;
      case MICRO.GET_FLAGS:
        s.type = "i32";
        break;
      case MICRO.CALL:
        s.field = this.leb();
        s.more = this.byte();
        s.values = this.values(this.byte());
        s.result = TYPES[s.more & 7];
        if (!(s.more & 16)) s.type = s.result;
        break;
      case MICRO.GUARD:
        s.field = this.byte();
        s.more = Number(this.sleb());
        s.values = this.values(1);
        break;
      case MICRO.WHEN: {
        s.values = this.values(1);
        const length = this.leb();
        s.body = this.at;
        this.at += length;
        break;
      }
      case MICRO.BRANCH:
      case MICRO.BRANCH_IF:
      case MICRO.JUMP:
        s.width = this.byte();
        s.values = this.values(s.opcode === MICRO.BRANCH ? 0 : 1);
        break;
      case MICRO.END:
      case MICRO.LEAVE:
        break;
      default:
        throw new Error(`no micro-operation has number ${s.opcode}`);
    }
  }
}
