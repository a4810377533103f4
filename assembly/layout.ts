// The map of linear memory: every mutable byte of the kernel side has its place here.
//
// This file is read by two compilers: asc (the core) and tsc/esbuild (the host), so it holds
// nothing but integer constants, and each field starts where the last one ended.
//
//   0                      read-only tables that asc places (opcode tables and the like)
//   VM_BASE                the VM: interrupt chips, clock, memory slots, shared by all vCPUs
//   VCPU_BASE + n * SIZE   vCPU n: registers, run page, LAPIC, TLBs, decoded traces
//   VM_CODE_LINES (ptr)    u32 a page of guest RAM: which 128-byte lines hold decoded code
//   VM_DIRTY_PAGES (ptr)   u8 a page of guest RAM: written since the last getDirtyLog
//   VM_RAM_BASE (ptr)      guest RAM, last, so that nothing lies behind it

export const VM_BASE = 0x100000;
export const VM_SIZE = 0x300000;
export const VCPU_BASE = VM_BASE + VM_SIZE;
export const VCPU_SIZE = 0x2fc0000;
export const MAX_VCPUS = 16;

// ---------------------------------------------------------------- the vCPU, offsets from its base

/** u64[16]: RAX RCX RDX RBX RSP RBP RSI RDI R8..R15. The first 256 bytes of a vCPU can be named
 * by one byte in a decoded record, so what address computation reads lies here. */
export const CPU_GPR = 0;
/** u64, always 0: stands in for a missing base, index or segment base. */
export const CPU_ZERO = CPU_GPR + 128;
/** u64: rip at instruction boundaries; the next instruction's while a helper runs. */
export const CPU_RIP = CPU_ZERO + 8;
/** u64: rip of the first instruction of the running trace: the base of rip-relative operands. */
export const CPU_TRACE_RIP = CPU_RIP + 8;
/** u64[8]: bases of ES CS SS DS FS GS LDTR TR. */
export const CPU_SEG_BASE = CPU_TRACE_RIP + 8;
/** u32[8]: limits in bytes, granularity applied. */
export const CPU_SEG_LIMIT = CPU_SEG_BASE + 64;
/** u32[8]: access rights as bits 8..23 of a descriptor's high word shifted right by 8
 * (type 0-3, S 4, DPL 5-6, P 7, AVL 12, L 13, D/B 14, G 15), and bit 16: unusable (null). */
export const CPU_SEG_ATTR = CPU_SEG_LIMIT + 32;
/** u32[8]: selectors. */
export const CPU_SEG_SEL = CPU_SEG_ATTR + 32;

/** i64: low half fuel (instructions left in this slice), stored only by the vCPU;
 * high half requests (REQ_*), changed only by atomic OR and AND. */
export const CPU_FUEL = CPU_SEG_SEL + 32;
/** u32 type of the last flag-setting operation (CC_*), then its two operands, left-aligned in 64 bits. */
export const CPU_CC_OP = CPU_FUEL + 8;
/** u32: current privilege level. */
export const CPU_CPL = CPU_CC_OP + 4;
export const CPU_CC_DST = CPU_CPL + 4;
export const CPU_CC_SRC = CPU_CC_DST + 8;
/** u32: RFLAGS without the six status flags (which CC_* holds); bit 1 always set. */
export const CPU_EFLAGS = CPU_CC_SRC + 8;
/** u32: mode word (MODE_*), derived from CR0, EFER, CS, SS, RFLAGS by updateMode(). */
export const CPU_MODE = CPU_EFLAGS + 4;
export const CPU_CR0 = CPU_MODE + 4;
export const CPU_CR2 = CPU_CR0 + 8;
export const CPU_CR3 = CPU_CR2 + 8;
export const CPU_CR4 = CPU_CR3 + 8;
export const CPU_CR8 = CPU_CR4 + 8;
export const CPU_EFER = CPU_CR8 + 8;
export const CPU_XCR0 = CPU_EFER + 8;
export const CPU_GDT_BASE = CPU_XCR0 + 8;
export const CPU_IDT_BASE = CPU_GDT_BASE + 8;
export const CPU_GDT_LIMIT = CPU_IDT_BASE + 8;
export const CPU_IDT_LIMIT = CPU_GDT_LIMIT + 4;
/** u64[8]: DR0..DR7 (4 and 5 unused). */
export const CPU_DR = CPU_IDT_LIMIT + 4;

// MSRs with a place of their own, u64 each.
export const CPU_STAR = CPU_DR + 64;
export const CPU_LSTAR = CPU_STAR + 8;
export const CPU_CSTAR = CPU_LSTAR + 8;
export const CPU_SFMASK = CPU_CSTAR + 8;
export const CPU_KERNEL_GS_BASE = CPU_SFMASK + 8;
export const CPU_SYSENTER_CS = CPU_KERNEL_GS_BASE + 8;
export const CPU_SYSENTER_ESP = CPU_SYSENTER_CS + 8;
export const CPU_SYSENTER_EIP = CPU_SYSENTER_ESP + 8;
export const CPU_TSC_AUX = CPU_SYSENTER_EIP + 8;
export const CPU_PAT = CPU_TSC_AUX + 8;
export const CPU_APIC_BASE = CPU_PAT + 8;
export const CPU_TSC_DEADLINE = CPU_APIC_BASE + 8;
/** u64: added to the VM's clock in TSC ticks. */
export const CPU_TSC_OFFSET = CPU_TSC_DEADLINE + 8;
export const CPU_MISC_ENABLE = CPU_TSC_OFFSET + 8;
export const CPU_DEBUGCTL = CPU_MISC_ENABLE + 8;
export const CPU_SPEC_CTRL = CPU_DEBUGCTL + 8;
export const CPU_MTRR_DEF_TYPE = CPU_SPEC_CTRL + 8;
/** u64[16]: PHYSBASE0, PHYSMASK0, ... */
export const CPU_MTRR_VAR = CPU_MTRR_DEF_TYPE + 8;
/** u64[11]: FIX64K, FIX16K x2, FIX4K x8. */
export const CPU_MTRR_FIX = CPU_MTRR_VAR + 128;
export const CPU_KVM_SYSTEM_TIME = CPU_MTRR_FIX + 88;
export const CPU_KVM_WALL_CLOCK = CPU_KVM_SYSTEM_TIME + 8;
export const CPU_KVM_ASYNC_PF = CPU_KVM_WALL_CLOCK + 8;
export const CPU_KVM_STEAL_TIME = CPU_KVM_ASYNC_PF + 8;
export const CPU_KVM_EOI = CPU_KVM_STEAL_TIME + 8;
export const CPU_KVM_POLL_CONTROL = CPU_KVM_EOI + 8;
/** u64: IA32_XSS. */
export const CPU_XSS = CPU_KVM_POLL_CONTROL + 8;
/** u64: IA32_TSC_ADJUST. */
export const CPU_TSC_ADJUST = CPU_XSS + 8;
/** u32: PKRU. */
export const CPU_PKRU = CPU_TSC_ADJUST + 8;
/** u32: microcode revision as the guest reads it. */
export const CPU_UCODE_REV = CPU_PKRU + 4;
/** u64: IA32_PKRS. */
export const CPU_PKRS = CPU_UCODE_REV + 4;
/** u64[23]: room for rarely used MSRs. */
export const CPU_MSR_SPARE = CPU_PKRS + 8;

/** u64[2]: cpu feature bits that the decoder and the mode checks test (FEAT_*), from setCpuid2. */
export const CPU_FEATURES = CPU_MSR_SPARE + 184;

/** u32[1 + 7 * 80]: count, then {function, index, flags, eax, ebx, ecx, edx}: KVM_SET_CPUID2. */
export const CPU_CPUID = CPU_FEATURES + 32;
export const CPUID_MAX_ENTRIES = 80;

// Events, as kvm_vcpu_events names them. u32 each.
export const CPU_EVENT_BASE = CPU_CPUID + 4 + 28 * CPUID_MAX_ENTRIES;
/** 1: an exception (EXCEPTION_VECTOR) is to be delivered at the next entry. */
export const CPU_EXCEPTION_PENDING = CPU_EVENT_BASE;
export const CPU_EXCEPTION_VECTOR = CPU_EXCEPTION_PENDING + 4;
export const CPU_EXCEPTION_HAS_ERROR = CPU_EXCEPTION_VECTOR + 4;
export const CPU_EXCEPTION_ERROR = CPU_EXCEPTION_HAS_ERROR + 4;
/** 1: an interrupt queued by KVM_INTERRUPT (no in-core irqchip) waits for IF. */
export const CPU_INTERRUPT_PENDING = CPU_EXCEPTION_ERROR + 4;
export const CPU_INTERRUPT_VECTOR = CPU_INTERRUPT_PENDING + 4;
/** 1: INTERRUPT_VECTOR is a software interrupt. */
export const CPU_INTERRUPT_SOFT = CPU_INTERRUPT_VECTOR + 4;
/** Bits 0: STI shadow, 1: MOV SS shadow; interrupts wait one instruction. */
export const CPU_SHADOW = CPU_INTERRUPT_SOFT + 4;
export const CPU_NMI_PENDING = CPU_SHADOW + 4;
/** 1: NMIs are blocked until IRET. */
export const CPU_NMI_MASKED = CPU_NMI_PENDING + 4;
export const CPU_SMI_PENDING = CPU_NMI_MASKED + 4;
/** KVM_MP_STATE_*: 0 runnable, 1 uninitialized, 2 init received, 3 halted, 4 sipi received. */
export const CPU_MP_STATE = CPU_SMI_PENDING + 4;
export const CPU_SIPI_VECTOR = CPU_MP_STATE + 4;
/** KVM_GUESTDBG_* of setGuestDebug; its debug registers follow at CPU_GUEST_DR. */
export const CPU_GUEST_DEBUG = CPU_SIPI_VECTOR + 4;
export const CPU_GUEST_DR = (CPU_GUEST_DEBUG + 4 + 7) & ~7;
/** u32: this vCPU's number. */
export const CPU_INDEX = CPU_GUEST_DR + 64;
/** u32: LOG_* bits: what the core reports through host.trace (-d). */
export const CPU_LOG = CPU_INDEX + 4;
/** u64: instructions retired up to the last refill of fuel; add (CPU_SLICE - fuel). */
export const CPU_RETIRED = (CPU_LOG + 4 + 7) & ~7;
/** u32: fuel given at the last refill. */
export const CPU_SLICE = CPU_RETIRED + 8;

// x87 and SSE state.
/** u64[8] significands then u16 sign/exponent at +8, 16 bytes a physical register R0..R7. */
export const CPU_X87 = (CPU_SLICE + 8 + 15) & ~15;
export const CPU_FCW = CPU_X87 + 128;
/** u32: status word without TOP (bits 11-13 are kept in CPU_FTOP). */
export const CPU_FSW = CPU_FCW + 4;
export const CPU_FTOP = CPU_FSW + 4;
/** u32: abridged tags as FXSAVE has them: bit i set: physical register i is not empty. */
export const CPU_FTAG = CPU_FTOP + 4;
/** u32 FOP, u32 selectors; while the guest runs more may be in them (execute/x87/pointers.ts). */
export const CPU_FOP = CPU_FTAG + 4;
export const CPU_FCS = CPU_FOP + 4;
export const CPU_FDS = CPU_FCS + 4;
export const CPU_MXCSR = CPU_FDS + 4;
export const CPU_FIP = CPU_MXCSR + 4;
export const CPU_FDP = CPU_FIP + 8;
/** 16 registers of 32 bytes: YMM0..15; the low 16 bytes are XMM. */
export const CPU_XMM = (CPU_FDP + 8 + 31) & ~31;
/** 64 bytes for operands that cross pages or lie in MMIO, 16 more behind for overrun. */
export const CPU_SCRATCH = CPU_XMM + 512;
/** A second scratch operand. */
export const CPU_SCRATCH2 = CPU_SCRATCH + 128;

// Why run() returned: the counterpart of struct kvm_run.
export const CPU_RUN = CPU_SCRATCH2 + 128;
/** u32: KVM_EXIT_*. */
export const RUN_EXIT_REASON = CPU_RUN;
/** u32: 1: exit with IRQ_WINDOW_OPEN as soon as an interrupt could be injected. */
export const RUN_REQUEST_INTERRUPT_WINDOW = RUN_EXIT_REASON + 4;
/** u32: 1: return INTR before entering the guest. */
export const RUN_IMMEDIATE_EXIT = RUN_REQUEST_INTERRUPT_WINDOW + 4;
/** u32. */
export const RUN_READY_FOR_INTERRUPT = RUN_IMMEDIATE_EXIT + 4;
export const RUN_IF_FLAG = RUN_READY_FOR_INTERRUPT + 4;
/** u32: KVM_EXIT_IO_IN 0 or OUT 1. */
export const RUN_IO_DIRECTION = RUN_IF_FLAG + 4;
export const RUN_IO_SIZE = RUN_IO_DIRECTION + 4;
export const RUN_IO_PORT = RUN_IO_SIZE + 4;
export const RUN_IO_COUNT = RUN_IO_PORT + 4;
/** u32: length of an MMIO access, 1..8. */
export const RUN_MMIO_LEN = RUN_IO_COUNT + 4;
export const RUN_MMIO_IS_WRITE = RUN_MMIO_LEN + 4;
/** u32: INTERNAL_ERROR suberror, SYSTEM_EVENT type, FAIL_ENTRY reason. */
export const RUN_ERROR = RUN_MMIO_IS_WRITE + 4;
/** u64: guest physical address of an MMIO access. */
export const RUN_MMIO_GPA = (RUN_ERROR + 4 + 7) & ~7;
/** u8[8]: MMIO data, little endian. */
export const RUN_MMIO_DATA = RUN_MMIO_GPA + 8;
/** DEBUG exit: u32 exception, u32 pad, u64 pc, dr6, dr7. */
export const RUN_DEBUG_EXCEPTION = RUN_MMIO_DATA + 8;
export const RUN_DEBUG_PC = RUN_DEBUG_EXCEPTION + 8;
export const RUN_DEBUG_DR6 = RUN_DEBUG_PC + 8;
export const RUN_DEBUG_DR7 = RUN_DEBUG_DR6 + 8;
/** f64: with INTR: guest time (ns) at which the halted vCPU wants to be entered again. */
export const RUN_WAKE_AT = RUN_DEBUG_DR7 + 8;
/** u64[4]: data of an INTERNAL_ERROR or HYPERCALL exit. */
export const RUN_INTERNAL_DATA = RUN_WAKE_AT + 8;

/** u32: run() returns INTR after one slice of at most so many instructions; 0: it goes on. */
export const RUN_LIMIT = RUN_INTERNAL_DATA + 32;
/** u32: 1: run() executes exactly RUN_LIMIT instructions, and looks at no timer, event or request in between;
 * 2: it executes none, but delivers what is due. */
export const RUN_EXACT = RUN_LIMIT + 4;

/** The accesses of the instruction in flight that needed user space, in order: it is executed
 * again after each exit and finds the earlier ones here. u32 count, u32 cursor, u64 rip, then
 * ACCESS_LOG_MAX entries of 32 bytes {u64 gpa or port, u32 kind, u32 size, u64 data, u64 spare}. */
export const CPU_ACCESS_LOG = RUN_EXACT + 4;
export const ACCESS_LOG_MAX = 32;

/** u64[128]: counters (STAT_*). */
export const CPU_STATS = CPU_ACCESS_LOG + 16 + 32 * ACCESS_LOG_MAX;
/** u64[6] twice: for each segment, the bytes from offset 0 that may be read, and those that may be written, without a
 * closer look, outside 64-bit code (execute/segment-reach.ts). */
export const CPU_SEG_READABLE = CPU_STATS + 1024;
export const CPU_SEG_WRITABLE = CPU_SEG_READABLE + 48;
export const CPU_FIELDS_END = CPU_SEG_WRITABLE + 48;

/** 4 KiB: PIO data of string instructions. */
export const CPU_PIO_DATA = 0x4000;
/** 4 KiB: local APIC registers in the layout of the APIC page, as KVM_GET_LAPIC has it;
 * state that has no architectural register follows at CPU_LAPIC_EXTRA. */
export const CPU_LAPIC = 0x5000;
export const CPU_LAPIC_EXTRA = 0x6000;
/** XSAVE image for the host's getXsave/setXsave, 4 KiB. */
export const CPU_XSAVE_AREA = 0x7000;
/** TLBs: TLB_CONTEXTS x TLB_CLASSES arrays of TLB_ENTRIES entries of 32 bytes. */
export const CPU_TLB = 0x10000;
export const TLB_ENTRIES = 4096;
export const TLB_ENTRY_SIZE = 32;
export const TLB_CLASSES = 3;
export const TLB_CONTEXTS = 8;
export const CPU_TLB_END = CPU_TLB + TLB_ENTRIES * TLB_ENTRY_SIZE * TLB_CLASSES * TLB_CONTEXTS;
/** 64 KiB for the MMU's own bookkeeping. */
export const CPU_MMU = CPU_TLB_END;
/** A TLB array that stays empty, in use while every access has to be looked at (alignment checks). */
export const CPU_NO_TLB = CPU_MMU + 0x10000;
/** Decoder and trace cache: from here to CPU_TRANSLATE. */
export const CPU_TRACES = 0x340000;
/** The traces themselves, in two halves (decode/trace-layout.ts): from here to CPU_TRANSLATE. */
export const CPU_ARENA = CPU_TRACES + 0x1a0000;
/** The translator's area, laid out in translate/layout.ts: to the end of the vCPU. */
export const CPU_TRANSLATE = VCPU_SIZE - 0x3c0000;
/** Where a region last left as the TLB did not have a span: u64 linear address; u32 what spanMark() of translate/straddles.ts makes
 * of it, 0: none since. */
export const CPU_SPAN_MISSED = CPU_TRANSLATE + 0xe00;
export const CPU_SPAN_MARK = CPU_SPAN_MISSED + 8;
/** u32[16] in that part: pages that regions may write while they are verified (mmu/written.ts). */
export const CPU_PAGES_NOTED = CPU_TRANSLATE + 0xf00;

// TLB entry: a tag is the virtual page address, or TLB_NO_TAG where the access must be looked at.
export const TLB_READ = 0;
export const TLB_WRITE = 8;
export const TLB_EXEC = 16;
/** u32: host address = u32(va) + addend. */
export const TLB_ADDEND = 24;
export const TLB_META = 28;

// Requests: bits of the high half of CPU_FUEL.
/** Look at interrupts: an irqchip, NMI, INIT or SIPI has something for this vCPU. */
export const REQ_EVENT = 0x1;
/** kick(): leave with INTR. */
export const REQ_KICK = 0x2;
/** Drop all TLB entries (slots changed, another vCPU asked). */
export const REQ_TLB_FLUSH = 0x4;
/** Drop all decoded traces and the TLB (code was written by another vCPU or by the host). */
export const REQ_CODE_FLUSH = 0x8;
/** Registers were set from outside; derived state is stale. */
export const REQ_STATE = 0x10;
/** Leave the interpreter loop after this instruction (mode, shadow or trap state changed). */
export const REQ_SLICE = 0x20;

// Mode word.
/** Two bits: code size 0: 16, 1: 32, 2: 64. */
export const MODE_CODE16 = 0;
export const MODE_CODE32 = 1;
export const MODE_CODE64 = 2;
export const MODE_CODE_MASK = 3;
/** SS.B: 32-bit stack (64-bit mode ignores it). */
export const MODE_STACK32 = 4;
/** CS, DS, ES, SS are usable, writable where they must be, and have base 0 and 4 GiB limits: offsets are linear addresses. */
export const MODE_FLAT = 8;
/** CPL is 3. */
export const MODE_USER = 16;
/** CR0.PE = 0. */
export const MODE_REAL = 32;
/** RFLAGS.VM = 1. */
export const MODE_VM86 = 64;
/** EFER.LMA = 1. */
export const MODE_LONG = 128;
/** SSE may be used: CR4.OSFXSR = 1, CR0.EM = 0, CR0.TS = 0. */
export const MODE_SSE = 256;
/** x87 may be used: CR0.EM = 0, CR0.TS = 0. MMX needs the same. */
export const MODE_FPU = 512;
/** AVX may be used: CR4.OSXSAVE = 1, XCR0 has SSE and AVX, CR0.TS = 0. */
export const MODE_AVX = 1024;
/** What decoding depends on. */
export const MODE_DECODE_MASK =
  MODE_CODE_MASK | MODE_STACK32 | MODE_FLAT | MODE_REAL | MODE_VM86 | MODE_SSE | MODE_FPU | MODE_AVX;

// ---------------------------------------------------------------- the VM, offsets from VM_BASE

/** u32: host address and size in bytes of guest RAM, and the two tables over it. */
export const VM_RAM_BASE = VM_BASE;
export const VM_RAM_SIZE = VM_RAM_BASE + 4;
export const VM_CODE_LINES = VM_RAM_SIZE + 4;
export const VM_DIRTY_PAGES = VM_CODE_LINES + 4;
export const VM_VCPU_COUNT = VM_DIRTY_PAGES + 4;
/** u32: bit 0: in-core irqchip exists, bit 1: in-core PIT exists, bit 2: split irqchip. */
export const VM_CHIPS = VM_VCPU_COUNT + 4;
/** u32: TSC frequency in kHz. */
export const VM_TSC_KHZ = VM_CHIPS + 4;
/** i32: -1: time is the host's clock; N >= 0: an instruction takes 2^N ns (icount). */
export const VM_ICOUNT_SHIFT = VM_TSC_KHZ + 4;
/** f64: guest time = (host time - epoch) or the icount bias, in ns. */
export const VM_CLOCK_OFFSET = (VM_ICOUNT_SHIFT + 4 + 7) & ~7;
/** f64: last guest time handed out: it never goes backwards. */
export const VM_CLOCK_LAST = VM_CLOCK_OFFSET + 8;
/** f64: wall clock (ns since 1970) at guest time 0. */
export const VM_WALL_EPOCH = VM_CLOCK_LAST + 8;
/** u32: spin lock over the interrupt chips. */
export const VM_IRQ_LOCK = VM_WALL_EPOCH + 8;
/** u32: spin lock over the accesses that run exclusively (misaligned and 16-byte LOCK). */
export const VM_EXCLUSIVE_LOCK = VM_IRQ_LOCK + 4;
/** f64: earliest deadline of the VM-wide timers (PIT), guest ns; Infinity where none. */
export const VM_NEXT_TIMER = VM_EXCLUSIVE_LOCK + 4;
/** u32: how often a trace is entered before it is translated; 0: nothing is. */
export const VM_JIT_THRESHOLD = VM_NEXT_TIMER + 8;
/** u32: modules of translated code that a vCPU keeps at most; 0: as many as it has room for. */
export const VM_JIT_MODULES = VM_JIT_THRESHOLD + 4;
/** u32: 1: what a region does is compared with what the interpreter does. */
export const VM_JIT_VERIFY = VM_JIT_MODULES + 4;
/** u32: JIT_AT_ONCE: a module is made of new regions at the end of the slice they were found in; JIT_GATHER: once there are
 * as many as a module takes; JIT_CLOSED: nothing is translated that is not yet; JIT_SPARING: as JIT_AT_ONCE, but forced regions are
 * gathered once there are many (translate/waiting.ts). */
export const VM_JIT_PACE = VM_JIT_VERIFY + 4;
export const JIT_AT_ONCE = 0;
export const JIT_GATHER = 1;
export const JIT_CLOSED = 2;
export const JIT_SPARING = 3;
/** u32: 1: PAUSE makes run() return INTR. */
export const VM_PAUSE_YIELDS = VM_JIT_PACE + 4;
/** u32: the most vCPUs that the VM was laid out for. */
export const VM_MAX_VCPUS = VM_PAUSE_YIELDS + 4;
/** u32: not 0: what becomes hot is noted in VM_PROFILE, and expected to where it is noted there; PROFILE_SOONER: VM_JIT_THRESHOLD is less than it
 * would be, as machine code is kept as well; u32: entries in use. */
export const VM_JIT_PROFILE = VM_MAX_VCPUS + 4;
export const PROFILE_ALONE = 1;
export const PROFILE_SOONER = 2;
export const VM_PROFILE_USED = VM_JIT_PROFILE + 4;
/** u32: bytes of VM_RECIPES in use. */
export const VM_RECIPES_USED = VM_PROFILE_USED + 4;

/** VM_MAX_SLOTS entries of 32 bytes {u64 gpa, u64 size (0: free), u32 host, u32 flags, u64 spare}. */
export const VM_SLOTS = VM_BASE + 0x1000;
export const VM_MAX_SLOTS = 64;
export const SLOT_GPA = 0;
export const SLOT_SIZE = 8;
export const SLOT_HOST = 16;
export const SLOT_FLAGS = 20;
export const SLOT_ENTRY_SIZE = 32;
/** u32: slots from this number on are free. */
export const VM_SLOT_LIMIT = VM_SLOTS + VM_MAX_SLOTS * SLOT_ENTRY_SIZE;
/** Interrupt chips: 8259 pair, IOAPIC, PIT, routing: laid out in irqchip/layout.ts, 64 KiB. */
export const VM_IRQCHIP = VM_BASE + 0x10000;
/** ioeventfd and coalesced-MMIO zones, laid out in mmu/doorbell.ts, 64 KiB. */
export const VM_DOORBELLS = VM_BASE + 0x20000;
/** Ring of coalesced MMIO writes, 64 KiB. */
export const VM_COALESCED_RING = VM_BASE + 0x30000;
/** The user side's own bookkeeping that threads share (host/kvm/memory.ts), 64 KiB; the core never looks. */
export const VM_HOST = VM_BASE + 0x40000;
/** 512 KiB for what one call hands over: the dirty bitmap of a slot. */
export const VM_SCRATCH = VM_BASE + 0x80000;
/** Traces that regions have: a hash table (translate/profile.ts). Of each u32 key (0: free), u16 what it was, u16 how
 * often it was met in this run, u32 offset in VM_RECIPES of what the region that begins with it was made of (0: not known). */
export const VM_PROFILE = VM_BASE + 0x100000;
export const VM_PROFILE_ENTRIES = 16384;
export const VM_PROFILE_ENTRY_SIZE = 12;
export const VM_PROFILE_MAX = 12288;
/** What regions were made of, one after the other (translate/recipes.ts). */
export const VM_RECIPES = VM_PROFILE + VM_PROFILE_ENTRIES * VM_PROFILE_ENTRY_SIZE;
export const VM_RECIPES_SIZE = VM_BASE + VM_SIZE - VM_RECIPES;

// ---------------------------------------------------------------- counters, u64 index in CPU_STATS
/** Exits by KVM_EXIT_* number take the first 64. */
export const STAT_EXITS = 0;
export const STAT_LIGHT_PIO = 64;
export const STAT_LIGHT_MMIO = 65;
export const STAT_TLB_MISSES = 66;
export const STAT_PAGE_FAULTS = 67;
export const STAT_TLB_FLUSHES = 68;
export const STAT_TRACES_BUILT = 69;
export const STAT_TRACES_DROPPED = 70;
export const STAT_CODE_WRITES = 71;
export const STAT_INTERRUPTS = 72;
export const STAT_EXCEPTIONS = 73;
export const STAT_HALTS = 74;
export const STAT_TRACE_FLUSHES = 75;
export const STAT_HYPERCALLS = 76;
export const STAT_DOORBELLS = 77;
export const STAT_CR_WRITES = 78;
export const STAT_MSR_ACCESSES = 79;
export const STAT_UNIMPLEMENTED = 80;
/** Regions translated; dropped because their code was written; traces that were not worth it; modules. */
export const STAT_REGIONS_BUILT = 81;
export const STAT_REGIONS_DROPPED = 82;
export const STAT_REGIONS_REFUSED = 83;
export const STAT_REGION_MODULES = 84;
/** Entries of regions; how many of them ended at an instruction for the interpreter; instructions executed in them. */
export const STAT_REGION_ENTRIES = 85;
export const STAT_REGION_MISSES = 86;
export const STAT_REGION_INSTRUCTIONS = 87;
/** Modules that exist now; modules, and usable regions in them, that had to make room for others. */
export const STAT_MODULES_LIVE = 88;
export const STAT_MODULES_EVICTED = 89;
export const STAT_REGIONS_EVICTED = 90;
/** Regions that were compared with the interpreter, entries of them, and instructions in those. */
export const STAT_REGIONS_VERIFIED = 91;
export const STAT_ENTRIES_VERIFIED = 92;
export const STAT_INSTRUCTIONS_VERIFIED = 93;
/** How often the room of dropped traces was used again. */
export const STAT_TRACE_SWEEPS = 94;

// ---------------------------------------------------------------- CPU_LOG
export const LOG_INT = 1;
export const LOG_CPU = 2;
export const LOG_MMU = 4;
export const LOG_EXEC = 8;
export const LOG_UNIMP = 16;
export const LOG_IN_ASM = 32;
/** Traces count how often they are entered; told with the bounds of the arena before it is emptied. */
export const LOG_COUNT = 64;
/** Each block of a region: its linear address; where its bytes lie, and in the upper half a bit for each instruction
 * before which the region ends; their number, and in the upper half a bit for each that is the interpreter's. */
export const LOG_OP = 128;
/** In the third value above the length: MODE_CODE16, MODE_CODE32 or MODE_CODE64. */
export const LOG_OP_SIZE_SHIFT = 16;
/** Behind the blocks: the region's slot of the function table, the linear address of its base, its instructions. */
export const LOG_OUT_ASM = 256;
/** Told in any case: a region and the interpreter differ. Its slot, and the region's status flags in the upper half; the
 * linear address that it was entered at; how many instructions it executed, and in the upper half how many of them the
 * interpreter did not come to. */
export const LOG_VERIFY = 512;
/** Before it: where the vCPU's fields lie as the region left them, then the pages that it might write, one after the
 * other; and where the u32 lie that say which pages those are (0: none). */
export const LOG_VERIFY_DATA = 1024;
/** How many pages. */
export const VERIFY_PAGES = 16;
