// The small guest's program: says hello and obeys a handful of commands.
import { type Assembler, EAX, EBX, ECX, EDI, EDX, ESI } from "./asm.ts";

const START_INFO_MEMORY_MAP = 40;
const START_INFO_MEMORY_MAP_ENTRIES = 48;
const MEMORY_MAP_ENTRY_BYTES = 24;
const MEMORY_TYPE_RAM = 1;
/** PM1a control of the PC: SLP_EN with the sleep type of S5. */
const PM1_CONTROL_PORT = 0x604;
const SLEEP_S5 = 0x2000;
const RESET_PORT = 0xcf9;
const RESET_NOW = 0x06;
const SPACE = 0x20;

const COMMANDS = [
  { name: "help", target: "help", does: "this list" },
  { name: "echo", target: "echo", does: "prints its arguments" },
  { name: "mem", target: "memory", does: "shows the memory map" },
  { name: "cpuid", target: "cpuid", does: "shows what the processor says about itself" },
  { name: "reboot", target: "reboot", does: "resets the machine" },
  { name: "poweroff", target: "powerOff", does: "switches the machine off" },
] as const;

/** `main` and the commands; a command finds its arguments at ESI. */
export function emitShell(asm: Assembler): void {
  asm.label("main");
  say(asm, "banner");
  asm.call("printBrand");
  say(asm, "memoryIs");
  asm.call("countMemory");
  asm.call("printDecimal");
  say(asm, "mebibytes");
  asm.label("prompt");
  say(asm, "promptText");
  asm.call("readLine");
  emitDispatch(asm);
  emitHelpAndEcho(asm);
  emitMemory(asm);
  emitCpuid(asm);
  emitEnd(asm);
}

function say(asm: Assembler, label: string): void {
  asm.movImmediate(ESI, label);
  asm.call("print");
}

/** Compares the line's first word with each name of the table {name, routine}, which ends with a zero. */
function emitDispatch(asm: Assembler): void {
  asm.movImmediate(EBX, "commands");
  asm.label("tryCommand");
  asm.load(EDI, EBX);
  asm.arithmetic("cmp", EDI, 0);
  asm.jumpIf("e", "unknown");
  asm.movImmediate(ESI, "line");
  asm.label("compare");
  asm.loadByte(EAX, ESI);
  asm.loadByte(ECX, EDI);
  asm.arithmetic("cmp", ECX, 0);
  asm.jumpIf("e", "nameEnds");
  asm.arithmeticRegister("cmp", EAX, ECX);
  asm.jumpIf("ne", "nextCommand");
  asm.increment(ESI);
  asm.increment(EDI);
  asm.jump("compare");
  asm.label("nameEnds");
  asm.arithmetic("cmp", EAX, 0);
  asm.jumpIf("e", "runCommand");
  asm.arithmetic("cmp", EAX, SPACE);
  asm.jumpIf("ne", "nextCommand");
  asm.increment(ESI);
  asm.label("runCommand");
  asm.load(EAX, EBX, 4);
  asm.callRegister(EAX);
  asm.jump("prompt");
  asm.label("nextCommand");
  asm.arithmetic("add", EBX, 8);
  asm.jump("tryCommand");
  asm.label("unknown");
  asm.movImmediate(ESI, "line");
  asm.loadByte(EAX, ESI);
  asm.arithmetic("cmp", EAX, 0);
  asm.jumpIf("e", "prompt");
  asm.call("print");
  say(asm, "unknownText");
  asm.jump("prompt");
}

function emitHelpAndEcho(asm: Assembler): void {
  asm.label("help");
  say(asm, "helpText");
  asm.return();
  asm.label("echo");
  asm.call("print");
  say(asm, "newline");
  asm.return();
}

/** EBX walks over the entries, ECX counts them. */
function loadMemoryMap(asm: Assembler): void {
  asm.loadAbsolute(EDX, "startInfo");
  asm.load(EBX, EDX, START_INFO_MEMORY_MAP);
  asm.load(ECX, EDX, START_INFO_MEMORY_MAP_ENTRIES);
}

function emitMemory(asm: Assembler): void {
  asm.label("memory");
  loadMemoryMap(asm);
  asm.label("memoryEntry");
  asm.call("printStart");
  say(asm, "to");
  asm.call("printLast");
  asm.load(EAX, EBX, 16);
  asm.movImmediate(ESI, "ram");
  asm.arithmetic("cmp", EAX, MEMORY_TYPE_RAM);
  asm.jumpIf("e", "printType");
  asm.movImmediate(ESI, "reserved");
  asm.label("printType");
  asm.call("print");
  asm.arithmetic("add", EBX, MEMORY_MAP_ENTRY_BYTES);
  asm.decrement(ECX);
  asm.jumpIf("ne", "memoryEntry");
  asm.return();

  asm.label("printStart");
  asm.load(EAX, EBX, 4);
  asm.call("printHex");
  asm.load(EAX, EBX, 0);
  asm.call("printHex");
  asm.return();

  // Start plus size minus one, in 64 bits.
  asm.label("printLast");
  asm.load(EAX, EBX, 0);
  asm.load(EDX, EBX, 4);
  asm.load(ESI, EBX, 8);
  asm.load(EDI, EBX, 12);
  asm.arithmeticRegister("add", EAX, ESI);
  asm.arithmeticRegister("adc", EDX, EDI);
  asm.arithmetic("add", EAX, 0xffffffff);
  asm.arithmetic("adc", EDX, 0xffffffff);
  asm.push(EAX);
  asm.mov(EAX, EDX);
  asm.call("printHex");
  asm.pop(EAX);
  asm.call("printHex");
  asm.return();

  // EAX: MiB of RAM, counting in KiB so that partial pieces add up.
  asm.label("countMemory");
  loadMemoryMap(asm);
  asm.movImmediate(EDI, 0);
  asm.label("countEntry");
  asm.load(EAX, EBX, 16);
  asm.arithmetic("cmp", EAX, MEMORY_TYPE_RAM);
  asm.jumpIf("ne", "countNext");
  asm.load(EAX, EBX, 8);
  asm.load(EDX, EBX, 12);
  asm.shiftRightDouble(EAX, EDX, 10);
  asm.arithmeticRegister("add", EDI, EAX);
  asm.label("countNext");
  asm.arithmetic("add", EBX, MEMORY_MAP_ENTRY_BYTES);
  asm.decrement(ECX);
  asm.jumpIf("ne", "countEntry");
  // What firmware and the display take of the first MiB counts as RAM too.
  asm.mov(EAX, EDI);
  asm.arithmetic("add", EAX, 1023);
  asm.shiftRight(EAX, 10);
  asm.return();
}

function emitCpuid(asm: Assembler): void {
  asm.label("cpuid");
  say(asm, "vendorIs");
  asm.movImmediate(EAX, 0);
  asm.call("printVendor");
  say(asm, "brandIs");
  asm.call("printBrand");
  say(asm, "featuresAre");
  asm.movImmediate(EAX, 1);
  asm.cpuid();
  asm.push(EDX);
  asm.push(ECX);
  asm.call("printHex");
  for (let rest = 0; rest < 2; rest++) {
    say(asm, "space");
    asm.pop(EAX);
    asm.call("printHex");
  }
  say(asm, "hypervisorIs");
  asm.movImmediate(EAX, 0x40000000);
  asm.call("printVendor");
  say(asm, "newline");
  asm.return();

  // EAX: leaf. Intel and AMD order the processor's name EBX EDX ECX, hypervisors theirs EBX ECX EDX.
  asm.label("printVendor");
  asm.push(EAX);
  asm.cpuid();
  asm.pop(EAX);
  asm.storeAbsolute("name0", EBX);
  asm.arithmetic("cmp", EAX, 0);
  asm.jumpIf("e", "processorOrder");
  asm.storeAbsolute("name1", ECX);
  asm.storeAbsolute("name2", EDX);
  asm.jump("printName");
  asm.label("processorOrder");
  asm.storeAbsolute("name1", EDX);
  asm.storeAbsolute("name2", ECX);
  asm.label("printName");
  say(asm, "name0");
  asm.return();

  // Leaves 0x80000002 to 0x80000004: 48 characters.
  asm.label("printBrand");
  asm.movImmediate(EDI, "brand");
  for (let leaf = 0x80000002; leaf <= 0x80000004; leaf++) {
    asm.movImmediate(EAX, leaf);
    asm.cpuid();
    [EAX, EBX, ECX, EDX].forEach((register, index) => {
      asm.store(EDI, index * 4, register as 0 | 1 | 2 | 3);
    });
    asm.arithmetic("add", EDI, 16);
  }
  say(asm, "brand");
  asm.return();
}

function emitEnd(asm: Assembler): void {
  asm.label("powerOff");
  asm.movImmediate(EDX, PM1_CONTROL_PORT);
  asm.movImmediate(EAX, SLEEP_S5);
  asm.outWord();
  asm.jump("ignore");
  asm.label("reboot");
  asm.movImmediate(EDX, RESET_PORT);
  asm.movImmediate(EAX, RESET_NOW);
  asm.outByte();
  asm.jump("ignore");
}

/** Texts and tables; after the code. */
export function emitShellData(asm: Assembler): void {
  const texts = {
    banner: "wkvm: own small guest, in 32-bit protected mode\nprocessor: ",
    memoryIs: "\nmemory: ",
    mebibytes: " MiB\nType help for the commands.\n",
    promptText: "wkvm# ",
    unknownText: ": not a command; help lists them\n",
    helpText: COMMANDS.map(({ name, does }) => `${name.padEnd(10)}${does}\n`).join(""),
    to: "-",
    space: " ",
    ram: " RAM\n",
    reserved: " reserved\n",
    vendorIs: "vendor: ",
    brandIs: "\nname: ",
    featuresAre: "\nleaf 1 eax ecx edx: ",
    hypervisorIs: "\nhypervisor: ",
  };
  for (const [label, text] of Object.entries(texts)) {
    asm.label(label);
    asm.text(text);
  }
  for (const { name } of COMMANDS) {
    asm.label(`name of ${name}`);
    asm.text(name);
  }
  asm.align(4);
  asm.label("commands");
  for (const { name, target } of COMMANDS) {
    asm.data32(`name of ${name}`);
    asm.data32(target);
  }
  asm.data32(0);
  for (const part of ["name0", "name1", "name2"]) {
    asm.label(part);
    asm.data32(0);
  }
  asm.data32(0);
  asm.label("brand");
  asm.reserve(49);
}
