// General registers as regions have them: i64 locals in 64-bit code, i32 locals elsewhere, where the upper halves are not
// there: what they hold after a switch from 64-bit mode is undefined (SDM volume 1, section 3.4.1.1), and they become 0 where
// a register is stored.
import { code64 } from "./code-mode";
import { registerLocal } from "./locals";
import { I64_EXTEND_U } from "./opcodes";
import { byte, I32, I64, i32const, i64const, localGet } from "./writer";

/** From the opcode of an arithmetic operation on i32 to that of its counterpart on i64. */
const TO_64: u32 = 0x12;

/** The type of their locals. */
// @ts-ignore: decorator
@inline export function registerType(): u32 {
  return code64 ? I64 : I32;
}

/** Pushes a whole register in the type of its local. */
export function pushWhole(index: u32): void {
  localGet(registerLocal(index));
}

/** Pushes a whole register as i64. */
export function pushExtended(index: u32): void {
  pushWhole(index);
  if (!code64) byte(I64_EXTEND_U);
}

/** Pushes a number in the registers' type. */
export function registerConst(value: i64): void {
  if (code64) i64const(value);
  else i32const(<i32>value);
}

/** An arithmetic operation on the registers' type; `opcode`: that on i32. */
export function registerOp(opcode: u32): void {
  byte(code64 ? opcode + TO_64 : opcode);
}
