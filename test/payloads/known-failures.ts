// Checks that fail although the payload is right: bugs and gaps of each system that payloads run on.
// wkvm's own are deviations of docs/QUIRKS.md, which these checks pin: one that passes has to leave this list.

/** One reason and the checks that fail for it, of one payload. */
export interface KnownFailure {
  readonly payload: string;
  readonly reason: string;
  readonly checks: readonly string[];
}

export const WKVM: readonly KnownFailure[] = [];

/** Of QEMU 7.2's translator. */
export const TCG: readonly KnownFailure[] = [
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
      "#GP by INT through a gate of level 0",
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
];

/** Of Bochs 2.7. */
export const BOCHS: readonly KnownFailure[] = [
  {
    payload: "long/exceptions",
    reason: "the error code of #SS names SS where the stack of a gate is not canonical",
    checks: ["#UD on a non-canonical stack gives #SS with EXT"],
  },
];

/** The names that judge() in report.ts uses: "payload: check". */
export function knownChecks(failures: readonly KnownFailure[]): ReadonlySet<string> {
  return new Set(failures.flatMap(({ payload, checks }) => checks.map((check) => `${payload}: ${check}`)));
}
