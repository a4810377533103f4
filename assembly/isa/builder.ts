// The interface that instruction bodies are written against. A body runs once for every variant (operand shapes and
// width) at build time; what it calls is recorded as a list of micro-operations.
import type { BinaryOp, FlagKind, MicroOp, Type, UnaryOp, Value, Width } from "./micro-op.ts";

/** An operand of one variant, as the body sees it. */
export interface Operand {
  /** gpr: a general register; mem: the memory operand; imm; xmm, mmx: vector registers; index: any numbered register. */
  readonly shape: "gpr" | "mem" | "imm" | "xmm" | "mmx" | "index";
  readonly width: Width;
  /** Bytes of a vector or memory operand. */
  readonly bytes: number;
  /** Which of the record's register slots (0-2) names it. */
  readonly slot: number;
}

/** A register that an instruction names by itself. */
export interface FixedRegister {
  readonly register: number;
  readonly width: Width;
  readonly high?: boolean;
}

export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;

type Fields = Record<string, unknown> & { op: MicroOp["op"] };

export class Builder {
  readonly steps: MicroOp[] = [];
  private current: MicroOp[] = this.steps;
  private nextId = 0;
  private readonly modified = new Map<Operand, Value>();
  private readonly addresses = new Map<Operand, Value>();

  /** width: the operation's width; locked: the LOCK prefix is given (or implied); long: 64-bit code only. */
  constructor(
    readonly width: Width,
    readonly locked: boolean,
  ) {}

  private record(type: Type, fields: Fields): Value {
    const step = { id: this.nextId++, type, ...fields } as unknown as MicroOp;
    this.current.push(step);
    return step;
  }

  /** The value type that holds a width. */
  typeOf(width: Width): "i32" | "i64" {
    return width === 64 ? "i64" : "i32";
  }

  // ------------------------------------------------------------ operands
  /** Reads an operand at its own width; 8 and 16 bits come zero-extended. */
  read(o: Operand): Value {
    const type = this.typeOf(o.width);
    if (o.shape === "gpr") return this.record(type, { op: "get", slot: o.slot, width: o.width });
    if (o.shape === "imm") return this.record(type, { op: "imm", width: o.width });
    if (o.shape === "index") return this.record("i32", { op: "index", slot: o.slot });
    if (o.shape === "mem") return this.load(this.address(o), o.width);
    throw new Error(`read: ${o.shape} operands are read by vector()`);
  }

  /** What the decoder notes about an instruction without an immediate in its place: i32. */
  about(): Value {
    return this.record("i32", { op: "imm", width: 32 });
  }

  /** Writes an operand; what stands above the operand's width in the value is ignored. 32-bit writes zero bits 63-32. */
  write(o: Operand, value: Value): void {
    const args = [value] as const;
    if (o.shape === "gpr") this.record("void", { op: "put", slot: o.slot, width: o.width, args });
    else if (o.shape === "mem") {
      const modify = this.modified.get(o);
      if (modify) this.record("void", { op: "complete", width: o.width, locked: this.locked, args: [modify, value] });
      else this.store(this.address(o, true), value, o.width);
    } else throw new Error(`write: ${o.shape} operands are written by vwrite()`);
  }

  /** Reads an operand that the same body writes afterwards: faults come as for the write, LOCK makes the pair atomic. */
  modify(o: Operand): Value {
    if (o.shape !== "mem") return this.read(o);
    const address = this.address(o, true);
    const value = this.record(this.typeOf(o.width), {
      op: "modify",
      width: o.width,
      locked: this.locked,
      args: [address],
    });
    this.modified.set(o, value);
    return value;
  }

  /** Linear address of the memory operand, checked for an access of its size (or `bytes`). */
  address(o: Operand, write = false, bytes = o.bytes): Value {
    const known = this.addresses.get(o);
    if (known) return known;
    const value = this.record("i64", { op: "address", bytes, write, args: [] });
    this.addresses.set(o, value);
    return value;
  }

  /** Offset of the memory operand in its segment, unchecked (LEA). */
  effectiveAddress(): Value {
    return this.record("i64", { op: "effective" });
  }

  /** As address(), displaced by a value known only at run time (bit strings). */
  addressPlus(o: Operand, delta: Value, write: boolean): Value {
    const value = this.record("i64", { op: "address", bytes: o.bytes, write, args: [delta] });
    this.addresses.set(o, value);
    return value;
  }

  get(r: FixedRegister): Value {
    return this.record(this.typeOf(r.width), {
      op: "getFixed",
      register: r.register,
      high: r.high ?? false,
      width: r.width,
    });
  }

  put(r: FixedRegister, value: Value): void {
    this.record("void", { op: "putFixed", register: r.register, high: r.high ?? false, width: r.width, args: [value] });
  }

  /** The number in a register slot: segment, control, debug, x87, MMX or XMM register. */
  index(o: Operand): Value {
    return this.record("i32", { op: "index", slot: o.slot });
  }

  load(address: Value, width: Width): Value {
    return this.record(this.typeOf(width), { op: "load", width, args: [address] });
  }

  store(address: Value, value: Value, width: Width): void {
    this.record("void", { op: "store", width, args: [address, value] });
  }

  // ------------------------------------------------------------ vectors
  /** Host address of a vector operand (register or memory) for reading `bytes`; aligned: #GP(0) off a boundary of as many. */
  pointer(o: Operand, bytes = o.bytes, aligned = false): Value {
    const file = o.shape === "mmx" ? "mmx" : "xmm";
    return this.record("ptr", { op: "pointer", slot: o.slot, file, bytes, memory: o.shape === "mem", aligned });
  }

  /** The host address `bytes` behind one given by pointer(). */
  offset(pointer: Value, bytes: number): Value {
    return this.record("ptr", { op: "offset", bytes, args: [pointer] });
  }

  /** Loads from a host address given by pointer(): 16 bytes as v128, fewer as i32/i64 zero-extended. */
  vload(pointer: Value, bytes: number): Value {
    return this.record(bytes === 16 ? "v128" : bytes === 8 ? "i64" : "i32", { op: "vload", bytes, args: [pointer] });
  }

  /** Stores to a host address: register operands only. */
  vstore(pointer: Value, value: Value, bytes: number): void {
    this.record("void", { op: "vstore", bytes, args: [pointer, value] });
  }

  /** Reads a vector operand: 16 bytes as v128, 8 as i64, fewer as i32 zero-extended. Where `aligned`, 16 bytes of memory
   * off a 16-byte boundary raise #GP(0). */
  vread(o: Operand, bytes = o.bytes, aligned = true): Value {
    if (o.shape === "mem" && bytes < 16) return this.load(this.address(o, false, bytes), (bytes * 8) as Width);
    return this.vload(this.pointer(o, bytes, aligned && bytes === 16), bytes);
  }

  /** Writes the low `bytes` of a vector register, or that many bytes of memory, `aligned` as in vread(). */
  vwrite(o: Operand, value: Value, bytes = o.bytes, aligned = true): void {
    if (o.shape !== "mem") {
      this.vstore(this.pointer(o, bytes), value, bytes);
      return;
    }
    if (bytes < 16) {
      this.store(this.address(o, true, bytes), value, (bytes * 8) as Width);
      return;
    }
    this.record("void", { op: "vwrite", args: [this.vectorAddress(bytes, aligned), value] });
  }

  /** Linear address of the memory operand for writing `bytes` (16 or 32), `aligned` as in pointer(). */
  vectorAddress(bytes: number, aligned: boolean): Value {
    const address = this.record("i64", { op: "address", bytes, write: true, aligned, args: [] });
    if (aligned) this.guard(this.and(this.unary("wrap", address), this.const(bytes - 1, 32)), 13, 0);
    return address;
  }

  /** A SIMD128 operation by its AssemblyScript name, e.g. "i8x16.add"; number arguments are lane immediates. */
  simd(name: string, ...args: (Value | number)[]): Value {
    const type: Type = /extract_lane/.test(name)
      ? name.startsWith("i64")
        ? "i64"
        : "i32"
      : /bitmask|any_true|all_true/.test(name)
        ? "i32"
        : "v128";
    return this.record(type, { op: "simd", name, args });
  }

  // ------------------------------------------------------------ arithmetic
  const(value: number | bigint, width: Width = this.width): Value {
    return this.record(this.typeOf(width), { op: "const", value: BigInt(value) });
  }

  binary(name: BinaryOp, a: Value, b: Value): Value {
    if (a.type !== b.type) throw new Error(`${name}: operand types differ: ${a.type}, ${b.type}`);
    const type = /^(eq|ne|lt|le)/.test(name) ? "i32" : a.type;
    return this.record(type, { op: "binary", name, args: [a, b] });
  }

  unary(name: UnaryOp, a: Value): Value {
    const type =
      name === "eqz" || name === "wrap" ? "i32" : name === "extend_u" || name === "extend_s" ? "i64" : a.type;
    return this.record(type, { op: "unary", name, args: [a] });
  }

  add(a: Value, b: Value): Value {
    return this.binary("add", a, b);
  }
  sub(a: Value, b: Value): Value {
    return this.binary("sub", a, b);
  }
  and(a: Value, b: Value): Value {
    return this.binary("and", a, b);
  }
  or(a: Value, b: Value): Value {
    return this.binary("or", a, b);
  }
  xor(a: Value, b: Value): Value {
    return this.binary("xor", a, b);
  }
  mul(a: Value, b: Value): Value {
    return this.binary("mul", a, b);
  }
  shl(a: Value, b: Value): Value {
    return this.binary("shl", a, b);
  }
  shrU(a: Value, b: Value): Value {
    return this.binary("shr_u", a, b);
  }
  shrS(a: Value, b: Value): Value {
    return this.binary("shr_s", a, b);
  }
  eq(a: Value, b: Value): Value {
    return this.binary("eq", a, b);
  }
  ne(a: Value, b: Value): Value {
    return this.binary("ne", a, b);
  }
  eqz(a: Value): Value {
    return this.unary("eqz", a);
  }
  select(condition: Value, a: Value, b: Value): Value {
    return this.record(a.type, { op: "select", args: [condition, a, b] });
  }

  /** Cuts a value to a width, zero-extended in its own type. */
  zeroExtend(value: Value, from: Width, to: Width): Value {
    if (from < 32) value = this.and(value, this.const((1n << BigInt(from)) - 1n, value.type === "i64" ? 64 : 32));
    if (to === 64 && value.type === "i32") return this.unary("extend_u", value);
    if (to !== 64 && value.type === "i64") return this.unary("wrap", value);
    return value;
  }

  /** Sign-extends the low `from` bits to the width `to`. */
  signExtend(value: Value, from: Width, to: Width): Value {
    if (from === to) return value;
    if (from === 8) value = this.unary("extend8_s", value);
    if (from === 16) value = this.unary("extend16_s", value);
    if (to === 64 && value.type === "i32") return this.unary("extend_s", value);
    return value;
  }

  // ------------------------------------------------------------ flags
  /** Notes how the status flags follow from these values; they are computed when somebody looks. */
  flags(kind: FlagKind, dst: Value, src?: Value, width: Width = this.width): void {
    this.record("void", { op: "flags", kind, width, args: src ? [dst, src] : [dst] });
  }

  /** One of the sixteen conditions (tttn of Jcc): 0 O, 2 B, 4 Z, 6 BE, 8 S, A P, C L, E LE; odd: negated. */
  condition(code: number): Value {
    return this.record("i32", { op: "condition", code });
  }

  /** CF as 0 or 1. */
  carry(): Value {
    return this.condition(2);
  }

  /** The six status flags in RFLAGS layout. */
  statusFlags(): Value {
    return this.record("i32", { op: "getFlags" });
  }

  setStatusFlags(value: Value): void {
    this.record("void", { op: "setFlags", args: [value] });
  }

  // ------------------------------------------------------------ control
  nextRip(): Value {
    return this.record("i64", { op: "nextRip" });
  }

  /** Calls a helper: module is its path under assembly/, e.g. "execute/far". faults: it may set `fault`. */
  call(module: string, name: string, args: readonly Value[], options: { type?: Type; faults?: boolean } = {}): Value {
    return this.record(options.type ?? "void", { op: "call", module, name, faults: options.faults ?? true, args });
  }

  guard(condition: Value, vector: number, error = -1): void {
    this.record("void", { op: "guard", vector, error, args: [condition] });
  }

  when(condition: Value, body: () => void): void {
    const outer = this.current;
    const inner: MicroOp[] = [];
    this.current = inner;
    body();
    this.current = outer;
    this.record("void", { op: "when", args: [condition], body: inner });
  }

  // ------------------------------------------------------------ the stack
  /** Pushes a value of the operation's width. Nothing changes if it faults. */
  push(value: Value): void {
    if (this.width !== 64) {
      this.call("execute/push-pop", this.width === 16 ? "push16" : "push32", [value]);
      return;
    }
    const rsp = this.sub(this.get({ register: RSP, width: 64 }), this.const(8));
    this.store(rsp, value, 64);
    this.put({ register: RSP, width: 64 }, rsp);
  }

  /** The value on top of the stack, which stays there until drop(). */
  top(): Value {
    if (this.width === 64) return this.load(this.get({ register: RSP, width: 64 }), 64);
    return this.call("execute/push-pop", this.width === 16 ? "top16" : "top32", [], { type: "i32" });
  }

  /** Takes the operation's width off the stack, and `more` bytes. */
  drop(more?: Value): void {
    const bytes = this.const(this.width / 8, 64);
    const by = more ? this.add(bytes, more) : bytes;
    if (this.width !== 64) {
      this.call("execute/push-pop", "drop", [by], { faults: false });
      return;
    }
    this.put({ register: RSP, width: 64 }, this.add(this.get({ register: RSP, width: 64 }), by));
  }

  /** Raises #GP(0) for a near branch target that is not canonical or lies beyond the code segment's limit. */
  checkTarget(target: Value): void {
    if (this.width === 64) {
      const sixteen = this.const(16, 64);
      this.guard(this.ne(this.shrS(this.shl(target, sixteen), sixteen), target), 13, 0);
    } else this.call("execute/push-pop", "checkNearTarget", [target]);
  }

  /** Jumps by the immediate, always or on a condition. */
  branch(condition?: Value): void {
    this.record("void", { op: "branch", width: this.width, args: condition ? [condition] : [] });
  }

  /** Jumps to an address in the same code segment (i64 at width 64, else i32). */
  jump(target: Value): void {
    this.record("void", { op: "jump", width: this.width, args: [target] });
  }

  /** Ends the trace after this instruction; execution goes on at CPU_RIP. */
  end(): void {
    this.record("void", { op: "end" });
  }
}
