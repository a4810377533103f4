// A batch of regions becomes one module: sections around the finished functions. WebAssembly core specification 5.5.
import { cpu } from "../cpu";
import {
  F_HELPERS, F_LEAVE, RUNTIME, TYPE_HELPERS, TYPE_REGION, TYPE_WAY, usedHelper, usedHelpers, usedHelperType, usedType, usedTypes,
} from "./imports";
import { TR_BATCH_COUNT, TR_CODE, TR_MODULE } from "./layout";
import { writeHints } from "./hints";
import { wayNumber } from "./ways";
import { at, byte, I32, I64, u32leb, u32leb5, writeAt } from "./writer";

export const SECTION_TYPE: u32 = 1;
export const SECTION_IMPORT: u32 = 2;
export const SECTION_FUNCTION: u32 = 3;
export const SECTION_EXPORT: u32 = 7;
export const SECTION_CODE: u32 = 10;
const FUNCREF: u32 = 0x70;
const IMPORT_FUNCTION: u32 = 0;
const IMPORT_TABLE: u32 = 1;
const IMPORT_MEMORY: u32 = 2;
const IMPORT_GLOBAL: u32 = 3;
/** The memory's limits as the host creates it: shared, with a maximum. */
const MEMORY_SHARED: u32 = 3;
const MEMORY_MAXIMUM: u32 = 65536;

// Names are a letter and a number, those of the core's exports and of the module's own.
const LETTER_EXPORT: u32 = 0x72;
const LETTER_HELPER: u32 = 0x68;
const LETTER_RUNTIME: u32 = 0x6a;
const LETTER_GLOBAL: u32 = 0x67;
const LETTER_MEMORY: u32 = 0x6d;
const LETTER_TABLE: u32 = 0x74;
export const LETTER_WAY: u32 = 0x78;
/** Globals that modules import. */
export const GLOBALS: u32 = 1;

let sizeAt: usize = 0;
export function beginSection(id: u32): void {
  byte(id);
  sizeAt = at;
  writeAt(at + 5);
}
export function endSection(): void {
  u32leb5(sizeAt, <u32>(at - sizeAt - 5));
}

/** Begins a module at an address. */
export function beginModule(start: usize): void {
  store<u64>(start, 0x000000016d736100);
  writeAt(start + 8);
}

/** Writes the module for the functions at TR_CODE, `codeLength` bytes. Returns its length. */
export function writeModule(codeLength: usize): usize {
  const start = cpu + TR_MODULE;
  const regions = load<u32>(cpu, TR_BATCH_COUNT);
  beginModule(start);
  writeTypes();
  writeImports();
  beginSection(SECTION_FUNCTION);
  u32leb(regions);
  for (let i: u32 = 0; i < regions; i++) u32leb(TYPE_REGION);
  endSection();
  beginSection(SECTION_EXPORT);
  u32leb(regions);
  for (let i: u32 = 0; i < regions; i++) {
    name(LETTER_EXPORT, i);
    byte(0);
    u32leb(F_HELPERS + usedHelpers() + i);
  }
  endSection();
  writeHints(F_HELPERS + usedHelpers());
  beginSection(SECTION_CODE);
  u32leb(regions);
  memory.copy(at, cpu + TR_CODE, codeLength);
  writeAt(at + codeLength);
  endSection();
  return at - start;
}

/** A function type of up to eight parameters, in the order of their bytes from the lowest, and a result (0: none). */
export function writeType(count: u32, parameters: u64, result: u32): void {
  byte(0x60);
  u32leb(count);
  for (let i: u32 = 0; i < count; i++) byte(<u32>(parameters >> (i << 3)) & 0xff);
  byte(result ? 1 : 0);
  if (result) byte(result);
}

function writeTypes(): void {
  beginSection(SECTION_TYPE);
  u32leb(TYPE_HELPERS + usedTypes());
  writeType(3, I32 | (<u64>I64 << 8) | (<u64>I32 << 16), I32);
  writeType(5, I64 | (<u64>I64 << 8) | (<u64>I32 << 16) | (<u64>I64 << 24) | (<u64>I64 << 32), I32);
  for (let i: u32 = 0; i < usedTypes(); i++) {
    const t = usedType(i);
    writeType(load<u8>(t), load<u64>(t, 4), load<u8>(t, 1));
  }
  endSection();
}

/** A name of a letter and a decimal number below 1000. */
export function name(letter: u32, number: u32): void {
  const digits: u32 = number < 10 ? 1 : number < 100 ? 2 : 3;
  byte(1 + digits);
  byte(letter);
  if (digits == 3) byte(0x30 + number / 100);
  if (digits >= 2) byte(0x30 + (number / 10) % 10);
  byte(0x30 + (number % 10));
}

/** The name of the import's module, "c" for the core, and of the import. */
function importName(letter: u32, number: u32): void {
  byte(1);
  byte(0x63);
  name(letter, number);
}

/** Imports the VM's memory, "m0". */
export function importMemory(): void {
  importName(LETTER_MEMORY, 0);
  byte(IMPORT_MEMORY);
  byte(MEMORY_SHARED);
  u32leb(0);
  u32leb(MEMORY_MAXIMUM);
}

/** Imports the core's globals, G_* of imports.ts. */
export function importGlobals(): void {
  for (let i: u32 = 0; i < GLOBALS; i++) {
    importName(LETTER_GLOBAL, i);
    byte(IMPORT_GLOBAL);
    byte(I32);
    byte(1);
  }
}

/** Imports the core's function table, "t0". */
export function importTable(): void {
  importName(LETTER_TABLE, 0);
  byte(IMPORT_TABLE);
  byte(FUNCREF);
  byte(0);
  u32leb(0);
}

function writeImports(): void {
  beginSection(SECTION_IMPORT);
  const helpers = usedHelpers();
  u32leb(1 + GLOBALS + F_HELPERS + helpers);
  importMemory();
  importGlobals();
  for (let i: u32 = F_LEAVE; i < F_HELPERS; i++) {
    importName(LETTER_WAY, wayNumber(i - F_LEAVE));
    byte(IMPORT_FUNCTION);
    u32leb(TYPE_WAY);
  }
  for (let i: u32 = 0; i < helpers; i++) {
    const helper = usedHelper(i);
    if (helper < RUNTIME) importName(LETTER_HELPER, helper);
    else importName(LETTER_RUNTIME, helper - RUNTIME);
    byte(IMPORT_FUNCTION);
    u32leb(usedHelperType(i));
  }
  endSection();
}
