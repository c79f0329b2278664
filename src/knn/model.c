#include "knn/model.h"

#include "core/mem.h"

#include <string.h>

KnnMethod knn_method(const KnnOptions *options, ImageSpec spec) {
    return (KnnMethod){.spec = spec,
                       .k = options->k,
                       .gradient = options->metric == KNN_METRIC_GRADIENT,
                       .candidates = options->metric == KNN_METRIC_IDM ? options->candidates : 0,
                       .distortion = {.warp = (int)options->warp,
                                      .context = (int)options->context,
                                      .directions = options->directions == KNN_DIRECTIONS_2 ? 2 : 4,
                                      .spec = spec}};
}

bool knn_prunes(const KnnOptions *options, int64_t rows, int pixels, int64_t k) {
    return options->search == KNN_SEARCH_PRUNED ||
           (options->search == KNN_SEARCH_AUTO && knn_pruning_pays(rows, pixels, k));
}

void knn_model_free(KnnModel *model) {
    knn_reference_free(&model->reference);
    mem_free(model->labels);
    *model = (KnnModel){0};
}

typedef struct {
    KnnVoting voting;
    int64_t voters;
    Prediction *out;
} Votes;

static void take_vote(void *context, int64_t query, const Neighbour *neighbours) {
    const Votes *votes = context;
    votes->out[query] = knn_vote(&votes->voting, neighbours, votes->voters);
}

void knn_model_predict(const KnnModel *model, const Context *context, const ImageSet *images,
                       Prediction *out) {
    const int64_t n = images->n;
    _Static_assert(sizeof(Prediction) == sizeof(uint64_t), "predictions are added as integers");
    Votes votes = {knn_model_voting(model), knn_neighbour_count(&model->method, model->reference.total), out};
    memset(out, 0, (size_t)n * sizeof *out);
    knn_nearest(context->comm, &model->reference, &model->method, images->images, n, context->threads,
                take_vote, &votes);
    /* each prediction is zeros on all ranks but one */
    uint64_t *sums = mem_copy(out, (size_t)n * sizeof *out);
    comm_sum_u64(context->comm, sums, n);
    memcpy(out, sums, (size_t)n * sizeof *out);
    mem_free(sums);
}
