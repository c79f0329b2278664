#include "simulate/formula.h"

#include "cnn/gradient_reducer.h"
#include "core/mem.h"
#include "parallel/allreduce_plan.h"

#include <math.h>
#include <string.h>

/* What the sum of these values costs rank 0. */
typedef struct {
    int messages;  /* one after the other */
    double copies; /* values that pass its port for each value of the sum, in the busier direction */
} SumCost;

static SumCost cost_of_sum(int64_t values, int value_bytes, int ranks) {
    const AllreducePlan *algorithm = allreduce_choose(values * value_bytes, ranks);
    AllreduceStep *steps = mem_new((size_t)algorithm->count(ranks), sizeof *steps);
    SumCost cost = {algorithm->plan(0, ranks, values, steps), 0};
    for (int s = 0; s < cost.messages; s++)
        cost.copies +=
            fmax((double)range_size(steps[s].send), (double)range_size(steps[s].receive)) / (double)values;
    mem_free(steps);
    return cost;
}

/* Where the last micro-batch is when the values from `begin` on are complete, in seconds since it began. */
static double ready_s(const MicroBatchPlan *plan, const Profile *profile, int64_t begin) {
    double at_s = 0;
    for (int p = 0, back = 0; p < profile->count; p++) {
        at_s += profile->phases[p].seconds;
        if (!strcmp(profile->phases[p].kind, "backward") && plan->backward[back++].params.begin <= begin)
            break;
    }
    return at_s;
}

double formula_step_s(const MicroBatchPlan *plan, const Profile *profile, int64_t micro_batches,
                      int value_bytes, int ranks, Wire wire) {
    const double computed_s = (double)micro_batches * profile->micro_batch_s;
    Range buckets[NETWORK_MAX_LAYERS + 1];
    const int count = ranks > 1 ? gradient_reducer_buckets(plan, buckets) : 0;
    double sent_s = 0, summed_s = computed_s;
    for (int b = 0; b < count; b++) {
        const int64_t values = range_size(buckets[b]);
        const SumCost cost = cost_of_sum(values, value_bytes, ranks);
        const double begin_s =
            fmax(sent_s, computed_s - profile->micro_batch_s + ready_s(plan, profile, buckets[b].begin));
        sent_s = begin_s + cost.copies * (double)(values * value_bytes) * wire.s_per_byte;
        summed_s = fmax(summed_s, sent_s + cost.messages * (wire.latency_s + 2 * wire.overhead_s));
    }
    return summed_s + profile->update_s;
}
