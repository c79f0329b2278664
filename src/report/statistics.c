#include "report/statistics.h"

#include "core/integers.h"

#include <math.h>

Interval wilson_interval(int64_t correct, int64_t n) {
    if (n == 0) return (Interval){0, 1};
    const double z = 1.959963984540054, count = (double)n, share = (double)correct / count;
    const double centre = share + z * z / (2 * count),
                 half = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count)),
                 whole = 1 + z * z / count;
    return (Interval){fmax(0, (centre - half) / whole), fmin(1, (centre + half) / whole)};
}

/* Twice the binomial distribution's tail: sum over k <= min(a, b) of C(a + b, k) / 2^(a + b). */
double mcnemar_test(int64_t only_a, int64_t only_b) {
    const double n = (double)(only_a + only_b);
    double tail = 0;
    for (int64_t k = 0; k <= smaller(only_a, only_b); k++)
        tail += exp(lgamma(n + 1) - lgamma((double)k + 1) - lgamma(n - (double)k + 1) - n * M_LN2);
    return fmin(1, 2 * tail);
}
