// as-pect recompiles all that a spec imports, so specs import leaf modules only. The memory is made
// here because as-pect's own is not shared; the spec's static data and heap start at 64 MiB
// (memoryBase in as-pect.asconfig.json), above everything that assembly/layout.ts places.
const PAGES = 2048;

export default {
  entries: [process.env.WKVM_SPECS || "assembly/**/__tests__/*.spec.ts"],
  include: ["assembly/**/__tests__/*.include.ts"],
  disclude: [/node_modules/],
  async instantiate(_memory, createImports, instantiate, binary) {
    const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
    const host = {
      nowNs: () => performance.now() * 1e6,
      wallNs: () => Date.now() * 1e6,
      randomU32: () => crypto.getRandomValues(new Uint32Array(1))[0],
      doorbell() {},
      trace() {},
    };
    return instantiate(binary, createImports({ env: { memory }, host }));
  },
  outputBinary: false,
};
