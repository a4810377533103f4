// Tells engines which branches of core.wasm are unlikely: those to calls that handle what hardly ever happens, such as a miss of
// the TLB. AssemblyScript has no word for it, so they are found in the module: an arm that certainly makes such a call, or
// leaves because a fault is set. WebAssembly's branch hinting proposal: section metadata.code.branch_hint, which comes
// before the code and changes nothing of it.

const SECTION_CUSTOM = 0;
const SECTION_IMPORT = 2;
const SECTION_CODE = 10;
const NAME = "metadata.code.branch_hint";
const UNLIKELY = 0;
const LIKELY = 1;

const BLOCK = 0x02;
const LOOP = 0x03;
const IF = 0x04;
const ELSE = 0x05;
const END = 0x0b;
const BR = 0x0c;
const BR_IF = 0x0d;
const BR_TABLE = 0x0e;
const CALL = 0x10;
const GLOBAL_GET = 0x23;
const GLOBAL_SET = 0x24;
const I32_CONST = 0x41;
const I32_EQZ = 0x45;
const UNREACHABLE = 0x00;
const RETURN = 0x0f;
const CALL_INDIRECT = 0x11;
/** Behind these, what follows is not certain. */
const LEAVES = new Set([UNREACHABLE, BR, BR_IF, BR_TABLE, RETURN]);

/** Reads a module's bytes in order. */
class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }
  byte() {
    return this.bytes[this.at++];
  }
  u32() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
  skipLeb() {
    while (this.byte() >= 0x80);
  }
  skip(bytes) {
    this.at += bytes;
  }
  memarg() {
    this.skipLeb();
    this.skipLeb();
  }
}

/** Skips what follows an opcode that has nothing to do with control. Throws for one that asc is not known to emit. */
function skipImmediates(reader, opcode) {
  if (opcode <= 0x01 || opcode === RETURN || opcode === 0x1a || opcode === 0x1b) return; // unreachable, nop, return, drop, select
  if (opcode >= 0x20 && opcode <= 0x22) return reader.skipLeb(); // locals
  if (opcode === 0x25 || opcode === 0x26) return reader.skipLeb(); // table.get, table.set
  if (opcode >= 0x28 && opcode <= 0x3e) return reader.memarg();
  if (opcode === 0x3f || opcode === 0x40) return reader.skip(1); // memory.size, memory.grow
  if (opcode === 0x41 || opcode === 0x42) return reader.skipLeb();
  if (opcode === 0x43) return reader.skip(4);
  if (opcode === 0x44) return reader.skip(8);
  if (opcode >= 0x45 && opcode <= 0xc4) return; // arithmetic
  if (opcode === 0xfc) return skipBulk(reader, reader.u32());
  if (opcode === 0xfd) return skipVector(reader, reader.u32());
  if (opcode === 0xfe) return reader.u32() === 0x03 ? reader.skip(1) : reader.memarg(); // atomics
  throw new Error(`branch hints: opcode 0x${opcode.toString(16)} is not known`);
}

function skipBulk(reader, opcode) {
  if (opcode <= 7) return; // saturating truncation
  if (opcode === 0x08 || opcode === 0x0a) return reader.memarg(); // memory.init, memory.copy: two numbers
  if (opcode === 0x0b || opcode === 0x09) return reader.skipLeb(); // memory.fill, data.drop
  throw new Error(`branch hints: opcode 0xfc ${opcode} is not known`);
}

function skipVector(reader, opcode) {
  if (opcode <= 0x0b || opcode === 0x5c || opcode === 0x5d) return reader.memarg();
  if (opcode === 0x0c || opcode === 0x0d) return reader.skip(16); // v128.const, i8x16.shuffle
  if (opcode >= 0x15 && opcode <= 0x22) return reader.skip(1); // lanes
  if (opcode >= 0x54 && opcode <= 0x5b) {
    reader.memarg();
    reader.skip(1);
  }
}

/** The body of a function as a tree: [kind, offset, arm, ...], of what matters alone; calls as [CALL, offset, number]. */
function parse(reader, start) {
  const items = [];
  for (;;) {
    const offset = reader.at - start;
    const opcode = reader.byte();
    if (opcode === END || opcode === ELSE) return { items, ended: opcode };
    if (opcode === BLOCK || opcode === LOOP || opcode === IF) {
      reader.skipLeb();
      const first = parse(reader, start);
      const second = first.ended === ELSE ? parse(reader, start).items : undefined;
      items.push({ kind: opcode, offset, first: first.items, second });
    } else if (opcode === BR || opcode === BR_IF) items.push({ kind: opcode, offset, label: reader.u32() });
    else if (opcode === BR_TABLE) {
      for (let n = reader.u32(); n >= 0; n--) reader.skipLeb();
      items.push({ kind: opcode, offset });
    } else if (opcode === CALL) items.push({ kind: opcode, offset, callee: reader.u32() });
    else if (opcode === CALL_INDIRECT) {
      reader.memarg();
      items.push({ kind: opcode, offset });
    } else if (opcode === GLOBAL_GET || opcode === GLOBAL_SET)
      items.push({ kind: opcode, offset, global: reader.u32() });
    else if (opcode === I32_CONST) {
      const constant = reader.bytes[reader.at] !== 0;
      reader.skipLeb();
      items.push({ kind: opcode, offset, constant });
    } else {
      skipImmediates(reader, opcode);
      items.push({ kind: opcode, offset });
    }
  }
}

/** Finds what is unlikely in one function. */
class Finder {
  constructor(coldFunctions, fault) {
    this.cold = coldFunctions;
    this.fault = fault;
    this.hints = [];
  }

  /** Whether whoever comes to the beginning of `items` certainly comes to something cold. */
  isCold(items, from = 0) {
    for (let i = from; i < items.length; i++) {
      const item = items[i];
      if (item.kind === CALL && this.cold.has(item.callee)) return true;
      if (this.raises(items, i)) return true;
      if (item.kind === IF) {
        if (item.second && this.isCold(item.first) && this.isCold(item.second)) return true;
        if (branches(item.first) || branches(item.second ?? [])) return false;
      } else if (item.kind === BLOCK || item.kind === LOOP) {
        if (this.isCold(item.first)) return true;
        if (branches(item.first)) return false;
      } else if (LEAVES.has(item.kind)) return false;
    }
    return false;
  }

  /** Whether an item sets the fault. */
  raises(items, i) {
    return items[i].kind === GLOBAL_SET && items[i].global === this.fault && items[i - 1]?.constant;
  }

  /** What a condition right in front of an item says: 1 where it is the fault, -1 where it is its negation, else 0. */
  asksForFault(items, i) {
    const isGet = (item) => item?.kind === GLOBAL_GET && item.global === this.fault;
    if (isGet(items[i - 1])) return 1;
    return items[i - 1]?.kind === I32_EQZ && isGet(items[i - 2]) ? -1 : 0;
  }

  /** `behind`: for each label from the innermost, whether what follows it is cold. */
  look(items, behind) {
    items.forEach((item, i) => {
      const asked = this.asksForFault(items, i);
      const inner = () => [item.kind !== LOOP && this.isCold(items, i + 1), ...behind];
      if (item.kind === IF) {
        const first = this.isCold(item.first);
        const second = item.second !== undefined && this.isCold(item.second);
        if (asked) this.note(item, asked < 0);
        else if (first !== second) this.note(item, second);
      } else if (item.kind === BR_IF) {
        const taken = behind[item.label] ?? false;
        const going = this.isCold(items, i + 1);
        if (asked) this.note(item, asked < 0);
        else if (taken !== going) this.note(item, going);
      }
      if (item.first) this.look(item.first, inner());
      if (item.second) this.look(item.second, inner());
    });
  }

  note(item, isLikely) {
    this.hints.push({ offset: item.offset, value: isLikely ? LIKELY : UNLIKELY });
  }
}

function branches(items) {
  return items.some(
    (item) => LEAVES.has(item.kind) || (item.first && branches(item.first)) || (item.second && branches(item.second)),
  );
}

function u32(value) {
  const bytes = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return [...bytes, left];
    bytes.push((left % 128) | 0x80);
  }
}

/**
 * A module with the section. `coldFunctions`: the numbers of functions that handle what hardly ever happens; `fault`: the number
 * of the global that is not 0 while a fault is on its way.
 */
export function withBranchHints(module, coldFunctions, fault) {
  const reader = new Reader(module, 8);
  let imported = 0;
  while (reader.at < module.length) {
    const start = reader.at;
    const section = reader.byte();
    const size = reader.u32();
    const end = reader.at + size;
    if (section === SECTION_IMPORT) imported = importedFunctions(reader);
    if (section === SECTION_CODE) {
      const found = hintsOf(reader, imported, coldFunctions, fault);
      return Buffer.concat([module.subarray(0, start), Buffer.from(found), module.subarray(start)]);
    }
    reader.at = end;
  }
  throw new Error("branch hints: the module has no code");
}

function importedFunctions(reader) {
  let functions = 0;
  for (let n = reader.u32(); n > 0; n--) {
    reader.skip(reader.u32());
    reader.skip(reader.u32());
    const kind = reader.byte();
    if (kind === 0) {
      reader.skipLeb();
      functions++;
    } else if (kind === 2) {
      const limits = reader.byte();
      reader.skipLeb();
      if (limits & 1) reader.skipLeb();
    } else throw new Error(`branch hints: an import of kind ${kind}`);
  }
  return functions;
}

function hintsOf(reader, imported, coldFunctions, fault) {
  const functions = [];
  const count = reader.u32();
  for (let n = 0; n < count; n++) {
    const size = reader.u32();
    const start = reader.at;
    for (let groups = reader.u32(); groups > 0; groups--) {
      reader.skipLeb();
      reader.skip(1);
    }
    const finder = new Finder(coldFunctions, fault);
    finder.look(parse(reader, start).items, [false]);
    const hints = finder.hints.sort((a, b) => a.offset - b.offset);
    if (hints.length > 0)
      functions.push([
        ...u32(imported + n),
        ...u32(hints.length),
        ...hints.flatMap(({ offset, value }) => [...u32(offset), 1, value]),
      ]);
    if (reader.at !== start + size) throw new Error("branch hints: a function was misread");
  }
  const body = [...u32(NAME.length), ...Buffer.from(NAME), ...u32(functions.length), ...functions.flat()];
  return [SECTION_CUSTOM, ...u32(body.length), ...body];
}
