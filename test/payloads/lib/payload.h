// What every payload uses: numbers, ports, registers, and one line a check on the console.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>


typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
/** As wide as a register. */
typedef unsigned long word;

/** The payload's own: runs its checks. */
void payload_main(void);

/** `ok NAME`, or `not ok NAME: got X want Y`. Names are unique within a payload. */
void check(const char *name, u64 got, u64 want);
/** `skip NAME: REASON`, for what this processor does not have. */
void skip(const char *name, const char *reason);
/** `# TEXT HEX`, to be read by people. */
void note(const char *text, u64 value);
/** The last line, and the end of the machine. Called when payload_main returns. */
_Noreturn void finish(void);
/** The last line of a payload whose machine is to end by shutdown of its processor (a triple fault). */
void expect_shutdown(void);
void print(const char *text);
void print_hex(u64 value);
void *memset(void *to, int value, size_t size);
void *memcpy(void *to, const void *from, size_t size);

static inline void out8(u16 port, u8 value) { asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory"); }
static inline u8 in8(u16 port) {
  u8 value;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
  return value;
}
static inline void out32(u16 port, u32 value) { asm volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory"); }

static inline u64 read_msr(u32 index) {
  u32 low, high;
  asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index) : "memory");
  return (u64)high << 32 | low;
}
static inline void write_msr(u32 index, u64 value) {
  asm volatile("wrmsr" : : "a"((u32)value), "d"((u32)(value >> 32)), "c"(index) : "memory");
}

struct cpuid {
  u32 eax, ebx, ecx, edx;
};
static inline struct cpuid cpuid(u32 leaf, u32 subleaf) {
  struct cpuid r;
  asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
  return r;
}
/** The leaf, or zeros where the processor has none of that number. */
static inline struct cpuid cpuid_or_zero(u32 leaf, u32 subleaf) {
  if (cpuid(leaf & 0x80000000, 0).eax < leaf) return (struct cpuid){0};
  return cpuid(leaf, subleaf);
}

/** Intel's and AMD's processors differ in some of what they do. */
static inline bool is_intel(void) { return cpuid(0, 0).ebx == 0x756e6547; }

#define CONTROL_REGISTER(name) \
  static inline word read_##name(void) { \
    word value; \
    asm volatile("mov %%" #name ", %0" : "=r"(value) : : "memory"); \
    return value; \
  } \
  static inline void write_##name(word value) { asm volatile("mov %0, %%" #name : : "r"(value) : "memory"); }
CONTROL_REGISTER(cr0)
CONTROL_REGISTER(cr2)
CONTROL_REGISTER(cr3)
CONTROL_REGISTER(cr4)
CONTROL_REGISTER(dr0)
CONTROL_REGISTER(dr1)
CONTROL_REGISTER(dr2)
CONTROL_REGISTER(dr3)
CONTROL_REGISTER(dr6)
CONTROL_REGISTER(dr7)

#define CR0_PE 1
#define CR0_MP 2
#define CR0_EM 4
#define CR0_TS 8
#define CR0_ET 0x10
#define CR0_NE 0x20
#define CR0_WP 0x10000
#define CR0_AM 0x40000
#define CR0_NW 0x20000000
#define CR0_CD 0x40000000
#define CR0_PG 0x80000000ul
#define CR4_VME 1
#define CR4_PVI 2
#define CR4_TSD 4
#define CR4_DE 8
#define CR4_PSE 0x10
#define CR4_PAE 0x20
#define CR4_PGE 0x80
#define CR4_PCE 0x100
#define CR4_OSFXSR 0x200
#define CR4_OSXMMEXCPT 0x400
#define CR4_UMIP 0x800
#define CR4_FSGSBASE 0x10000
#define CR4_PCIDE 0x20000
#define CR4_OSXSAVE 0x40000
#define CR4_SMEP 0x100000
#define CR4_SMAP 0x200000
#define CR4_PKE 0x400000
#define CR4_PKS 0x1000000
#define MSR_EFER 0xc0000080
#define EFER_SCE 1
#define EFER_LME 0x100
#define EFER_LMA 0x400
#define EFER_NXE 0x800
#define FLAG_CF 1
#define FLAG_ZF 0x40
#define FLAG_TF 0x100
#define FLAG_IF 0x200
#define FLAG_IOPL 0x3000
#define FLAG_NT 0x4000
#define FLAG_RF 0x10000
#define FLAG_VM 0x20000
#define FLAG_AC 0x40000
#define FLAG_VIF 0x80000
#define FLAG_VIP 0x100000

static inline word read_flags(void) {
  word value;
  asm volatile("pushf; pop %0" : "=r"(value) : : "memory");
  return value;
}
static inline void write_flags(word value) { asm volatile("push %0; popf" : : "r"(value) : "memory", "cc"); }
static inline void write_xcr0(u64 value) {
  asm volatile("xsetbv" : : "a"((u32)value), "d"((u32)(value >> 32)), "c"(0) : "memory");
}
static inline void flush_page(volatile void *address) { asm volatile("invlpg %0" : : "m"(*(volatile u8 *)address) : "memory"); }
static inline void flush_tlb(void) { write_cr3(read_cr3()); }
