// SSE4.2 but for CRC32, which stands with the bit operations.
import { FEAT_AVX, FEAT_SSE42 } from "../../features.ts";
import type { Builder, Operand } from "../builder.ts";
import { RAX, RCX, RDX } from "../builder.ts";
import { row } from "../row.ts";
import { packed, simd } from "../vector.ts";

const sse42 = { group: "sse42", unit: "sse", feature: FEAT_SSE42 } as const;

packed("pcmpgtq", "66 0F38 37", FEAT_SSE42, "sse42", simd("i64x2.gt_s"), { vex: { group: "avx-sse41" } });
for (const [name, opcode, explicit, index] of [["pcmpestrm", "60", true, false], ["pcmpestri", "61", true, true], ["pcmpistrm", "62", false, false], ["pcmpistri", "63", false, true]] as const) {
  const body = (b: Builder, d: Operand, s: Operand, i: Operand): void => {
    const second = b.vread(s, 16, false);
    const first = b.vread(d, 16);
    const how = b.read(i);
    const length = (register: number): ReturnType<typeof b.const> => b.signExtend(b.get({ register, width: b.width }), b.width, 64);
    const lengths = explicit ? [length(RAX), length(RDX)] : [];
    const found = b.call("execute/vector/strings", explicit ? "compareExplicit" : "compareImplicit", [first, second, how, ...lengths], { type: "i32", faults: false });
    if (index) b.put({ register: RCX, width: 32 }, b.call("execute/vector/strings", "indexOf", [found, how], { type: "i32", faults: false }));
    else b.call("execute/vector/strings", "writeMask", [found, how], { faults: false });
  };
  // REX.W, or VEX.W, chooses the width of the lengths.
  const widths = explicit ? { widths: [32, 64] as const } : {};
  row(name, `66 0F3A ${opcode} Vx,Wx,Ib`, { ...sse42, ...widths }, body);
  row(`v${name}`, `VEX 66 0F3A ${opcode} Vx,Wx,Ib l0`, { group: "avx-sse41", unit: "avx", feature: FEAT_AVX, ...widths }, (b, d, s, i) => {
    body(b, d, s, i);
    if (!index) b.call("execute/vector/state", "clearUpper", [b.const(0, 32)], { faults: false });
  });
}
