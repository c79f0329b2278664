/* What a way of reducing gradients supplies: one file, reducer_WAY.c, and one line in gradient_reducer.c.
 * Private to the gradient reducer. */
#ifndef PARDIGITS_CNN_REDUCER_H
#define PARDIGITS_CNN_REDUCER_H

#include "cnn/gradient_reducer.h"
#include "cnn/micro_batch.h"

#include <stdatomic.h>

/* What is reduced, and by whom. */
typedef struct {
    const Network *net;
    const MicroBatchPlan *micro_batch;
    int64_t most_micro_batches; /* of a step */
    const Comm *node;
    Comm *leaders; /* the first ranks of all nodes; of no use on the others */
    bool is_leader;
    int64_t nodes;
} ReducerPlan;

/* In node memory: what its ranks count, in all steps so far; from finish on, of all nodes. */
typedef struct {
    atomic_uint_fast64_t out_of_range, signalled;
} ReducerCounts;

typedef struct ReducerWay ReducerWay;

/* The first member of each way's own struct. */
struct GradientReducer {
    const ReducerWay *way;
    ReducerPlan plan;
    ReducerCounts *counts;
};

/* The functions are those of gradient_reducer.h; NULL where a way has nothing to do. */
struct ReducerWay {
    const char *name;
    bool (*applies)(const ReducerPlan *plan);
    GradientReducer *(*create)(const ReducerPlan *plan); /* its own struct, zeroed but for its own members */
    void (*destroy)(GradientReducer *reducer);           /* what create made, but the struct itself */
    void (*begin)(GradientReducer *reducer, int64_t micro_batches, int64_t all);
    float *(*slot)(GradientReducer *reducer);
    void (*add)(GradientReducer *reducer, Range values, const float *contribution, int turn);
    bool (*poll)(GradientReducer *reducer);
    void (*finish)(GradientReducer *reducer); /* all ranks of the node have added everything */
    double (*get)(const GradientReducer *reducer, int64_t value);
    void (*means)(GradientReducer *reducer, Range values, double divisor, float *out);
};

static inline void reducer_count_out_of_range(GradientReducer *reducer, uint64_t values) {
    if (values) atomic_fetch_add(&reducer->counts->out_of_range, values);
}

#endif
