#include "cnn/predict.h"

#include "core/integers.h"
#include "core/mem.h"
#include "data/preprocess.h"

#include <string.h>

/* Packs a layer's weights, each output channel times its factor (NULL: 1). */
static float *pack_scaled(const Layer *layer, const float *weights, const float *factor) {
    const ConvShape *s = &layer->conv;
    const int64_t count = (int64_t)s->kernel * s->kernel * s->channels * s->filters;
    float *scaled = mem_copy(weights, (size_t)count * sizeof(float));
    for (int64_t i = 0; factor && i < count; i++)
        scaled[i] *= factor[i % s->filters];
    float *packed = mem_new((size_t)conv_packed_size(s), sizeof *packed);
    conv_pack_forward(s, scaled, packed);
    mem_free(scaled);
    return packed;
}

/* A layer that scales channels, by itself. */
static void prepare_scale(Predictor *predictor, int i, const float *params, const float *statistics) {
    const Layer *layer = &predictor->net->layers[i];
    LayerInUse *use = &predictor->layers[i];
    const float *arrays[LAYER_ARRAYS];
    network_layer_params(predictor->net, layer, params, arrays);
    for (int k = 0; k < LAYER_ARRAYS; k++)
        use->params[k] = mem_new((size_t)layer->in.channels, sizeof(float));
    layer->type->scale_in_use(layer, arrays, statistics + layer->statistics, use->params[0], use->params[1]);
}

/* The weights before layer i take its factor, and its offset for a bias. */
static void fold_scale(Predictor *predictor, int i, const float *params) {
    LayerInUse *use = &predictor->layers[i], *before = use - 1;
    const Layer *weighted = &predictor->net->layers[i - 1];
    before->packed = pack_scaled(
        weighted, params + predictor->net->arrays[weighted->arrays[LAYER_WEIGHT]].first, use->params[0]);
    before->params[LAYER_BIAS] = use->params[1];
    before->relu = use->relu;
    mem_free(use->params[0]);
    use->params[0] = use->params[1] = NULL;
    use->skipped = true;
}

static void prepare_weights(Predictor *predictor, int i, const float *params) {
    const Layer *layer = &predictor->net->layers[i];
    const float *arrays[LAYER_ARRAYS];
    network_layer_params(predictor->net, layer, params, arrays);
    predictor->layers[i].packed = pack_scaled(layer, arrays[LAYER_WEIGHT], NULL);
    predictor->layers[i].params[LAYER_BIAS] =
        mem_copy(arrays[LAYER_BIAS], (size_t)layer->conv.filters * sizeof(float));
}

Predictor *predictor_new(const Network *net, const float *params, const float *statistics) {
    Predictor *predictor = mem_new(1, sizeof *predictor);
    predictor->net = net;
    for (int i = 0; i < net->layer_count; i++) {
        const Layer *layer = &net->layers[i];
        predictor->layers[i].skipped = layer->type->only_in_training || layer->relu_is_done;
        predictor->layers[i].relu = layer->does_relu;
        if (layer->type->scale_in_use) {
            prepare_scale(predictor, i, params, statistics);
            if (network_folds(net, i)) fold_scale(predictor, i, params);
        } else if (layer->type->multiplies && !(i + 1 < net->layer_count && network_folds(net, i + 1))) {
            prepare_weights(predictor, i, params);
        }
    }
    return predictor;
}

void predictor_free(Predictor **predictor_pointer) {
    Predictor *predictor = *predictor_pointer;
    if (!predictor) return;
    for (int i = 0; i < predictor->net->layer_count; i++) {
        mem_free(predictor->layers[i].packed);
        for (int k = 0; k < LAYER_ARRAYS; k++)
            mem_free(predictor->layers[i].params[k]);
    }
    mem_free(predictor);
    *predictor_pointer = NULL;
}

/* A thread's memory for chunks. */
typedef struct {
    float *in, *out; /* [PREDICT_CHUNK][largest layer]: a layer's input and output, swapped after it */
    float *sources;  /* [sources][PREDICT_CHUNK][values] of layers whose output later ones take */
    uint8_t *mask;   /* of layers that have one, not needed here */
    float *kernel_work;
    float *probabilities; /* [PREDICT_CHUNK][classes] */
    float *sums;          /* [PREDICT_CHUNK][classes] of probabilities */
} ChunkWork;

/* Enough for each member. */
static ChunkWork chunk_work_new(const Ensemble *ensemble) {
    int64_t values = 0, sources = 0, kernel_work = 0;
    for (int m = 0; m < ensemble->count; m++) {
        const Network *net = ensemble->members[m]->net;
        values = larger(values, network_max_values(net));
        sources = larger(sources, net->source_values);
        kernel_work = larger(kernel_work, network_work_floats(net, PREDICT_CHUNK));
    }
    const size_t classes = (size_t)ensemble->members[0]->net->spec.classes, chunk = PREDICT_CHUNK;
    return (ChunkWork){
        .in = mem_new(chunk * (size_t)values, sizeof(float)),
        .out = mem_new(chunk * (size_t)values, sizeof(float)),
        .sources = mem_new(chunk * (size_t)sources, sizeof(float)),
        .mask = mem_new(chunk * (size_t)values, 1),
        .kernel_work = mem_new((size_t)kernel_work, sizeof(float)),
        .probabilities = mem_new(chunk * classes, sizeof(float)),
        .sums = mem_new(chunk * classes, sizeof(float)),
    };
}

static void chunk_work_free(ChunkWork *work) {
    mem_free(work->in);
    mem_free(work->out);
    mem_free(work->sources);
    mem_free(work->mask);
    mem_free(work->kernel_work);
    mem_free(work->probabilities);
    mem_free(work->sums);
}

static void swap_output(ChunkWork *work) {
    float *swapped = work->in;
    work->in = work->out;
    work->out = swapped;
}

static float *source_output(const Network *net, const ChunkWork *work, int source) {
    return work->sources + net->layers[source].source_first * PREDICT_CHUNK;
}

/* Computes layer i of n images from work->in to work->in. */
static void run_layer(const Predictor *predictor, ChunkWork *work, int i, int n) {
    const Network *net = predictor->net;
    const Layer *layer = &net->layers[i];
    const LayerInUse *use = &predictor->layers[i];
    const bool in_place = layer->type->in_place;
    const LayerPass pass = {
        .layer = layer,
        .n = n,
        .all = n,
        .relu = use->relu,
        .in = work->in,
        .source = layer->source < 0 ? NULL : source_output(net, work, layer->source),
        .out = in_place ? work->in : work->out,
        .packed = use->packed,
        .params = {use->params[0], use->params[1]},
        .mask = work->mask,
        .work = work->kernel_work,
    };
    (layer->type->forward_in_use ? layer->type->forward_in_use : layer->type->forward)(&pass);
    if (!in_place) swap_output(work);
}

/* The logits of n images in work->in, to work->in. */
static void run_layers(const Predictor *predictor, ChunkWork *work, int n) {
    const Network *net = predictor->net;
    for (int i = 0; i < net->layer_count; i++) {
        if (!predictor->layers[i].skipped) run_layer(predictor, work, i, n);
        if (net->layers[i].is_source)
            memcpy(source_output(net, work, i), work->in,
                   (size_t)(n * tensor_values(net->layers[i].out)) * sizeof *work->in);
    }
}

static Prediction best_class(const float *probability_sums, int classes, int count) {
    Prediction best = {0, probability_sums[0]};
    for (int c = 1; c < classes; c++)
        if (probability_sums[c] > best.confidence) best = (Prediction){(uint8_t)c, probability_sums[c]};
    best.confidence /= (float)count;
    return best;
}

/* The image moved right by dx and down by dy pixels, in [0,1], zeros outside. */
static void load_shifted(ImageSpec spec, const uint8_t *image, int dx, int dy, float *out) {
    for (int y = 0; y < spec.height; y++)
        for (int x = 0; x < spec.width; x++) {
            int from_x = x - dx, from_y = y - dy;
            bool inside = from_x >= 0 && from_x < spec.width && from_y >= 0 && from_y < spec.height;
            out[y * spec.width + x] = inside ? image[from_y * spec.width + from_x] / 255.0f : 0;
        }
}

/* Adds the class probabilities of n shifted images to work->sums. */
static void add_probabilities(const Predictor *predictor, ChunkWork *work, const uint8_t *images, int n,
                              int dx, int dy) {
    const ImageSpec spec = predictor->net->spec;
    const int64_t pixels = image_spec_pixels(spec);
    for (int s = 0; s < n; s++)
        load_shifted(spec, images + s * pixels, dx, dy, work->in + s * pixels);
    run_layers(predictor, work, n);
    softmax_loss(n, spec.classes, work->in, NULL, 0, work->probabilities, NULL);
    for (int i = 0; i < n * spec.classes; i++)
        work->sums[i] += work->probabilities[i];
}

/* From the sums of `count` images for each: a division, lest the label's differ from its confidence. */
static void average_sums(const float *sums, int64_t values, int count, float *probabilities) {
    for (int64_t i = 0; i < values; i++)
        probabilities[i] = sums[i] / (float)count;
}

/* out: of this chunk */
static void run_chunk(const Ensemble *ensemble, ChunkWork *work, const uint8_t *images, int n,
                      ChunkPredictions out) {
    const ImageSpec spec = ensemble->members[0]->net->spec;
    const int shifts = ensemble->shifts, side = 2 * shifts + 1, classes = spec.classes;
    const size_t bytes = (size_t)n * (size_t)image_spec_pixels(spec);
    uint8_t seen[PREDICT_CHUNK * PIXELS_MAX];
    memset(work->sums, 0, (size_t)n * (size_t)classes * sizeof *work->sums);
    for (int m = 0; m < ensemble->count; m++) {
        memcpy(seen, images, bytes);
        if (ensemble->preprocess)
            preprocess_images(ensemble->preprocess[m], &(ImageSet){n, seen, NULL, spec}, 1);
        for (int dy = -shifts; dy <= shifts; dy++)
            for (int dx = -shifts; dx <= shifts; dx++)
                add_probabilities(ensemble->members[m], work, seen, n, dx, dy);
        for (int s = 0; s < n; s++)
            out.best[m * PREDICT_CHUNK + s] =
                best_class(work->sums + (int64_t)s * classes, classes, (m + 1) * side * side);
    }
    if (out.probabilities)
        average_sums(work->sums, (int64_t)n * classes, ensemble->count * side * side, out.probabilities);
}

int64_t predict_chunks(int64_t n) {
    return divide_up(n, PREDICT_CHUNK);
}

void ensemble_predict(const Ensemble *ensemble, int threads, const uint8_t *images, int64_t n, Range chunks,
                      ChunkPredictions out) {
    const ImageSpec spec = ensemble->members[0]->net->spec;
    const int64_t pixels = image_spec_pixels(spec);
#pragma omp parallel num_threads(threads)
    {
        ChunkWork work = chunk_work_new(ensemble);
#pragma omp for schedule(dynamic, 1)
        for (int64_t chunk = chunks.begin; chunk < chunks.end; chunk++) {
            int64_t first = chunk * PREDICT_CHUNK, left = n - first;
            const ChunkPredictions to = {out.best + first * ensemble->count,
                                         out.probabilities ? out.probabilities + first * spec.classes : NULL};
            run_chunk(ensemble, &work, images + first * pixels,
                      left < PREDICT_CHUNK ? (int)left : PREDICT_CHUNK, to);
        }
        chunk_work_free(&work);
    }
}
