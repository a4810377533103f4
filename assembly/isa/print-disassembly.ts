// Prints what a disassembler needs of the table: a line a form, in the order in which the decoder tries them. The form is
// its own notation (encoding.ts), which the reader parses as this folder does.
import { specificity } from "./print-decoder.ts";
import type { Row } from "./row.ts";

/** The module text: lines of mnemonic, widths in bytes as a mask (1 2 4 8) in hexadecimal, L if LOCK is allowed, form. */
export function printDisassembly(rows: readonly Row[]): string {
  const lines = rows.flatMap((row) =>
    row.forms.map((form) => {
      const widths = (row.widths ?? form.widths).reduce((mask, width) => mask | (width / 8), 0);
      return { form, text: [row.mnemonic ?? row.name, widths.toString(16), row.lock ? "L" : "", form.text].join("\t") };
    }),
  );
  lines.sort((a, b) => specificity(b.form) - specificity(a.form));
  return `// Printed from assembly/isa by tools/build-core.mjs. Not edited. The format is told in isa/print-disassembly.ts.
export const FORMS = ${JSON.stringify(lines.map((line) => line.text).join("\n"))};
`;
}
