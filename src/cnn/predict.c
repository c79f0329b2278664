#include "cnn/predict.h"

#include "core/mem.h"
#include "data/preprocess.h"
#include "store/dataset.h"

#include <math.h>
#include <string.h>

/* Batch norm in use: out = in * factor + offset with factor = scale / sqrt(variance + epsilon) and
 * offset = shift - mean * factor. */
static void norm_in_use(const Network *net, const Layer *layer, const float *params, const float *statistics,
                        float *factor, float *offset) {
    int channels = layer->in.channels;
    const float *scale = params + net->arrays[layer->scale].first,
                *shift = params + net->arrays[layer->shift].first;
    const float *mean = statistics + layer->statistics, *variance = mean + channels;
    for (int c = 0; c < channels; c++) {
        factor[c] = scale[c] / sqrtf(variance[c] + NORM_EPSILON);
        offset[c] = shift[c] - mean[c] * factor[c];
    }
}

/* Packs a layer's weights, each output channel times its factor (NULL: 1). */
static float *pack_scaled(const Network *net, const Layer *layer, const float *params, const float *factor) {
    const ParamArray *array = &net->arrays[layer->weight];
    float *scaled = mem_copy(params + array->first, (size_t)array->count * sizeof(float));
    int filters = layer->conv.filters;
    for (int64_t i = 0; factor && i < array->count; i++)
        scaled[i] *= factor[i % filters];
    float *packed = mem_new((size_t)conv_packed_size(&layer->conv), sizeof *packed);
    conv_pack_forward(&layer->conv, scaled, packed);
    mem_free(scaled);
    return packed;
}

Predictor *predictor_new(const Network *net, const float *params, const float *statistics) {
    Predictor *predictor = mem_new(1, sizeof *predictor);
    predictor->net = net;
    for (int i = 0; i < net->layer_count; i++) {
        const Layer *layer = &net->layers[i];
        if (layer->kind == LAYER_NORM) {
            size_t bytes = (size_t)layer->in.channels * sizeof(float);
            float *factor = predictor->factor[i] = mem_new(bytes, 1), *offset = mem_new(bytes, 1);
            norm_in_use(net, layer, params, statistics, factor, offset);
            bool fold = i > 0 && layer_has_weights(layer - 1);
            predictor->offset[fold ? i - 1 : i] = offset;
            if (!fold) continue;
            predictor->weights[i - 1] = pack_scaled(net, layer - 1, params, factor);
            mem_free(factor);
            predictor->factor[i] = NULL;
        } else if (layer_has_weights(layer) && (i + 1 == net->layer_count || layer[1].kind != LAYER_NORM)) {
            const ParamArray *bias = &net->arrays[layer->bias];
            predictor->weights[i] = pack_scaled(net, layer, params, NULL);
            predictor->offset[i] = mem_copy(params + bias->first, (size_t)bias->count * sizeof(float));
        }
    }
    return predictor;
}

void predictor_free(Predictor **predictor_pointer) {
    Predictor *predictor = *predictor_pointer;
    if (!predictor) return;
    for (int i = 0; i < predictor->net->layer_count; i++) {
        mem_free(predictor->weights[i]);
        mem_free(predictor->factor[i]);
        mem_free(predictor->offset[i]);
    }
    mem_free(predictor);
    *predictor_pointer = NULL;
}

/* A thread's memory for chunks. */
typedef struct {
    float *in, *out; /* [PREDICT_CHUNK][largest layer]: a layer's input and output, swapped after it */
    uint8_t *argmax; /* of pool, not needed here */
    float *conv_work;
    float *probabilities; /* [PREDICT_CHUNK][10] */
    float *sums;          /* [PREDICT_CHUNK][10] of probabilities */
} ChunkWork;

/* Enough for each member. */
static ChunkWork chunk_work_new(const Ensemble *ensemble) {
    int64_t values = 0, conv_work = 0;
    for (int m = 0; m < ensemble->count; m++) {
        const Network *net = ensemble->members[m]->net;
        const int64_t own_values = network_max_values(net), own_work = network_conv_work(net, PREDICT_CHUNK);
        if (own_values > values) values = own_values;
        if (own_work > conv_work) conv_work = own_work;
    }
    values *= PREDICT_CHUNK;
    return (ChunkWork){mem_new((size_t)values, sizeof(float)),
                       mem_new((size_t)values, sizeof(float)),
                       mem_new((size_t)values, 1),
                       mem_new((size_t)conv_work, sizeof(float)),
                       mem_new((size_t)PREDICT_CHUNK * CLASSES, sizeof(float)),
                       mem_new((size_t)PREDICT_CHUNK * CLASSES, sizeof(float))};
}

static void chunk_work_free(ChunkWork *work) {
    mem_free(work->in);
    mem_free(work->out);
    mem_free(work->argmax);
    mem_free(work->conv_work);
    mem_free(work->probabilities);
    mem_free(work->sums);
}

/* The layer at i or, where that is a batch norm folded into the one before it, the next one towards `step`.
 */
static const Layer *skip_folded(const Predictor *predictor, int i, int step) {
    const Layer *layer = &predictor->net->layers[i];
    return layer->kind == LAYER_NORM && !predictor->factor[i] ? layer + step : layer;
}

static bool relu_follows(const Predictor *predictor, int i) {
    return i + 1 < predictor->net->layer_count && skip_folded(predictor, i + 1, 1)->kind == LAYER_RELU;
}

/* Computes layer i of n images; returns whether the result is in work->out (else it is still in work->in). */
static bool run_layer(const Predictor *predictor, ChunkWork *work, int i, int n) {
    const Layer *layer = &predictor->net->layers[i];
    int64_t rows = (int64_t)n * layer->in.height * layer->in.width;
    switch (layer->kind) {
    case LAYER_CONV:
    case LAYER_DENSE:
        (relu_follows(predictor, i) ? conv_forward_relu
                                    : conv_forward)(&layer->conv, n, work->in, predictor->weights[i],
                                                    predictor->offset[i], work->out, work->conv_work);
        return true;
    case LAYER_NORM:
        if (!predictor->factor[i]) return false;
        norm_apply(rows, layer->in.channels, work->in, predictor->factor[i], predictor->offset[i], work->out);
        return true;
    case LAYER_RELU:
        if (i == 0 || !layer_has_weights(skip_folded(predictor, i - 1, -1)))
            relu_forward(n * image_values(layer->in), work->in, work->in);
        return false;
    case LAYER_POOL:
        pool_forward(&layer->pool, n, work->in, work->out, work->argmax);
        return true;
    case LAYER_DROPOUT:
        break;
    }
    return false;
}

static Prediction best_class(const float *probability_sums, int count) {
    Prediction best = {0, probability_sums[0]};
    for (int c = 1; c < CLASSES; c++)
        if (probability_sums[c] > best.confidence) best = (Prediction){(uint8_t)c, probability_sums[c]};
    best.confidence /= (float)count;
    return best;
}

/* The image moved right by dx and down by dy pixels, in [0,1], zeros outside. */
static void load_shifted(const uint8_t *image, int dx, int dy, float *out) {
    for (int y = 0; y < IMAGE_SIDE; y++)
        for (int x = 0; x < IMAGE_SIDE; x++) {
            int from_x = x - dx, from_y = y - dy;
            bool inside = from_x >= 0 && from_x < IMAGE_SIDE && from_y >= 0 && from_y < IMAGE_SIDE;
            out[y * IMAGE_SIDE + x] = inside ? image[from_y * IMAGE_SIDE + from_x] / 255.0f : 0;
        }
}

/* Adds the class probabilities of n shifted images to work->sums. */
static void add_probabilities(const Predictor *predictor, ChunkWork *work, const uint8_t *images, int n,
                              int dx, int dy) {
    for (int s = 0; s < n; s++)
        load_shifted(images + (int64_t)s * IMAGE_PIXELS, dx, dy, work->in + (int64_t)s * IMAGE_PIXELS);
    for (int i = 0; i < predictor->net->layer_count; i++) {
        if (!run_layer(predictor, work, i, n)) continue;
        float *swapped = work->in;
        work->in = work->out;
        work->out = swapped;
    }
    softmax_loss(n, CLASSES, work->in, NULL, 0, work->probabilities, NULL);
    for (int i = 0; i < n * CLASSES; i++)
        work->sums[i] += work->probabilities[i];
}

/* out: [ensemble->count][PREDICT_CHUNK] */
static void run_chunk(const Ensemble *ensemble, ChunkWork *work, const uint8_t *images, int n,
                      Prediction *out) {
    const int shifts = ensemble->shifts, side = 2 * shifts + 1;
    uint8_t seen[PREDICT_CHUNK * IMAGE_PIXELS];
    memset(work->sums, 0, (size_t)n * CLASSES * sizeof *work->sums);
    for (int m = 0; m < ensemble->count; m++) {
        memcpy(seen, images, (size_t)n * IMAGE_PIXELS);
        if (ensemble->preprocess) preprocess_images(ensemble->preprocess[m], seen, n);
        for (int dy = -shifts; dy <= shifts; dy++)
            for (int dx = -shifts; dx <= shifts; dx++)
                add_probabilities(ensemble->members[m], work, seen, n, dx, dy);
        for (int s = 0; s < n; s++)
            out[m * PREDICT_CHUNK + s] = best_class(work->sums + (int64_t)s * CLASSES, (m + 1) * side * side);
    }
}

int64_t predict_chunks(int64_t n) {
    return (n + PREDICT_CHUNK - 1) / PREDICT_CHUNK;
}

void ensemble_predict(const Ensemble *ensemble, int threads, const uint8_t *images, int64_t n, Range chunks,
                      Prediction *out) {
#pragma omp parallel num_threads(threads)
    {
        ChunkWork work = chunk_work_new(ensemble);
#pragma omp for schedule(dynamic, 1)
        for (int64_t chunk = chunks.begin; chunk < chunks.end; chunk++) {
            int64_t first = chunk * PREDICT_CHUNK, left = n - first;
            run_chunk(ensemble, &work, images + first * IMAGE_PIXELS,
                      left < PREDICT_CHUNK ? (int)left : PREDICT_CHUNK, out + first * ensemble->count);
        }
        chunk_work_free(&work);
    }
}
