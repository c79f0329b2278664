/* Shares of equal items for workers of different speed, in whole items. */
#ifndef PARDIGITS_CORE_SHARES_H
#define PARDIGITS_CORE_SHARES_H

#include <stdbool.h>
#include <stdint.h>

/* Seconds that a worker takes for a share of n items: fixed_s + n * each_s. each_s = 0: not known. */
typedef struct {
    double fixed_s, each_s;
} ShareCost;

/* Seconds until the last worker is done; costs, shares [workers], all costs known. */
double shares_seconds(const ShareCost *costs, const int64_t *shares, int workers);

/* The shares [workers] of `items` items that are done soonest: each item in turn goes to the worker that
 * would be done with it first, the lowest one of equals. All costs are known. The same costs give the same
 * shares. */
void shares_choose(const ShareCost *costs, int workers, int64_t items, int64_t *shares);

/* Replaces shares [workers], whose sum is the items, by those of shares_choose if that saves at least a tenth
 * of the time; so noise changes nothing. A worker of unknown cost counts as the slowest known one. Returns
 * whether shares were replaced. */
bool shares_adapt(const ShareCost *costs, int workers, int64_t *shares);

/* cuts [workers + 1]: worker w gets the items [cuts[w], cuts[w + 1]) of many. If speeds [workers] differ so
 * much that even parts (partition_range) would leave a tenth of them unused, parts are such that all workers
 * are done at a time, where n items are as much work as fixed + n; a worker that is too slow for the fixed
 * work gets none. A speed of 0 isn't known: then parts are even. */
void shares_cut(const double *speeds, int workers, int64_t items, int64_t fixed, int64_t *cuts);

#endif
