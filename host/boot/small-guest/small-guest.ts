// The project's own guest: a few KiB of machine code that need no kernel, made when asked for.
import { Assembler } from "./asm.ts";
import { emitShell, emitShellData } from "./shell.ts";
import { emitStartup, emitStartupData } from "./startup.ts";
import { emitText, emitTextData } from "./text.ts";

const LOAD_ADDRESS = 0x100000;
const ELF_HEADER_BYTES = 52;
const PROGRAM_HEADER_BYTES = 32;
const NOTE_BYTES = 20;
/** XEN_ELFNOTE_PHYS32_ENTRY. */
const NOTE_PHYS32_ENTRY = 18;

/** The guest as an ELF32 executable with a PVH entry, to be given as a kernel. */
export function smallGuest(): Uint8Array {
  const asm = new Assembler(LOAD_ADDRESS);
  emitStartup(asm);
  emitText(asm);
  emitShell(asm);
  emitShellData(asm);
  emitTextData(asm);
  emitStartupData(asm);
  return wrap(asm.link(), asm.addressOf("entry"));
}

function wrap(code: Uint8Array, entry: number): Uint8Array {
  const noteAt = ELF_HEADER_BYTES + 2 * PROGRAM_HEADER_BYTES;
  const codeAt = noteAt + NOTE_BYTES;
  const file = new Uint8Array(codeAt + code.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  const put16 = (at: number, value: number) => view.setUint16(at, value, true);
  const put32 = (at: number, ...values: number[]) => {
    values.forEach((value, index) => {
      view.setUint32(at + index * 4, value, true);
    });
  };
  // Executable, 80386, version 1; entry; program headers behind this header.
  put16(16, 2);
  put16(18, 3);
  put32(20, 1, entry, ELF_HEADER_BYTES);
  put16(40, ELF_HEADER_BYTES);
  put16(42, PROGRAM_HEADER_BYTES);
  put16(44, 2);
  // PT_LOAD with all rights, then PT_NOTE: type, offset, virtual, physical, file size, memory size, flags, alignment.
  put32(ELF_HEADER_BYTES, 1, codeAt, LOAD_ADDRESS, LOAD_ADDRESS, code.length, code.length, 7, 4);
  put32(ELF_HEADER_BYTES + PROGRAM_HEADER_BYTES, 4, noteAt, 0, 0, NOTE_BYTES, NOTE_BYTES, 4, 4);
  put32(noteAt, 4, 4, NOTE_PHYS32_ENTRY);
  file.set(new TextEncoder().encode("Xen"), noteAt + 12);
  put32(noteAt + 16, entry);
  file.set(code, codeAt);
  return file;
}
