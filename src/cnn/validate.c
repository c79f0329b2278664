#include "cnn/validate.h"

#include "cnn/predict.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/timer.h"
#include "kernels/layers.h"

#include <float.h>
#include <math.h>

/* The unit of a loss: at most 88 nats an image, so that the sum over 10^9 images stays below 2^63. */
#define LOSS_UNIT 0x1p-26

enum { CORRECT, LOSS, SUMS };

/* Adds up what images [range) of the held-out ones say. */
static void add_up(const ImageSet *valid, Range range, const Prediction *predicted,
                   const float *probabilities, uint64_t sums[SUMS]) {
    const int classes = valid->spec.classes;
    for (int64_t i = range.begin; i < range.end; i++) {
        const float likely = probabilities[i * classes + valid->labels[i]];
        const double loss = -softmax_log((double)fmaxf(likely, FLT_MIN));
        sums[CORRECT] += predicted[i].label == valid->labels[i];
        sums[LOSS] += (uint64_t)llrint(fmax(loss, 0) / LOSS_UNIT);
    }
}

Validation validate(const TrainJob *job, const TrainState *state) {
    const int64_t n = job->valid.n, chunks = predict_chunks(n);
    const double start_s = timer_now_s();
    if (n == 0) return (Validation){NAN, NAN};
    progress_enter(comm_progress(job->comm), PROGRESS_VALIDATION, 0);
    Predictor *predictor =
        predictor_new(state->net, train_state_model_params(state), train_state_model_statistics(state));
    Prediction *predicted = mem_new((size_t)n, sizeof *predicted);
    float *probabilities = mem_new((size_t)(n * job->spec.classes), sizeof *probabilities);
    const Range mine = partition_range(chunks, comm_size(job->comm), comm_rank(job->comm));
    const Ensemble alone = {1, 0, &predictor, NULL};
    ensemble_predict(&alone, job->threads, job->valid.images, n, mine,
                     (ChunkPredictions){predicted, probabilities});
    uint64_t sums[SUMS] = {0};
    const Range images = {mine.begin * PREDICT_CHUNK, smaller(mine.end * PREDICT_CHUNK, n)};
    add_up(&job->valid, images, predicted, probabilities, sums);
    comm_sum_u64(job->comm, sums, SUMS);
    metrics_set(job->metrics, "valid_s", timer_now_s() - start_s);
    trace_end(trace_thread(job->trace, 0), TRACE_VALIDATE, start_s, 0, 0);
    mem_free(probabilities);
    mem_free(predicted);
    predictor_free(&predictor);
    return (Validation){(double)sums[CORRECT] / (double)n, (double)sums[LOSS] * LOSS_UNIT / (double)n};
}
