// The form of a recipe (assembly/translate/recipes.ts), as far as the core relies on it.

// u32 bytes that it has room for, u32 bits, u32 blocks, u32 decisions, u32 what a part lacks; blocks of 28 bytes; a bit a decision.
const ROOM_AT = 0;
const BITS_AT = 4;
/** The bits that one of an earlier run has: not that it is of this one. */
const LASTING = 1;
const BLOCKS_AT = 8;
const DECISIONS_AT = 12;
const HEADER_SIZE = 20;
const BLOCK_SIZE = 28;
/** BLOCKS_MAX and DECISIONS_MAX of assembly/translate/layout.ts. */
const BLOCKS_MAX = 60;
const DECISIONS_MAX = 4096;

/** Bytes that a recipe has at least. */
export const RECIPE_SIZE_MIN = HEADER_SIZE + BLOCK_SIZE;

/** Bytes that the recipe at the start of `bytes` has: what it has room for may be more. */
export function usedOfRecipe(bytes: Uint8Array): number {
  const recipe = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decisions = Math.ceil(recipe.getUint32(DECISIONS_AT, true) / 32) * 4;
  return HEADER_SIZE + recipe.getUint32(BLOCKS_AT, true) * BLOCK_SIZE + decisions;
}

/** Makes the recipe that `bytes` has a copy of one of an earlier run. */
export function settleRecipe(bytes: Uint8Array): void {
  const recipe = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  recipe.setUint32(ROOM_AT, bytes.length, true);
  recipe.setUint32(BITS_AT, recipe.getUint32(BITS_AT, true) & LASTING, true);
}

/** Whether bytes are a recipe that the core can follow, wherever that leads. */
export function checkRecipe(bytes: Uint8Array): boolean {
  if (bytes.length < RECIPE_SIZE_MIN) return false;
  const recipe = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks = recipe.getUint32(BLOCKS_AT, true);
  return (
    blocks >= 1 &&
    blocks <= BLOCKS_MAX &&
    recipe.getUint32(DECISIONS_AT, true) <= DECISIONS_MAX &&
    recipe.getUint32(ROOM_AT, true) === bytes.length &&
    (recipe.getUint32(BITS_AT, true) & ~LASTING) === 0 &&
    usedOfRecipe(bytes) === bytes.length
  );
}
