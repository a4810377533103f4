// The payloads' GDT, IDT and TSS.
#pragma once
#include "payload.h"

// Selectors, in the order that SYSENTER, SYSEXIT, SYSCALL and SYSRET want.
#define CODE0 0x08
#define DATA0 0x10
/** 32-bit in either mode. */
#define CODE3 0x1b
#define DATA3 0x23
/** 64-bit code and its data, in payloads for long mode. */
#define CODE3_64 0x2b
#define DATA3_64 0x33
/** 32-bit code of level 0. */
#define CODE0_32 0x38
#define TSS_SELECTOR 0x40
/** The first entry that a payload may fill as it likes. */
#define FREE_SLOT 10
#define SLOTS 64
#define SELECTOR(slot) ((slot) << 3)

// Access byte.
#define PRESENT 0x80
#define DPL(n) ((n) << 5)
#define SEGMENT 0x10
#define DATA_RO 0x10
#define DATA_RW 0x12
#define DATA_DOWN 0x16
#define CODE_X 0x18
#define CODE_XR 0x1a
#define CONFORMING 0x1e
#define ACCESSED 1
#define TSS16 1
#define LDT 2
#define TSS16_BUSY 3
#define CALL_GATE16 4
#define TASK_GATE 5
#define INTERRUPT_GATE16 6
#define TRAP_GATE16 7
#define TSS32 9
#define TSS32_BUSY 11
#define CALL_GATE32 12
#define INTERRUPT_GATE32 14
#define TRAP_GATE32 15
// Flags above the limit.
#define FLAG_G 8
#define FLAG_B 4
#define FLAG_L 2

extern u64 gdt[SLOTS];
struct gate {
  u16 low;
  u16 selector;
  u8 ist;
  u8 access;
  u16 high;
#ifdef __x86_64__
  u32 upper;
  u32 reserved;
#endif
};
extern struct gate idt[256];

#ifdef __x86_64__
struct __attribute__((packed)) tss {
  u32 reserved0;
  u64 sp0, sp1, sp2;
  u64 reserved1;
  /** IST 1 is the first. */
  u64 ist[7];
  u64 reserved2;
  u16 reserved3;
  u16 io_map;
  u8 bits[0x2001];
};
#else
struct tss {
  u32 link;
  u32 esp0, ss0, esp1, ss1, esp2, ss2;
  u32 cr3, eip, eflags;
  u32 eax, ecx, edx, ebx, esp, ebp, esi, edi;
  u32 es, cs, ss, ds, fs, gs;
  u32 ldt;
  u16 trap, io_map;
  /** Interrupt redirection (VME) and the I/O permission map, of which all bits are set. */
  u8 redirection[32];
  u8 bits[0x2001];
};
#endif
extern struct tss tss;

struct __attribute__((packed)) table_pointer {
  u16 limit;
  word base;
};

/** Writes GDT entry `slot`. `limit` is in bytes or pages as FLAG_G among `flags` says. */
void set_segment(int slot, u32 base, u32 limit, u8 access, u8 flags);
u64 segment(u32 base, u32 limit, u8 access, u8 flags);
/** A system descriptor of long mode is two slots wide. */
void set_system_segment(int slot, word base, u32 limit, u8 access);
void set_gate(int vector, word handler, u16 selector, u8 access, u8 ist);
/** Loads the tables and TR. */
void load_tables(void);
static inline void load_gdt(void *base, u16 limit) {
  struct table_pointer pointer = {limit, (word)base};
  asm volatile("lgdt %0" : : "m"(pointer) : "memory");
}
static inline void load_idt(void *base, u16 limit) {
  struct table_pointer pointer = {limit, (word)base};
  asm volatile("lidt %0" : : "m"(pointer) : "memory");
}
