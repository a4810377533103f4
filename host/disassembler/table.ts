// The printed instruction table, by opcode: what the core's decoder knows, for text.
import { FORMS } from "../../assembly/generated/disassembly.ts";
import { type Form, parseForm } from "../../assembly/isa/encoding.ts";

/** One encoding of an instruction. */
export interface Entry {
  readonly mnemonic: string;
  readonly form: Form;
  /** Operation widths in bytes, as a mask: 1, 2, 4, 8. */
  readonly widths: number;
  readonly lockable: boolean;
}

let table: ReadonlyMap<number, readonly Entry[]> | undefined;

/** Every encoding, in the order in which the decoder tries them. */
export function allEntries(): Entry[] {
  return FORMS.split("\n").map((line) => {
    const [mnemonic, widths, lock, text] = line.split("\t") as [string, string, string, string];
    return { mnemonic, form: parseForm(text), widths: Number.parseInt(widths, 16), lockable: lock === "L" };
  });
}

/** The encodings of an opcode of a map (MAPS of isa/encoding.ts). */
export function entriesOf(map: number, opcode: number): readonly Entry[] {
  table ??= index();
  return table.get(map * 256 + opcode) ?? [];
}

function index(): Map<number, Entry[]> {
  const byOpcode = new Map<number, Entry[]>();
  for (const entry of allEntries()) {
    const { form } = entry;
    for (let register = 0; register < (form.plusR ? 8 : 1); register++) {
      if (form.flags.has("b0") && register > 0) continue;
      const key = form.map * 256 + form.opcode + register;
      const list = byOpcode.get(key);
      if (list) list.push(entry);
      else byOpcode.set(key, [entry]);
    }
  }
  return byOpcode;
}
