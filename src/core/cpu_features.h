/* The instruction sets that the compiler was told it may use (-march), each with the bit of CPUID that says
 * whether a processor has it (Intel's Software Developer's Manual 2A, CPUID; AMD's APM 3, appendix E).
 * Private to core/cpu.c.
 *
 * No compiler uses these by itself: FSGSBASE RDRND RDSEED RDPID XSAVE XSAVEOPT XSAVEC XSAVES CLFLUSHOPT CLWB
 * CLZERO CLDEMOTE MWAITX WBNOINVD PKU SHSTK SGX WAITPKG MOVDIR64B PTWRITE SERIALIZE HRESET UINTR ENQCMD
 * TSXLDTRK PCONFIG KL WIDEKL HLE RTM LWP INVPCID PREFETCHI PREFETCHWT1 ABM. Tiles, which have to be asked
 * for, are cpu_tiles_granted's: AMX_TILE AMX_INT8 AMX_BF16 AMX_FP16 AMX_COMPLEX. */
#ifndef PARDIGITS_CORE_CPU_FEATURES_H
#define PARDIGITS_CORE_CPU_FEATURES_H

typedef struct {
    unsigned leaf, subleaf;
    enum { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX } word;
    int bit;
} CpuFeature;

/* What Linux has to save of a thread: SSE's and AVX's registers, AVX-512's. */
#if defined(__AVX512F__)
#define CPU_STATES 0xe6u
#elif defined(__AVX__)
#define CPU_STATES 0x06u
#else
#define CPU_STATES 0u
#endif

/* clang-format off */
static const CpuFeature cpu_features[] = {
    {1, 0, CPUID_EDX, 26}, /* SSE2: all x86-64 have it */
#ifdef __SSE3__
    {1, 0, CPUID_ECX, 0},
#endif
#ifdef __PCLMUL__
    {1, 0, CPUID_ECX, 1},
#endif
#ifdef __SSSE3__
    {1, 0, CPUID_ECX, 9},
#endif
#ifdef __FMA__
    {1, 0, CPUID_ECX, 12},
#endif
#ifdef __SSE4_1__
    {1, 0, CPUID_ECX, 19},
#endif
#ifdef __SSE4_2__
    {1, 0, CPUID_ECX, 20},
#endif
#ifdef __CRC32__
    {1, 0, CPUID_ECX, 20},
#endif
#ifdef __MOVBE__
    {1, 0, CPUID_ECX, 22},
#endif
#ifdef __POPCNT__
    {1, 0, CPUID_ECX, 23},
#endif
#ifdef __AES__
    {1, 0, CPUID_ECX, 25},
#endif
#ifdef __AVX__
    {1, 0, CPUID_ECX, 28},
#endif
#ifdef __F16C__
    {1, 0, CPUID_ECX, 29},
#endif
#ifdef __BMI__
    {7, 0, CPUID_EBX, 3},
#endif
#ifdef __AVX2__
    {7, 0, CPUID_EBX, 5},
#endif
#ifdef __BMI2__
    {7, 0, CPUID_EBX, 8},
#endif
#ifdef __AVX512F__
    {7, 0, CPUID_EBX, 16},
#endif
#ifdef __AVX512DQ__
    {7, 0, CPUID_EBX, 17},
#endif
#ifdef __ADX__
    {7, 0, CPUID_EBX, 19},
#endif
#ifdef __AVX512IFMA__
    {7, 0, CPUID_EBX, 21},
#endif
#ifdef __AVX512PF__
    {7, 0, CPUID_EBX, 26},
#endif
#ifdef __AVX512ER__
    {7, 0, CPUID_EBX, 27},
#endif
#ifdef __AVX512CD__
    {7, 0, CPUID_EBX, 28},
#endif
#ifdef __SHA__
    {7, 0, CPUID_EBX, 29},
#endif
#ifdef __AVX512BW__
    {7, 0, CPUID_EBX, 30},
#endif
#ifdef __AVX512VL__
    {7, 0, CPUID_EBX, 31},
#endif
#ifdef __AVX512VBMI__
    {7, 0, CPUID_ECX, 1},
#endif
#ifdef __AVX512VBMI2__
    {7, 0, CPUID_ECX, 6},
#endif
#ifdef __GFNI__
    {7, 0, CPUID_ECX, 8},
#endif
#ifdef __VAES__
    {7, 0, CPUID_ECX, 9},
#endif
#ifdef __VPCLMULQDQ__
    {7, 0, CPUID_ECX, 10},
#endif
#ifdef __AVX512VNNI__
    {7, 0, CPUID_ECX, 11},
#endif
#ifdef __AVX512BITALG__
    {7, 0, CPUID_ECX, 12},
#endif
#ifdef __AVX512VPOPCNTDQ__
    {7, 0, CPUID_ECX, 14},
#endif
#ifdef __MOVDIRI__
    {7, 0, CPUID_ECX, 27},
#endif
#ifdef __AVX5124VNNIW__
    {7, 0, CPUID_EDX, 2},
#endif
#ifdef __AVX5124FMAPS__
    {7, 0, CPUID_EDX, 3},
#endif
#ifdef __AVX512VP2INTERSECT__
    {7, 0, CPUID_EDX, 8},
#endif
#ifdef __AVX512FP16__
    {7, 0, CPUID_EDX, 23},
#endif
#ifdef __SHA512__
    {7, 1, CPUID_EAX, 0},
#endif
#ifdef __SM3__
    {7, 1, CPUID_EAX, 1},
#endif
#ifdef __SM4__
    {7, 1, CPUID_EAX, 2},
#endif
#ifdef __AVXVNNI__
    {7, 1, CPUID_EAX, 4},
#endif
#ifdef __AVX512BF16__
    {7, 1, CPUID_EAX, 5},
#endif
#ifdef __CMPCCXADD__
    {7, 1, CPUID_EAX, 7},
#endif
#ifdef __AVXIFMA__
    {7, 1, CPUID_EAX, 23},
#endif
#ifdef __AVXVNNIINT8__
    {7, 1, CPUID_EDX, 4},
#endif
#ifdef __AVXNECONVERT__
    {7, 1, CPUID_EDX, 5},
#endif
#ifdef __AVXVNNIINT16__
    {7, 1, CPUID_EDX, 10},
#endif
#ifdef __APX_F__
    {7, 1, CPUID_EDX, 21},
#endif
#ifdef __LAHF_SAHF__
    {0x80000001, 0, CPUID_ECX, 0},
#endif
#ifdef __LZCNT__
    {0x80000001, 0, CPUID_ECX, 5},
#endif
#ifdef __SSE4A__
    {0x80000001, 0, CPUID_ECX, 6},
#endif
#ifdef __PRFCHW__
    {0x80000001, 0, CPUID_ECX, 8},
#endif
#ifdef __XOP__
    {0x80000001, 0, CPUID_ECX, 11},
#endif
#ifdef __FMA4__
    {0x80000001, 0, CPUID_ECX, 16},
#endif
#ifdef __TBM__
    {0x80000001, 0, CPUID_ECX, 21},
#endif
};
/* clang-format on */

#endif
