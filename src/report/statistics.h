/* How sure numbers of correct predictions are. */
#ifndef PARDIGITS_REPORT_STATISTICS_H
#define PARDIGITS_REPORT_STATISTICS_H

#include <stdint.h>

typedef struct {
    double low, high;
} Interval;

/* The 95 % interval of a share of which `correct` of n were seen (Wilson, "Probable inference", JASA 1927);
 * of n = 0 from 0 to 1. */
Interval wilson_interval(int64_t correct, int64_t n);

/* McNemar's test, exact and two-sided: how likely two equally good models differ at least that much, where
 * only one is right on only_a images and only the other on only_b. */
double mcnemar_test(int64_t only_a, int64_t only_b);

#endif
