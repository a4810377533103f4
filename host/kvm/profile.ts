// What a translator has found hot, as bytes that outlive the VM: the table of assembly/translate/profile.ts without its gaps, and the
// recipes of assembly/translate/recipes.ts that it names.
import {
  PROFILE_ALONE,
  VM_JIT_PROFILE,
  VM_PROFILE,
  VM_PROFILE_ENTRIES,
  VM_PROFILE_ENTRY_SIZE,
  VM_PROFILE_MAX,
  VM_PROFILE_USED,
  VM_RECIPES,
  VM_RECIPES_SIZE,
  VM_RECIPES_USED,
} from "../../assembly/layout.ts";
import { KvmError } from "./errors.ts";
import { checkRecipe, RECIPE_SIZE_MIN, settleRecipe, usedOfRecipe } from "./recipe.ts";

// Header: 8 letters, u32 version, u32 entries. An entry: u32 key, u16 kind, u16 0, u32 bytes of its recipe, 0: it has none.
// Then the recipes, in the order of their entries.
const LETTERS = "wkvmprof";
const COUNT_AT = 12;
const HEADER_SIZE = 16;
/** Raised with what a key is made of, or a kind means, or a recipe has. */
const VERSION = 2;
const KIND_AT = 4;
const MET_AT = 6;
const RECIPE_AT = 8;
/** Where the first recipe begins: 0 is none. */
const FIRST_RECIPE = 8;

interface Entry {
  readonly kind: number;
  readonly recipe: Uint8Array;
}

/** Fills the table, and has the translator use it. How many entries it has. Throws EINVAL for what saveProfile() has not made,
 * EBUSY where there is one. */
export function loadProfile(memory: DataView, bytes: Uint8Array | undefined): number {
  if (memory.getUint32(VM_JIT_PROFILE, true) !== 0) throw new KvmError("EBUSY", "what was hot is expected already");
  for (let at = 0; at < VM_PROFILE_ENTRIES * VM_PROFILE_ENTRY_SIZE; at += 4) memory.setUint32(VM_PROFILE + at, 0, true);
  const entries = bytes === undefined ? new Map<number, Entry>() : parse(bytes);
  const all = bytesOf(memory);
  let recipes = FIRST_RECIPE;
  for (const [key, { kind, recipe }] of entries) {
    let index = key;
    let at = entryAt(index);
    while (memory.getUint32(at, true) !== 0) at = entryAt(++index);
    memory.setUint32(at, key, true);
    memory.setUint16(at + KIND_AT, kind, true);
    if (recipe.length === 0 || recipes + recipe.length > VM_RECIPES_SIZE) continue;
    memory.setUint32(at + RECIPE_AT, recipes, true);
    all.set(recipe, VM_RECIPES + recipes);
    recipes += recipe.length;
  }
  memory.setUint32(VM_PROFILE_USED, entries.size, true);
  memory.setUint32(VM_RECIPES_USED, recipes, true);
  memory.setUint32(VM_JIT_PROFILE, PROFILE_ALONE, true);
  return entries.size;
}

function parse(bytes: Uint8Array): Map<number, Entry> {
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const letters = [...LETTERS].every((letter, i) => i < file.byteLength && file.getUint8(i) === letter.charCodeAt(0));
  if (!letters || file.byteLength < HEADER_SIZE) throw new KvmError("EINVAL", "this is no profile of hot code");
  if (file.getUint32(LETTERS.length, true) !== VERSION) return new Map();
  const count = file.getUint32(COUNT_AT, true);
  let recipes = HEADER_SIZE + count * VM_PROFILE_ENTRY_SIZE;
  if (count > VM_PROFILE_MAX || file.byteLength < recipes)
    throw new KvmError("EINVAL", `a profile of ${count} entries does not have ${file.byteLength} bytes`);
  const entries = new Map<number, Entry>();
  for (let i = 0; i < count; i++) {
    const at = HEADER_SIZE + i * VM_PROFILE_ENTRY_SIZE;
    const size = file.getUint32(at + RECIPE_AT, true);
    const recipe = bytes.subarray(recipes, recipes + size);
    recipes += size;
    if (recipe.length !== size || (size > 0 && !checkRecipe(recipe)))
      throw new KvmError("EINVAL", `entry ${i} of the profile has no valid recipe`);
    const key = file.getUint32(at, true);
    if (key !== 0) entries.set(key, { kind: file.getUint16(at + KIND_AT, true), recipe });
  }
  if (recipes !== file.byteLength)
    throw new KvmError("EINVAL", `a profile of ${recipes} bytes does not have ${file.byteLength}`);
  return entries;
}

function entryAt(index: number): number {
  return VM_PROFILE + (index & (VM_PROFILE_ENTRIES - 1)) * VM_PROFILE_ENTRY_SIZE;
}

function bytesOf(memory: DataView): Uint8Array {
  return new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength);
}

/** The table's entries and their recipes. Once either is half full, only those that were met since it was loaded: others make room. */
export function saveProfile(memory: DataView): Uint8Array<ArrayBuffer> {
  const used = memory.getUint32(VM_RECIPES_USED, true);
  const all = memory.getUint32(VM_PROFILE_USED, true) <= VM_PROFILE_MAX / 2 && used <= VM_RECIPES_SIZE / 2;
  const kept: { readonly at: number; readonly recipe: Uint8Array }[] = [];
  for (let index = 0; index < VM_PROFILE_ENTRIES; index++) {
    const at = entryAt(index);
    if (memory.getUint32(at, true) === 0 || !(all || memory.getUint16(at + MET_AT, true) !== 0)) continue;
    kept.push({ at, recipe: recipeAt(memory, memory.getUint32(at + RECIPE_AT, true)) });
  }
  const head = HEADER_SIZE + kept.length * VM_PROFILE_ENTRY_SIZE;
  const bytes = new Uint8Array(kept.reduce((sum, { recipe }) => sum + recipe.length, head));
  const file = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(LETTERS));
  file.setUint32(LETTERS.length, VERSION, true);
  file.setUint32(COUNT_AT, kept.length, true);
  let recipes = head;
  kept.forEach(({ at, recipe }, i) => {
    const to = HEADER_SIZE + i * VM_PROFILE_ENTRY_SIZE;
    file.setUint32(to, memory.getUint32(at, true), true);
    file.setUint16(to + KIND_AT, memory.getUint16(at + KIND_AT, true), true);
    file.setUint32(to + RECIPE_AT, recipe.length, true);
    bytes.set(recipe, recipes);
    if (recipe.length > 0) settleRecipe(bytes.subarray(recipes, recipes + recipe.length));
    recipes += recipe.length;
  });
  return bytes;
}

/** The recipe at an offset, as far as it is used; none at 0. */
function recipeAt(memory: DataView, offset: number): Uint8Array {
  if (offset === 0) return new Uint8Array();
  const left = bytesOf(memory).subarray(VM_RECIPES + offset, VM_RECIPES + VM_RECIPES_SIZE);
  return left.length < RECIPE_SIZE_MIN ? new Uint8Array() : left.subarray(0, usedOfRecipe(left));
}
