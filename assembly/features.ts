// The processor features that code asks about, as bit numbers in CPU_FEATURES (u64[4]), which
// cpuidChanged() fills from the table of KVM_SET_CPUID2. Read by asc and by tsc.
//
//   word 0: CPUID.1 ECX, EDX         word 1: CPUID.7.0 EBX, ECX
//   word 2: CPUID.80000001 ECX, EDX  word 3: CPUID.7.0 EDX, CPUID.D.1 EAX
//
// A feature's bit number is the start of its register here plus its bit in that register.
const LEAF1_ECX = 0;
const LEAF1_EDX = 32;
const LEAF7_EBX = 64;
const LEAF7_ECX = 96;
const EXT1_ECX = 128;
const EXT1_EDX = 160;
const LEAF7_EDX = 192;
const LEAFD1_EAX = 224;

/** Bits in all of CPU_FEATURES. */
export const FEATURE_BITS = 256;

export const FEAT_SSE3 = LEAF1_ECX + 0;
export const FEAT_PCLMULQDQ = LEAF1_ECX + 1;
export const FEAT_MONITOR = LEAF1_ECX + 3;
export const FEAT_VMX = LEAF1_ECX + 5;
export const FEAT_SSSE3 = LEAF1_ECX + 9;
export const FEAT_FMA = LEAF1_ECX + 12;
export const FEAT_CX16 = LEAF1_ECX + 13;
export const FEAT_PDCM = LEAF1_ECX + 15;
export const FEAT_PCID = LEAF1_ECX + 17;
export const FEAT_SSE41 = LEAF1_ECX + 19;
export const FEAT_SSE42 = LEAF1_ECX + 20;
export const FEAT_X2APIC = LEAF1_ECX + 21;
export const FEAT_MOVBE = LEAF1_ECX + 22;
export const FEAT_POPCNT = LEAF1_ECX + 23;
export const FEAT_TSC_DEADLINE = LEAF1_ECX + 24;
export const FEAT_AES = LEAF1_ECX + 25;
export const FEAT_XSAVE = LEAF1_ECX + 26;
export const FEAT_OSXSAVE = LEAF1_ECX + 27;
export const FEAT_AVX = LEAF1_ECX + 28;
export const FEAT_F16C = LEAF1_ECX + 29;
export const FEAT_RDRAND = LEAF1_ECX + 30;
export const FEAT_HYPERVISOR = LEAF1_ECX + 31;

export const FEAT_FPU = LEAF1_EDX + 0;
export const FEAT_VME = LEAF1_EDX + 1;
export const FEAT_DE = LEAF1_EDX + 2;
export const FEAT_PSE = LEAF1_EDX + 3;
export const FEAT_TSC = LEAF1_EDX + 4;
export const FEAT_MSR = LEAF1_EDX + 5;
export const FEAT_PAE = LEAF1_EDX + 6;
export const FEAT_MCE = LEAF1_EDX + 7;
export const FEAT_CX8 = LEAF1_EDX + 8;
export const FEAT_APIC = LEAF1_EDX + 9;
export const FEAT_SEP = LEAF1_EDX + 11;
export const FEAT_MTRR = LEAF1_EDX + 12;
export const FEAT_PGE = LEAF1_EDX + 13;
export const FEAT_MCA = LEAF1_EDX + 14;
export const FEAT_CMOV = LEAF1_EDX + 15;
export const FEAT_PAT = LEAF1_EDX + 16;
export const FEAT_PSE36 = LEAF1_EDX + 17;
export const FEAT_CLFLUSH = LEAF1_EDX + 19;
export const FEAT_MMX = LEAF1_EDX + 23;
export const FEAT_FXSR = LEAF1_EDX + 24;
export const FEAT_SSE = LEAF1_EDX + 25;
export const FEAT_SSE2 = LEAF1_EDX + 26;
export const FEAT_SELF_SNOOP = LEAF1_EDX + 27;
export const FEAT_HTT = LEAF1_EDX + 28;

export const FEAT_FSGSBASE = LEAF7_EBX + 0;
export const FEAT_TSC_ADJUST = LEAF7_EBX + 1;
export const FEAT_BMI1 = LEAF7_EBX + 3;
export const FEAT_AVX2 = LEAF7_EBX + 5;
export const FEAT_SMEP = LEAF7_EBX + 7;
export const FEAT_BMI2 = LEAF7_EBX + 8;
export const FEAT_ERMS = LEAF7_EBX + 9;
export const FEAT_INVPCID = LEAF7_EBX + 10;
/** The x87 FCS and FDS fields are stored as zero. */
export const FEAT_ZERO_FCS_FDS = LEAF7_EBX + 13;
export const FEAT_RDSEED = LEAF7_EBX + 18;
export const FEAT_ADX = LEAF7_EBX + 19;
export const FEAT_SMAP = LEAF7_EBX + 20;
export const FEAT_CLFLUSHOPT = LEAF7_EBX + 23;
export const FEAT_CLWB = LEAF7_EBX + 24;
export const FEAT_SHA = LEAF7_EBX + 29;

export const FEAT_UMIP = LEAF7_ECX + 2;
export const FEAT_PKU = LEAF7_ECX + 3;
export const FEAT_OSPKE = LEAF7_ECX + 4;
export const FEAT_WAITPKG = LEAF7_ECX + 5;
export const FEAT_GFNI = LEAF7_ECX + 8;
export const FEAT_VAES = LEAF7_ECX + 9;
export const FEAT_VPCLMULQDQ = LEAF7_ECX + 10;
export const FEAT_LA57 = LEAF7_ECX + 16;
export const FEAT_RDPID = LEAF7_ECX + 22;
export const FEAT_CLDEMOTE = LEAF7_ECX + 25;
export const FEAT_MOVDIRI = LEAF7_ECX + 27;
export const FEAT_MOVDIR64B = LEAF7_ECX + 28;
export const FEAT_PKS = LEAF7_ECX + 31;

export const FEAT_LAHF64 = EXT1_ECX + 0;
export const FEAT_SVM = EXT1_ECX + 2;
/** LOCK MOV CR0 reaches CR8 outside 64-bit mode (AMD AltMovCr8). */
export const FEAT_CR8_LEGACY = EXT1_ECX + 4;
/** LZCNT. */
export const FEAT_ABM = EXT1_ECX + 5;
export const FEAT_SSE4A = EXT1_ECX + 6;
/** Misaligned SSE operands allowed by MXCSR.MM. */
export const FEAT_MISALIGNED_SSE = EXT1_ECX + 7;
/** PREFETCH and PREFETCHW. */
export const FEAT_PREFETCHW = EXT1_ECX + 8;
export const FEAT_TBM = EXT1_ECX + 21;
export const FEAT_TOPOEXT = EXT1_ECX + 22;

export const FEAT_SYSCALL = EXT1_EDX + 11;
export const FEAT_NX = EXT1_EDX + 20;
export const FEAT_MMXEXT = EXT1_EDX + 22;
/** EFER.FFXSR. */
export const FEAT_FFXSR = EXT1_EDX + 25;
export const FEAT_PAGES_1G = EXT1_EDX + 26;
export const FEAT_RDTSCP = EXT1_EDX + 27;
export const FEAT_LM = EXT1_EDX + 29;
export const FEAT_3DNOWEXT = EXT1_EDX + 30;
export const FEAT_3DNOW = EXT1_EDX + 31;

export const FEAT_FSRM = LEAF7_EDX + 4;
export const FEAT_MD_CLEAR = LEAF7_EDX + 10;
export const FEAT_SERIALIZE = LEAF7_EDX + 14;
/** IA32_SPEC_CTRL.IBRS and IA32_PRED_CMD.IBPB. */
export const FEAT_SPEC_CTRL = LEAF7_EDX + 26;
/** IA32_SPEC_CTRL.STIBP. */
export const FEAT_STIBP = LEAF7_EDX + 27;
export const FEAT_FLUSH_L1D = LEAF7_EDX + 28;
export const FEAT_ARCH_CAPABILITIES = LEAF7_EDX + 29;
/** IA32_SPEC_CTRL.SSBD as Intel enumerates it. */
export const FEAT_SSBD = LEAF7_EDX + 31;

export const FEAT_XSAVEOPT = LEAFD1_EAX + 0;
export const FEAT_XSAVEC = LEAFD1_EAX + 1;
export const FEAT_XGETBV1 = LEAFD1_EAX + 2;
export const FEAT_XSAVES = LEAFD1_EAX + 3;
