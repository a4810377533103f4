// The translator in small: one decoded record and the serialised list of its case become a WebAssembly function.
//
// What the record holds is constant; general registers live in locals from entry to exit; values that serialize.ts
// marks as deferred are computed on WebAssembly's stack; flags go to memory; memory operands probe the TLB inline and
// call the core where they miss. The function takes the record's address and returns 1, or 0 where `fault` is set or
// the instruction is to be executed again.

import { MICRO } from "../../assembly/isa/serialize.ts";
import {
  CPU_CC_DST,
  CPU_CC_OP,
  CPU_CC_SRC,
  CPU_RIP,
  CPU_TRACE_RIP,
  CPU_X87,
  CPU_XMM,
  CPU_ZERO,
  TLB_ADDEND,
  TLB_ENTRIES,
  TLB_READ,
  TLB_WRITE,
  VCPU_BASE,
} from "../../assembly/layout.ts";
import { Reader, type Step } from "./micro-reader.ts";
import { R_BASE, R_DISP, R_EA, R_IMM, R_INDEX, R_NEXT, R_R0, R_R1, R_R2, R_SCALE, R_SEGMENT } from "./record-fields.ts";
import { FunctionWriter, getGlobal, getLocal, i32, i64, memory, setLocal, type WasmType } from "./wasm-module.ts";

const FAULT = 0;
const TLB = 1;
const RECORD = 0;
const SLOTS = [R_R0, R_R1, R_R2];
const HEADER = 4;
/** Helpers that check a memory operand's segment. */
const CHECKED = "execute_address_addressChecked";
const ALIGNED = "execute_vector_memory_alignedChecked";

// WebAssembly opcodes.
const [IF, ELSE, END, RETURN, DROP] = [0x04, 0x05, 0x0b, 0x0f, 0x1a];
const EMPTY = 0x40;
const [
  I32_EQZ,
  I32_NE,
  I64_EQ,
  I64_NE,
  I32_AND,
  I32_ADD,
  I64_ADD,
  I64_AND,
  I64_OR,
  I64_SHL,
  I64_SHR_U,
  WRAP,
  EXTEND_U,
] = [0x45, 0x47, 0x51, 0x52, 0x71, 0x6a, 0x7c, 0x83, 0x84, 0x86, 0x88, 0xa7, 0xad];
const LOADS = [0x2d, 0x2f, 0x28, 0x29];
const STORES = [0x3a, 0x3b, 0x36, 0x37];
const ATOMIC_LOADS = [0x12, 0x13, 0x10, 0x11];
const ATOMIC_EXCHANGES = [0x4a, 0x4b, 0x48, 0x49];
const ATOMIC = 0xfe;

/** What a value number stands for while its function is written. */
type Place =
  | { kind: "constant"; type: WasmType; code: number[] }
  | { kind: "deferred"; step: Step }
  | { kind: "local"; type: WasmType; index: number };

export class Translator {
  private readonly out = new FunctionWriter();
  private readonly reader: Reader;
  private readonly places: Place[] = [];
  private readonly registers = new Map<number, number>();
  private readonly written = new Set<number>();
  /** Host address and linear address of a MICRO_MODIFY, by its value number. */
  private readonly modified = new Map<number, { pointer: number; address: number }>();
  private next = 0;

  /** record: the 32 bytes of a decoded instruction; helpers: export names by helper number; code64: in 64-bit code. */
  constructor(
    list: Uint8Array,
    private readonly record: DataView,
    private readonly helpers: readonly string[],
    private readonly code64: boolean,
    private readonly needsRip: boolean,
  ) {
    this.reader = new Reader(list);
  }

  /** The module, which exports the function as `run`. `known`: registers that it uses, from an earlier pass. */
  translate(known?: Iterable<number>): Uint8Array<ArrayBuffer> {
    for (const number of known ?? []) this.register(number);
    const rip = this.needsRip ? [...i32(VCPU_BASE), ...this.nextRip(), ...memory(STORES[3]!, CPU_RIP)] : [];
    const body = this.steps(HEADER, Number.POSITIVE_INFINITY);
    if (!known) {
      // Registers are found as the body is written; what a helper changes has to be read again for all of them.
      const { reader, record, helpers, code64, needsRip } = this;
      return new Translator(reader.list, record, helpers, code64, needsRip).translate(this.registers.keys());
    }
    return this.out.module([...rip, ...this.loadRegisters(), ...body, ...this.storeRegisters(), ...i32(1)]);
  }

  // ---------------------------------------------------------------- registers
  private register(number: number): number {
    let local = this.registers.get(number);
    if (local === undefined) this.registers.set(number, (local = this.out.local("i64")));
    return local;
  }

  private loadRegisters(): number[] {
    return [...this.registers].flatMap(([number, local]) => [
      ...i32(VCPU_BASE),
      ...memory(LOADS[3]!, number * 8),
      ...setLocal(local),
    ]);
  }

  /** Helpers find registers in memory, and leave them there. */
  private storeRegisters(): number[] {
    return [...this.written].flatMap((number) => [
      ...i32(VCPU_BASE),
      ...getLocal(this.register(number)),
      ...memory(STORES[3]!, number * 8),
    ]);
  }

  /** A register as a record names it: by the offset of its (lowest) byte. */
  private readRegister(offset: number, width: number): number[] {
    const whole = getLocal(this.register(offset >> 3));
    if (width === 3) return whole;
    const shifted = offset & 7 ? [...whole, ...i64(8n), I64_SHR_U, WRAP] : [...whole, WRAP];
    return width === 2 ? shifted : [...shifted, ...i32(width === 0 ? 0xff : 0xffff), I32_AND];
  }

  private writeRegister(offset: number, width: number, value: number[], type: WasmType): number[] {
    const local = this.register(offset >> 3);
    this.written.add(offset >> 3);
    const wide = type === "i64" ? value : [...value, EXTEND_U];
    if (width === 3) return [...wide, ...setLocal(local)];
    if (width === 2) return [...wide, ...i64(0xffffffffn), I64_AND, ...setLocal(local)];
    const shift = BigInt((offset & 7) * 8);
    const mask = width === 0 ? 0xffn : 0xffffn;
    return [
      ...getLocal(local),
      ...i64(~(mask << shift)),
      I64_AND,
      ...wide,
      ...i64(mask),
      I64_AND,
      ...i64(shift),
      I64_SHL,
      I64_OR,
      ...setLocal(local),
    ];
  }

  // ---------------------------------------------------------------- values
  private typeOf(number: number): WasmType {
    const place = this.places[number]!;
    return place.kind === "deferred" ? place.step.type! : place.type;
  }

  /** Code that leaves a value on the stack. */
  private value(number: number): number[] {
    const place = this.places[number]!;
    if (place.kind === "constant") return place.code;
    return place.kind === "local" ? getLocal(place.index) : this.compute(place.step);
  }

  private wideValue(number: number): number[] {
    return this.typeOf(number) === "i64" ? this.value(number) : [...this.value(number), EXTEND_U];
  }

  /** A value that is used more than once: its local. */
  private localOf(number: number): { index: number; code: number[] } {
    const place = this.places[number]!;
    if (place.kind === "local") return { index: place.index, code: [] };
    const index = this.out.local(this.typeOf(number));
    return { index, code: [...this.value(number), ...setLocal(index)] };
  }

  private define(step: Step, code: number[]): number[] {
    const index = this.out.local(step.type!);
    this.places[this.next++] = { kind: "local", type: step.type!, index };
    return [...code, ...setLocal(index)];
  }

  // ---------------------------------------------------------------- steps
  private steps(from: number, to: number): number[] {
    const code: number[] = [];
    for (let at = from; at < to; ) {
      const step = this.reader.read(at);
      if (step.opcode === MICRO.END) break;
      code.push(...this.step(step));
      at = step.next;
    }
    return code;
  }

  private step(s: Step): number[] {
    if (
      s.opcode === MICRO.CONST32 ||
      s.opcode === MICRO.CONST64 ||
      s.opcode === MICRO.IMM ||
      s.opcode === MICRO.INDEX
    ) {
      this.places[this.next++] = { kind: "constant", type: s.type!, code: this.compute(s) };
      return [];
    }
    if (s.deferred) {
      this.places[this.next++] = { kind: "deferred", step: s };
      return [];
    }
    switch (s.opcode) {
      case MICRO.PUT:
        return this.writeRegister(
          this.record.getUint8(SLOTS[s.field]!),
          s.width,
          this.value(s.values[0]!),
          this.typeOf(s.values[0]!),
        );
      case MICRO.PUT_FIXED:
        return this.writeRegister(s.field, s.width, this.value(s.values[0]!), this.typeOf(s.values[0]!));
      case MICRO.ADDRESS:
      case MICRO.ADDRESS_PLUS:
        return this.define(s, this.address(CHECKED, s.field >> 1, s.field & 1, s.values[0]));
      case MICRO.ADDRESS_ALIGNED:
        return this.define(s, this.address(ALIGNED, s.field >> 1, s.field & 1, undefined));
      case MICRO.VWRITE:
        return this.writeVector(s);
      case MICRO.LOAD: {
        const address = this.localOf(s.values[0]!);
        const pointer = this.out.local("i32");
        return [...address.code, ...this.load(s, address.index, pointer)];
      }
      case MICRO.MODIFY:
      case MICRO.MODIFY_LOCKED: {
        const address = this.localOf(s.values[0]!);
        const pointer = this.out.local("i32");
        this.modified.set(this.next, { pointer, address: address.index });
        return [...address.code, ...this.load(s, address.index, pointer)];
      }
      case MICRO.STORE: {
        const address = this.localOf(s.values[0]!);
        const pointer = this.out.local("i32");
        const probe = this.probe(address.index, 1 << s.width, TLB_WRITE);
        return [
          ...address.code,
          ...probe,
          ...setLocal(pointer),
          ...this.store(s.width, pointer, address.index, s.values[1]!),
        ];
      }
      case MICRO.COMPLETE: {
        const { pointer, address } = this.modified.get(s.values[0]!)!;
        return this.store(s.width, pointer, address, s.values[1]!);
      }
      case MICRO.COMPLETE_LOCKED:
        return this.exchange(s);
      case MICRO.POINTER:
        return this.define(s, this.pointer(s));
      case MICRO.VSTORE: {
        const value = this.value(s.values[1]!);
        if (s.field === 16) return [...this.value(s.values[0]!), ...value, 0xfd, ...memory(0x0b, 0)];
        const log = Math.log2(s.field);
        const cut = log < 3 && this.typeOf(s.values[1]!) === "i64" ? [WRAP] : [];
        return [...this.value(s.values[0]!), ...value, ...cut, ...memory(STORES[log]!, 0)];
      }
      case MICRO.FLAGS:
        return this.flags(s);
      case MICRO.SET_FLAGS:
        return [...this.value(s.values[0]!), ...this.out.call("execute_flags_setStatusFlags", ["i32"], undefined)];
      case MICRO.CALL:
        return this.call(s);
      case MICRO.GUARD: {
        const raise =
          s.more < 0
            ? this.out.call("cpu_raise", ["i32"], undefined)
            : [...i32(s.more), ...this.out.call("cpu_raiseError", ["i32", "i32"], undefined)];
        return [...this.value(s.values[0]!), IF, EMPTY, ...i32(s.field), ...raise, ...i32(0), RETURN, END];
      }
      case MICRO.WHEN:
        return [...this.condition(s.values[0]!), IF, EMPTY, ...this.steps(s.body, s.next), END];
      case MICRO.BRANCH:
      case MICRO.BRANCH_IF: {
        const taken = s.opcode === MICRO.BRANCH ? i32(1) : this.value(s.values[0]!);
        const go = this.out.call("execute_push_pop_branchNear", ["i32", "i32", "i32"], undefined);
        return [...getLocal(RECORD), ...taken, ...i32(8 << s.width), ...go, ...this.leaveIfFault()];
      }
      case MICRO.JUMP:
        return [
          ...this.wideValue(s.values[0]!),
          ...i32(8 << s.width),
          ...this.out.call("execute_push_pop_jumpNear", ["i64", "i32"], undefined),
        ];
      case MICRO.LEAVE:
        return [];
      default:
        return this.define(s, this.compute(s));
    }
  }

  /** A condition as i32: a 64-bit value holds if it is not zero. */
  private condition(number: number): number[] {
    return this.typeOf(number) === "i64" ? [...this.value(number), ...i64(0n), I64_NE] : this.value(number);
  }

  /** Code for a value without effects. */
  private compute(s: Step): number[] {
    switch (s.opcode) {
      case MICRO.CONST32:
        return i32(Number(s.constant));
      case MICRO.CONST64:
        return i64(s.constant);
      case MICRO.IMM: {
        const value = this.record.getBigUint64(R_IMM, true);
        return s.width === 3 ? i64(value) : i32(Number(BigInt.asUintN(8 << s.width, value)));
      }
      case MICRO.INDEX:
        return i32(this.record.getUint8(SLOTS[s.field]!));
      case MICRO.GET:
        return this.readRegister(this.record.getUint8(SLOTS[s.field]!), s.width);
      case MICRO.GET_FIXED:
        return this.readRegister(s.field, s.width);
      case MICRO.EFFECTIVE:
        return this.effective();
      case MICRO.NEXT_RIP:
        return this.nextRip();
      case MICRO.OFFSET:
        return [...this.value(s.values[0]!), ...i32(s.field), I32_ADD];
      case MICRO.VLOAD:
        if (s.field === 16) return [...this.value(s.values[0]!), 0xfd, ...memory(0x00, 0)];
        return [...this.value(s.values[0]!), ...memory(LOADS[Math.log2(s.field)]!, 0)];
      case MICRO.OP32:
      case MICRO.OP64:
        if (s.field === 0x1b)
          return [...this.value(s.values[0]!), ...this.value(s.values[1]!), ...this.condition(s.values[2]!), 0x1b];
        return [...s.values.flatMap((v) => this.value(v)), s.field];
      case MICRO.SELECT128:
        return [...this.value(s.values[0]!), ...this.value(s.values[1]!), ...this.condition(s.values[2]!), 0x1b];
      case MICRO.SIMD:
        return [...s.values.flatMap((v) => this.value(v)), ...s.raw];
      case MICRO.CONDITION:
        return this.out.call(`execute_flags_condition${s.field}`, [], "i32");
      case MICRO.GET_FLAGS:
        return this.out.call("execute_flags_statusFlags", [], "i32");
      default:
        throw new Error(`micro-operation ${s.opcode} yields no value`);
    }
  }

  private nextRip(): number[] {
    const next = [
      ...i32(VCPU_BASE),
      ...memory(LOADS[3]!, CPU_TRACE_RIP),
      ...i64(BigInt(this.record.getUint16(R_NEXT, true))),
      I64_ADD,
    ];
    return this.code64 ? next : [...next, ...i64(0xffffffffn), I64_AND];
  }

  // ---------------------------------------------------------------- addresses
  private effective(): number[] {
    if (this.record.getUint8(R_EA))
      return [
        ...this.storeRegisters(),
        ...getLocal(RECORD),
        ...this.out.call("execute_address_offsetChecked", ["i32"], "i64"),
      ];
    let code = i64(BigInt(this.record.getInt32(R_DISP, true)));
    const [base, index] = [this.record.getUint8(R_BASE), this.record.getUint8(R_INDEX)];
    if (base !== CPU_ZERO) code = [...code, ...this.baseOf(base), I64_ADD];
    if (index !== CPU_ZERO)
      code = [...code, ...this.baseOf(index), ...i64(BigInt(this.record.getUint8(R_SCALE))), I64_SHL, I64_ADD];
    return code;
  }

  private baseOf(offset: number): number[] {
    return offset < CPU_ZERO ? getLocal(this.register(offset >> 3)) : [...i32(VCPU_BASE), ...memory(LOADS[3]!, offset)];
  }

  private address(helper: string, bytes: number, write: number, delta: number | undefined): number[] {
    const displaced = delta === undefined ? i64(0n) : this.value(delta);
    if (this.record.getUint8(R_EA)) {
      const check = this.out.call(helper, ["i32", "i32", "i32", "i64"], "i64");
      const result = this.out.local("i64");
      return [
        ...this.storeRegisters(),
        ...getLocal(RECORD),
        ...i32(bytes),
        ...i32(write),
        ...displaced,
        ...check,
        ...setLocal(result),
        ...this.leaveIfFault(),
        ...getLocal(result),
      ];
    }
    const segment = this.record.getUint8(R_SEGMENT);
    const based = segment === CPU_ZERO ? [] : [...this.baseOf(segment), I64_ADD];
    return [...this.effective(), ...based, ...(delta === undefined ? [] : [...displaced, I64_ADD])];
  }

  // ---------------------------------------------------------------- memory
  /** Leaves the host address of the bytes at a linear address on the stack, or 0. */
  private probe(address: number, bytes: number, tag: number): number[] {
    const entry = this.out.local("i32");
    return [
      ...getGlobal(TLB),
      ...getLocal(address),
      ...i64(7n),
      I64_SHR_U,
      WRAP,
      ...i32((TLB_ENTRIES - 1) << 5),
      I32_AND,
      I32_ADD,
      ...setLocal(entry),
      ...getLocal(address),
      ...i64(BigInt(bytes - 1)),
      I64_ADD,
      ...i64(~0xfffn),
      I64_AND,
      ...getLocal(entry),
      ...memory(LOADS[3]!, tag),
      I64_EQ,
      IF,
      0x7f,
      ...getLocal(address),
      WRAP,
      ...getLocal(entry),
      ...memory(LOADS[2]!, TLB_ADDEND),
      I32_ADD,
      ELSE,
      ...i32(0),
      END,
    ];
  }

  private leaveIfFault(): number[] {
    return [...getGlobal(FAULT), IF, EMPTY, ...i32(0), RETURN, END];
  }

  private load(s: Step, address: number, pointer: number): number[] {
    const bytes = 1 << s.width;
    const locked = s.opcode === MICRO.MODIFY_LOCKED;
    const tag = s.opcode === MICRO.LOAD ? TLB_READ : TLB_WRITE;
    let found = [...this.probe(address, bytes, tag), ...setLocal(pointer)];
    // Atomics work on naturally aligned operands only.
    if (locked)
      found = [
        ...found,
        ...getLocal(pointer),
        ...i32(bytes - 1),
        I32_AND,
        IF,
        EMPTY,
        ...i32(0),
        ...setLocal(pointer),
        END,
      ];
    const fast = locked
      ? [...getLocal(pointer), ATOMIC, ATOMIC_LOADS[s.width]!, s.width, 0]
      : [...getLocal(pointer), ...memory(LOADS[s.width]!, 0)];
    const slow = this.out.call(
      s.opcode === MICRO.LOAD ? "mmu_access_readSlow" : "mmu_access_rmwReadSlow",
      ["i64", "i32"],
      "i64",
    );
    const enter = locked ? this.out.call("execute_atomic_enterExclusive", [], undefined) : [];
    const leave = locked ? this.out.call("execute_atomic_leaveExclusive", [], undefined) : [];
    const result = this.out.local(s.type!);
    const number = this.next++;
    this.places[number] = { kind: "local", type: s.type!, index: result };
    return [
      ...found,
      ...getLocal(pointer),
      IF,
      EMPTY,
      ...fast,
      ...setLocal(result),
      ELSE,
      ...enter,
      ...getLocal(address),
      ...i32(bytes),
      ...slow,
      ...(s.width === 3 ? [] : [WRAP]),
      ...setLocal(result),
      ...getGlobal(FAULT),
      IF,
      EMPTY,
      ...leave,
      ...i32(0),
      RETURN,
      END,
      END,
    ];
  }

  private store(width: number, pointer: number, address: number, number: number): number[] {
    const value = this.localOf(number);
    const narrow = width < 3 && this.typeOf(number) === "i64" ? [WRAP] : [];
    const wide = this.typeOf(number) === "i64" ? [] : [EXTEND_U];
    return [
      ...value.code,
      ...getLocal(pointer),
      IF,
      EMPTY,
      ...getLocal(pointer),
      ...getLocal(value.index),
      ...narrow,
      ...memory(STORES[width]!, 0),
      ELSE,
      ...getLocal(address),
      ...getLocal(value.index),
      ...wide,
      ...i32(1 << width),
      ...this.out.call("mmu_access_writeSlow", ["i64", "i64", "i32"], "i32"),
      I32_EQZ,
      IF,
      EMPTY,
      ...i32(0),
      RETURN,
      END,
      END,
    ];
  }

  private exchange(s: Step): number[] {
    const { pointer, address } = this.modified.get(s.values[0]!)!;
    const value = this.localOf(s.values[1]!);
    const type = this.typeOf(s.values[0]!);
    const wide = type === "i64" ? [] : [EXTEND_U];
    const ok = this.out.local("i32");
    return [
      ...value.code,
      ...getLocal(pointer),
      IF,
      EMPTY,
      ...getLocal(pointer),
      ...this.value(s.values[0]!),
      ...getLocal(value.index),
      ATOMIC,
      ATOMIC_EXCHANGES[s.width]!,
      s.width,
      0,
      // Somebody else was faster: once more.
      ...this.value(s.values[0]!),
      type === "i64" ? I64_NE : I32_NE,
      IF,
      EMPTY,
      ...i32(0),
      RETURN,
      END,
      ELSE,
      ...getLocal(address),
      ...getLocal(value.index),
      ...wide,
      ...i32(1 << s.width),
      ...this.out.call("mmu_access_writeSlow", ["i64", "i64", "i32"], "i32"),
      ...setLocal(ok),
      ...this.out.call("execute_atomic_leaveExclusive", [], undefined),
      ...getLocal(ok),
      I32_EQZ,
      IF,
      EMPTY,
      ...i32(0),
      RETURN,
      END,
      END,
    ];
  }

  private writeVector(s: Step): number[] {
    const address = this.localOf(s.values[0]!);
    const value = this.localOf(s.values[1]!);
    const pointer = this.out.local("i32");
    const slow = this.out.call("execute_vector_memory_vectorWriteSlow", ["i64", "v128"], "i32");
    return [
      ...address.code,
      ...value.code,
      ...this.probe(address.index, 16, TLB_WRITE),
      ...setLocal(pointer),
      ...[...getLocal(pointer), IF, EMPTY, ...getLocal(pointer), ...getLocal(value.index), 0xfd, ...memory(0x0b, 0)],
      ...[
        ELSE,
        ...getLocal(address.index),
        ...getLocal(value.index),
        ...slow,
        I32_EQZ,
        IF,
        EMPTY,
        ...i32(0),
        RETURN,
        END,
        END,
      ],
    ];
  }

  private pointer(s: Step): number[] {
    if (!(s.field & 8)) {
      const number = this.record.getUint8(SLOTS[s.field & 3]!);
      return i32(VCPU_BASE + (s.field & 4 ? CPU_X87 + number * 16 : CPU_XMM + number * 32));
    }
    const address = this.out.local("i64");
    const pointer = this.out.local("i32");
    const aligned =
      s.field & 16
        ? [
            ...getLocal(address),
            ...this.out.call("execute_vector_registers_aligned16", ["i64"], "i32"),
            I32_EQZ,
            IF,
            EMPTY,
            ...i32(0),
            RETURN,
            END,
          ]
        : [];
    return [
      ...this.address(s.field & 16 ? ALIGNED : CHECKED, s.more, 0, undefined),
      ...setLocal(address),
      ...aligned,
      ...this.probe(address, s.more, TLB_READ),
      ...setLocal(pointer),
      ...getLocal(pointer),
      I32_EQZ,
      IF,
      EMPTY,
      ...getLocal(address),
      ...i32(s.more),
      ...this.out.call("execute_vector_memory_vectorReadSlow", ["i64", "i32"], "i32"),
      ...setLocal(pointer),
      ...getLocal(pointer),
      I32_EQZ,
      IF,
      EMPTY,
      ...i32(0),
      RETURN,
      END,
      END,
      ...getLocal(pointer),
    ];
  }

  // ---------------------------------------------------------------- flags and helpers
  private flags(s: Step): number[] {
    const plain = [6, 7, 10].includes(s.field >> 2);
    const shift = BigInt(64 - (8 << s.width));
    const aligned = (number: number): number[] =>
      shift ? [...this.wideValue(number), ...i64(shift), I64_SHL] : this.wideValue(number);
    const code = [
      ...i32(VCPU_BASE),
      ...i32(s.field),
      ...memory(STORES[2]!, CPU_CC_OP),
      ...i32(VCPU_BASE),
      ...aligned(s.values[0]!),
      ...memory(STORES[3]!, CPU_CC_DST),
    ];
    if (s.values.length < 2) return code;
    return [
      ...code,
      ...i32(VCPU_BASE),
      ...(plain ? this.wideValue(s.values[1]!) : aligned(s.values[1]!)),
      ...memory(STORES[3]!, CPU_CC_SRC),
    ];
  }

  private call(s: Step): number[] {
    const parameters = s.values.map((v) => this.typeOf(v));
    const name = this.helpers[s.field]!;
    const code = s.values.flatMap((v) => this.value(v));
    const called = this.out.call(name, parameters, s.result);
    const before = this.storeRegisters();
    const result = s.type ? this.define(s, []) : s.result ? [DROP] : [];
    const fault = s.more & 8 ? this.leaveIfFault() : [];
    return [...before, ...code, ...called, ...result, ...fault, ...this.loadRegisters()];
  }
}
