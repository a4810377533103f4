// -d op,out_asm: a region's guest code beside its WebAssembly.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CPU_LOG, LOG_OP, LOG_OUT_ASM } from "../../assembly/layout.ts";
import { blockRecord, RegionLog } from "../../host/disassembler/region-log.ts";
import { Assembler, CONDITION } from "./assembler.ts";
import { CODE, HIGH, RAX, RCX, RSI, TierGuest } from "./tier-guest.ts";

/** The log of a guest that executes a program a few times at `at`. */
async function logOf(program: Assembler, guestSide: boolean, code: boolean, at = CODE): Promise<string> {
  const guest = await TierGuest.create(2);
  const lines: string[] = [];
  const log = new RegionLog((text) => lines.push(text), guestSide, code);
  guest.hooks.trace = (kind, a, b, c) => {
    if (kind === LOG_OP) {
      const { address, host, length, bits, left, interpreted } = blockRecord(a, b, c);
      log.block(address, new Uint8Array(guest.memory.memory.buffer, host, length), bits, left, interpreted);
    } else if (kind === LOG_OUT_ASM) log.region(Number(a), b, Number(c));
  };
  guest.hooks.module = (module, slots) => log.module(module, slots);
  guest.state.setU32(CPU_LOG, LOG_OP | LOG_OUT_ASM);
  guest.mapHigh(0, CODE);
  guest.mapHigh(1, CODE + 0x1000);
  guest.load(CODE, program.finish());
  for (let run = 0; run < 4; run++) {
    guest.setRegister(RCX, 5);
    guest.setRegister(RSI, 5);
    guest.setRegister(RAX, 0);
    guest.runToHalt(at);
  }
  return lines.join("\n");
}

const loop = (): Assembler =>
  new Assembler(CODE)
    .label("again")
    .code(0x48, 0x01, 0xd8) // add rax, rbx
    .code(0x0f, 0xa2) // cpuid, which the interpreter executes
    .repeat(RSI, "again")
    .when(CONDITION.e, "out")
    .label("out")
    .halt();

test("the guest's code and the WebAssembly stand beside each other", async () => {
  const text = await logOf(loop(), true, true);
  const region =
    /region \d+: \d+ instructions, base 0000000000020000\nOP:\n([\s\S]*?)\nOUT:\n([\s\S]*?)(?:\n-----|$)/.exec(text);
  assert.ok(region, text);
  const [, guest = "", code = ""] = region;
  assert.match(guest, /^ 0000000000020000 {2}add rax,rbx$/m);
  assert.match(guest, /^ 0000000000020003 {2}cpuid +; interpreted$/m);
  assert.match(code, /^ *i64\.load offset=cpu\.rsi\n *local\.set \$rsi$/m);
  assert.match(code, /^ *call \$execute$/m);
  assert.equal((code.match(/^ *(?:block|loop|if)\b/gm) ?? []).length, (code.match(/^ *end$/gm) ?? []).length);
});

test("either side comes without the other", async () => {
  assert.doesNotMatch(await logOf(loop(), true, false), /^OUT:/m);
  assert.doesNotMatch(await logOf(loop(), false, true), /^OP:/m);
});

test("an instruction that lies on two pages is told whole", async () => {
  const program = new Assembler(CODE)
    .to(CODE + 0xff0)
    .label("again")
    .to(CODE + 0xffe)
    .code(0x48, 0x81, 0xc0, 0x78, 0x56, 0x34, 0x12) // add rax, 0x12345678
    .repeat(RCX, "again")
    .halt();
  assert.match(await logOf(program, true, true, HIGH + 0xff0), /^ 0000000000200ffe {2}add rax,0x12345678$/m);
});
