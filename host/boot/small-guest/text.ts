// The small guest's text output and input, on COM1.
import { type Assembler, EAX, EBX, ECX, EDI, EDX, ESI } from "./asm.ts";
import { INPUT_BYTES, SERIAL_DATA, SERIAL_LINE_STATUS } from "./startup.ts";

const BACKSPACE = 8;
const NEWLINE = 10;
const RETURN = 13;
const DELETE = 127;
export const LINE_BYTES = 128;

/** `putChar` (AL), `print` (ESI), `printHex` (EAX), `printDecimal` (EAX), `getChar` (to EAX), `readLine`. */
export function emitText(asm: Assembler): void {
  emitPutChar(asm);
  emitPrint(asm);
  emitPrintHex(asm);
  emitPrintDecimal(asm);
  emitGetChar(asm);
  emitReadLine(asm);
}

function emitPutChar(asm: Assembler): void {
  asm.label("putChar");
  asm.pushAll();
  asm.mov(ECX, EAX);
  asm.movImmediate(EDX, SERIAL_LINE_STATUS);
  asm.label("waitForTransmitter");
  asm.inByte();
  asm.arithmetic("and", EAX, 0x20);
  asm.jumpIf("e", "waitForTransmitter");
  asm.movImmediate(EDX, SERIAL_DATA);
  asm.mov(EAX, ECX);
  asm.outByte();
  asm.popAll();
  asm.return();
}

/** Newlines become carriage return and newline, as terminals want them. */
function emitPrint(asm: Assembler): void {
  asm.label("print");
  asm.pushAll();
  asm.label("printNext");
  asm.loadByte(EAX, ESI);
  asm.arithmetic("cmp", EAX, 0);
  asm.jumpIf("e", "printEnd");
  asm.arithmetic("cmp", EAX, NEWLINE);
  asm.jumpIf("ne", "printPlain");
  asm.movImmediate(EAX, RETURN);
  asm.call("putChar");
  asm.movImmediate(EAX, NEWLINE);
  asm.label("printPlain");
  asm.call("putChar");
  asm.increment(ESI);
  asm.jump("printNext");
  asm.label("printEnd");
  asm.popAll();
  asm.return();
}

/** Eight digits, highest first. */
function emitPrintHex(asm: Assembler): void {
  asm.label("printHex");
  asm.pushAll();
  asm.mov(EBX, EAX);
  asm.movImmediate(ECX, 8);
  asm.label("hexDigit");
  asm.rotateLeft(EBX, 4);
  asm.mov(EAX, EBX);
  asm.arithmetic("and", EAX, 15);
  asm.arithmetic("add", EAX, "hexDigits");
  asm.mov(ESI, EAX);
  asm.loadByte(EAX, ESI);
  asm.call("putChar");
  asm.decrement(ECX);
  asm.jumpIf("ne", "hexDigit");
  asm.popAll();
  asm.return();
}

/** Digits come lowest first; they wait on the stack. */
function emitPrintDecimal(asm: Assembler): void {
  asm.label("printDecimal");
  asm.pushAll();
  asm.movImmediate(EBX, 10);
  asm.movImmediate(ECX, 0);
  asm.label("splitDigit");
  asm.movImmediate(EDX, 0);
  asm.divide(EBX);
  asm.push(EDX);
  asm.increment(ECX);
  asm.arithmetic("cmp", EAX, 0);
  asm.jumpIf("ne", "splitDigit");
  asm.label("printDigit");
  asm.pop(EAX);
  asm.arithmetic("add", EAX, 0x30);
  asm.call("putChar");
  asm.decrement(ECX);
  asm.jumpIf("ne", "printDigit");
  asm.popAll();
  asm.return();
}

/** Sleeps until the interrupt handler has put something into the buffer. */
function emitGetChar(asm: Assembler): void {
  asm.label("getChar");
  asm.disableInterrupts();
  asm.loadAbsolute(ECX, "inputTail");
  asm.loadAbsolute(EAX, "inputHead");
  asm.arithmeticRegister("cmp", EAX, ECX);
  asm.jumpIf("ne", "haveChar");
  // STI takes effect after HLT, so that no interrupt slips in between.
  asm.enableInterrupts();
  asm.halt();
  asm.jump("getChar");
  asm.label("haveChar");
  asm.mov(ESI, ECX);
  asm.arithmetic("add", ESI, "input");
  asm.loadByte(EAX, ESI);
  asm.increment(ECX);
  asm.arithmetic("and", ECX, INPUT_BYTES - 1);
  asm.storeAbsolute("inputTail", ECX);
  asm.enableInterrupts();
  asm.return();
}

/** Reads an edited line into `line`, zero-terminated. EDI counts its characters. */
function emitReadLine(asm: Assembler): void {
  asm.label("readLine");
  asm.movImmediate(EDI, 0);
  asm.label("nextKey");
  asm.call("getChar");
  for (const [key, target] of [
    [RETURN, "lineEnd"],
    [NEWLINE, "lineEnd"],
    [BACKSPACE, "erase"],
    [DELETE, "erase"],
  ] as const) {
    asm.arithmetic("cmp", EAX, key);
    asm.jumpIf("e", target);
  }
  asm.arithmetic("cmp", EAX, 0x20);
  asm.jumpIf("b", "nextKey");
  asm.arithmetic("cmp", EDI, LINE_BYTES - 1);
  asm.jumpIf("ae", "nextKey");
  asm.call("putChar");
  asm.mov(ESI, EDI);
  asm.arithmetic("add", ESI, "line");
  asm.storeByte(ESI, 0, EAX);
  asm.increment(EDI);
  asm.jump("nextKey");
  asm.label("erase");
  asm.arithmetic("cmp", EDI, 0);
  asm.jumpIf("e", "nextKey");
  asm.decrement(EDI);
  asm.movImmediate(ESI, "eraseText");
  asm.call("print");
  asm.jump("nextKey");
  asm.label("lineEnd");
  asm.mov(ESI, EDI);
  asm.arithmetic("add", ESI, "line");
  asm.movImmediate(EAX, 0);
  asm.storeByte(ESI, 0, EAX);
  asm.movImmediate(ESI, "newline");
  asm.call("print");
  asm.return();
}

export function emitTextData(asm: Assembler): void {
  asm.label("hexDigits");
  asm.text("0123456789abcdef");
  asm.label("eraseText");
  asm.data8(BACKSPACE, 0x20, BACKSPACE, 0);
  asm.label("newline");
  asm.text("\n");
  asm.align(4);
  asm.label("line");
  asm.reserve(LINE_BYTES);
}
