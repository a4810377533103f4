// The host's own x87 and SSE units as an oracle. `float-oracle list` prints the names of the operations in order;
// otherwise records of 64 bytes are read from standard input and answered with records of 64 bytes.
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

struct input {
  uint32_t op, control;
  uint8_t a[16] __attribute__((aligned(8))), b[16];
  uint32_t empty;  // x87: how many of the two operands are left out
  uint32_t pad[5];
};
struct output {
  uint8_t result[16], second[16];  // XMM0, or ST0 and ST1
  uint8_t memory[16];              // what a store left
  uint32_t status;                 // MXCSR, or FSW
  uint32_t flags;                  // EFLAGS, or the abridged tags in the upper half
  uint32_t trapped;
  uint32_t pad;
};

static sigjmp_buf resume;
static volatile uint32_t trapMxcsr;

static void onTrap(int number, siginfo_t *info, void *context) {
  (void)number, (void)info;
  trapMxcsr = ((ucontext_t *)context)->uc_mcontext.fpregs->mxcsr;
  siglongjmp(resume, 1);
}

struct fxsave {
  uint16_t fcw, fsw;
  uint8_t ftw, reserved;
  uint16_t fop;
  uint64_t fip, fdp;
  uint32_t mxcsr, mask;
  uint8_t st[8][16], xmm[16][16], rest[96];
} __attribute__((aligned(16)));

struct operation {
  const char *name;
  void (*run)(const struct input *in, struct output *out);
};
#define OPERATION(name) \
  static const struct operation entry_##name __attribute__((section("operations"), used)) = {#name, name};

#define SSE(name, text)                                                                                       \
  static void name(const struct input *in, struct output *out) {                                              \
    uint64_t flags = 0, general;                                                                              \
    memcpy(&general, in->b, 8);                                                                               \
    __asm__ volatile("movups %[b], %%xmm1\n movups %[a], %%xmm0\n xor %%ecx, %%ecx\n ldmxcsr %[control]\n"    \
                     text "\n pushfq\n pop %[flags]\n stmxcsr %[status]\n movups %%xmm0, %[result]\n"          \
                     : [flags] "=&r"(flags), [status] "=m"(out->status), [result] "=m"(out->result),          \
                       [general] "+&d"(general)                                                               \
                     : [a] "m"(in->a), [b] "m"(in->b), [control] "m"(in->control)                             \
                     : "rcx", "xmm0", "xmm1", "xmm2", "memory", "cc");                                               \
    out->flags = flags & 0x8d5;                                                                               \
    memcpy(out->second, &general, 8);                                                                         \
  }                                                                                                           \
  OPERATION(name)

// b is pushed first, so that ST0 is a and ST1 is b; memory operands are taken from b and stored to out->memory.
#define X87(name, text)                                                                                       \
  static void name(const struct input *in, struct output *out) {                                              \
    static struct fxsave save;                                                                                \
    uint64_t flags;                                                                                           \
    uint16_t control = in->control;                                                                           \
    __asm__ volatile("fninit\n cmpl $2, %[empty]\n jae 1f\n fldt %[b]\n cmpl $1, %[empty]\n jae 1f\n"         \
                     "fldt %[a]\n 1: xor %%eax, %%eax\n fldcw %[control]\n" text                              \
                     "\n pushfq\n pop %[flags]\n fxsave %[save]\n fninit\n"                                    \
                     : [flags] "=&r"(flags), [save] "=m"(save), [m] "=m"(out->memory)                         \
                     : [a] "m"(in->a), [b] "m"(in->b), [control] "m"(control), [empty] "m"(in->empty)         \
                     : "rax", "memory", "cc");                                                                \
    memcpy(out->result, save.st[0], 10);                                                                      \
    memcpy(out->second, save.st[1], 10);                                                                      \
    out->status = save.fsw;                                                                                   \
    out->flags = (flags & 0x8d5) | (uint32_t)save.ftw << 16;                                                  \
  }                                                                                                           \
  OPERATION(name)

#define ARITHMETIC(op) SSE(op##pd, #op "pd %%xmm1, %%xmm0") SSE(op##ps, #op "ps %%xmm1, %%xmm0") \
  SSE(op##sd, #op "sd %%xmm1, %%xmm0") SSE(op##ss, #op "ss %%xmm1, %%xmm0")
#define WITH_IMMEDIATE(op, n) SSE(op##_##n, #op " $" #n ", %%xmm1, %%xmm0")
ARITHMETIC(add) ARITHMETIC(sub) ARITHMETIC(mul) ARITHMETIC(div) ARITHMETIC(min) ARITHMETIC(max) ARITHMETIC(sqrt)
#define PREDICATES(op) WITH_IMMEDIATE(op, 0) WITH_IMMEDIATE(op, 1) WITH_IMMEDIATE(op, 2) WITH_IMMEDIATE(op, 3) \
  WITH_IMMEDIATE(op, 4) WITH_IMMEDIATE(op, 5) WITH_IMMEDIATE(op, 6) WITH_IMMEDIATE(op, 7)
PREDICATES(cmppd) PREDICATES(cmpps) PREDICATES(roundpd) PREDICATES(roundps)
WITH_IMMEDIATE(roundps, 8) WITH_IMMEDIATE(roundpd, 11) WITH_IMMEDIATE(roundps, 12)
#define WITH_VEX(op, n) SSE(v##op##_##n, "v" #op " $" #n ", %%xmm1, %%xmm0, %%xmm0")
WITH_VEX(cmppd, 8) WITH_VEX(cmppd, 9) WITH_VEX(cmppd, 10) WITH_VEX(cmppd, 11) WITH_VEX(cmppd, 12) WITH_VEX(cmppd, 13)
WITH_VEX(cmppd, 14) WITH_VEX(cmppd, 15) WITH_VEX(cmpps, 16) WITH_VEX(cmpps, 17) WITH_VEX(cmpps, 18) WITH_VEX(cmpps, 19)
WITH_VEX(cmpps, 20) WITH_VEX(cmpps, 21) WITH_VEX(cmpps, 22) WITH_VEX(cmpps, 23) WITH_VEX(cmpps, 24)
WITH_VEX(cmpps, 25) WITH_VEX(cmpps, 26) WITH_VEX(cmpps, 27) WITH_VEX(cmpps, 28) WITH_VEX(cmpps, 29)
WITH_VEX(cmpps, 30) WITH_VEX(cmpps, 31)
WITH_IMMEDIATE(dppd, 0x31) WITH_IMMEDIATE(dppd, 0x12) WITH_IMMEDIATE(dpps, 0xf1) WITH_IMMEDIATE(dpps, 0x5e)
SSE(comisd, "comisd %%xmm1, %%xmm0") SSE(comiss, "comiss %%xmm1, %%xmm0")
SSE(ucomisd, "ucomisd %%xmm1, %%xmm0") SSE(ucomiss, "ucomiss %%xmm1, %%xmm0")
SSE(addsubpd, "addsubpd %%xmm1, %%xmm0") SSE(addsubps, "addsubps %%xmm1, %%xmm0")
SSE(haddpd, "haddpd %%xmm1, %%xmm0") SSE(haddps, "haddps %%xmm1, %%xmm0")
SSE(hsubpd, "hsubpd %%xmm1, %%xmm0") SSE(hsubps, "hsubps %%xmm1, %%xmm0")
SSE(cvtps2pd, "cvtps2pd %%xmm1, %%xmm0") SSE(cvtpd2ps, "cvtpd2ps %%xmm1, %%xmm0")
SSE(cvtss2sd, "cvtss2sd %%xmm1, %%xmm0") SSE(cvtsd2ss, "cvtsd2ss %%xmm1, %%xmm0")
SSE(cvtps2dq, "cvtps2dq %%xmm1, %%xmm0") SSE(cvttps2dq, "cvttps2dq %%xmm1, %%xmm0")
SSE(cvtpd2dq, "cvtpd2dq %%xmm1, %%xmm0") SSE(cvttpd2dq, "cvttpd2dq %%xmm1, %%xmm0")
SSE(cvtdq2ps, "cvtdq2ps %%xmm1, %%xmm0") SSE(cvtdq2pd, "cvtdq2pd %%xmm1, %%xmm0")
SSE(cvtsd2si, "cvtsd2si %%xmm0, %%rdx") SSE(cvttsd2si, "cvttsd2si %%xmm0, %%rdx")
SSE(cvtss2si, "cvtss2si %%xmm0, %%rdx") SSE(cvttss2si, "cvttss2si %%xmm0, %%rdx")
SSE(cvtsi2sd, "cvtsi2sdq %%rdx, %%xmm0") SSE(cvtsi2ss, "cvtsi2ssq %%rdx, %%xmm0")
SSE(vcvtph2ps, "vcvtph2ps %%xmm1, %%xmm0") SSE(vcvtps2ph_0, "vcvtps2ph $0, %%xmm1, %%xmm0")
SSE(vcvtps2ph_4, "vcvtps2ph $4, %%xmm1, %%xmm0")
// The third operand of a fused multiply-add is a with its lanes exchanged; the result is a * b + that.
#define FUSED(op) SSE(op##pd, "pshufd $0x4e, %%xmm0, %%xmm2\n" #op "213pd %%xmm2, %%xmm1, %%xmm0") \
  SSE(op##ps, "pshufd $0x4e, %%xmm0, %%xmm2\n" #op "213ps %%xmm2, %%xmm1, %%xmm0")
FUSED(vfmadd) FUSED(vfmsub) FUSED(vfnmadd) FUSED(vfnmsub)
SSE(rcpps, "rcpps %%xmm1, %%xmm0") SSE(rsqrtps, "rsqrtps %%xmm1, %%xmm0")

// The assembler's AT&T syntax swaps FSUB with FSUBR and FDIV with FDIVR where the destination is not ST0: bytes say what is meant.
#define BOTH(op, code)                                                                                        \
  X87(op##_0_1, ".byte 0xd8, 0xc1+8*" #code) X87(op##_1_0, ".byte 0xdc, 0xc1+8*" #code)                       \
  X87(op##p_1_0, ".byte 0xde, 0xc1+8*" #code)                                                                 \
  X87(op##_f32, "lea %[b], %%rax\n .byte 0xd8, 0x00+8*" #code)                                                \
  X87(op##_f64, "lea %[b], %%rax\n .byte 0xdc, 0x00+8*" #code)                                                \
  X87(op##_i16, "lea %[b], %%rax\n .byte 0xde, 0x00+8*" #code)                                                \
  X87(op##_i32, "lea %[b], %%rax\n .byte 0xda, 0x00+8*" #code)
BOTH(fadd, 0) BOTH(fmul, 1) BOTH(fsub, 4) BOTH(fsubr, 5) BOTH(fdiv, 6) BOTH(fdivr, 7)
X87(fcom, "fcom %%st(1)") X87(fcomp, "fcomp %%st(1)") X87(fcompp, "fcompp") X87(fucom, "fucom %%st(1)")
X87(fucomp, "fucomp %%st(1)") X87(fucompp, "fucompp") X87(fcom_f32, "fcoms %[b]") X87(fcom_f64, "fcoml %[b]")
X87(ficom_i16, "ficoms %[b]") X87(ficom_i32, "ficoml %[b]")
X87(fcomi, "fcomi %%st(1), %%st") X87(fcomip, "fcomip %%st(1), %%st") X87(fucomi, "fucomi %%st(1), %%st")
X87(fucomip, "fucomip %%st(1), %%st") X87(ftst, "ftst") X87(fxam, "fxam") X87(fchs, "fchs") X87(fabs_, "fabs")
X87(fsqrt, "fsqrt") X87(frndint, "frndint") X87(fscale, "fscale") X87(fxtract, "fxtract") X87(fprem, "fprem")
X87(fprem1, "fprem1") X87(fxch, "fxch %%st(1)") X87(fld_1, "fld %%st(1)") X87(fst_1, "fst %%st(1)")
X87(fstp_1, "fstp %%st(1)") X87(ffree_1, "ffree %%st(1)") X87(ffreep_1, ".byte 0xdf, 0xc1")
X87(fincstp, "fincstp") X87(fdecstp, "fdecstp")
X87(fcmovb, "cmp $1, %%eax\n fcmovb %%st(1), %%st") X87(fcmovnb, "cmp $1, %%eax\n fcmovnb %%st(1), %%st")
X87(fld_f32, "flds %[b]") X87(fld_f64, "fldl %[b]") X87(fld_f80, "fldt %[b]") X87(fild_i16, "filds %[b]")
X87(fild_i32, "fildl %[b]") X87(fild_i64, "fildll %[b]") X87(fbld, "fbld %[b]")
X87(fst_f32, "fsts %[m]") X87(fstp_f32, "fstps %[m]") X87(fst_f64, "fstl %[m]") X87(fstp_f64, "fstpl %[m]")
X87(fstp_f80, "fstpt %[m]") X87(fist_i16, "fists %[m]") X87(fistp_i16, "fistps %[m]") X87(fist_i32, "fistl %[m]")
X87(fistp_i32, "fistpl %[m]") X87(fistp_i64, "fistpll %[m]") X87(fisttp_i16, "fisttps %[m]")
X87(fisttp_i32, "fisttpl %[m]") X87(fisttp_i64, "fisttpll %[m]") X87(fbstp, "fbstp %[m]")
X87(fld1, "fld1") X87(fldl2t, "fldl2t") X87(fldl2e, "fldl2e") X87(fldpi, "fldpi") X87(fldlg2, "fldlg2")
X87(fldln2, "fldln2") X87(fldz, "fldz")
X87(f2xm1, "f2xm1") X87(fyl2x, "fyl2x") X87(fyl2xp1, "fyl2xp1") X87(fptan, "fptan") X87(fpatan, "fpatan")
X87(fsin, "fsin") X87(fcos, "fcos") X87(fsincos, "fsincos")
X87(fld_full, "fldz\n fldz\n fldz\n fldz\n fldz\n fldz\n fldz")

// The linker gathers the operations in one section.
extern const struct operation __start_operations[], __stop_operations[];

int main(int count, char **arguments) {
  if (count > 1 && !strcmp(arguments[1], "list")) {
    for (const struct operation *o = __start_operations; o < __stop_operations; o++) puts(o->name);
    return 0;
  }
  struct sigaction action = { .sa_sigaction = onTrap, .sa_flags = SA_SIGINFO | SA_NODEFER };
  sigaction(SIGFPE, &action, 0);
  static struct input in;
  static struct output out;
  const uint32_t quiet = 0x1f80;
  while (fread(&in, sizeof in, 1, stdin) == 1) {
    memset(&out, 0, sizeof out);
    memset(out.memory, 0xcc, sizeof out.memory);
    if (sigsetjmp(resume, 0) == 0) {
      __start_operations[in.op].run(&in, &out);
    } else {
      out.trapped = 1;
      out.status = trapMxcsr;
    }
    __asm__ volatile("ldmxcsr %0" : : "m"(quiet));
    fwrite(&out, sizeof out, 1, stdout);
  }
  return 0;
}
