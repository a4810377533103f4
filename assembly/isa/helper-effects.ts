// What helpers do to registers and flags, for those whose effects are small enough to be worth knowing. A helper that is
// not named here may read and change anything. test/isa/helper-effects.test.ts holds these lines against the sources.
import { RAX, RBP, RCX, RDI, RDX, RSI, RSP } from "./builder.ts";
import { AF, ALL_FLAGS, CF, OF, PF, SF, ZF } from "./flag-bits.ts";

export interface Effects {
  /** Flags it looks at, sets in any case, and may change (RFLAGS bits). */
  readonly flagsRead: number;
  readonly flagsWritten: number;
  readonly flagsChanged: number;
  /** General registers by number, one bit each. */
  readonly registersRead: number;
  readonly registersWritten: number;
  readonly memory: boolean;
}

/** Any helper: all that a guest can see may be read and changed. */
export const ANYTHING: Effects = {
  flagsRead: ALL_FLAGS,
  flagsWritten: 0,
  flagsChanged: ALL_FLAGS,
  registersRead: 0xffff,
  registersWritten: 0xffff,
  memory: true,
};

export const PURE: Effects = {
  flagsRead: 0,
  flagsWritten: 0,
  flagsChanged: 0,
  registersRead: 0,
  registersWritten: 0,
  memory: false,
};
/** Sets some flags and keeps the others; the ones it keeps pass through and are not counted as read. */
const sets = (flags: number, more: Partial<Effects> = {}): Effects => ({
  ...PURE,
  flagsWritten: flags,
  flagsChanged: flags,
  ...more,
});

const EFFECTS = new Map<string, Effects>();

function note(module: string, names: string, effects: Effects): void {
  for (const name of names.split(" ")) EFFECTS.set(`${module}.${name}`, effects);
}

const widths = (name: string, list: readonly number[] = [8, 16, 32, 64]): string =>
  list.map((w) => `${name}${w}`).join(" ");

note("execute/integer", "mulHighUnsigned mulHighSigned byteSwap16 byteSwap32 byteSwap64", PURE);
note("execute/integer", widths("adcx", [32, 64]), sets(CF, { flagsRead: CF }));
note("execute/integer", widths("adox", [32, 64]), sets(OF, { flagsRead: OF }));
for (const name of ["divide", "divideSigned"]) {
  note("execute/integer", widths(name, [8]), { ...PURE, registersRead: 1, registersWritten: 1 });
  note("execute/integer", widths(name, [16, 32, 64]), { ...PURE, registersRead: 5, registersWritten: 5 });
}
note("execute/shift", `${widths("rol", [8, 16])} ${widths("ror", [8, 16])}`, PURE);
note("execute/shift", `${widths("rcl")} ${widths("rcr")}`, { ...PURE, flagsRead: CF });
// A count of zero leaves the flags alone.
note("execute/shift", `${widths("rclFlags")} ${widths("rcrFlags")}`, { ...PURE, flagsRead: CF, flagsChanged: CF | OF });
note("execute/shift", `${widths("shld", [16, 32, 64])} ${widths("shrd", [16, 32, 64])}`, PURE);
note("execute/shift", `${widths("shldFlags", [16, 32, 64])} ${widths("shrdFlags", [16, 32, 64])}`, sets(ALL_FLAGS));
note("execute/flags", "setCarryOverflow", sets(CF | OF));
note("execute/flags", "clc stc", sets(CF));
note("execute/flags", "cmc", sets(CF, { flagsRead: CF }));
note("execute/flags", "setZero", sets(ZF));
note("execute/flags", "cld std", PURE);
note("execute/interrupt-flag", "cli sti", PURE);
note("execute/atomic", "fence", PURE);
note("execute/syscall", "swapgs", PURE);
note("execute/time-stamp", "rdtsc", { ...PURE, registersWritten: (1 << RAX) | (1 << RDX) });
note("execute/time-stamp", "rdtscp", { ...PURE, registersWritten: (1 << RAX) | (1 << RCX) | (1 << RDX) });
note("execute/time-stamp", "readTscAux", PURE);
note("execute/flags", "sahf", sets(ALL_FLAGS & ~OF, { registersRead: 1 }));
note("execute/flags", "lahf", { ...PURE, flagsRead: SF | ZF | AF | PF | CF, registersWritten: 1 });
note("execute/flags-register", "pushedFlags", { ...PURE, flagsRead: ALL_FLAGS });
note("execute/flags", "salc", { ...PURE, flagsRead: CF, registersWritten: 1 });
note("execute/push-pop", "counterIsZero counterStays", { ...PURE, registersRead: 1 << RCX });
note("execute/push-pop", "push16 push32", {
  ...PURE,
  registersRead: 1 << RSP,
  registersWritten: 1 << RSP,
  memory: true,
});
note("execute/push-pop", "top16 top32", { ...PURE, registersRead: 1 << RSP, memory: true });
note("execute/push-pop", "drop", { ...PURE, registersRead: 1 << RSP, registersWritten: 1 << RSP });
const frame = (1 << RSP) | (1 << RBP);
note("execute/push-pop", "leaveFrame", { ...PURE, registersRead: frame, registersWritten: frame, memory: true });
note("execute/push-pop", "checkBranch checkNearTarget", PURE);
note("execute/push-pop", "countDown", { ...PURE, registersRead: 1 << RCX, registersWritten: 1 << RCX });

const bits = (...registers: readonly number[]): number => registers.reduce((set, register) => set | (1 << register), 0);
const moved = bits(RSI, RDI);
note("execute/string", "movs", {
  ...PURE,
  registersRead: moved | bits(RCX),
  registersWritten: moved | bits(RCX),
  memory: true,
});
note("execute/string", "stos", {
  ...PURE,
  registersRead: bits(RAX, RCX, RDI),
  registersWritten: bits(RCX, RDI),
  memory: true,
});
note("execute/string", "lods", {
  ...PURE,
  registersRead: bits(RAX, RCX, RSI),
  registersWritten: bits(RAX, RCX, RSI),
  memory: true,
});
const comparing = { ...PURE, flagsChanged: ALL_FLAGS, memory: true };
note("execute/string", "cmps", { ...comparing, registersRead: moved | bits(RCX), registersWritten: moved | bits(RCX) });
note("execute/string", "scas", { ...comparing, registersRead: bits(RAX, RCX, RDI), registersWritten: bits(RCX, RDI) });

note("execute/bits", `${widths("blsr", [32, 64])} ${widths("blsmsk", [32, 64])}`, sets(ALL_FLAGS));
note("execute/bits", `${widths("blsi", [32, 64])} ${widths("bzhi", [32, 64])}`, sets(ALL_FLAGS));
note("execute/float/compare", "comiF32 comiF64", sets(ALL_FLAGS));
note("execute/vector/strings", "compareExplicit compareImplicit", sets(ALL_FLAGS));
note("execute/x87/compare", "fcomiSt", sets(ALL_FLAGS));
note("execute/vector/state", "clearUpper zeroUpper", PURE);
note("execute/x87/store-memory", "probeStore storeTen", { ...PURE, memory: true });

/** Modules whose other helpers touch vector and x87 state alone, by the pointers and numbers they are given. */
const VECTOR_MODULES = new Set([
  ...["bits", "float/approximate", "float/horizontal", "float/integer", "float/packed", "float/packed-convert"],
  ...["float/fused", "float/state", "vector/across", "vector/aes", "vector/carryless", "vector/lanes", "vector/mmx"],
  ...["vector/scalar", "vector/sha"],
  ...["vector/shift", "vector/shuffle", "vector/strings", "vector/sums", "x87/arithmetic", "x87/check", "x87/compare"],
  ...["x87/load", "x87/pointers", "x87/stack", "x87/state", "x87/store", "x87/transcendental", "x87/unary"],
]);

/** Effects of a helper, named as in a call. */
export function effectsOf(module: string, name: string): Effects {
  const known = EFFECTS.get(`${module}.${name}`);
  if (known) return known;
  return VECTOR_MODULES.has(module.replace("execute/", "")) ? PURE : ANYTHING;
}
