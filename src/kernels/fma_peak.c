#include "kernels/fma_peak.h"

#include "core/timer.h"

#include "kernels/vec.h"

/* A core starts two multiply-adds in a cycle and each takes four or five: 12 chains keep it busy, and with
 * the two factors they fit 16 registers. */
enum { CHAINS = 12, ROUNDS = 40000, REPEATS = 400 };

/* The factors come through memory that the compiler knows nothing of; the sum of the chains is returned, so
 * that they can't be left out. */
static float run_chains(const volatile float *start) {
    const vec a = (vec){0} + start[0], b = (vec){0} + start[1];
    vec chain[CHAINS];
#pragma GCC unroll 12
    for (int c = 0; c < CHAINS; c++)
        chain[c] = b * (float)c;
    for (int round = 0; round < ROUNDS; round++) {
#pragma GCC unroll 12
        for (int c = 0; c < CHAINS; c++)
            chain[c] = chain[c] * a + b;
    }
    vec sum = {0};
#pragma GCC unroll 12
    for (int c = 0; c < CHAINS; c++)
        sum += chain[c];
    return sum[0];
}

double fma_peak_flops(void) {
    volatile float start[2] = {0.5f, 1}, result;
    double best_s = 1e9;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        const double started_s = timer_now_s();
        result = run_chains(start);
        const double seconds = timer_now_s() - started_s;
        best_s = seconds < best_s ? seconds : best_s;
    }
    (void)result;
    return 2.0 * LANES * CHAINS * ROUNDS / best_s;
}
