// Prints one variant's micro-operations as TypeScript statements: the same case for the pure-TypeScript core.
//
// A 32-bit value is a number (int32); a 64-bit one is two, low and high half: v7 and v7h. BigInt is never used. The
// core's state lies in one ArrayBuffer laid out as assembly/layout.ts says, seen through U8, U16 and I32; helpers that
// return 64 bits leave the high half in \`high\`.
import { FLAG_KINDS, type MicroOp, type Value, type Width } from "./micro-op.ts";
import type { Frame } from "./print-assemblyscript.ts";
import type { Variant } from "./variant.ts";

const lo = (v: Value): string => `v${v.id}`;
const hi = (v: Value): string => `v${v.id}h`;
const half = (value: bigint, upper: boolean): string => `${BigInt.asIntN(32, upper ? value >> 32n : value)}`;
const UNSIGNED: Record<string, string> = { lt_u: "<", le_u: "<=", lt_s: "<", le_s: "<=" };

export class TypeScriptPrinter {
  /** Names of runtime functions that the printed text calls, by module. */
  readonly imports = new Map<string, Set<string>>();

  constructor(private readonly frame: Frame) {}

  private use(module: string, symbol: string): string {
    let set = this.imports.get(module);
    if (!set) this.imports.set(module, (set = new Set()));
    set.add(symbol);
    return symbol;
  }

  body(variant: Variant): string {
    return this.steps(variant.steps);
  }

  private steps(steps: readonly MicroOp[]): string {
    return steps.map((s) => this.step(s)).join(" ");
  }

  private register(slot: number): string {
    return `c + U8[pc + ${this.use("record", `R_R${slot}`)}]!`;
  }

  private read(at: string, width: Width, s: Value): string {
    if (width === 8) return `const ${lo(s)} = U8[${at}]!;`;
    if (width === 16) return `const ${lo(s)} = U16[(${at}) >> 1]!;`;
    if (width === 32) return `const ${lo(s)} = I32[(${at}) >> 2]!;`;
    return `const a${s.id} = (${at}) >> 2; const ${lo(s)} = I32[a${s.id}]!; const ${hi(s)} = I32[a${s.id} + 1]!;`;
  }

  private writeRegister(at: string, width: Width, v: Value): string {
    if (width === 8) return `U8[${at}] = ${lo(v)};`;
    if (width === 16) return `U16[(${at}) >> 1] = ${lo(v)};`;
    const high = width === 64 ? hi(v) : "0";
    return `{ const a = (${at}) >> 2; I32[a] = ${lo(v)}; I32[a + 1] = ${high}; }`;
  }

  private both(v: Value): string {
    return v.type === "i64" ? `${lo(v)}, ${hi(v)}` : lo(v);
  }

  /** A call of a runtime function whose result has this value's type. */
  private result(s: Value, call: string): string {
    if (s.type === "void") return `${call};`;
    return s.type === "i64"
      ? `const ${lo(s)} = ${call}; const ${hi(s)} = ${this.use("machine", "high")};`
      : `const ${lo(s)} = ${call};`;
  }

  private checked(): string {
    return ` if (${this.use("machine", "fault")}) ${this.frame.fail}`;
  }

  private step(s: MicroOp): string {
    const number = (expression: string): string => `const ${lo(s)} = ${expression};`;
    const pair = (low: string, high: string): string => `const ${lo(s)} = ${low}; const ${hi(s)} = ${high};`;
    switch (s.op) {
      case "const":
        return s.type === "i64" ? pair(half(s.value, false), half(s.value, true)) : number(half(s.value, false));
      case "imm":
        return this.read(`pc + ${this.use("record", "R_IMM")}`, s.width, s);
      case "get":
        return this.read(this.register(s.slot), s.width, s);
      case "put":
        return this.writeRegister(this.register(s.slot), s.width, s.args[0]);
      case "getFixed":
        return this.read(`c + ${s.register * 8 + (s.high ? 1 : 0)}`, s.width, s);
      case "putFixed":
        return this.writeRegister(`c + ${s.register * 8 + (s.high ? 1 : 0)}`, s.width, s.args[0]);
      case "index":
        return number(`U8[pc + ${this.use("record", `R_R${s.slot}`)}]!`);
      case "address": {
        const delta = s.args[0] ? this.both(s.args[0]) : "0, 0";
        return `${this.result(s, `${this.use("address", s.aligned ? "alignedAddressOf" : "addressOf")}(pc, ${s.bytes}, ${s.write}, ${delta})`)}${this.checked()}`;
      }
      case "effective":
        return this.result(s, `${this.use("address", "offsetOf")}(pc)`);
      case "load":
        return `${this.result(s, `${this.use("memory", `load${s.width}`)}(${this.both(s.args[0])})`)}${this.checked()}`;
      case "modify":
        return `${this.result(s, `${this.use("memory", `modify${s.width}`)}(${this.both(s.args[0])})`)}${this.checked()}`;
      case "store":
        return `if (!${this.use("memory", `store${s.width}`)}(${this.both(s.args[0])}, ${this.both(s.args[1])})) ${this.frame.fail}`;
      case "complete": {
        const from = s.args[0] as MicroOp & { op: "modify" };
        return `if (!${this.use("memory", `store${s.width}`)}(${this.both(from.args[0])}, ${this.both(s.args[1])})) ${this.frame.fail}`;
      }
      case "binary":
        return this.binary(s);
      case "unary":
        return this.unary(s);
      case "select": {
        const [condition, a, b] = s.args;
        const low = `${lo(condition)} ? ${lo(a)} : ${lo(b)}`;
        return s.type === "i64" ? pair(low, `${lo(condition)} ? ${hi(a)} : ${hi(b)}`) : number(low);
      }
      case "condition":
        return number(`${this.use("flags", "condition")}(${s.code})`);
      case "flags":
        return this.flags(s);
      case "setFlags":
        return `${this.use("flags", "setStatusFlags")}(${lo(s.args[0])});`;
      case "getFlags":
        return number(`${this.use("flags", "statusFlags")}()`);
      case "nextRip":
        return this.result(s, `${this.use("record", "nextRip")}(pc)`);
      case "call": {
        const call = `${this.use(s.module, s.name)}(${s.args.map((a) => this.both(a)).join(", ")})`;
        return `${this.result(s, call)}${s.faults ? this.checked() : ""}`;
      }
      case "guard":
        return `if (${lo(s.args[0])}) { ${this.use("machine", "raise")}(${s.vector}, ${s.error}); ${this.frame.fail} }`;
      case "when":
        return `if (${lo(s.args[0])}) { ${this.steps(s.body)} }`;
      case "branch":
        return this.frame.branch(s.args[0] && lo(s.args[0]), s.width);
      case "jump":
        return this.frame.jump(this.both(s.args[0]), s.width);
      case "end":
        return "";
      case "pointer":
        return `${number(`${this.use("vector", s.memory ? "memoryOperand" : s.file)}(pc, ${s.slot}, ${s.bytes}, ${s.aligned})`)}${this.checked()}`;
      case "offset":
        return number(`${lo(s.args[0])} + ${s.bytes}`);
      case "vwrite":
        return `if (!${this.use("vector", "vwrite")}(${this.both(s.args[0])}, ${lo(s.args[1])})) ${this.frame.fail}`;
      case "vload":
      case "vstore":
      case "simd":
        return this.vector(s);
    }
    throw new Error(`no TypeScript for ${(s as MicroOp).op}`);
  }

  /** 128-bit values are offsets of temporaries in the core's buffer. */
  private vector(s: MicroOp & { op: "vload" | "vstore" | "simd" }): string {
    if (s.op === "vload") return this.result(s, `${this.use("vector", `vload${s.bytes * 8}`)}(${lo(s.args[0])})`);
    if (s.op === "vstore")
      return `${this.use("vector", `vstore${s.bytes * 8}`)}(${lo(s.args[0])}, ${this.both(s.args[1])});`;
    const args = s.args.map((a) => (typeof a === "number" ? `${a}` : this.both(a)));
    return this.result(s, `${this.use("vector", s.name.replace(/[.]/g, "_"))}(${args.join(", ")})`);
  }

  private binary(s: MicroOp & { op: "binary" }): string {
    const [a, b] = s.args;
    const [x, y] = [lo(a), lo(b)];
    const n = (expression: string): string => `const ${lo(s)} = ${expression};`;
    if (a.type === "i32") {
      switch (s.name) {
        case "add":
          return n(`(${x} + ${y}) | 0`);
        case "sub":
          return n(`(${x} - ${y}) | 0`);
        case "mul":
          return n(`Math.imul(${x}, ${y})`);
        case "and":
          return n(`${x} & ${y}`);
        case "or":
          return n(`${x} | ${y}`);
        case "xor":
          return n(`${x} ^ ${y}`);
        case "shl":
          return n(`${x} << ${y}`);
        case "shr_u":
          return n(`(${x} >>> ${y}) | 0`);
        case "shr_s":
          return n(`${x} >> ${y}`);
        case "rotl":
          return n(`(${x} << ${y}) | (${x} >>> (32 - ${y}))`);
        case "rotr":
          return n(`(${x} >>> ${y}) | (${x} << (32 - ${y}))`);
        case "eq":
          return n(`${x} === ${y} ? 1 : 0`);
        case "ne":
          return n(`${x} !== ${y} ? 1 : 0`);
        case "lt_s":
        case "le_s":
          return n(`${x} ${UNSIGNED[s.name]} ${y} ? 1 : 0`);
        case "lt_u":
        case "le_u":
          return n(`${x} >>> 0 ${UNSIGNED[s.name]} ${y} >>> 0 ? 1 : 0`);
        case "div_u":
          return n(`((${x} >>> 0) / (${y} >>> 0)) | 0`);
        case "rem_u":
          return n(`((${x} >>> 0) % (${y} >>> 0)) | 0`);
      }
    }
    const [xh, yh] = [hi(a), hi(b)];
    switch (s.name) {
      case "add":
        return `const ${lo(s)} = (${x} + ${y}) | 0; const ${hi(s)} = (${xh} + ${yh} + (${lo(s)} >>> 0 < ${x} >>> 0 ? 1 : 0)) | 0;`;
      case "sub":
        return `const ${lo(s)} = (${x} - ${y}) | 0; const ${hi(s)} = (${xh} - ${yh} - (${x} >>> 0 < ${y} >>> 0 ? 1 : 0)) | 0;`;
      case "and":
      case "or":
      case "xor": {
        const op = { and: "&", or: "|", xor: "^" }[s.name];
        return `const ${lo(s)} = ${x} ${op} ${y}; const ${hi(s)} = ${xh} ${op} ${yh};`;
      }
      case "eq":
        return n(`${x} === ${y} && ${xh} === ${yh} ? 1 : 0`);
      case "ne":
        return n(`${x} !== ${y} || ${xh} !== ${yh} ? 1 : 0`);
      case "lt_u":
      case "le_u":
        return n(
          `${xh} === ${yh} ? (${x} >>> 0 ${UNSIGNED[s.name]} ${y} >>> 0 ? 1 : 0) : ${xh} >>> 0 < ${yh} >>> 0 ? 1 : 0`,
        );
      case "lt_s":
      case "le_s":
        return n(`${xh} === ${yh} ? (${x} >>> 0 ${UNSIGNED[s.name]} ${y} >>> 0 ? 1 : 0) : ${xh} < ${yh} ? 1 : 0`);
      // Shift and rotate counts are below 64: the low half says it all.
      case "shl":
      case "shr_u":
      case "shr_s":
      case "rotl":
      case "rotr":
        return this.result(s, `${this.use("int64", s.name)}(${x}, ${xh}, ${y})`);
      default:
        return this.result(s, `${this.use("int64", s.name)}(${x}, ${xh}, ${y}, ${yh})`);
    }
  }

  private unary(s: MicroOp & { op: "unary" }): string {
    const [a] = s.args;
    const x = lo(a);
    const n = (expression: string): string => `const ${lo(s)} = ${expression};`;
    const pair = (low: string, high: string): string => `const ${lo(s)} = ${low}; const ${hi(s)} = ${high};`;
    const wide = a.type === "i64";
    switch (s.name) {
      case "eqz":
        return n(wide ? `(${x} | ${hi(a)}) === 0 ? 1 : 0` : `${x} === 0 ? 1 : 0`);
      case "wrap":
        return n(x);
      case "extend_u":
        return pair(x, "0");
      case "extend_s":
        return pair(x, `${x} >> 31`);
      case "extend8_s":
        return wide ? pair(`(${x} << 24) >> 24`, `(${x} << 24) >> 31`) : n(`(${x} << 24) >> 24`);
      case "extend16_s":
        return wide ? pair(`(${x} << 16) >> 16`, `(${x} << 16) >> 31`) : n(`(${x} << 16) >> 16`);
      case "extend32_s":
        return wide ? pair(x, `${x} >> 31`) : n(x);
      default:
        return this.result(s, `${this.use("int64", `${s.name}${wide ? 64 : 32}`)}(${this.both(a)})`);
    }
  }

  /** Operands of lazy flags are left-aligned in 64 bits, as in execute/flags.ts. */
  private flags(s: MicroOp & { op: "flags" }): string {
    const kind = FLAG_KINDS.indexOf(s.kind) + 1;
    const raw = s.kind === "inc" || s.kind === "dec" || s.kind === "mul";
    const field = (v: Value, at: string, plain: boolean): string => {
      const to = this.use("layout", at);
      if (plain) return `I32[(c + ${to}) >> 2] = ${lo(v)}; I32[((c + ${to}) >> 2) + 1] = 0;`;
      if (v.type === "i64") return `I32[(c + ${to}) >> 2] = ${lo(v)}; I32[((c + ${to}) >> 2) + 1] = ${hi(v)};`;
      return `I32[(c + ${to}) >> 2] = 0; I32[((c + ${to}) >> 2) + 1] = ${s.width === 32 ? lo(v) : `${lo(v)} << ${32 - s.width}`};`;
    };
    const op = `I32[(c + ${this.use("layout", "CPU_CC_OP")}) >> 2] = ${(kind << 2) | Math.log2(s.width / 8)};`;
    const src = s.args[1];
    return `${op} ${field(s.args[0]!, "CPU_CC_DST", false)}${src ? ` ${field(src, "CPU_CC_SRC", raw)}` : ""}`;
  }
}
