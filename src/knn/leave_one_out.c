#include "model.h"

#include "pardigits/mem.h"
#include "pardigits/shard.h"

#include <string.h>

typedef struct {
    const KnnModel *model;
    int64_t first;        /* index of the first query in the training set */
    int64_t k_max, found; /* found: neighbours of a query, itself among them */
    Neighbour *others;    /* [found] */
    int64_t *right;       /* [k_max + 1] */
} Trial;

/* The votes of all neighbours but the image itself. */
static void take_trial(void *context, int64_t query, const Neighbour *neighbours) {
    const Trial *trial = context;
    const int64_t self = trial->first + query;
    int64_t others = 0;
    for (int64_t i = 0; i < trial->found; i++)
        if (neighbours[i].index != self) trial->others[others++] = neighbours[i];
    const uint8_t *labels = trial->model->labels;
    knn_count_votes(trial->others, others < trial->k_max ? others : trial->k_max, trial->model->weighted,
                    labels, labels[self], trial->right);
}

int64_t knn_leave_one_out(const KnnModel *model, const TrainJob *job, int64_t k_max, int64_t *right) {
    enum { AT_A_TIME = 8192 };
    KnnMethod method = model->method;
    method.k = k_max + 1;
    if (method.candidates) method.candidates++;
    Trial trial = {model, 0, k_max, knn_neighbour_count(&method, job->train_count), NULL, right};
    trial.others = mem_new((size_t)trial.found, sizeof *trial.others);
    memset(right, 0, (size_t)(k_max + 1) * sizeof *right);
    for (; trial.first < job->train_count; trial.first += AT_A_TIME) {
        int64_t left = job->train_count - trial.first;
        Range rows = {trial.first, trial.first + (left < AT_A_TIME ? left : AT_A_TIME)};
        ImageSet queries = shard_fetch(job->comm, job->train_count, &job->shard, rows);
        knn_nearest(job->comm, &model->reference, &method, queries.images, queries.n, job->threads,
                    take_trial, &trial);
        log_progress(job->log, "leave-one-out: %lld/%lld images", (long long)rows.end,
                     (long long)job->train_count);
        image_set_free(&queries);
    }
    mem_free(trial.others);
    comm_sum_u64(job->comm, (uint64_t *)right, k_max + 1);
    int64_t best = 1;
    for (int64_t k = 2; k <= k_max; k++)
        if (right[k] > right[best]) best = k;
    return best;
}
