// The guest programs, as bench/guests/programs.h has them.

/** What a program is a measure of: the processor, or the processor and the guest's kernel. */
export type Kind = "compute" | "system";

export const PROGRAMS: Readonly<Record<string, { readonly kind: Kind; readonly what: string }>> = {
  integer: { kind: "compute", what: "64-bit integer arithmetic in registers" },
  sha256: { kind: "compute", what: "SHA-256" },
  sieve: { kind: "compute", what: "sieve of Eratosthenes" },
  calls: { kind: "compute", what: "recursion and calls through pointers" },
  matrix: { kind: "compute", what: "product of matrices, SSE2 doubles" },
  nbody: { kind: "compute", what: "five bodies, SSE2 doubles" },
  x87: { kind: "compute", what: "matrices and bodies on the x87" },
  simd: { kind: "compute", what: "SSE2 integer vectors" },
  repcopy: { kind: "system", what: "rep movs and rep stos" },
  ssecopy: { kind: "system", what: "16-byte copies" },
  chase: { kind: "system", what: "pointers through 64 MiB" },
  faults: { kind: "system", what: "page faults" },
  syscalls: { kind: "system", what: "system calls" },
  pipes: { kind: "system", what: "two processes in turn over pipes" },
  forks: { kind: "system", what: "fork and exec" },
  rewrite: { kind: "system", what: "self-modifying code" },
  gzip: { kind: "compute", what: "busybox's gzip" },
  lua: { kind: "compute", what: "Debian's Lua 5.4" },
};
