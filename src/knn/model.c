#include "knn/model.h"

#include "core/mem.h"

#include <string.h>

KnnMethod knn_method(const Config *config) {
    const char *metric = config_text(config, "knn.metric");
    const bool distorted = !strcmp(metric, "idm");
    return (KnnMethod){
        .k = config_int(config, "knn.k"),
        .gradient = !strcmp(metric, "gradient"),
        .candidates = distorted ? config_int(config, "knn.candidates") : 0,
        .distortion = {.warp = (int)config_int(config, "knn.warp"),
                       .context = (int)config_int(config, "knn.context"),
                       .directions = strcmp(config_text(config, "knn.directions"), "2") ? 4 : 2}};
}

bool knn_prunes(const Config *config, int64_t rows, int64_t k) {
    const char *search = config_text(config, "knn.search");
    return !strcmp(search, "pruned") || (!strcmp(search, "auto") && knn_pruning_pays(rows, IMAGE_PIXELS, k));
}

bool knn_votes_weighted(const Config *config) {
    return !strcmp(config_text(config, "knn.votes"), "distance");
}

void knn_model_free(KnnModel *model) {
    knn_reference_free(&model->reference);
    mem_free(model->labels);
    *model = (KnnModel){0};
}

typedef struct {
    const KnnModel *model;
    int64_t voters;
    Prediction *out;
} Votes;

static void take_vote(void *context, int64_t query, const Neighbour *neighbours) {
    const Votes *votes = context;
    votes->out[query] = knn_vote(neighbours, votes->voters, votes->model->weighted, votes->model->labels);
}

void knn_model_predict(const KnnModel *model, const Context *context, const ImageSet *images,
                       Prediction *out) {
    const int64_t n = images->n;
    _Static_assert(sizeof(Prediction) == sizeof(uint64_t), "predictions are added as integers");
    Votes votes = {model, knn_neighbour_count(&model->method, model->reference.total), out};
    memset(out, 0, (size_t)n * sizeof *out);
    knn_nearest(context->comm, &model->reference, &model->method, images->images, n, context->threads,
                take_vote, &votes);
    /* each prediction is zeros on all ranks but one */
    uint64_t *sums = mem_copy(out, (size_t)n * sizeof *out);
    comm_sum_u64(context->comm, sums, n);
    memcpy(out, sums, (size_t)n * sizeof *out);
    mem_free(sums);
}
