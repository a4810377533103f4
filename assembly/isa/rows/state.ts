// Control and state of the vector units: MXCSR, PKRU, EMMS. (FXSAVE and the XSAVE family stand with the x87.)
import { FEAT_MMX, FEAT_PKU, FEAT_SSE } from "../../features.ts";
import { row } from "../row.ts";

row("ldmxcsr", "NP 0F AE/2 Md", { group: "x87", unit: "sse", feature: FEAT_SSE }, (b, m) => void b.call("execute/vector/state", "loadMxcsr", [b.read(m)]));
row("stmxcsr", "NP 0F AE/3 Md", { group: "x87", unit: "sse", feature: FEAT_SSE }, (b, m) => {
  b.write(m, b.call("execute/float/state", "mxcsr", [], { type: "i32", faults: false }));
});
row("emms", "NP 0F 77 nomodrm", { group: "mmx", unit: "mmx", feature: FEAT_MMX }, (b) => void b.call("execute/x87/check", "emms", []));
// The rights that PKRU gives are part of what is cached about addresses, not of the decoded code.
row("rdpkru", "NP 0F 01/5 rm=6", { group: "x87", feature: FEAT_PKU }, (b) => void b.call("execute/vector/state", "rdpkru", []));
row("wrpkru", "NP 0F 01/5 rm=7", { group: "x87", feature: FEAT_PKU }, (b) => void b.call("execute/vector/state", "wrpkru", []));
