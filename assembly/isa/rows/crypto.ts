// AES-NI, PCLMULQDQ and the SHA extensions.
import { FEAT_AES, FEAT_PCLMULQDQ, FEAT_SHA, FEAT_VAES, FEAT_VPCLMULQDQ } from "../../features.ts";
import { row } from "../row.ts";
import { packed, pure } from "../vector.ts";
import { vexChoice, vexUnaryChoice } from "../vex.ts";

const group = "crypto";

for (const [name, opcode, helper] of [["aesenc", "DC", "encrypt"], ["aesenclast", "DD", "encryptLast"], ["aesdec", "DE", "decrypt"], ["aesdeclast", "DF", "decryptLast"]] as const) {
  packed(name, `66 0F38 ${opcode}`, FEAT_AES, group, (b, x, y) => pure(b, "aes", helper, "v128", x, y), { vex: { feature: FEAT_AES, wide: FEAT_VAES } });
}
packed("aesimc", "66 0F38 DB", FEAT_AES, group, (b, _x, y) => pure(b, "aes", "mixColumnsBack", "v128", y), { vex: { unary: true, feature: FEAT_AES, wide: -1 } });
vexUnaryChoice("aeskeygenassist", "66 0F3A DF", { group: "avx-crypto", feature: FEAT_AES, wide: -1, bits: 0 }, (b, x, by) => pure(b, "aes", "keyAssist", "v128", x, by));
vexChoice("pclmulqdq", "66 0F3A 44", { group: "avx-crypto", feature: FEAT_PCLMULQDQ, wide: FEAT_VPCLMULQDQ, bits: 0 }, (b, x, y, by) => pure(b, "carryless", "multiply", "v128", x, y, by));
row("aeskeygenassist", "66 0F3A DF Vx,Wx,Ib", { group, unit: "sse", feature: FEAT_AES }, (b, d, s, i) => {
  b.vwrite(d, pure(b, "aes", "keyAssist", "v128", b.vread(s, 16), b.read(i)));
});
row("pclmulqdq", "66 0F3A 44 Vx,Wx,Ib", { group, unit: "sse", feature: FEAT_PCLMULQDQ }, (b, d, s, i) => {
  const y = b.vread(s, 16);
  b.vwrite(d, pure(b, "carryless", "multiply", "v128", b.vread(d, 16), y, b.read(i)));
});
// Quirk: no boundary for memory operands, as on AMD's processors (SDM volume 2, table 2-21 wants one).
for (const [name, opcode, helper] of [
  ["sha1nexte", "C8", "sha1Next"], ["sha1msg1", "C9", "sha1Message1"], ["sha1msg2", "CA", "sha1Message2"], ["sha256msg1", "CC", "sha256Message1"], ["sha256msg2", "CD", "sha256Message2"],
] as const) {
  packed(name, `NP 0F38 ${opcode}`, FEAT_SHA, group, (b, x, y) => pure(b, "sha", helper, "v128", x, y), { aligned: false, vex: false });
}
packed("sha256rnds2", "NP 0F38 CB", FEAT_SHA, group, (b, x, y) => pure(b, "sha", "sha256Rounds", "v128", x, y, pure(b, "lanes", "firstRegister", "v128")), { aligned: false, vex: false });
row("sha1rnds4", "NP 0F3A CC Vx,Wx,Ib", { group, unit: "sse", feature: FEAT_SHA }, (b, d, s, i) => {
  const y = b.vread(s, 16, false);
  b.vwrite(d, pure(b, "sha", "sha1Rounds", "v128", b.vread(d, 16), y, b.read(i)));
});
