// Checks that fail although the payload is right: bugs and gaps of each system that payloads run on.
// wkvm's own are deviations of docs/QUIRKS.md, which these checks pin: one that passes has to leave this list.

/** One reason and the checks that fail for it, of one payload. */
export interface KnownFailure {
  readonly payload: string;
  readonly reason: string;
  readonly checks: readonly string[];
}

export const WKVM: readonly KnownFailure[] = [
  {
    payload: "long/interrupts",
    reason: "an external interrupt in the middle of a REP string pushes RF as it stands",
    checks: ["RF is in its frame within a repeated instruction"],
  },
  {
    payload: "protected/fpu",
    reason: "with CR0.NE = 0 a pending exception is #MF, not IRQ 13",
    checks: ["without NE there is no #MF"],
  },
  {
    payload: "protected/pit",
    reason: "a new count takes effect at once, as in KVM",
    checks: ["a new count in mode 2 waits for the period to end"],
  },
  {
    payload: "protected/real",
    reason: "A20 is always open",
    checks: ["a closed A20 gate"],
  },
  {
    payload: "long/paging",
    reason: "page tables outside RAM read as not present",
    checks: ["a table where no RAM is"],
  },
];

/** Of QEMU 7.2's translator. */
export const TCG: readonly KnownFailure[] = [
  {
    payload: "protected/sysenter",
    reason: "SYSENTER takes a null code segment that has an RPL",
    checks: ["the end"],
  },
  {
    payload: "long/extended-state",
    reason: "EM counts for AVX, TS not for XSAVE, and XRSTOR takes any MXCSR",
    checks: ["EM is nothing to AVX", "XSAVE with TS", "XRSTOR with reserved bits of MXCSR"],
  },
  {
    payload: "long/paging",
    reason: "an undefined opcode is not fetched to its end",
    checks: ["an undefined instruction is fetched to its end"],
  },
  {
    payload: "long/apic",
    reason: "LVTs take reserved bits and are not masked by software",
    checks: [
      "the error LVT's bits",
      "LINT0's bits",
      "LVTs are masked while it is disabled",
      "and stay so",
      "no unexpected trap",
    ],
  },
  {
    payload: "long/control",
    reason: "control registers take reserved bits",
    checks: ["NW without CD", "high bits of CR0"],
  },
  {
    payload: "long/control",
    reason: "what it accepts without a check ends it",
    checks: ["the end"],
  },
  {
    payload: "long/control-paging",
    reason: "what it accepts without a check ends it",
    checks: ["the end"],
  },
  {
    payload: "long/debug",
    reason: "DR7.GD is not there",
    checks: [
      "GD is cleared for its handler",
      "a read under GD",
      "GD is a fault",
      "a write under GD",
      "GD is a fault of writes",
      "GD stays through a #GP",
    ],
  },
  {
    payload: "long/debug",
    reason: "INT1 from level 0 is #UD in long mode",
    checks: ["INT1 sets nothing in DR6", "INT1 is a trap"],
  },
  {
    payload: "long/debug",
    reason: "MOV SS holds no debug exception back",
    checks: ["it takes the next instruction along too"],
  },
  {
    payload: "long/debug",
    reason: "a breakpoint has its own address only, unaligned, and is alone reported",
    checks: ["the address is aligned to the length", "behind the aligned byte", "two breakpoints at once"],
  },
  {
    payload: "long/debug",
    reason: "a data breakpoint in REP STOSB stops at the instruction",
    checks: ["behind REP STOSB"],
  },
  {
    payload: "long/debug",
    reason: "a step over STI takes the next instruction along",
    checks: ["it does not take the next instruction along"],
  },
  {
    payload: "long/debug",
    reason: "a step over a write that is watched traps elsewhere",
    checks: ["behind both"],
  },
  {
    payload: "long/debug",
    reason: "bit 12 of DR6 can be set",
    checks: ["DR6 does not take bit 12"],
  },
  {
    payload: "long/exceptions",
    reason: "INT1 from level 3 is wrong",
    checks: ["INT1 needs no level"],
  },
  {
    payload: "long/exceptions",
    reason: "LOCK is looked at after the level",
    checks: ["LOCK counts before the level"],
  },
  {
    payload: "long/exceptions",
    reason: "RF is not set in frames",
    checks: ["RF is set in a fault's frame", "RF is set in a page fault's frame"],
  },
  {
    payload: "long/exceptions",
    reason: "a non-canonical address is #GP where it should be #SS, and only its first byte counts",
    checks: [
      "#SS by a non-canonical address from RBP",
      "a DS prefix does not make it #GP",
      "#GP by an access that ends non-canonical",
      "#SS by POP from a non-canonical stack",
      "#SS by PUSH to a non-canonical stack",
      "#SS by CALL with a non-canonical stack",
    ],
  },
  {
    payload: "long/exceptions",
    reason: "alignment is not checked",
    checks: ["#AC by a misaligned read at level 3", "#AC by a misaligned write at level 3"],
  },
  {
    payload: "long/exceptions",
    reason: "an IDT entry is named by 16 times its vector in long mode, and EXT is never set",
    checks: [
      "#GP by INT 14",
      "#NP by a gate that is not present",
      "the gate's level counts before its presence",
      "#GP by a call gate in the IDT",
      "#GP by a task gate in the IDT of long mode",
      "#GP by a 16-bit gate in the IDT of long mode",
      "#GP by a TSS in the IDT",
      "#GP by an empty gate",
      "#GP by a code segment in the IDT",
      "#GP by a vector beyond the IDT",
      "#GP by a vector half in the IDT",
      "#UD, whose gate is not present gives #NP with EXT",
      "#UD, whose gate is none gives #GP with EXT",
      "#UD, whose gate leads to data gives #GP with EXT",
      "#UD, whose gate leads to null gives #GP with EXT",
      "INT3, whose gate is not present gives #NP without EXT",
      "#UD on a non-canonical stack gives #SS with EXT",
    ],
  },
  {
    payload: "long/exceptions",
    reason: "gates leave the accessed bit alone",
    checks: ["a gate sets the accessed bit of its code"],
  },
  {
    payload: "long/exceptions",
    reason: "its frames of level 3 are wrong now and then",
    checks: ["#GP by INT through a gate of level 0"],
  },
  {
    payload: "long/interrupts",
    reason: "CR8 takes reserved bits, and its interrupt comes late",
    checks: ["reserved bits of CR8", "lowering CR8 lets it come"],
  },
  {
    payload: "long/memory-locks",
    reason: "LOCK is accepted where it is not allowed",
    checks: [
      "XCHG of registers",
      "MOV",
      "TEST",
      "MUL",
      "PUSH",
      "SHL",
      "BT",
      "BT of an immediate",
      "XADD of registers",
      "IMUL",
      "SHLD",
      "MOVSB",
      "LEA",
      "FLD",
      "SETZ",
      "BSWAP",
      "CPUID",
      "JMP",
      "SETcc of a register",
    ],
  },
  {
    payload: "long/memory-locks",
    reason: "what reads and writes faults as a read",
    checks: ["a locked increment into a page that is not there"],
  },
  {
    payload: "long/monitor",
    reason: "MONITOR does not look at its operand",
    checks: ["MONITOR of a page that is not there", "MONITOR of a non-canonical address"],
  },
  {
    payload: "long/monitor",
    reason: "what it accepts without a check ends it",
    checks: ["the end"],
  },
  {
    payload: "long/page-protection",
    reason: "the processor's own accesses heed AC",
    checks: ["a descriptor in a user's page, even with AC"],
  },
  {
    payload: "long/paging",
    reason: "tables where no RAM is read as zeros",
    checks: ["a table where no RAM is"],
  },
  {
    payload: "long/paging",
    reason: "the error code of a reserved bit has no P",
    checks: [
      "NX without EFER.NXE is reserved",
      "a reserved address bit in a page's entry",
      "in a directory's entry",
      "in a directory pointer",
      "in a top entry",
      "a write and a reserved bit",
      "a write at level 3 and a reserved bit",
      "a reserved bit counts before the rights",
      "PS in a top entry",
      "a 2 MiB page that is not aligned",
      "a 1 GiB page that is not aligned",
    ],
  },
  {
    payload: "long/paging",
    reason: "what reads and writes faults as a read",
    checks: [
      "a locked addition counts as a write",
      "CMPXCHG counts as a write",
      "an addition into a page that is not there",
    ],
  },
  {
    payload: "long/syscall",
    reason: "code with L and D is accepted",
    checks: ["IRET to code with L and D"],
  },
  {
    payload: "protected/fpu",
    reason: "MMX sets the tags as if it had loaded numbers",
    checks: ["MMX fills the stack"],
  },
  {
    payload: "protected/fpu",
    reason: "SIMD exceptions are never raised",
    checks: ["an unmasked SIMD exception", "without OSXMMEXCPT"],
  },
  {
    payload: "protected/fpu",
    reason: "TS counts before EM, and before what makes an instruction undefined",
    checks: [
      "MMX with EM and TS",
      "SSE with EM and TS",
      "MMX with EM, TS and MP",
      "SSE with EM, TS and MP",
      "LOCK counts before TS",
    ],
  },
  {
    payload: "protected/fpu",
    reason: "a pending x87 exception is raised by WAIT alone",
    checks: [
      "the next instruction raises it",
      "and the next one again",
      "before it looks at its operand",
      "MMX raises it too",
      "an empty register",
    ],
  },
  {
    payload: "protected/fpu",
    reason: "reserved bits of MXCSR are accepted",
    checks: ["reserved bits of MXCSR"],
  },
  {
    payload: "protected/gates",
    reason: "the checks of a gate's stack are incomplete",
    checks: ["a stack in the TSS that is not present", "a stack in the TSS with too little room"],
  },
  {
    payload: "protected/gates",
    reason: "what it accepts without a check ends it",
    checks: ["the end"],
  },
  {
    payload: "protected/paging",
    reason: "the error code of a reserved bit has no P",
    checks: ["bit 21 of a 4 MiB page's entry is reserved"],
  },
  {
    payload: "protected/paging",
    reason: "what it accepts without a check ends it",
    checks: ["the end"],
  },
  {
    payload: "protected/pic",
    reason: "its 8259s differ",
    checks: ["but not in special mask mode"],
  },
  {
    payload: "protected/pit",
    reason: "counters take a count at once, do not stop with their gate, and count BCD wrongly",
    checks: [
      "the status behind a control word",
      "a low gate holds mode 0",
      "a second trigger keeps it low",
      "mode 2, high while it counts",
      "a new count in mode 2 waits for the period to end",
      "a low gate holds mode 2",
      "and its output is high",
      "mode 4 is high behind its count",
      "mode 5 is high",
      "it is high while it counts",
      "BCD counts in tens",
    ],
  },
  {
    payload: "protected/real",
    reason: "segment limits are not checked",
    checks: ["a doubleword across 64 KiB is #GP", "without an error code", "a word across 64 KiB"],
  },
  {
    payload: "protected/segments",
    reason: "limits, types and null selectors are not checked when memory is accessed",
    checks: [
      "a read through null",
      "a write through null",
      "a byte beyond a limit",
      "a word across a limit",
      "a doubleword across a limit",
      "a doubleword across 4 GiB",
      "the error code of a limit",
      "a byte beyond a limit in pages",
      "expand-down, at the limit",
      "expand-down, across the limit",
      "expand-down without B, at 64 KiB",
      "expand-down without B, across 64 KiB",
      "expand-down with no room",
      "a write to read-only data",
      "a write to readable code",
      "a write through CS",
      "a write across a limit writes nothing",
      "REP STOSB up to a limit",
      "POP beyond a limit",
      "PUSH across a limit",
      "EBP beyond a limit",
      "CALL across a limit",
      "ENTER beyond a limit",
      "PUSHA around the end",
      "PUSH below an expand-down stack",
      "LTR of null",
    ],
  },
  {
    payload: "protected/tasks",
    reason: "a fault in a new task is not delivered there, or has another error code",
    checks: [
      "a task whose CS is data",
      "a task whose CS is null",
      "a task whose SS is null",
      "a task whose LDT is data",
      "a task whose LDT is not present",
    ],
  },
  {
    payload: "protected/tasks",
    reason: "limits are not checked",
    checks: ["#SS on a stack without room is a #DF task", "its error code is 0", "the old task's SS was saved"],
  },
  {
    payload: "protected/tasks",
    reason: "the T bit of a TSS is ignored",
    checks: ["a task with the T bit", "it sets BT", "before its first instruction"],
  },
];

/** Of Bochs 2.7. */
export const BOCHS: readonly KnownFailure[] = [
  {
    payload: "long/interrupts",
    reason: "RF is not set in the frame of an interrupt in the middle of a repeated instruction",
    checks: ["RF is in its frame within a repeated instruction"],
  },
  {
    payload: "long/apic",
    reason: "errors, transitions and the deadline register are incomplete",
    checks: [
      "an illegal vector is an error interrupt",
      "and in ESR, as sent and perhaps as received",
      "no deadline yet",
      "it is 0 behind",
      "x2APIC without the APIC",
      "from off to x2APIC",
      "from x2APIC to xAPIC",
      "a reserved bit of the base",
      "no unexpected trap",
    ],
  },
  {
    payload: "long/syscall",
    reason: "SYSRET that sets TF is like POPF: the next instruction is executed first",
    checks: ["before the next instruction"],
  },
  {
    payload: "long/debug",
    reason: "DR7.GD counts before the level",
    checks: ["GD at level 3"],
  },
  {
    payload: "long/debug",
    reason: "a step clears the other bits of DR6",
    checks: ["a step leaves other bits of DR6"],
  },
  {
    payload: "long/exceptions",
    reason: "the error code of #SS names SS where the stack of a gate is not canonical",
    checks: ["#UD on a non-canonical stack gives #SS with EXT"],
  },
  {
    payload: "long/ioapic",
    reason: "the IOAPIC keeps no remote IRR",
    checks: [
      "the index has 8 bits",
      "it sets remote IRR",
      "it comes again behind EOI",
      "remote IRR lasts until EOI",
      "a low line does not come",
      "a masked level does not come",
      "it does when it is unmasked",
    ],
  },
  {
    payload: "long/memory-locks",
    reason: "a decoded instruction across pages outlives its second page",
    checks: ["an instruction across pages, whose second page is exchanged"],
  },
  {
    payload: "long/page-protection",
    reason: "protection keys are wrong at level 0",
    checks: [
      "a read at level 0 with the key disabled",
      "a write at level 0 with the key disabled",
      "keys let fetch",
      "keys are nothing to a supervisor's page",
    ],
  },
  {
    payload: "long/page-protection",
    reason: "the processor's own accesses heed AC",
    checks: ["a descriptor in a user's page, even with AC"],
  },
  {
    payload: "protected/pic",
    reason: "the acknowledged line is fixed when it is requested, and polling does not acknowledge",
    checks: [
      "with line 0 the lowest, line 4 comes first",
      "and line 0 waits",
      "line 4 waits for line 0",
      "a poll names the line",
      "it counts as the acknowledgement",
      "so that no interrupt comes",
      "a poll names line 4",
    ],
  },
  {
    payload: "protected/pit",
    reason: "a count is not held where it should be",
    checks: ["a new count in mode 2 waits for the period to end"],
  },
];

/** The names that judge() in report.ts uses: "payload: check". */
export function knownChecks(failures: readonly KnownFailure[]): ReadonlySet<string> {
  return new Set(failures.flatMap(({ payload, checks }) => checks.map((check) => `${payload}: ${check}`)));
}
