// Control and state of the vector units: MXCSR, PKRU, EMMS, VZEROUPPER. (FXSAVE and the XSAVE family stand with the x87.)
import { FEAT_AVX, FEAT_MMX, FEAT_PKU, FEAT_SSE } from "../../features.ts";
import { row } from "../row.ts";

for (const [v, prefix, suffix, group, unit, feature] of [["", "", "", "x87", "sse", FEAT_SSE], ["v", "VEX ", " l0", "avx-move", "avx", FEAT_AVX]] as const) {
  row(`${v}ldmxcsr`, `${prefix}NP 0F AE/2 Md${suffix}`, { group, unit, feature }, (b, m) => void b.call("execute/vector/state", "loadMxcsr", [b.read(m)]));
  row(`${v}stmxcsr`, `${prefix}NP 0F AE/3 Md${suffix}`, { group, unit, feature }, (b, m) => {
    b.write(m, b.call("execute/float/state", "mxcsr", [], { type: "i32", faults: false }));
  });
}
for (const [name, helper, l] of [["vzeroupper", "zeroUpper", 0], ["vzeroall", "zeroAll", 1]] as const) {
  row(name, `VEX NP 0F 77 nomodrm l${l}`, { group: "avx-move", unit: "avx", feature: FEAT_AVX }, (b) => void b.call("execute/vector/state", helper, [], { faults: false }));
}
row("emms", "NP 0F 77 nomodrm", { group: "mmx", unit: "mmx", feature: FEAT_MMX }, (b) => void b.call("execute/x87/check", "emms", []));
// The rights that PKRU gives are part of what is cached about addresses, not of the decoded code.
row("rdpkru", "NP 0F 01/5 rm=6", { group: "x87", feature: FEAT_PKU }, (b) => void b.call("execute/vector/state", "rdpkru", []));
row("wrpkru", "NP 0F 01/5 rm=7", { group: "x87", feature: FEAT_PKU }, (b) => void b.call("execute/vector/state", "wrpkru", []));
