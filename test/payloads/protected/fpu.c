// CR0.EM, MP, TS and NE, and what #NM, #MF and FERR make of x87, MMX and SSE instructions; FNINIT; lazy exceptions.
#include "trap.h"

static u16 control, status;
static u8 environment[28];

static void set_bits(u32 clear, u32 set) { write_cr0((read_cr0() & ~clear) | set); }

static void availability(void) {
  static const struct {
    const char *name;
    u32 bits;
    /** What x87, WAIT, MMX and SSE instructions end in. */
    int x87, wait, mmx, sse;
  } rows[] = {
    {"with nothing", 0, NONE, NONE, NONE, NONE},
    {"with MP", CR0_MP, NONE, NONE, NONE, NONE},
    {"with TS", CR0_TS, NM, NONE, NM, NM},
    {"with TS and MP", CR0_TS | CR0_MP, NM, NM, NM, NM},
    {"with EM", CR0_EM, NM, NONE, UD, UD},
    {"with EM and MP", CR0_EM | CR0_MP, NM, NONE, UD, UD},
    {"with EM and TS", CR0_EM | CR0_TS, NM, NONE, UD, UD},
    {"with EM, TS and MP", CR0_EM | CR0_TS | CR0_MP, NM, NM, UD, UD},
  };
  static char name[64];
  for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    for (int kind = 0; kind < 4; kind++) {
      char *at = name;
      static const char *const kinds[] = {"x87 ", "WAIT ", "MMX ", "SSE "};
      for (const char *from = kinds[kind]; *from; from++) *at++ = *from;
      for (const char *from = rows[i].name; *from; from++) *at++ = *from;
      *at = 0;
      set_bits(CR0_EM | CR0_TS | CR0_MP, rows[i].bits);
      if (kind == 0) TRY("fnop");
      if (kind == 1) TRY("fwait");
      if (kind == 2) TRY(".byte 0x0f, 0xef, 0xc0");
      if (kind == 3) TRY(".byte 0x0f, 0x57, 0xc0");
      set_bits(CR0_EM | CR0_TS | CR0_MP, 0);
      check_trap(name, kind == 0 ? rows[i].x87 : kind == 1 ? rows[i].wait : kind == 2 ? rows[i].mmx : rows[i].sse, 0);
    }
  }
  set_bits(0, CR0_TS);
  TRY("fxsave (%%esp)");
  check_trap("FXSAVE with TS", NM, 0);
  TRY("ldmxcsr (%%esp)");
  check_trap("LDMXCSR with TS", NM, 0);
  TRY("prefetchnta (%%esp); sfence; mfence; lfence; pause");
  check_trap("fences with TS", NONE, 0);
  TRY("movnti %%eax, -4(%%esp)");
  check_trap("MOVNTI with TS", NONE, 0);
  TRY("fninit");
  check_trap("FNINIT with TS", NM, 0);
  TRY(".byte 0xf0, 0x0f, 0x57, 0xc0");
  check_trap("LOCK counts before TS", UD, 0);
  TRY("flds 0x40000000");
  check_trap("TS counts before the operand", NM, 0);
  asm volatile("clts");
  write_cr4(read_cr4() & ~(u32)CR4_OSFXSR);
  TRY(".byte 0x0f, 0x57, 0xc0");
  check_trap("SSE without OSFXSR", UD, 0);
  set_bits(0, CR0_TS);
  TRY(".byte 0x0f, 0x57, 0xc0");
  check_trap("which counts before TS", UD, 0);
  TRY(".byte 0x0f, 0xef, 0xc0");
  check_trap("MMX needs no OSFXSR", NM, 0);
  asm volatile("clts");
  write_cr4(read_cr4() | CR4_OSFXSR);
}

static void initial(void) {
  asm volatile("fninit; fnstcw %0; fnstsw %1; fnstenv %2" : "=m"(control), "=m"(status), "=m"(environment));
  check("FNINIT's control word", control, 0x37f);
  check("FNINIT's status word", status, 0);
  check("FNINIT's tag word", *(u16 *)(environment + 8), 0xffff);
  asm volatile("fld1; fldz; fnstenv %0; fninit" : "=m"(environment));
  check("tags of 1 and 0", *(u16 *)(environment + 8), 0x1fff);
  check("TOP", *(u16 *)(environment + 4) >> 11 & 7, 6);
  asm volatile("fninit; fld1; fnstenv %0; fnstcw %1; fninit" : "=m"(environment), "=m"(control));
  check("FNSTENV masks every exception", control & 0x3f, 0x3f);
  asm volatile("fninit; fld1; .byte 0x0f, 0x77; fnstenv %0" : "=m"(environment));
  check("EMMS empties the stack", *(u16 *)(environment + 8), 0xffff);
  asm volatile("fninit; fnstenv %0; .byte 0x0f, 0xef, 0xc0; fnstenv %0; fninit" : "=m"(environment));
  check("MMX fills the stack", *(u16 *)(environment + 8) & 3, 2);
}

/** Where the last instruction was, as FNSTENV tells. Newer processors name its operand behind exceptions only. */
static void pointers(void) {
  static float operand = 1;
  static u32 at;
  asm volatile("fninit; movl $1f, %1; 1: flds %2; fnstenv %0" : "=m"(environment), "=m"(at) : "m"(operand));
  check("FNSTENV names the last instruction", *(u32 *)(environment + 12), at);
}

#define UNMASK_DIVISION "fninit; push $0x37b; fldcw (%%esp); pop %%eax; "
#define DIVIDE "fldz; fld1; fdiv %%st(1), %%st; "

static void exceptions(void) {
  set_bits(0, CR0_NE);
  TRY(UNMASK_DIVISION DIVIDE "nop");
  check_trap("an unmasked exception waits", NONE, 0);
  TRY("fwait");
  check_trap("WAIT raises it", MF, 0);
  TRY("fnstsw %%ax; mov %%ax, %0", "m"(status));
  check_trap("FNSTSW does not", NONE, 0);
  check("ES, B and ZE are set", status & 0x8084, 0x8084);
  TRY("fld1");
  check_trap("the next instruction raises it", MF, 0);
  TRY("fld1");
  check_trap("and the next one again", MF, 0);
  TRY("flds 0x40000000");
  check_trap("before it looks at its operand", MF, 0);
  TRY(".byte 0x0f, 0xef, 0xc0");
  check_trap("MMX raises it too", MF, 0);
  TRY(".byte 0x0f, 0x57, 0xc0");
  check_trap("SSE does not", NONE, 0);
  set_bits(0, CR0_TS);
  TRY("fld1");
  check_trap("#NM comes before #MF", NM, 0);
  asm volatile("clts");
  TRY("fnclex; fld1");
  check_trap("FNCLEX clears it", NONE, 0);
  TRY(UNMASK_DIVISION DIVIDE "fnstenv %0; fldenv %0", "m"(environment));
  check_trap("FNSTENV and FLDENV carry it", NONE, 0);
  TRY("fwait");
  check_trap("and it is pending again", MF, 0);
  TRY("fninit; fwait");
  check_trap("FNINIT clears it", NONE, 0);
  static u8 image[512] __attribute__((aligned(16)));
  TRY(UNMASK_DIVISION DIVIDE "fxsave %0; fninit; fxrstor %0; fwait", "m"(image));
  check_trap("FXRSTOR brings it back", MF, 0);
  TRY("fninit; push $0x37e; fldcw (%%esp); pop %%eax; fld %%st(0); fwait");
  check_trap("an empty register", MF, 0);
  asm volatile("fninit");
  TRY("movl $0x1f80, (%0); ldmxcsr (%0); movl $0xffff1f80, (%0); ldmxcsr (%0)", "r"(image));
  check_trap("reserved bits of MXCSR", GP, 0);
  TRY("fxsave 8(%0)", "r"(image));
  check_trap("FXSAVE that is not aligned", GP, 0);
  TRY("movups 1(%0), %%xmm0; movaps 8(%0), %%xmm0", "r"(image));
  check_trap("MOVAPS that is not aligned", GP, 0);
}

/** SIMD exceptions: unmasked, #XM, or #UD without OSXMMEXCPT. */
static void simd(void) {
  static u32 mask = 0x1f80 & ~0x200;
  write_cr4(read_cr4() | CR4_OSXMMEXCPT);
  TRY("ldmxcsr %0; xorps %%xmm1, %%xmm1; mov $0x3f800000, %%eax; movd %%eax, %%xmm0; divss %%xmm1, %%xmm0", "m"(mask));
  check_trap("an unmasked SIMD exception", XM, 0);
  write_cr4(read_cr4() & ~(u32)CR4_OSXMMEXCPT);
  TRY("ldmxcsr %0; xorps %%xmm1, %%xmm1; mov $0x3f800000, %%eax; movd %%eax, %%xmm0; divss %%xmm1, %%xmm0", "m"(mask));
  check_trap("without OSXMMEXCPT", UD, 0);
}

/** Without NE an exception is signalled from outside the processor: WAIT is not the one to trap. */
static void ferr(void) {
  set_bits(CR0_NE, 0);
  out8(0x21, 0xff);
  out8(0xa1, 0xff);
  // Port 0xf0 lets the processor go on with the exception pending, as its handler does.
  TRY(UNMASK_DIVISION DIVIDE "out %%al, $0xf0; fnstsw %%ax; mov %%ax, %0", "m"(status));
  check("an exception without NE is pending", status & 0x8084, 0x8084);
  TRY("fnclex");
  TRY(UNMASK_DIVISION DIVIDE "fnop; fnclex");
  check("without NE there is no #MF", trap.vector == MF, 0);
  set_bits(0, CR0_NE);
}

void payload_main(void) {
  write_cr4(read_cr4() | CR4_OSFXSR);
  asm volatile("fninit");
  availability();
  initial();
  pointers();
  exceptions();
  simd();
  ferr();
}
