#include "knn/model.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/timer.h"
#include "data/shard.h"
#include "knn/cuts.h"
#include "model/run_options.h"
#include "model/train_job_save.h"

static const char images_name[] = "/model/reference/images", labels_name[] = "/model/reference/labels",
                  group_name[] = "/model/reference", trials_name[] = "/state/leave_one_out";

typedef struct {
    const TrainJob *job;
    int64_t k;
    const KnnTrials *trials;
} Saved;

static StatusCode write_trials(H5File *file, const KnnTrials *trials, Status *status) {
    if (h5_write(file, trials_name, H5_I64, (H5Shape){1, {trials->k_max + 1}}, trials->right, status))
        return status->code;
    return h5_set_i64(file, trials_name, "next", trials->next, status);
}

StatusCode knn_trials_read(const H5File *file, int64_t total, KnnTrials *trials, Status *status) {
    H5Shape images = {0};
    if (!h5_exists(file, trials_name) || h5_shape(file, images_name, &images, status)) return status->code;
    if (images.dims[0] != total)
        return status_set(status, STATUS_FAILED,
                          "%s was trained on other images than these %lld; it can't be resumed.",
                          h5_path(file), (long long)total);
    if (h5_read(file, trials_name, H5_I64, (H5Shape){1, {trials->k_max + 1}}, trials->right, status))
        return status->code;
    if (h5_get_i64(file, trials_name, "next", &trials->next, status)) return status->code;
    if (trials->next >= 0 && trials->next <= total) return STATUS_OK;
    return status_set(status, STATUS_FAILED,
                      "%s: next of %s is %lld, expected 0 to %lld: the file is damaged.", h5_path(file),
                      trials_name, (long long)trials->next, (long long)total);
}

/* Blocks of all ranks' reference images, which rank 0 writes as they come. file is NULL on the others. */
static void write_images(H5File *file, const TrainJob *job, Status *status) {
    enum { AT_A_TIME = 1 << 16 };
    const int64_t total = job->train_count;
    for (int64_t first = 0; first < total; first += AT_A_TIME) {
        const Range rows = {first, smaller(first + AT_A_TIME, total)};
        ImageSet block = shard_fetch(job->comm, total, &job->shard, file ? rows : (Range){0, 0});
        if (file) {
            h5_write_rows(file, images_name, H5_U8, first, block.n, block.images, status);
            h5_write_rows(file, labels_name, H5_U8, first, block.n, block.labels, status);
        }
        image_set_free(&block);
    }
}

static StatusCode write_reference(H5File *file, const void *context, Status *status) {
    const Saved *saved = context;
    const int64_t n = saved->job->train_count;
    const ImageSpec spec = saved->job->spec;
    if (file) {
        h5_create_rows(file, images_name, H5_U8, (H5Shape){3, {n, spec.height, spec.width}}, status);
        h5_create_rows(file, labels_name, H5_U8, (H5Shape){1, {n}}, status);
    }
    write_images(file, saved->job, status);
    if (!file || status->code) return status->code;
    if (saved->trials) return write_trials(file, saved->trials, status);
    return h5_set_i64(file, group_name, "k", saved->k, status);
}

static int64_t reference_bytes(const TrainJob *job) {
    return job->train_count * (image_spec_pixels(job->spec) + 1);
}

StatusCode knn_model_save(const TrainJob *job, int64_t k, const KnnTrials *trials, Status *status) {
    const Saved saved = {job, k, trials};
    return train_job_save_streamed(job, !trials, reference_bytes(job), write_reference, &saved, status);
}

void knn_trials_checkpoint(const TrainJob *job, const KnnTrials *trials) {
    const Saved saved = {job, 0, trials};
    train_job_checkpoint(job, reference_bytes(job), write_reference, &saved);
}

StatusCode knn_model_facts(const Model *opened, int64_t *total, int64_t *k, Status *status) {
    const H5File *file = opened->file;
    const ImageSpec spec = opened->spec;
    H5Shape shape;
    *k = knn_options(opened->config).k;
    if (h5_shape(file, images_name, &shape, status) != STATUS_OK) return status->code;
    if (shape.rank != 3 || shape.dims[0] < 1 || shape.dims[1] != spec.height || shape.dims[2] != spec.width)
        return status_set(status, STATUS_FAILED,
                          "%s: %s isn't of shape [n,%d,%d] with n > 0; train the model again.", h5_path(file),
                          images_name, spec.height, spec.width);
    *total = shape.dims[0];
    if (*k == 0 && h5_exists(file, trials_name))
        return status_set(status, STATUS_FAILED,
                          "%s: its training hasn't chosen k yet; finish it with --resume.", h5_path(file));
    if (*k == 0) h5_get_i64(file, group_name, "k", k, status);
    if (status->code == STATUS_OK && (*k < 1 || *k > 1000))
        return status_set(status, STATUS_FAILED,
                          "%s: k of %s is %lld, but 1 to 1000 is possible; train the model again.",
                          h5_path(file), group_name, (long long)*k);
    return status->code;
}

static StatusCode check_labels(const uint8_t *labels, int64_t count, const Model *opened, Status *status) {
    for (int64_t i = 0; i < count; i++)
        if (labels[i] >= opened->spec.classes)
            return status_set(
                status, STATUS_FAILED,
                "%s: %s[%lld] is %d, but labels are 0 to %d; the file is damaged, train the model again.",
                h5_path(opened->file), labels_name, (long long)i, labels[i], opened->spec.classes - 1);
    return status->code;
}

/* Makes what searches need of this rank's images; an index takes a moment, which rank 0 tells. cuts are taken
 * over. */
static void make_reference(KnnModel *model, const Context *context, const uint8_t *images, int64_t *cuts) {
    const double started_s = timer_now_s();
    model->reference = knn_reference_new(context->comm, cuts, images, image_spec_pixels(model->method.spec),
                                         &model->method, context->threads);
    if (model->method.pruned) log_line(context->log, "index made in %.2f s", timer_now_s() - started_s);
}

/* Collective. */
static StatusCode read_reference(KnnModel *model, const Model *opened, const Context *context, int64_t total,
                                 Status *status) {
    const KnnMethod *method = &model->method;
    const KnnOptions options = knn_options(opened->config);
    const int pixels = image_spec_pixels(opened->spec);
    const bool measured = run_options(opened->config).balance == RUN_BALANCE_SPEED;
    model->method.pruned = knn_prunes(&options, total / comm_size(context->comm), pixels,
                                      method->candidates ? method->candidates : method->k);
    int64_t *cuts = knn_cuts_new(context->comm, total, method, measured, context->threads);
    const Range rows = knn_cuts_own(cuts, context->comm);
    model->images = mem_new((size_t)range_size(rows), (size_t)pixels);
    model->labels = mem_new((size_t)total, 1);
    if (!h5_read_rows(opened->file, images_name, H5_U8, pixels, rows.begin, range_size(rows), model->images,
                      status) &&
        !h5_read(opened->file, labels_name, H5_U8, (H5Shape){1, {total}}, model->labels, status) &&
        !check_labels(model->labels, total, opened, status))
        make_reference(model, context, model->images, cuts);
    else
        mem_free(cuts);
    if (!model->method.pruned) { /* then the reference has what it needs */
        mem_free(model->images);
        model->images = NULL;
    }
    return status->code;
}

StatusCode knn_model_read(KnnModel *model, const Model *opened, const Context *context, Status *status) {
    int64_t total = 0;
    const KnnOptions options = knn_options(opened->config);
    *model = (KnnModel){.method = knn_method(&options, opened->spec),
                        .weighted = options.votes == KNN_VOTES_DISTANCE};
    knn_model_facts(opened, &total, &model->method.k, status);
    if (!comm_agree(context->comm, status)) read_reference(model, opened, context, total, status);
    return comm_agree(context->comm, status);
}

StatusCode knn_model_read_image(const Model *opened, int64_t index, uint8_t *image, Status *status) {
    return h5_read_rows(opened->file, images_name, H5_U8, image_spec_pixels(opened->spec), index, 1, image,
                        status);
}
