#include "pardigits/knn.h"

#include "pardigits/checkpoint.h"
#include "pardigits/mem.h"

#include <stdio.h>

static const char images_name[] = "/model/reference/images", labels_name[] = "/model/reference/labels";

typedef struct {
    int64_t k;
    int64_t total;   /* reference images of all ranks */
    PixRows rows;    /* this rank's part of them */
    uint8_t *labels; /* [total], whole on every rank */
} KnnModel;

Prediction knn_vote(const Neighbour *neighbours, int64_t count, const uint8_t *labels) {
    int64_t votes[CLASSES] = {0};
    for (int64_t i = 0; i < count; i++)
        votes[labels[neighbours[i].index]]++;
    int winner = 0;
    for (int label = 1; label < CLASSES; label++)
        if (votes[label] > votes[winner]) winner = label;
    return (Prediction){(uint8_t)winner, (float)votes[winner] / (float)count};
}

static void knn_destroy(void **model_pointer) {
    KnnModel *model = *model_pointer;
    if (!model) return;
    pix_rows_free(&model->rows);
    mem_free(model->labels);
    mem_free(model);
    *model_pointer = NULL;
}

/* Queries go in blocks, so that their neighbours on all ranks take bounded memory (about 64 MiB a rank). */
static int64_t queries_at_a_time(int64_t k) {
    enum { NEIGHBOURS = 1 << 22, MOST = 16384 };
    int64_t queries = NEIGHBOURS / k;
    return queries < MOST ? queries : MOST;
}

static void predict_block(const KnnModel *model, const Comm *comm, int threads, const uint8_t *images,
                          int64_t n, Prediction *out) {
    Range share = partition_range(n, comm_size(comm), comm_rank(comm));
    int64_t voters = model->k < model->total ? model->k : model->total;
    PixRows queries = pix_rows_new(images, n, IMAGE_PIXELS);
    Neighbour *neighbours = mem_new((size_t)(range_size(share) * voters), sizeof *neighbours);
    knn_search_ranks(comm, &model->rows, model->total, &queries, model->k, threads, neighbours);
    for (int64_t q = share.begin; q < share.end; q++)
        out[q] = knn_vote(neighbours + (q - share.begin) * voters, voters, model->labels);
    comm_share_rows(comm, out, n, sizeof *out);
    mem_free(neighbours);
    pix_rows_free(&queries);
}

static StatusCode knn_predict(void *model_pointer, const Comm *comm, int threads, const uint8_t *images,
                              int64_t n, Prediction *out, Status *status) {
    const KnnModel *model = model_pointer;
    int64_t block = queries_at_a_time(model->k);
    for (int64_t first = 0; first < n; first += block)
        predict_block(model, comm, threads, images + first * IMAGE_PIXELS,
                      n - first < block ? n - first : block, out + first);
    return status->code;
}

/* Reads and checks what load needs; model->total is known. */
static StatusCode read_reference(KnnModel *model, const H5File *file, Range rows, Status *status) {
    int64_t count = range_size(rows);
    uint8_t *images = mem_new((size_t)(count * IMAGE_PIXELS), 1);
    model->labels = mem_new((size_t)model->total, 1);
    h5_read_rows(file, images_name, H5_U8, IMAGE_PIXELS, rows.begin, count, images, status);
    if (status->code == STATUS_OK)
        h5_read(file, labels_name, H5_U8, (H5Shape){1, {model->total}}, model->labels, status);
    for (int64_t i = 0; i < model->total && status->code == STATUS_OK; i++)
        if (model->labels[i] >= CLASSES)
            status_set(
                status, STATUS_FAILED,
                "%s: %s[%lld] is %d, but labels are 0 to 9; the file is damaged, train the model again",
                h5_path(file), labels_name, (long long)i, model->labels[i]);
    if (status->code == STATUS_OK) model->rows = pix_rows_new(images, count, IMAGE_PIXELS);
    mem_free(images);
    return status->code;
}

static StatusCode read_total(int64_t *total, const H5File *file, Status *status) {
    H5Shape shape;
    if (h5_shape(file, images_name, &shape, status) != STATUS_OK) return status->code;
    if (shape.rank != 3 || shape.dims[0] < 1 || shape.dims[1] != IMAGE_SIDE || shape.dims[2] != IMAGE_SIDE)
        return status_set(status, STATUS_FAILED,
                          "%s: %s isn't of shape [n,%d,%d] with n > 0; train the model again", h5_path(file),
                          images_name, IMAGE_SIDE, IMAGE_SIDE);
    *total = shape.dims[0];
    return STATUS_OK;
}

static StatusCode knn_load(void **model_pointer, const H5File *file, const Config *config, const Comm *comm,
                           Status *status) {
    KnnModel *model = mem_new(1, sizeof *model);
    *model_pointer = model;
    model->k = config_int(config, "knn.k");
    if (read_total(&model->total, file, status) == STATUS_OK)
        read_reference(model, file, partition_range(model->total, comm_size(comm), comm_rank(comm)), status);
    if (comm_agree(comm, status) != STATUS_OK) knn_destroy(model_pointer);
    return status->code;
}

/* This rank's rows to rank 0, which gets all of them, freed by the caller; elsewhere the result is empty. */
static ImageSet gather_at_root(const TrainJob *job) {
    int ranks = comm_size(job->comm);
    bool root = comm_rank(job->comm) == 0;
    int64_t *sent = mem_new((size_t)ranks * 2, sizeof *sent), *got = sent + ranks;
    sent[0] = job->shard.n;
    for (int r = 0; root && r < ranks; r++)
        got[r] = range_size(partition_range(job->train_count, ranks, r));
    ImageSet all = {.n = root ? job->train_count : 0};
    all.images = mem_new((size_t)all.n, IMAGE_PIXELS);
    all.labels = mem_new((size_t)all.n, 1);
    comm_exchange_rows(job->comm, job->shard.images, sent, all.images, got, IMAGE_PIXELS);
    comm_exchange_rows(job->comm, job->shard.labels, sent, all.labels, got, 1);
    mem_free(sent);
    return all;
}

static StatusCode write_reference(H5File *file, const void *context, Status *status) {
    const ImageSet *set = context;
    H5Shape images = {3, {set->n, IMAGE_SIDE, IMAGE_SIDE}}, labels = {1, {set->n}};
    if (h5_write(file, images_name, H5_U8, images, set->images, status) != STATUS_OK) return status->code;
    return h5_write(file, labels_name, H5_U8, labels, set->labels, status);
}

/* How many of the held-out images the trained model, which is what the ranks have in memory, gets right. */
static void report_validation(TrainJob *job) {
    int64_t total = job->train_count, n = job->valid.n, correct = 0;
    int rank = comm_rank(job->comm);
    KnnModel model = {.k = config_int(job->config, "knn.k"), .total = total};
    model.rows = pix_rows_new(job->shard.images, job->shard.n, IMAGE_PIXELS);
    model.labels = mem_new((size_t)total, 1);
    for (int64_t i = 0; i < job->shard.n; i++)
        model.labels[partition_range(total, comm_size(job->comm), rank).begin + i] = job->shard.labels[i];
    comm_share_rows(job->comm, model.labels, total, 1);
    Prediction *out = mem_new((size_t)n, sizeof *out);
    Status status = {0};
    knn_predict(&model, job->comm, job->threads, job->valid.images, n, out, &status);
    for (int64_t i = 0; i < n; i++)
        correct += out[i].label == job->valid.labels[i];
    log_line(job->log, "validation: %lld of %lld correct", (long long)correct, (long long)n);
    metrics_set(job->metrics, "valid_accuracy", (double)correct / (double)n);
    mem_free(out);
    mem_free(model.labels);
    pix_rows_free(&model.rows);
}

/* To train is to keep the training images. It is quick and its result is always the same, so a resumed run
 * does it again. */
static StatusCode knn_train(TrainJob *job, Status *status) {
    if (job->train_count < 1)
        return status_set(status, STATUS_USAGE, "knn: no training images are left; lower run.valid");
    ImageSet all = gather_at_root(job);
    checkpoint_save(job->model_path, job->comm, job->config, true, write_reference, &all, status);
    image_set_free(&all);
    if (status->code == STATUS_OK && job->valid.n > 0) report_validation(job);
    return status->code;
}

static void knn_describe(const H5File *file, const Config *config, char *text, int size) {
    Status status = {0};
    int64_t total = 0;
    read_total(&total, file, &status);
    snprintf(text, (size_t)size, "%lld reference images, k = %lld", (long long)total,
             (long long)config_int(config, "knn.k"));
}

const ModelFamily knn_family = {"knn", NULL, knn_train, knn_load, knn_predict, knn_describe, knn_destroy};
