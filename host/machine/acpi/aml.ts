// An encoder for the part of the ACPI Machine Language that describes fixed hardware (ACPI 6.4, chapter 20).
// Every function returns the bytes of one term.

export type Aml = readonly number[];

const ZERO_OP = 0x00;
const ONE_OP = 0x01;
const NAME_OP = 0x08;
const BYTE_PREFIX = 0x0a;
const WORD_PREFIX = 0x0b;
const DWORD_PREFIX = 0x0c;
const STRING_PREFIX = 0x0d;
const SCOPE_OP = 0x10;
const BUFFER_OP = 0x11;
const PACKAGE_OP = 0x12;
const DUAL_NAME_PREFIX = 0x2e;
const MULTI_NAME_PREFIX = 0x2f;
const EXTENDED_PREFIX = 0x5b;
const DEVICE_OP = 0x82;

/** A name path such as "\\_SB", "PCI0" or "\\_SB.PCI0"; segments are padded with underscores. */
export function path(text: string): Aml {
  const root = text.startsWith("\\");
  const segments = (root ? text.slice(1) : text).split(".").map((segment) => bytesOf(segment.padEnd(4, "_")));
  const prefix =
    segments.length === 1 ? [] : segments.length === 2 ? [DUAL_NAME_PREFIX] : [MULTI_NAME_PREFIX, segments.length];
  return [...(root ? bytesOf("\\") : []), ...prefix, ...segments.flat()];
}

/** An integer constant up to 32 bits, in its shortest form. */
export function integer(value: number): Aml {
  if (value === 0) {
    return [ZERO_OP];
  }
  if (value === 1) {
    return [ONE_OP];
  }
  if (value <= 0xff) {
    return [BYTE_PREFIX, value];
  }
  return value <= 0xffff ? [WORD_PREFIX, ...le(value, 2)] : [DWORD_PREFIX, ...le(value, 4)];
}

export function string(text: string): Aml {
  return [STRING_PREFIX, ...bytesOf(text), 0];
}

/** A compressed EISA identifier such as "PNP0A03" (ACPI 6.4, section 19.3.4). */
export function eisaId(id: string): Aml {
  const letter = (index: number) => id.charCodeAt(index) - 0x40;
  const vendor = (letter(0) << 10) | (letter(1) << 5) | letter(2);
  const product = Number.parseInt(id.slice(3), 16);
  return [DWORD_PREFIX, vendor >> 8, vendor & 0xff, product >> 8, product & 0xff];
}

/** Name (`name`, `value`). */
export function name(text: string, value: Aml): Aml {
  return [NAME_OP, ...path(text), ...value];
}

export function packageOf(...elements: readonly Aml[]): Aml {
  return [PACKAGE_OP, ...withLength([elements.length, ...elements.flat()])];
}

export function scope(text: string, ...terms: readonly Aml[]): Aml {
  return [SCOPE_OP, ...withLength([...path(text), ...terms.flat()])];
}

export function device(text: string, ...terms: readonly Aml[]): Aml {
  return [EXTENDED_PREFIX, DEVICE_OP, ...withLength([...path(text), ...terms.flat()])];
}

export function buffer(bytes: readonly number[]): Aml {
  return [BUFFER_OP, ...withLength([...integer(bytes.length), ...bytes])];
}

/** Puts PkgLength in front: it counts itself and has one to four bytes (section 20.2.4). */
function withLength(body: Aml): Aml {
  const short = body.length + 1;
  if (short < 0x40) {
    return [short, ...body];
  }
  for (let extra = 1; extra <= 3; extra++) {
    const length = body.length + 1 + extra;
    if (length < 2 ** (4 + 8 * extra)) {
      return [(extra << 6) | (length & 0x0f), ...le(length >>> 4, extra), ...body];
    }
  }
  throw new RangeError(`an AML term of ${body.length} bytes is too long`);
}

/** `count` bytes, little endian. */
export function le(value: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => Math.floor(value / 2 ** (8 * index)) & 0xff);
}

function bytesOf(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}
