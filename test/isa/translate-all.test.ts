// Every case of the table, serialised and expanded, is a valid WebAssembly module: operand numbers, types, and the
// encodings of all operations that rows use.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Signatures } from "../../assembly/isa/helper-signatures.ts";
import { Helpers, serialize } from "../../assembly/isa/serialize.ts";
import { rows } from "../../assembly/isa/table.ts";
import { allVariants, variantsOf } from "../../assembly/isa/variant.ts";
import { R_BASE, R_EA, R_INDEX, R_SEGMENT } from "./record-fields.ts";
import { Translator } from "./translator.ts";

const root = process.env["WKVM_ROOT"] ?? process.cwd();
const CPU_ZERO = 128;

/** A record with a flat memory operand [rbx + rsi], or one that has to be checked. */
function recordOf(checked: boolean): DataView {
  const record = new DataView(new ArrayBuffer(32));
  record.setUint8(R_BASE, 3 * 8);
  record.setUint8(R_INDEX, 6 * 8);
  record.setUint8(R_SEGMENT, CPU_ZERO);
  record.setUint8(R_EA, checked ? 1 : 0);
  return record;
}

test("every case translates to a valid module", () => {
  for (const row of rows) for (const form of row.forms) variantsOf(row, form);
  const helpers = new Helpers(new Signatures((module) => readFileSync(join(root, "assembly", `${module}.ts`), "utf8")));
  const variants = allVariants();
  assert.ok(variants.length > 1000);
  const lists = variants.map((v) => ({ v, bytes: serialize(v, helpers) }));
  const names = helpers.names.map((name) => name.replace(/[^A-Za-z0-9]/g, "_"));
  for (const { v, bytes } of lists) {
    for (const checked of [false, true]) {
      let module: Uint8Array<ArrayBuffer>;
      try {
        module = new Translator(bytes, recordOf(checked), names, !checked, v.row.needsRip ?? false).translate();
      } catch (error) {
        assert.fail(`${v.key}: ${String(error)} in ${Buffer.from(bytes).toString("hex")}`);
      }
      assert.ok(WebAssembly.validate(module), `${v.key}: ${whyNot(module)}`);
    }
  }
});

function whyNot(module: Uint8Array<ArrayBuffer>): string {
  try {
    new WebAssembly.Module(module);
    return "valid after all";
  } catch (error) {
    return String(error);
  }
}
