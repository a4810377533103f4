// Runs single instructions (or short sequences) on the host's own processor, from an ordinary
// process, and reports the exact state each leaves behind.
//
// A signal handler's frame holds a complete register state. The handler reads the state that the
// last case left, writes the next case's state into the same frame, with TF set, and returns:
// sigreturn loads it all at once, the instruction runs, and the trap or fault comes back here.
// Record layouts and addresses are those of case.ts; everything is little endian.
//
// With the argument "features" it prints the processor's CPUID feature words instead.
//
// stdin:  setup  u8[0x4000] contents of the data pages 1..4
//         batch  u32 count, then count CASE records of 1024 bytes; repeated until end of file
// stdout: batch  u32 bytes, then that many bytes of RESULT records
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <cpuid.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define CODE_BASE 0x10000000ul
#define CODE_PAGES 2
#define DATA_BASE 0x20000000ul
#define DATA_PAGES 4
#define RO_PAGE 2 /* index within the data pages: DATA_BASE + 0x3000 */
#define PAGE 4096ul
#define FS_BASE 0x40ul
#define GS_BASE 0x80ul
#define OPTION_NO_STEP 1 /* no TF: the code runs up to an INT3 */
#define VECTOR_TIMEOUT 0xfe

#define TF 0x100u
#define RF 0x10000u

struct patch { u32 address, length; u8 bytes[64]; };

struct test {
  u8 mode, codeLength;
  u16 codeOffset;
  u32 eflags, mxcsr;
  u16 fcw, fsw;
  u8 ftw, options;
  u16 patchCount;
  u16 cs, ss, ds, es, fs, gs;
  u8 code[64];
  u64 gpr[16];
  u8 st[8][16];
  u8 ymm[16][32];
  struct patch patch[2];
  u64 spare[2];
};

struct result {
  u32 length;
  u8 vector, blocks;
  u16 changed;
  u32 error, eflags;
  u64 rip, cr2;
  u32 mxcsr;
  u16 fcw, fsw;
  u8 ftw, pad[7];
  u64 gpr[16];
};

_Static_assert(sizeof(struct test) == 1024, "CASE is 1024 bytes");
_Static_assert(sizeof(struct result) == 176, "RESULT starts with 176 bytes");

#define BLOCK_X87 1
#define BLOCK_YMM 2

static u8 base[DATA_PAGES * PAGE];  // what the data pages hold between cases
static u8 *data, *code;             // writable aliases of both windows
static const u8 *tests;
static u8 *out;
static size_t outLength;
static int current, count, running;
static int lastTick;
static gregset_t home;  // where the batch was started
static u64 homeFs;

// RAX RCX RDX RBX RSP RBP RSI RDI R8..R15 as the sigcontext numbers them.
static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static long raw(long n, long a, long b, long c) {
  long r;
  asm volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return r;
}

static void writeFs(u64 v) { asm volatile("wrfsbase %0" ::"r"(v)); }
static u64 readFs(void) { u64 v; asm volatile("rdfsbase %0" : "=r"(v)); return v; }
static void writeGs(u64 v) { asm volatile("wrgsbase %0" ::"r"(v)); }

/** The frame's extended state: the FXSAVE image, with the XSAVE header behind it. */
struct fx {
  u16 fcw, fsw;
  u8 ftw, zero;
  u16 fop;
  u64 fip, fdp;
  u32 mxcsr, mask;
  u8 st[8][16];
  u8 xmm[16][16];
  u8 rest[96];
  u64 xstateBv, xcompBv, zeros[6];
  u8 ymmHigh[16][16];
};

static void applyPatches(const struct test *t) {
  for (int i = 0; i < t->patchCount; i++)
    memcpy(data + (t->patch[i].address - DATA_BASE - PAGE), t->patch[i].bytes, t->patch[i].length);
}

static void begin(const struct test *t, ucontext_t *uc) {
  applyPatches(t);
  memcpy(code + t->codeOffset - PAGE, t->code, t->codeLength);
  greg_t *g = uc->uc_mcontext.gregs;
  for (int i = 0; i < 16; i++) g[order[i]] = t->gpr[i];
  u64 codeBase = t->cs == 0x33 || t->cs == 0x23 ? CODE_BASE : 0;
  g[REG_RIP] = codeBase + t->codeOffset;
  g[REG_EFL] = t->eflags | (t->options & OPTION_NO_STEP ? 0 : TF);
  g[REG_CSGSFS] = (u64)t->cs | (u64)t->ss << 48;
  uc->uc_flags |= 6;  // UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS: SS is loaded exactly as given

  struct fx *fx = (struct fx *)uc->uc_mcontext.fpregs;
  fx->fcw = t->fcw;
  fx->fsw = t->fsw;
  fx->ftw = t->ftw;
  fx->fop = 0;
  fx->fip = fx->fdp = 0;
  fx->mxcsr = t->mxcsr;
  memcpy(fx->st, t->st, sizeof fx->st);
  for (int i = 0; i < 16; i++) {
    memcpy(fx->xmm[i], t->ymm[i], 16);
    memcpy(fx->ymmHigh[i], t->ymm[i] + 16, 16);
  }
  fx->xstateBv |= 7;
  asm volatile("mov %0, %%ds; mov %1, %%es; mov %2, %%fs; mov %3, %%gs" ::"r"((u32)t->ds), "r"((u32)t->es),
               "r"((u32)t->fs), "r"((u32)t->gs));
  if (!t->fs) writeFs(FS_BASE);
  if (!t->gs) writeGs(GS_BASE);
  running = 1;
}

static void finish(const struct test *t, ucontext_t *uc, int vector) {
  struct result *r = (struct result *)(out + outLength);
  const greg_t *g = uc->uc_mcontext.gregs;
  const struct fx *fx = (const struct fx *)uc->uc_mcontext.fpregs;
  memset(r, 0, sizeof *r);
  r->vector = vector;
  r->error = g[REG_ERR];
  r->eflags = g[REG_EFL] & ~RF;
  r->rip = g[REG_RIP];
  r->cr2 = vector == 14 ? g[REG_CR2] : 0;
  r->mxcsr = fx->mxcsr;
  r->fcw = fx->fcw;
  r->fsw = fx->fsw;
  r->ftw = fx->ftw;
  for (int i = 0; i < 16; i++) r->gpr[i] = g[order[i]];
  u8 *p = (u8 *)(r + 1);

  u64 have = fx->xstateBv;
  for (int i = 0; i < 8; i++)
    if (!(have & 1) || memcmp(fx->st[i], t->st[i], 10)) { r->blocks |= BLOCK_X87; break; }
  if (r->blocks & BLOCK_X87) {
    memset(p, 0, 128);
    if (have & 1) for (int i = 0; i < 8; i++) memcpy(p + i * 16, fx->st[i], 10);
    p += 128;
  }
  u8 ymm[16][32];
  for (int i = 0; i < 16; i++) {
    if (have & 2) memcpy(ymm[i], fx->xmm[i], 16); else memset(ymm[i], 0, 16);
    if (have & 4) memcpy(ymm[i] + 16, fx->ymmHigh[i], 16); else memset(ymm[i] + 16, 0, 16);
  }
  if (memcmp(ymm, t->ymm, sizeof ymm)) {
    r->blocks |= BLOCK_YMM;
    memcpy(p, ymm, sizeof ymm);
    p += sizeof ymm;
  }

  // Memory: each changed 8-byte word against the page contents the case began with.
  for (int i = 0; i < t->patchCount; i++)
    memcpy(base + (t->patch[i].address - DATA_BASE - PAGE), t->patch[i].bytes, t->patch[i].length);
  for (u32 page = 0; page < DATA_PAGES; page++) {
    if (page == RO_PAGE || !memcmp(data + page * PAGE, base + page * PAGE, PAGE)) continue;
    for (u32 at = page * PAGE; at < (page + 1) * PAGE; at += 8)
      if (memcmp(data + at, base + at, 8)) {
        u32 word = at / 8;
        memcpy(p, &word, 4);
        memcpy(p + 4, data + at, 8);
        memcpy(data + at, base + at, 8);
        p += 12;
        r->changed++;
      }
  }
  r->length = p - (u8 *)r;
  outLength += r->length;
}

static u8 pristine[DATA_PAGES * PAGE];

static void undo(const struct test *t) {
  for (int i = 0; i < t->patchCount; i++) {
    size_t at = t->patch[i].address - DATA_BASE - PAGE;
    memcpy(base + at, pristine + at, t->patch[i].length);
  }
  for (int i = 0; i < t->patchCount; i++) {
    size_t at = t->patch[i].address - DATA_BASE - PAGE;
    memcpy(data + at, pristine + at, t->patch[i].length);
  }
  memset(code + t->codeOffset - PAGE, 0xcc, t->codeLength);
}

static void goHome(ucontext_t *uc) {
  struct fx *fx = (struct fx *)uc->uc_mcontext.fpregs;
  memcpy(uc->uc_mcontext.gregs, home, sizeof home);
  fx->fcw = 0x37f;
  fx->fsw = fx->ftw = 0;
  fx->mxcsr = 0x1f80;
  u32 zero = 0;
  asm volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" ::"r"(zero));
  writeFs(homeFs);
}

__attribute__((used)) static void onSignal(int signal, siginfo_t *info, ucontext_t *uc) {
  (void)info;
  if (signal == SIGUSR1) {
    memcpy(home, uc->uc_mcontext.gregs, sizeof home);
    homeFs = readFs();
    current = 0;
    begin((const struct test *)tests, uc);
    return;
  }
  if (!running) {
    if (signal == SIGALRM) return;
    raw(SYS_exit_group, 3, 0, 0);
  }
  const struct test *t = (const struct test *)(tests + (size_t)current * sizeof(struct test));
  int vector = uc->uc_mcontext.gregs[REG_TRAPNO];
  if (signal == SIGALRM) {
    if (lastTick != current) { lastTick = current; return; }
    vector = VECTOR_TIMEOUT;
  }
  running = 0;
  finish(t, uc, vector);
  undo(t);
  if (++current < count) begin(t + 1, uc);
  else goHome(uc);
}

// AC, NT and ID may be left set by the case: the handler runs with plain flags.
asm(".globl entry\nentry:\n  pushq $0x202\n  popfq\n  jmp onSignalPlain\n"
    "onSignalPlain: jmp onSignal\n");
extern void entry(int, siginfo_t *, void *);

static void segment(u32 entryNumber, u32 at, u32 limit, int is32, int contents, int readOnly) {
  struct user_desc d = {.entry_number = entryNumber, .base_addr = at, .limit = limit, .seg_32bit = is32,
                        .contents = contents, .read_exec_only = readOnly, .useable = 1};
  if (syscall(SYS_modify_ldt, 0x11, &d, sizeof d)) { perror("modify_ldt"); exit(2); }
}

static u8 *window(int fd, off_t offset, u64 address, u64 bytes, int protection) {
  void *want = (void *)address;
  u8 *got = mmap(want, bytes, protection, MAP_SHARED | (address ? MAP_FIXED_NOREPLACE : 0), fd, offset);
  if (got == MAP_FAILED || (address && got != want)) { perror("mmap"); exit(2); }
  // Pages are there from the start: a page fault's P bit would tell otherwise.
  for (u64 at = 0; at < bytes; at += PAGE) *(volatile u8 *)(got + at);
  mlock(got, bytes);
  return got;
}

static int readAll(void *to, size_t n) {
  for (u8 *p = to; n;) {
    ssize_t got = read(0, p, n);
    if (got <= 0) return 0;
    p += got;
    n -= got;
  }
  return 1;
}

static void writeAll(const void *from, size_t n) {
  for (const u8 *p = from; n;) {
    ssize_t put = write(1, p, n);
    if (put <= 0) exit(1);
    p += put;
    n -= put;
  }
}

/** CPUID.1 ECX EDX, CPUID.7.0 EBX ECX, CPUID.80000001 ECX EDX, CPUID.7.0 EDX, CPUID.D.1 EAX: a number a line. */
static int printFeatures(void) {
  u32 a, b, c, d, b7, c7, d7;
  __cpuid(1, a, b, c, d);
  printf("%u\n%u\n", c, d);
  __cpuid_count(7, 0, a, b7, c7, d7);
  printf("%u\n%u\n", b7, c7);
  __cpuid(0x80000001, a, b, c, d);
  printf("%u\n%u\n%u\n", c, d, d7);
  __cpuid_count(13, 1, a, b, c, d);
  printf("%u\n", a);
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 1 && !strcmp(argv[1], "features")) return printFeatures();
  int fd = memfd_create("windows", 0);
  // One page more: code that runs off the end of its window is written there, and never seen.
  u64 bytes = (DATA_PAGES + CODE_PAGES + 1) * PAGE;
  if (fd < 0 || ftruncate(fd, bytes)) { perror("memfd"); return 2; }
  data = window(fd, 0, 0, bytes, PROT_READ | PROT_WRITE);
  code = data + DATA_PAGES * PAGE;
  window(fd, 0, DATA_BASE + PAGE, 2 * PAGE, PROT_READ | PROT_WRITE);
  window(fd, RO_PAGE * PAGE, DATA_BASE + 3 * PAGE, PAGE, PROT_READ);
  window(fd, 3 * PAGE, DATA_BASE + 4 * PAGE, PAGE, PROT_READ | PROT_WRITE);
  window(fd, DATA_PAGES * PAGE, CODE_BASE + PAGE, CODE_PAGES * PAGE, PROT_READ | PROT_EXEC);
  memset(code, 0xcc, CODE_PAGES * PAGE);

  segment(0, CODE_BASE, 0xffff, 0, 2, 0);   // 07: 16-bit code
  segment(1, DATA_BASE, 0x4eff, 0, 0, 0);   // 0f: 16-bit data, ends inside the last page
  segment(2, DATA_BASE, 0xffff, 0, 0, 1);   // 17: read-only data
  segment(3, DATA_BASE, 0x1fff, 0, 1, 0);   // 1f: expand-down: offsets 2000..ffff
  segment(4, DATA_BASE, 0x4eff, 1, 0, 0);   // 27: 32-bit data
  segment(5, CODE_BASE, 0x2fff, 1, 2, 0);   // 2f: 32-bit code
  segment(6, CODE_BASE, 0xffff, 1, 2, 1);   // 37: execute-only code

  stack_t alt = {.ss_sp = mmap(0, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                 .ss_size = 1 << 16};
  sigaltstack(&alt, 0);
  struct sigaction action = {.sa_sigaction = (void (*)(int, siginfo_t *, void *))entry,
                             .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  int signals[] = {SIGTRAP, SIGSEGV, SIGILL, SIGFPE, SIGBUS, SIGUSR1, SIGALRM};
  for (u32 i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);

  if (!readAll(pristine, sizeof pristine)) return 0;
  memcpy(base, pristine, sizeof base);
  memcpy(data, pristine, sizeof base);
  long pid = getpid();
  size_t capacity = 0;
  u8 *in = 0;
  for (;;) {
    u32 n;
    if (!readAll(&n, 4) || !n) return 0;
    if (n > capacity) {
      capacity = n;
      in = realloc(in, capacity * sizeof(struct test));
      // A case reports at most every changed word of its pages.
      out = realloc(out, 4 + capacity * (176 + 128 + 512 + 128 * 12) + DATA_PAGES * PAGE / 8 * 12);
      if (!in || !out) return 2;
    }
    if (!readAll(in, n * sizeof(struct test))) return 1;
    tests = in;
    count = n;
    outLength = 4;
    lastTick = -1;
    struct itimerval tick = {{0, 300000}, {0, 300000}}, off = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &tick, 0);
    raw(SYS_kill, pid, SIGUSR1, 0);
    setitimer(ITIMER_REAL, &off, 0);
    u32 length = outLength - 4;
    memcpy(out, &length, 4);
    writeAll(out, outLength);
  }
}
