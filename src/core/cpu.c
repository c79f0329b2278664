#include "core/cpu.h"

#include <sys/syscall.h>
#include <unistd.h>

bool cpu_tiles_granted(void) {
#ifdef __AMX_TILE__
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 }; /* asm/prctl.h */
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
#else
    return false;
#endif
}

#if defined(__x86_64__)

#include "core/cpu_features.h"

#include <cpuid.h>
#include <stddef.h>

#define BASELINE __attribute__((target("arch=x86-64"))) /* it runs on any processor */

/* The states that Linux saves: those of AVX and of AVX-512 are bits 2 and 5 to 7, beside SSE's, bit 1. */
BASELINE static unsigned saved_states(void) {
    enum { OSXSAVE = 1 << 27 };
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & OSXSAVE)) return 0;
    __asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    return eax;
}

BASELINE static bool has_feature(const CpuFeature *feature) {
    unsigned words[4] = {0}; /* eax, ebx, ecx, edx */
    if (!__get_cpuid_count(feature->leaf, feature->subleaf, &words[0], &words[1], &words[2], &words[3]))
        return false;
    return words[feature->word] >> feature->bit & 1;
}

/* Before anything else: does this processor have the instructions that the program was compiled for? Without
 * this a user would only see "Illegal instruction". */
__attribute__((constructor(101))) BASELINE static void check_processor(void) {
    static const char sentence[] = "pardigits: this program was built for a newer processor than this "
                                   "machine's: build it here, or for all your "
                                   "machines with `make clean && make ARCH=x86-64-v3` (or x86-64-v2).\n";
    bool good = (saved_states() & CPU_STATES) == CPU_STATES;
    for (size_t f = 0; f < sizeof cpu_features / sizeof *cpu_features; f++)
        good = good && has_feature(&cpu_features[f]);
    if (good) return;
    ssize_t ignored = write(STDERR_FILENO, sentence, sizeof sentence - 1);
    (void)ignored;
    _exit(1);
}

#endif
