// Start of the small guest: its own segments, interrupt table, interrupt controllers and serial port.
import { type Assembler, EAX, EBP, EBX, ECX, EDI, EDX, ESP } from "./asm.ts";

const COM1 = 0x3f8;
export const SERIAL_DATA = COM1;
export const SERIAL_LINE_STATUS = COM1 + 5;
const COM1_IRQ = 4;

const CODE_SELECTOR = 0x08;
const DATA_SELECTOR = 0x10;
const SEGMENTS = [0, 2, 3, 4, 5] as const;

const VECTORS = 48;
/** The controllers' inputs follow the processor's own 32 vectors. */
const FIRST_IRQ_VECTOR = 32;
const INTERRUPT_GATE = 0x8e00;
const STACK_BYTES = 4096;
/** Bytes typed ahead; a power of two. */
export const INPUT_BYTES = 256;

/** From the PVH entry to the call of `main`; EBX is the start info. */
export function emitStartup(asm: Assembler): void {
  asm.label("entry");
  asm.movImmediate(ESP, "stackTop");
  asm.storeAbsolute("startInfo", EBX);
  asm.loadGdt("gdtPointer");
  asm.jumpFar(CODE_SELECTOR, "ownSegments");
  asm.label("ownSegments");
  asm.movImmediate(EAX, DATA_SELECTOR);
  for (const segment of SEGMENTS) {
    asm.loadSegment(segment, EAX);
  }
  emitInterruptTable(asm);
  emitControllers(asm);
  emitSerialSetup(asm);
  asm.enableInterrupts();
  asm.call("main");
  asm.jump("powerOff");
  emitHandlers(asm);
}

/** Fills the table at run time, because a gate splits its handler's address. */
function emitInterruptTable(asm: Assembler): void {
  asm.movImmediate(EDI, "idt");
  asm.movImmediate(ECX, VECTORS);
  asm.movImmediate(EBX, "ignore");
  asm.label("fillIdt");
  asm.call("writeGate");
  asm.arithmetic("add", EDI, 8);
  asm.decrement(ECX);
  asm.jumpIf("ne", "fillIdt");
  asm.movImmediate(EDI, "serialGate");
  asm.movImmediate(EBX, "serialInterrupt");
  asm.call("writeGate");
  asm.loadIdt("idtPointer");
}

function emitControllers(asm: Assembler): void {
  const sequence = [
    [0x20, 0x11],
    [0xa0, 0x11],
    [0x21, FIRST_IRQ_VECTOR],
    [0xa1, FIRST_IRQ_VECTOR + 8],
    [0x21, 0x04],
    [0xa1, 0x02],
    [0x21, 0x01],
    [0xa1, 0x01],
    [0x21, 0xff & ~(1 << COM1_IRQ)],
    [0xa1, 0xff],
  ] as const;
  for (const [port, value] of sequence) {
    asm.movImmediate(EAX, value);
    asm.outPort(port);
  }
}

/** 115200 8N1, FIFOs on with the interrupt at the first character, received data interrupts only. */
function emitSerialSetup(asm: Assembler): void {
  for (const [offset, value] of [
    [3, 0x83],
    [0, 0x01],
    [1, 0x00],
    [3, 0x03],
    [2, 0x07],
    [4, 0x0b],
    [1, 0x01],
  ] as const) {
    asm.movImmediate(EDX, COM1 + offset);
    asm.movImmediate(EAX, value);
    asm.outByte();
  }
}

function emitHandlers(asm: Assembler): void {
  // EBX: handler, EDI: gate.
  asm.label("writeGate");
  asm.mov(EAX, EBX);
  asm.arithmetic("and", EAX, 0xffff);
  asm.arithmetic("or", EAX, CODE_SELECTOR << 16);
  asm.store(EDI, 0, EAX);
  asm.mov(EAX, EBX);
  asm.arithmetic("and", EAX, 0xffff0000);
  asm.arithmetic("or", EAX, INTERRUPT_GATE);
  asm.store(EDI, 4, EAX);
  asm.return();

  // Exceptions do not happen in this program; if one does, stand still rather than go on wrongly.
  asm.label("ignore");
  asm.disableInterrupts();
  asm.halt();
  asm.jump("ignore");

  asm.label("serialInterrupt");
  asm.pushAll();
  asm.label("receive");
  asm.movImmediate(EDX, SERIAL_LINE_STATUS);
  asm.inByte();
  asm.arithmetic("and", EAX, 1);
  asm.jumpIf("e", "received");
  asm.movImmediate(EDX, SERIAL_DATA);
  asm.inByte();
  asm.loadAbsolute(EBP, "inputHead");
  asm.mov(EDX, EBP);
  asm.increment(EDX);
  asm.arithmetic("and", EDX, INPUT_BYTES - 1);
  asm.loadAbsolute(ECX, "inputTail");
  asm.arithmeticRegister("cmp", EDX, ECX);
  // A full buffer drops what comes.
  asm.jumpIf("e", "receive");
  asm.arithmetic("add", EBP, "input");
  asm.storeByte(EBP, 0, EAX);
  asm.storeAbsolute("inputHead", EDX);
  asm.jump("receive");
  asm.label("received");
  asm.movImmediate(EAX, 0x20);
  asm.outPort(0x20);
  asm.popAll();
  asm.interruptReturn();
}

/** Tables and variables; after the code. */
export function emitStartupData(asm: Assembler): void {
  asm.align(8);
  asm.label("gdt");
  asm.data8(0, 0, 0, 0, 0, 0, 0, 0);
  asm.data8(0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0);
  asm.data8(0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0);
  asm.label("gdtPointer");
  asm.data8(23, 0);
  asm.data32("gdt");
  asm.label("idtPointer");
  asm.data8(VECTORS * 8 - 1, (VECTORS * 8 - 1) >> 8);
  asm.data32("idt");
  asm.align(8);
  asm.label("idt");
  asm.reserve((FIRST_IRQ_VECTOR + COM1_IRQ) * 8);
  asm.label("serialGate");
  asm.reserve((VECTORS - FIRST_IRQ_VECTOR - COM1_IRQ) * 8);
  for (const variable of ["startInfo", "inputHead", "inputTail"]) {
    asm.label(variable);
    asm.data32(0);
  }
  asm.label("input");
  asm.reserve(INPUT_BYTES);
  asm.align(16);
  asm.reserve(STACK_BYTES);
  asm.label("stackTop");
}
