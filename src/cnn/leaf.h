/* The work on one leaf: a few consecutive samples of the global batch, whose gradient one thread computes
 * alone, in a fixed order. What comes out are the leaf's terms of the step's exact sums. They depend on the
 * weights, the seed, the epoch and the leaf's samples, and on nothing else.
 *
 * Every term is divided by cnn.leaf (a power of two, so this is exact), to keep it well within the range of
 * an exact sum; the sum over leaves is divided by samples / cnn.leaf once. */
#ifndef PARDIGITS_CNN_LEAF_H
#define PARDIGITS_CNN_LEAF_H

#include "cnn/plan.h"

#include "data/augment.h"
#include "data/shard.h"
#include "parallel/comm.h"

/* The terms, in this order: gradients [param_floats], batch norm's statistics [statistic_floats] weighted by
 * the leaf's samples and in units of 1 / LEAF_STATISTIC_UNIT (variances may be large), the loss, the number
 * of correct predictions. */
#define LEAF_STATISTIC_UNIT 0x1p-10
int64_t leaf_loss_term(const Network *net);
int64_t leaf_correct_term(const Network *net);
int64_t leaf_term_count(const Network *net);

/* All weights as the convolution kernels want them; shared by the threads, in training also by the ranks of a
 * node. */
typedef struct {
    const Comm *node;
    float *forward[NETWORK_MAX_LAYERS], *backward[NETWORK_MAX_LAYERS]; /* NULL where a layer needs none */
} PackedWeights;

/* In the memory of a node's ranks (NULL: of this one alone). Collective in the node; freed by
 * packed_weights_free. */
PackedWeights packed_weights_new(const Network *net, const Comm *node);
void packed_weights_free(PackedWeights *packed);

/* Packs params [param_floats]: a task of packed_weights_tasks, which may run side by side. */
int packed_weights_tasks(const Network *net);
void packed_weights_fill(const Network *net, const float *params, const PackedWeights *packed, int task);

/* A thread's memory for leaves. Made by the thread that uses it, so that it lies near its core. */
typedef struct {
    const Network *net;
    LeafPlan plan;
    int leaf; /* samples of a full leaf */
    uint32_t seed;
    Augmentation augmentation;
    float smoothing;                /* of the labels */
    float *input;                   /* [leaf][28][28] */
    float *out[NETWORK_MAX_LAYERS]; /* [leaf][height][width][channels]; in place: the memory of its input */
    uint8_t *marks[NETWORK_MAX_LAYERS]; /* like out; pool: the winners, dropout: what is kept */
    float *mean[NETWORK_MAX_LAYERS], *inverse_deviation[NETWORK_MAX_LAYERS]; /* [channels] of bn */
    float *gradient, *next_gradient; /* [leaf][largest layer] before and after a stage back */
    float *group_gradient[2];        /* [largest group] within it */
    float *conv_work;
    uint32_t (*random)[4]; /* [largest layer with dropout / 4] of one sample */
    float *probabilities;  /* [leaf][10] */
    uint8_t *labels;       /* [leaf] */
    float *own_terms;      /* [leaf_term_count] */
    float *terms; /* [leaf_term_count] of the leaf under way: own_terms, or other memory that is 0 between the
                     arrays */
} LeafWork;

/* Freed by leaf_work_free, which clears *work. */
LeafWork *leaf_work_new(const Network *net, int leaf, uint32_t seed, const Augmentation *augmentation,
                        float smoothing);
void leaf_work_free(LeafWork **work);

/* What leaf_run tells while it runs. */
typedef struct {
    void *context;
    void (*group_done)(void *context);               /* some images passed through a stage */
    void (*terms_ready)(void *context, Range terms); /* these terms are final: gradients of the last layers
                                                        first, before them all that aren't gradients */
} LeafEvents;

/* Computes work->terms of 1 to work->leaf samples in an epoch. packed holds params. Returns the seconds that
 * loading and augmenting the samples took. events may be NULL. */
double leaf_run(LeafWork *work, const float *params, const PackedWeights *packed, uint32_t epoch,
                const Samples *samples, const LeafEvents *events);

#endif
