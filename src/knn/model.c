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
    mem_free(model->images);
    *model = (KnnModel){0};
}

typedef struct {
    KnnVoting voting;
    int64_t voters;
    Prediction *out;
    float *shares;
} Votes;

static void take_vote(void *context, int64_t query, const Neighbour *neighbours) {
    const Votes *votes = context;
    float *shares = votes->shares ? votes->shares + query * votes->voting.classes : NULL;
    votes->out[query] = knn_vote(&votes->voting, neighbours, votes->voters, shares);
}

/* Adds up values [bytes] that are zeros on all ranks but one each, as integers. */
static void add_disjoint(const Comm *comm, void *values, size_t bytes) {
    const size_t words = (bytes + sizeof(uint64_t) - 1) / sizeof(uint64_t);
    uint64_t *sums = mem_new(words, sizeof *sums);
    memcpy(sums, values, bytes);
    comm_sum_u64(comm, sums, (int64_t)words);
    memcpy(values, sums, bytes);
    mem_free(sums);
}

void knn_model_predict(const KnnModel *model, const Context *context, const ImageSet *images, Prediction *out,
                       float *shares) {
    const int64_t n = images->n;
    const size_t out_bytes = (size_t)n * sizeof *out,
                 share_bytes = (size_t)(n * model->method.spec.classes) * sizeof *shares;
    Votes votes = {knn_model_voting(model), knn_neighbour_count(&model->method, model->reference.total), out,
                   shares};
    if (n > 0) memset(out, 0, out_bytes);
    if (shares) memset(shares, 0, share_bytes);
    knn_nearest(context->comm, &model->reference, &model->method, images->images, n, context->threads,
                take_vote, &votes);
    if (n > 0) add_disjoint(context->comm, out, out_bytes);
    if (shares) add_disjoint(context->comm, shares, share_bytes);
}
