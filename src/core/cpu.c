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

/* Before anything else: does this processor have the instructions that the program was compiled for? Without
 * this a user would only see "Illegal instruction". */
#if defined(__x86_64__)

__attribute__((constructor(101), target("arch=x86-64"))) static void check_processor(void) {
    static const char sentence[] = "pardigits: this program was built for a newer processor than this "
                                   "machine's: build it here, or for all your "
                                   "machines with `make clean && make ARCH=x86-64-v3` (or x86-64-v2).\n";
    int good = 1;
    __builtin_cpu_init();
#ifdef __AVX2__
    good = good && __builtin_cpu_supports("avx2");
#endif
#ifdef __FMA__
    good = good && __builtin_cpu_supports("fma");
#endif
#ifdef __AVX512F__
    good = good && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
#endif
#ifdef __AVX512VBMI__
    good = good && __builtin_cpu_supports("avx512vbmi");
#endif
#ifdef __AVX512VBMI2__
    good = good && __builtin_cpu_supports("avx512vbmi2");
#endif
#ifdef __AVX512VNNI__
    good = good && __builtin_cpu_supports("avx512vnni");
#endif
#ifdef __AVX512BF16__
    good = good && __builtin_cpu_supports("avx512bf16");
#endif
    if (good) return;
    ssize_t ignored = write(STDERR_FILENO, sentence, sizeof sentence - 1);
    (void)ignored;
    _exit(1);
}

#endif
