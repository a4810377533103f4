// Prints one variant's micro-operations as AssemblyScript statements: the body of an interpreter case.
import { flagCode, hasPlainSource, type MicroOp, type Type, type Value, type Width } from "./micro-op.ts";
import type { Variant } from "./variant.ts";

/** Where the printed case stands: how it reports a fault, goes on, retries and leaves. */
export interface Frame {
  /** Statement after `fault` was set. */
  readonly fail: string;
  /** Statement that executes the same record again. */
  readonly retry: string;
  /** Whether operands of 32 bits in flat segments are addressed in line. */
  readonly flat32?: boolean;
  /** Statements for a relative and a computed jump, given the condition or target expression. */
  branch(condition: string | undefined, width: Width): string;
  jump(target: string, width: Width): string;
}

const TYPE: Record<Type, string> = {
  i32: "u32",
  i64: "u64",
  f32: "f32",
  f64: "f64",
  v128: "v128",
  ptr: "usize",
  void: "void",
};
const SIGNED: Record<string, string> = { i32: "i32", i64: "i64" };
const INFIX: Record<string, string> = {
  add: "+",
  sub: "-",
  mul: "*",
  and: "&",
  or: "|",
  xor: "^",
  shl: "<<",
  eq: "==",
  ne: "!=",
  div_u: "/",
  rem_u: "%",
};
const name = (v: Value): string => `v${v.id}`;
const typeOf = (v: Value): string => TYPE[v.type];
const memoryType = (width: Width): string => `u${width}`;

/** The function that tells the address behind a variant's record. */
export function ripOf(variant: Variant): string {
  return variant.steps.at(-1)?.op === "branch" ? "ripBehind" : "nextRip";
}

export class Printer {
  private variant: Variant | undefined;

  readonly imports = new Map<string, Set<string>>();

  constructor(
    private readonly frame: Frame,
    private readonly registersAt: string = "c",
  ) {}

  /** Has the printed file import a symbol of a module under assembly/, and returns it. */
  use(module: string, symbol: string): string {
    let set = this.imports.get(module);
    if (!set) this.imports.set(module, (set = new Set()));
    set.add(symbol);
    return symbol;
  }

  /** The statements of a variant's body. */
  body(variant: Variant): string {
    this.variant = variant;
    return this.steps(variant.steps);
  }

  private steps(steps: readonly MicroOp[]): string {
    return steps.map((s) => this.step(s)).join(" ");
  }

  private checked(faults: boolean): string {
    return faults ? ` if (${this.use("cpu", "fault")}) ${this.frame.fail}` : "";
  }

  private register(slot: number): string {
    return `${this.registersAt} + load<u8>(pc, ${this.use("decode/record", `R_R${slot}`)})`;
  }

  private storeRegister(address: string, width: Width, value: Value, offset = ""): string {
    if (width >= 32)
      return `store<u64>(${address}, <u64>${width === 32 ? `<u32>${name(value)}` : name(value)}${offset});`;
    return `store<${memoryType(width)}>(${address}, <${memoryType(width)}>${name(value)}${offset});`;
  }

  /** Reads how the operand of step `id` is addressed; what follows is the condition for the simple way. */
  private how(id: number): string {
    return `const e${id} = load<u8>(pc, ${this.use("decode/record", "R_SCALE")}); if (e${id} < ${this.use("decode/record", "ADDRESS_FLAT32")})`;
  }

  /** An immediate: of 64 bits it is all there only where there is no displacement. */
  private immediate(width: Width): string {
    const at = this.use("decode/record", "R_IMM");
    const narrow = width === 64 && this.variant!.operands.some((o) => o.shape === "mem");
    return narrow ? `<u64><i64>load<i32>(pc, ${at})` : `load<${memoryType(width)}>(pc, ${at})`;
  }

  /** The case of a flat operand of 32 bits, between the simple one and the one that has all checked. */
  private flat32(id: number, target: string, plus: string): string {
    if (!this.frame.flat32) return "";
    const address = `${this.use("execute/address", "addressFlat32")}(${this.registersAt}, pc)`;
    const sum = plus ? `(${address}${plus}) & 0xffffffff` : address;
    return `else if (e${id} < ${this.use("decode/record", "ADDRESS_CHECKED")}) ${target} = ${sum}; `;
  }

  private step(s: MicroOp): string {
    const define = (expression: string): string => `const v${s.id}: ${typeOf(s)} = ${expression};`;
    switch (s.op) {
      case "const":
        return define(s.type === "i64" ? `${BigInt.asIntN(64, s.value)}` : `${BigInt.asIntN(32, s.value)}`);
      case "imm":
        return define(this.immediate(s.width));
      case "get":
        return define(`load<${memoryType(s.width)}>(${this.register(s.slot)})`);
      case "put":
        return this.storeRegister(this.register(s.slot), s.width, s.args[0]);
      case "getFixed":
        return define(`load<${memoryType(s.width)}>(${this.registersAt}, ${s.register * 8 + (s.high ? 1 : 0)})`);
      case "putFixed":
        return this.storeRegister(this.registersAt, s.width, s.args[0], `, ${s.register * 8 + (s.high ? 1 : 0)}`);
      case "index":
        return define(`<u32>load<u8>(pc, ${this.use("decode/record", `R_R${s.slot}`)})`);
      case "address": {
        const delta = s.args[0] ? name(s.args[0]) : "0";
        const plus = s.args[0] ? ` + ${name(s.args[0])}` : "";
        const check = s.aligned
          ? this.use("execute/vector/memory", "alignedChecked")
          : this.use("execute/address", "addressChecked");
        const simple = this.use("execute/address", "addressSimple");
        const how = this.how(s.id);
        const flat = s.aligned ? "" : this.flat32(s.id, `v${s.id}`, plus);
        return `let v${s.id}: u64; ${how} v${s.id} = ${simple}(${this.registersAt}, pc)${plus}; ${flat}else { v${s.id} = ${check}(pc, ${s.bytes}, ${s.write}, ${delta});${this.checked(true)} }`;
      }
      case "effective": {
        const simple = this.use("execute/address", "offsetSimple");
        const flat = this.flat32(s.id, `v${s.id}`, "");
        return `let v${s.id}: u64; ${this.how(s.id)} v${s.id} = ${simple}(${this.registersAt}, pc); ${flat}else v${s.id} = ${this.use("execute/address", "offsetChecked")}(pc);`;
      }
      case "load":
      case "modify": {
        const [address] = s.args;
        const bytes = s.width / 8;
        const modify = s.op === "modify";
        const probe = this.use("mmu/tlb", modify ? "probeWrite" : "probeRead");
        const slow = this.use("mmu/access", modify ? "rmwReadSlow" : "readSlow");
        const type = typeOf(s);
        const locked = modify && s.locked;
        const pointer = locked
          ? `${this.use("execute/atomic", "alignedOrZero")}(${probe}(${name(address)}, ${bytes}), ${bytes})`
          : `${probe}(${name(address)}, ${bytes})`;
        const read = locked ? `atomic.load<${memoryType(s.width)}>` : `load<${memoryType(s.width)}>`;
        const enter = locked ? `${this.use("execute/atomic", "enterExclusive")}(); ` : "";
        const leave = locked ? `${this.use("execute/atomic", "leaveExclusive")}(); ` : "";
        const onFault = ` if (${this.use("cpu", "fault")}) { ${leave}${this.frame.fail} }`;
        // Plain RAM that only was not in the TLB yet: other vCPUs change it by atomics, so this one has to as well.
        const again = locked ? ` if (${pointer}) { ${leave}${this.frame.retry} }` : "";
        return `const p${s.id} = ${pointer}; let v${s.id}: ${type}; if (p${s.id}) v${s.id} = ${read}(p${s.id}); else { ${enter}v${s.id} = <${type}>${slow}(${name(address)}, ${bytes});${onFault}${again} }`;
      }
      case "complete": {
        const [modify, value] = s.args;
        const from = modify as MicroOp & { op: "modify" };
        const type = memoryType(s.width);
        const bytes = s.width / 8;
        const slow = `${this.use("mmu/access", "writeSlow")}(${name(from.args[0])}, <u64>${name(value)}, ${bytes})`;
        if (!s.locked)
          return `if (p${from.id}) store<${type}>(p${from.id}, <${type}>${name(value)}); else if (!${slow}) ${this.frame.fail}`;
        const old = s.width >= 32 ? name(from) : `<${type}>${name(from)}`;
        const leave = `${this.use("execute/atomic", "leaveExclusive")}();`;
        return `if (p${from.id}) { if (atomic.cmpxchg<${type}>(p${from.id}, ${old}, <${type}>${name(value)}) != ${old}) ${this.frame.retry} } else { const ok = ${slow}; ${leave} if (!ok) ${this.frame.fail} }`;
      }
      case "store": {
        const [address, value] = s.args;
        const bytes = s.width / 8;
        const probe = this.use("mmu/tlb", "probeWrite");
        const slow = this.use("mmu/access", "writeSlow");
        return `{ const p = ${probe}(${name(address)}, ${bytes}); if (p) store<${memoryType(s.width)}>(p, <${memoryType(s.width)}>${name(value)}); else if (!${slow}(${name(address)}, <u64>${name(value)}, ${bytes})) ${this.frame.fail} }`;
      }
      case "pointer": {
        if (!s.memory) {
          const at = this.use("execute/vector-registers", s.file === "xmm" ? "xmmAddress" : "mmxAddress");
          return define(`${at}(load<u8>(pc, ${this.use("decode/record", `R_R${s.slot}`)}))`);
        }
        const check = s.aligned
          ? this.use("execute/vector/memory", "alignedChecked")
          : this.use("execute/address", "addressChecked");
        const simple = this.use("execute/address", "addressSimple");
        const probe = this.use("mmu/tlb", "probeRead");
        const slow = this.use("execute/vector/memory", "vectorReadSlow");
        const aligned = s.aligned
          ? ` if (!${this.use("execute/vector-registers", `aligned${s.bytes}`)}(a${s.id})) ${this.frame.fail}`
          : "";
        const flat = s.aligned ? "" : this.flat32(s.id, `a${s.id}`, "");
        return `let a${s.id}: u64; ${this.how(s.id)} a${s.id} = ${simple}(${this.registersAt}, pc); ${flat}else { a${s.id} = ${check}(pc, ${s.bytes}, false, 0);${this.checked(true)} }${aligned} let v${s.id}: usize = ${probe}(a${s.id}, ${s.bytes}); if (!v${s.id}) { v${s.id} = ${slow}(a${s.id}, ${s.bytes}); if (!v${s.id}) ${this.frame.fail} }`;
      }
      case "offset":
        return define(`${name(s.args[0])} + ${s.bytes}`);
      case "vload": {
        const type = s.bytes === 16 ? "v128" : `u${s.bytes * 8}`;
        return define(s.bytes === 16 ? `v128.load(${name(s.args[0])})` : `load<${type}>(${name(s.args[0])})`);
      }
      case "vstore": {
        const [pointer, value] = s.args;
        return s.bytes === 16
          ? `v128.store(${name(pointer)}, ${name(value)});`
          : `store<u${s.bytes * 8}>(${name(pointer)}, <u${s.bytes * 8}>${name(value)});`;
      }
      case "vwrite": {
        const [address, value] = s.args;
        const probe = this.use("mmu/tlb", "probeWrite");
        const slow = this.use("execute/vector/memory", "vectorWriteSlow");
        return `{ const p = ${probe}(${name(address)}, 16); if (p) v128.store(p, ${name(value)}); else if (!${slow}(${name(address)}, ${name(value)})) ${this.frame.fail} }`;
      }
      case "simd": {
        // Lanes narrower than the value that carries them are cut where they go in.
        const narrow = /^i(8x16|16x8)\.(splat|replace_lane)$/.exec(s.name);
        const lane = narrow ? (narrow[1] === "8x16" ? "<i8>" : "<i16>") : "";
        const args = s.args.map((a) =>
          typeof a === "number" ? `${a}` : a.type === "v128" ? name(a) : `${lane}${name(a)}`,
        );
        const call = `${s.name}(${args.join(", ")})`;
        return define(s.type === "v128" ? call : `<${typeOf(s)}>${call}`);
      }
      case "binary": {
        const [a, b] = s.args;
        const signed = SIGNED[a.type]!;
        const [x, y] = [name(a), name(b)];
        if (s.name === "shr_u") return define(`${x} >>> ${y}`);
        if (s.name === "shr_s") return define(`<${TYPE[a.type]}>(<${signed}>${x} >> <${signed}>${y})`);
        if (s.name === "rotl" || s.name === "rotr") return define(`${s.name}<${TYPE[a.type]}>(${x}, ${y})`);
        if (s.name === "lt_u" || s.name === "le_u") return define(`u32(${x} ${s.name === "lt_u" ? "<" : "<="} ${y})`);
        if (s.name === "lt_s" || s.name === "le_s")
          return define(`u32(<${signed}>${x} ${s.name === "lt_s" ? "<" : "<="} <${signed}>${y})`);
        if (s.name === "eq" || s.name === "ne") return define(`u32(${x} ${INFIX[s.name]} ${y})`);
        return define(`${x} ${INFIX[s.name]} ${y}`);
      }
      case "unary": {
        const x = name(s.args[0]);
        const from = SIGNED[s.args[0].type]!;
        const to = TYPE[s.type];
        if (s.name === "eqz") return define(`u32(!${x})`);
        if (s.name === "wrap" || s.name === "extend_u") return define(`<${to}>${x}`);
        if (s.name === "extend_s") return define(`<u64><i64><i32>${x}`);
        if (s.name === "extend8_s") return define(`<${to}><${from}><i8>${x}`);
        if (s.name === "extend16_s") return define(`<${to}><${from}><i16>${x}`);
        if (s.name === "extend32_s") return define(`<${to}><${from}><i32>${x}`);
        return define(`${s.name}<${TYPE[s.args[0].type]}>(${x})`);
      }
      case "select": {
        const [condition, a, b] = s.args;
        return define(`select<${typeOf(s)}>(${name(a)}, ${name(b)}, ${name(condition)} != 0)`);
      }
      case "condition":
        return define(`${this.use("execute/flags", `condition${s.code}`)}()`);
      case "flags": {
        const kind = flagCode(s.kind);
        const log = Math.log2(s.width / 8);
        const shift = 64 - s.width;
        const wide = (v: Value): string => (shift ? `<u64>${name(v)} << ${shift}` : `<u64>${name(v)}`);
        const raw = hasPlainSource(s.kind);
        const at = this.registersAt;
        const [op, dst, src] = ["CPU_CC_OP", "CPU_CC_DST", "CPU_CC_SRC"].map((f) => this.use("layout", f));
        let text = `store<u32>(${at}, ${(kind << 2) | log}, ${op}); store<u64>(${at}, ${wide(s.args[0]!)}, ${dst});`;
        if (s.args[1]) text += ` store<u64>(${at}, ${raw ? `<u64>${name(s.args[1])}` : wide(s.args[1])}, ${src});`;
        return text;
      }
      case "setFlags":
        return `${this.use("execute/flags", "setStatusFlags")}(${name(s.args[0])});`;
      case "getFlags":
        return define(`${this.use("execute/flags", "statusFlags")}()`);
      case "nextRip":
        return define(`${this.use("decode/record", ripOf(this.variant!))}(pc)`);
      case "call": {
        const call = `${this.use(s.module, s.name)}(${s.args.map(name).join(", ")})`;
        return `${s.type === "void" ? `${call};` : define(`<${typeOf(s)}>${call}`)}${this.checked(s.faults)}`;
      }
      case "guard": {
        const raise =
          s.error < 0
            ? `${this.use("cpu", "raise")}(${s.vector})`
            : `${this.use("cpu", "raiseError")}(${s.vector}, ${s.error})`;
        return `if (${name(s.args[0])}) { ${raise}; ${this.frame.fail} }`;
      }
      case "when":
        return `if (${name(s.args[0])}) { ${this.steps(s.body)} }`;
      case "branch":
        return this.frame.branch(s.args[0] && name(s.args[0]), s.width);
      case "jump":
        return this.frame.jump(name(s.args[0]), s.width);
      case "end":
        return "";
    }
  }
}
