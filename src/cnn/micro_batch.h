/* The work on one micro-batch: a few consecutive samples of the global batch, whose gradient one thread
 * computes alone, in a fixed order. What comes out are the micro-batch's terms of the step's exact sums. They
 * depend on the weights, the seed, the epoch and the micro-batch's samples, and on nothing else.
 *
 * Every term is divided by cnn.micro_batch (a power of two, so this is exact), to keep it well within the
 * range of an exact sum; the sum over micro-batches is divided by samples / cnn.micro_batch once. */
#ifndef PARDIGITS_CNN_MICRO_BATCH_H
#define PARDIGITS_CNN_MICRO_BATCH_H

#include "cnn/plan.h"

#include "data/augment.h"
#include "data/shard.h"
#include "parallel/comm.h"

/* The terms, in this order: gradients [param_floats], batch norm's statistics [statistic_floats] weighted by
 * the micro-batch's samples and in units of 1 / MICRO_BATCH_STATISTIC_UNIT (variances may be large), the
 * loss, the number of correct predictions. */
#define MICRO_BATCH_STATISTIC_UNIT 0x1p-10
int64_t micro_batch_loss_term(const Network *net);
int64_t micro_batch_correct_term(const Network *net);
int64_t micro_batch_term_count(const Network *net);

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

/* A thread's memory for micro-batches. Made by the thread that uses it, so that it lies near its core. */
typedef struct {
    const Network *net;
    MicroBatchPlan plan;
    int micro_batch; /* samples of a full micro-batch */
    uint32_t seed;
    Augmentation augmentation;
    float smoothing;                    /* of the labels */
    float *input;                       /* [micro-batch][28][28] */
    float *out[NETWORK_MAX_LAYERS];     /* [micro-batch][height][width][channels]; in place: the memory of its
                                           input */
    uint8_t *masks[NETWORK_MAX_LAYERS]; /* like out; pool: argmax, dropout: what is kept */
    float *mean[NETWORK_MAX_LAYERS], *inv_std[NETWORK_MAX_LAYERS]; /* [channels] of bn */
    float *gradient, *next_gradient; /* [micro-batch][largest layer] before and after a stage back */
    float *group_gradient[2];        /* [largest group] within it */
    float *conv_work;
    uint32_t (*random)[4]; /* [largest layer with dropout / 4] of one sample */
    float *probabilities;  /* [micro-batch][10] */
    uint8_t *labels;       /* [micro-batch] */
    float *own_terms;      /* [micro_batch_term_count] */
    float *terms; /* [micro_batch_term_count] of the micro-batch under way: own_terms, or other memory that is
                     0 between the arrays */
} MicroBatchWork;

/* Freed by micro_batch_work_free, which clears *work. */
MicroBatchWork *micro_batch_work_new(const Network *net, int micro_batch, uint32_t seed,
                                     const Augmentation *augmentation, float smoothing);
void micro_batch_work_free(MicroBatchWork **work);

/* What micro_batch_run tells while it runs. */
typedef struct {
    void *context;
    void (*group_done)(void *context);               /* some images passed through a stage */
    void (*terms_ready)(void *context, Range terms); /* these terms are final: gradients of the last layers
                                                        first, before them all that aren't gradients */
} MicroBatchEvents;

/* Computes work->terms of 1 to work->micro-batch samples in an epoch. packed holds params. Returns the
 * seconds that loading and augmenting the samples took. events may be NULL. */
double micro_batch_run(MicroBatchWork *work, const float *params, const PackedWeights *packed, uint32_t epoch,
                       const Samples *samples, const MicroBatchEvents *events);

#endif
