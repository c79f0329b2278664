/* What a method of reducing gradients supplies: one file, reducer_METHOD.c, and one line in
 * gradient_reducer.c. Private to the gradient reducer. */
#ifndef PARDIGITS_CNN_REDUCER_H
#define PARDIGITS_CNN_REDUCER_H

#include "cnn/contribution.h"
#include "cnn/gradient_reducer.h"
#include "cnn/piece_sums.h"

#include <stdatomic.h>

/* What is reduced, and by whom. */
typedef struct {
    Reduction what;
    const Comm *node;
    Comm *leaders; /* the first ranks of all nodes; of no use on the others */
    bool is_leader;
    int64_t nodes;
} ReducerPlan;

/* In node memory: what its ranks count, in all steps so far; from finish on, of all nodes. */
typedef struct {
    atomic_uint_fast64_t out_of_range, signalled;
    atomic_int_fast64_t worst; /* of the node alone: 1 + the place among causes (gradient_reducer_cause) of a
                                  value that was out of range, the least of all; 0: none was */
    ReducerTimes times;        /* of this step, written by the leader */
} ReducerCounts;

typedef struct ReducerMethod ReducerMethod;

/* The first member of each method's own struct. */
struct GradientReducer {
    const ReducerMethod *method;
    ReducerPlan plan;
    ReducerCounts *counts;
    GradientBlocks blocks;
    ReducerStep step;
    TraceThread *trace; /* of the main thread, or NULL */
};

/* The functions are those of gradient_reducer.h; NULL where a method has nothing to do. */
struct ReducerMethod {
    bool (*applies)(const ReducerPlan *plan);
    size_t bytes;                            /* of its own struct */
    void (*init)(GradientReducer *reducer);  /* its own members; the others are set, its own are 0 */
    void (*clear)(GradientReducer *reducer); /* frees what init made */
    void (*begin)(GradientReducer *reducer); /* reducer->step is set */
    float *(*slot)(GradientReducer *reducer, int64_t micro_batch);
    void (*add)(GradientReducer *reducer, Range values, const Contribution *contribution);
    bool (*poll)(GradientReducer *reducer);
    void (*finish)(GradientReducer *reducer); /* all ranks of the node have added everything */
    double (*get)(const GradientReducer *reducer, int64_t value);
    void (*means)(GradientReducer *reducer, Range values, double divisor, float *out);
};

/* The random bits by which a micro-batch of this rank rounds in this step. */
uint32_t reducer_rounding_key(const GradientReducer *reducer, int64_t micro_batch);

/* The blocks of the gradients; NULL where they are exact sums of 64 bits. */
static inline const GradientBlocks *reducer_blocks(const GradientReducer *reducer) {
    return reducer->blocks.ranges ? &reducer->blocks : NULL;
}

/* Notes that `count` of these values, if any, were out of range: those of a contribution
 * [contribution_floats], or NULL: of their sums. */
void reducer_note_out_of_range(GradientReducer *reducer, uint64_t count, Range values,
                               const float *contribution);

#endif
