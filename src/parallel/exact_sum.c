#include "pardigits/exact_sum.h"

#include "pardigits/mem.h"

#include <math.h>
#include <string.h>

ExactSum exact_sum_new(int64_t n) {
    return (ExactSum){n, mem_new((size_t)n + 1, sizeof(uint64_t))};
}

void exact_sum_free(ExactSum *sum) {
    mem_free(sum->sums);
    *sum = (ExactSum){0};
}

void exact_sum_clear(ExactSum *sum) {
    memset(sum->sums, 0, ((size_t)sum->n + 1) * sizeof *sum->sums);
}

uint64_t exact_sum_convert(const float *restrict terms, int64_t count, bool add, uint64_t *restrict sums) {
    /* Below 2^51 in magnitude, adding 1.5 * 2^52 rounds a double to the nearest integer (ties to even) and
     * leaves that integer in the low bits: a conversion that every vector unit has. */
    const double magic = 0x1.8p52;
    const float limit = (float)(1 << EXACT_SUM_LIMIT);
    const uint64_t kept = -(uint64_t)add;
    uint64_t magic_bits, refused = 0;
    memcpy(&magic_bits, &magic, sizeof magic_bits);
    for (int64_t i = 0; i < count; i++) {
        uint64_t good = fabsf(terms[i]) < limit; /* false for NaN */
        double shifted = (double)terms[i] * (double)(1ll << EXACT_SUM_SCALE) + magic;
        uint64_t bits;
        memcpy(&bits, &shifted, sizeof bits);
        sums[i] = (sums[i] & kept) + ((bits - magic_bits) & -good);
        refused += 1 - good;
    }
    return refused;
}

void exact_sum_add(ExactSum *sum, int64_t first, const float *terms, int64_t count) {
    sum->sums[sum->n] += exact_sum_convert(terms, count, true, sum->sums + first);
}

void exact_sum_reduce(ExactSum *sum, const Comm *comm) {
    comm_sum_u64(comm, sum->sums, sum->n + 1);
}

uint64_t exact_sum_refused(const ExactSum *sum) {
    return sum->sums[sum->n];
}

double exact_sum_get(const ExactSum *sum, int64_t i) {
    return (double)(int64_t)sum->sums[i] * 0x1p-40;
}

void exact_sum_means(const ExactSum *sum, int64_t first, int64_t count, double divisor, float *out) {
    double unit = 0x1p-40 / divisor;
    for (int64_t i = 0; i < count; i++)
        out[i] = (float)((double)(int64_t)sum->sums[first + i] * unit);
}
