// Names for addresses: from the symbol table of an ELF file (System V ABI, chapter 4).

/** A function or another thing at an address. */
export interface GuestSymbol {
  readonly address: bigint;
  readonly name: string;
}

/** Symbols, ordered by address. */
export class SymbolTable {
  private readonly symbols: readonly GuestSymbol[];

  constructor(symbols: readonly GuestSymbol[]) {
    this.symbols = [...symbols].sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  }

  get size(): number {
    return this.symbols.length;
  }

  /** The name of the last symbol at or below an address; undefined below the first. */
  nameOf(address: bigint): string | undefined {
    let [low, high] = [0, this.symbols.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.symbols[middle]!.address <= address) low = middle + 1;
      else high = middle;
    }
    return this.symbols[low - 1]?.name;
  }
}

const SHT_SYMTAB = 2;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;

/** The functions of a little-endian ELF file of either class; none where it has been stripped of them. */
export function elfFunctions(file: Uint8Array): GuestSymbol[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const is64Bit = view.getUint8(4) === 2;
  const word = (at: number): bigint => (is64Bit ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true)));
  const sections = Number(word(is64Bit ? 0x28 : 0x20));
  const sectionSize = view.getUint16(is64Bit ? 0x3a : 0x2e, true);
  const count = view.getUint16(is64Bit ? 0x3c : 0x30, true);
  const section = (index: number): { type: number; offset: number; size: number; link: number } => {
    const at = sections + index * sectionSize;
    const [offset, size, link] = is64Bit ? [0x18, 0x20, 0x28] : [0x10, 0x14, 0x18];
    return {
      type: view.getUint32(at + 4, true),
      offset: Number(word(at + offset)),
      size: Number(word(at + size)),
      link: view.getUint32(at + link, true),
    };
  };
  const symbols: GuestSymbol[] = [];
  for (let index = 0; index < count; index++) {
    const { type, offset, size, link } = section(index);
    if (type !== SHT_SYMTAB) continue;
    const names = section(link).offset;
    const [entrySize, info, value] = is64Bit ? [24, 4, 8] : [16, 12, 4];
    for (let at = offset; at + entrySize <= offset + size; at += entrySize) {
      const kind = view.getUint8(at + info) & 15;
      const address = word(at + value);
      if ((kind !== STT_FUNC && kind !== STT_GNU_IFUNC) || address === 0n) continue;
      symbols.push({ address, name: textAt(file, names + view.getUint32(at, true)) });
    }
  }
  return symbols;
}

function textAt(bytes: Uint8Array, start: number): string {
  return Buffer.from(bytes.subarray(start, bytes.indexOf(0, start))).toString("latin1");
}
