// Tells engines which branches of core.wasm are unlikely: those to calls that handle what hardly ever happens, such as a miss of
// the TLB. AssemblyScript has no word for it, so they are found in the module: an arm that certainly makes such a call, or
// leaves because a fault is set. WebAssembly's branch hinting proposal: section metadata.code.branch_hint, which comes
// before the code and changes nothing of it.
import { readOpcode, skipImmediates, skipLocals } from "../host/disassembler/wasm/instruction.ts";
import { Reader } from "../host/disassembler/wasm/reader.ts";

const SECTION_CUSTOM = 0;
const SECTION_CODE = 10;
const NAME = "metadata.code.branch_hint";
const UNLIKELY = 0;
const LIKELY = 1;
/** Behind these, what follows is not certain. */
const LEAVES = new Set(["unreachable", "br", "br_if", "br_table", "return"]);

/** An instruction: of its immediates, what matters here. */
interface Item {
  readonly name: string;
  /** From the beginning of the function's body. */
  readonly offset: number;
  /** Callee, global or label of a call, global.get, global.set, br or br_if. */
  readonly index?: number;
  /** An i32.const of anything but 0. */
  readonly isTrue?: boolean;
  /** What a block, loop or if holds, and the else of the latter. */
  readonly first?: readonly Item[];
  readonly second?: readonly Item[] | undefined;
}

interface Hint {
  readonly offset: number;
  readonly value: typeof UNLIKELY | typeof LIKELY;
}

/** The instructions up to the end or else that belongs to them, and which of the two it was. */
function parse(body: Reader, start: number): { readonly items: Item[]; readonly ended: string } {
  const items: Item[] = [];
  for (;;) {
    const offset = body.at - start;
    const { name, immediates } = readOpcode(body);
    if (name === "end" || name === "else") return { items, ended: name };
    if (immediates === "b") {
      skipImmediates(body, immediates);
      const { items: first, ended } = parse(body, start);
      items.push({ name, offset, first, second: ended === "else" ? parse(body, start).items : undefined });
    } else if (immediates === "i") items.push({ name, offset, index: body.u32() });
    else if (immediates === "i32") items.push({ name, offset, isTrue: body.signed() !== 0n });
    else {
      skipImmediates(body, immediates);
      items.push({ name, offset });
    }
  }
}

/** Finds what is unlikely in one function. */
class Finder {
  readonly hints: Hint[] = [];

  constructor(
    private readonly cold: ReadonlySet<number>,
    private readonly fault: number,
  ) {}

  /** Notes hints in order. `behind`: for each label from the innermost, whether what follows it is cold. */
  look(items: readonly Item[], behind: readonly boolean[]): void {
    items.forEach((item, i) => {
      const { name, first, second } = item;
      if (name === "if") this.note(items, i, this.isCold(first ?? []), this.isCold(second ?? []));
      else if (name === "br_if") this.note(items, i, behind[item.index!] ?? false, this.isCold(items, i + 1));
      if (!first) return;
      const inner = [name !== "loop" && this.isCold(items, i + 1), ...behind];
      this.look(first, inner);
      if (second) this.look(second, inner);
    });
  }

  /** Notes a branch whose condition leads to what is cold if it is true (`taken`), or if it is not. */
  private note(items: readonly Item[], i: number, taken: boolean, going: boolean): void {
    const asked = this.asksForFault(items, i);
    const { offset } = items[i]!;
    if (asked !== undefined) this.hints.push({ offset, value: asked ? UNLIKELY : LIKELY });
    else if (taken !== going) this.hints.push({ offset, value: going ? LIKELY : UNLIKELY });
  }

  /** Whether whoever comes to the beginning of `items` certainly comes to something cold. */
  private isCold(items: readonly Item[], from = 0): boolean {
    for (let i = from; i < items.length; i++) {
      const { name, index, first, second } = items[i]!;
      if (name === "call" && this.cold.has(index!)) return true;
      if (name === "global.set" && index === this.fault && items[i - 1]?.isTrue) return true;
      if (name === "if" ? second && this.isCold(first!) && this.isCold(second) : first && this.isCold(first))
        return true;
      if (leaves(items[i]!)) return false;
    }
    return false;
  }

  /** Whether the condition in front of an item is the fault: false where it is its negation, undefined where it is neither. */
  private asksForFault(items: readonly Item[], i: number): boolean | undefined {
    const isGet = (item: Item | undefined): boolean => item?.name === "global.get" && item.index === this.fault;
    if (isGet(items[i - 1])) return true;
    return items[i - 1]?.name === "i32.eqz" && isGet(items[i - 2]) ? false : undefined;
  }
}

/** Whether an item, or one in it, may go elsewhere than to what follows. */
function leaves({ name, first = [], second = [] }: Item): boolean {
  return LEAVES.has(name) || first.some(leaves) || second.some(leaves);
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

/**
 * A module with the section. `coldFunctions`: the numbers of functions that handle what hardly ever happens; `fault`: the number
 * of the global that is not 0 while a fault is on its way. Throws RangeError for what is no module.
 */
export function withBranchHints(module: Uint8Array, coldFunctions: ReadonlySet<number>, fault: number): Uint8Array {
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(module.slice()));
  const imported = imports.filter(({ kind }) => kind === "function").length;
  const reader = new Reader(module, 8);
  while (!reader.done) {
    const start = reader.at;
    const id = reader.byte();
    const section = reader.part(reader.u32());
    if (id !== SECTION_CODE) continue;
    const functions: number[][] = [];
    const count = section.u32();
    for (let number = imported; number < imported + count; number++) {
      const body = section.part(section.u32());
      const from = body.at;
      skipLocals(body);
      const finder = new Finder(coldFunctions, fault);
      finder.look(parse(body, from).items, [false]);
      const hints = finder.hints.flatMap(({ offset, value }) => [...leb(offset), 1, value]);
      if (hints.length > 0) functions.push([...leb(number), ...leb(finder.hints.length), ...hints]);
    }
    const content = [
      ...leb(NAME.length),
      ...new TextEncoder().encode(NAME),
      ...leb(functions.length),
      ...functions.flat(),
    ];
    const added = [SECTION_CUSTOM, ...leb(content.length), ...content];
    return Uint8Array.from([...module.subarray(0, start), ...added, ...module.subarray(start)]);
  }
  throw new RangeError("the module has no code");
}
