/* Solved pairs on their way to the other ranks. */
#include "core/mem.h"
#include "svm/solve_pairs.h"

#include <string.h>

/* A solved pair; its support and coefficients follow. */
typedef struct {
    int64_t number, support_count, iterations;
    double rho, objective, slope, offset;
    SvmPairFacts facts;
} PairRecord;

/* A pair without support vectors has no arrays, and memcpy mustn't get NULL. */
static char *append(char *at, const void *data, size_t bytes) {
    if (bytes) memcpy(at, data, bytes);
    return at + bytes;
}

static const char *take(const char *at, void *data, size_t bytes) {
    if (bytes) memcpy(data, at, bytes);
    return at + bytes;
}

/* This rank's newly solved pairs as bytes; freed by the caller. */
static char *pack_pairs(const SvmTask *task, const SvmPairs *pairs, const SvmPairFacts *facts,
                        int64_t *bytes) {
    int64_t total = 0;
    const int me = comm_rank(task->job->comm);
    for (int p = 0; p < pairs->count; p++)
        total += (int64_t)sizeof(PairRecord) + 12 * pairs->items[p].support_count;
    char *packed = mem_new((size_t)total, 1), *at = packed;
    for (int k = 0; k < task->plan.count; k++) {
        int p = task->plan.pair[k];
        const SvmPair *pair = &pairs->items[p];
        const bool mine = k < task->plan.fixed ? task->plan.rank[k] == me : facts[p].samples > 0;
        if (!mine || !pair->solved) continue;
        PairRecord record = {p,           pair->support_count, pair->iterations, pair->rho, pair->objective,
                             pair->slope, pair->offset,        facts[p]};
        at = append(at, &record, sizeof record);
        at = append(at, pair->support, (size_t)pair->support_count * sizeof *pair->support);
        at = append(at, pair->coefficient, (size_t)pair->support_count * sizeof *pair->coefficient);
    }
    *bytes = at - packed;
    return packed;
}

void svm_share_pairs(const SvmTask *task, SvmPairs *pairs, SvmPairFacts *facts) {
    int64_t bytes, total;
    char *mine = pack_pairs(task, pairs, facts, &bytes);
    char *all = comm_gather_bytes(task->job->comm, mine, bytes, &total);
    for (const char *at = all; at < all + total;) {
        PairRecord record;
        at = take(at, &record, sizeof record);
        SvmPair *pair = &pairs->items[record.number];
        mem_free(pair->support);
        mem_free(pair->coefficient);
        *pair = (SvmPair){.solved = true, .support_count = record.support_count, .rho = record.rho};
        pair->objective = record.objective;
        pair->slope = record.slope;
        pair->offset = record.offset;
        pair->iterations = record.iterations;
        pair->support = mem_new((size_t)pair->support_count, sizeof *pair->support);
        pair->coefficient = mem_new((size_t)pair->support_count, sizeof *pair->coefficient);
        at = take(at, pair->support, (size_t)pair->support_count * sizeof *pair->support);
        at = take(at, pair->coefficient, (size_t)pair->support_count * sizeof *pair->coefficient);
        facts[record.number] = record.facts;
    }
    mem_free(all);
    mem_free(mine);
}
