/* The work on one micro-batch: a few consecutive samples of the global batch. What comes out is the
 * micro-batch's contribution to the step's exact sums. It depends on the weights, the seed, the epoch and the
 * micro-batch's samples, and on nothing else.
 *
 * A thread computes it alone, or a team of threads of one rank does; the ranks of a node don't work together
 * inside a micro-batch. A team gives the same bits as one thread, because no sum changes its order:
 *     - images pass through a stage in groups (plan.h), each by one thread;
 *     - what a group adds to sums over the images, such as weight gradients, it adds when the groups before
 * it have done so: in parts, so that threads follow each other from part to part;
 *     - where a stage has few groups, such as one of dense layers, the threads go through it layer by layer:
 * one sums some parts of the weight gradient over all images, another one passes some images on.
 *
 * Every value is divided by cnn.micro_batch (a power of two, so this is exact), to keep it well within the
 * range of an exact sum; the sum over micro-batches is divided by samples / cnn.micro_batch once. */
#ifndef PARDIGITS_CNN_MICRO_BATCH_H
#define PARDIGITS_CNN_MICRO_BATCH_H

#include "cnn/packed_weights.h"
#include "cnn/plan.h"

#include "core/trace.h"
#include "data/augment.h"
#include "data/shard.h"
#include "parallel/comm.h"

/* Order in which groups of images add to a layer's sums. */
enum { LAYER_TURNS_FORWARD, LAYER_TURNS_BACK, LAYER_TURNS_WEIGHTS };
enum { LAYER_TURNS = LAYER_TURNS_WEIGHTS + CONV_MOST_PARTS };

/* Memory for a micro-batch under way. Made by the thread that uses it, so that it lies near its core. */
typedef struct {
    const Network *net;
    MicroBatchPlan plan;
    int micro_batch; /* samples of a full micro-batch */
    uint32_t seed;
    Augmentation augmentation;
    float smoothing;                    /* of the labels */
    const double *class_weights;        /* [classes] of the losses; NULL: 1 */
    float *input;                       /* [micro-batch][height][width] */
    float *out[NETWORK_MAX_LAYERS];     /* [micro-batch][height][width][channels]; in place: the memory of its
                                           input */
    uint8_t *masks[NETWORK_MAX_LAYERS]; /* like out; NULL where a layer has none, as for the next */
    float *kept[NETWORK_MAX_LAYERS];    /* [kept_floats] */
    float *gradient, *next_gradient;    /* [micro-batch][largest layer] before and after a stage back */
    float *stage_gradient[2]; /* [images of a stage of few groups][largest layer] within it; of a team only */
    float *source_gradient;   /* [sources][micro-batch][values], of layers whose output later ones take */
    float *probabilities;     /* [micro-batch][classes] */
    uint8_t *labels;          /* [micro-batch] */
    Turns (*turns)[LAYER_TURNS]; /* [layers] */
} MicroBatchWork;

/* What a training sets for all its micro-batches. */
typedef struct {
    int micro_batch; /* samples of a full one */
    int team;        /* threads that work on one at most */
    uint32_t seed;
    Augmentation augmentation;
    float smoothing;             /* of the labels */
    const double *class_weights; /* [classes] of the losses; NULL: 1. It outlives the work */
} MicroBatchSetup;

/* Freed by micro_batch_work_free, which clears *work. */
MicroBatchWork *micro_batch_work_new(const Network *net, const MicroBatchSetup *setup);
void micro_batch_work_free(MicroBatchWork **work);

/* A thread's own memory, for whatever micro-batch it works on. */
typedef struct {
    float *group_gradient[2]; /* [largest group] within a stage */
    float *kernel_work;       /* [network_work_floats] */
    uint32_t (*random)[4];    /* [largest layer / 4] of one sample */
    TraceThread *trace;       /* the thread's; NULL: nothing is traced */
} MicroBatchScratch;

/* Freed by micro_batch_scratch_free, which clears *scratch. */
MicroBatchScratch micro_batch_scratch_new(const Network *net, int micro_batch);
void micro_batch_scratch_free(MicroBatchScratch *scratch);

/* A thread and those that it works with. */
typedef struct {
    Team *team;
    int me; /* of team->threads */
    const MicroBatchScratch *scratch;
} TeamMember;

/* What micro_batch_run tells while it runs. */
typedef struct {
    void *context;
    void (*group_done)(void *context); /* some images passed through a stage, on this thread */
    void (*values_ready)(void *context, Range values); /* these of the contribution are final: gradients of
                                                         the last layers first, before them all that aren't
                                                         gradients; only the team's first thread is told */
} MicroBatchEvents;

/* What a micro-batch is computed from, and where to. */
typedef struct {
    const float *params;         /* [param_floats] */
    const PackedWeights *packed; /* holds params */
    uint32_t epoch;
    Samples samples;     /* 1 to cnn.micro_batch */
    float *contribution; /* [contribution_floats], written but for what lies between arrays: that must be 0 */
    const MicroBatchEvents *events; /* NULL: nobody listens */
} MicroBatch;

/* Computes the contribution. By all threads of the member's team, with the same work, and micro-batches that
 * differ in their events at most. Returns the seconds that loading and augmenting the samples took. */
double micro_batch_run(MicroBatchWork *work, const MicroBatch *micro_batch, const TeamMember *member);

#endif
