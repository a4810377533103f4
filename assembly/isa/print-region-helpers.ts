// Prints which helpers translated code may call directly: those that touch nothing but the noted flags and their
// arguments. They are exports of the core, named by number, so that a region's module can import them.

const PURE_MODULES = new Set(["execute/shift", "execute/bits"]);
const PURE = new Set([
  "execute/flags.setCarry",
  "execute/flags.setZero",
  "execute/integer.mulHighUnsigned",
  "execute/integer.mulHighSigned",
  "execute/integer.byteSwap32",
  "execute/integer.byteSwap64",
  "execute/integer.adcx32",
  "execute/integer.adcx64",
  "execute/integer.adox32",
  "execute/integer.adox64",
]);

export function printRegionHelpers(helpers: readonly string[]): string {
  const pure = helpers.flatMap((name, number) =>
    PURE.has(name) || PURE_MODULES.has(name.split(".")[0]!) ? [{ name, number }] : [],
  );
  const exports = pure.map(({ name, number }) => {
    const [module, symbol] = name.split(".");
    return `export { ${symbol} as h${number} } from "../${module}";\n`;
  });
  const bits = new Array<number>(Math.ceil(helpers.length / 8) + 1).fill(0);
  for (const { number } of pure) bits[number >> 3]! |= 1 << (number & 7);
  return `// Printed from assembly/isa by tools/build-core.mjs. Not edited.
${exports.join("")}
/** A bit a helper: translated code may call it. */
export const PURE_HELPERS: usize = memory.data<u8>([${bits.join(",")}]);
`;
}
