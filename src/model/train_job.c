#include "model/train_job.h"

#include "core/integers.h"
#include "core/partition.h"
#include "data/gate.h"
#include "data/survey.h"
#include "model/prepare_images.h"
#include "model/run_options.h"

#include <string.h>

static bool same_classes(const ImageSpec *spec, const ClassNames *names, const Dataset *dataset) {
    const ClassNames *others = &dataset->class_names;
    bool same = spec->classes == dataset->spec.classes;
    for (int c = 0; same && names->names && others->names && c < spec->classes; c++)
        same = !strcmp(names->names[c], others->names[c]);
    return same;
}

StatusCode train_job_check_data(const TrainJob *job, const Dataset *dataset, ImageSource *source,
                                Status *status) {
    ImageSource begun = {0};
    ImageSpec spec;
    ClassNames names = {0};
    SourceMatch match = SOURCE_UNKNOWN;
    if (!job->resume) return STATUS_OK;
    checkpoint_source(job->resume, &begun, status);
    checkpoint_images(job->resume, &spec, &names, status);
    if (comm_agree(job->comm, status) || dataset_compare(dataset, job->comm, &begun, NULL, &match, status)) {
        class_names_free(&names);
        return status->code;
    }
    const bool other_source = match == SOURCE_OTHER_IMAGES || match == SOURCE_OTHER_LABELS;
    if (other_source || !same_classes(&spec, &names, dataset))
        status_set(
            status, STATUS_USAGE,
            "The run was begun with other %s than those of %s: name the data that it was begun with by "
            "--data, or use --overwrite.",
            other_source ? "training images or labels" : "classes", dataset->path);
    if (match == SOURCE_SAME) *source = begun;
    class_names_free(&names);
    return comm_agree(job->comm, status);
}

/* What the dataset may have lost or got since: a run that goes on says of its images what it said at first.
 */
static StatusCode keep_description(TrainJob *job, Status *status) {
    ImageSpec spec = job->spec;
    ClassNames names = {0};
    if (!job->resume) return STATUS_OK;
    checkpoint_images(job->resume, &spec, &names, status);
    class_names_free(&job->class_names);
    job->class_names = names;
    job->spec.from = spec.from;
    job->spec.inverted = spec.inverted;
    return comm_agree(job->comm, status);
}

void train_job_take(TrainJob *job, ImageSet shard, ImageSet valid) {
    job->shard = shard;
    job->valid = valid;
    prepare_images(job->config, &job->shard);
    prepare_images(job->config, &job->valid);
}

/* Images with MNIST's shape and number of classes may show other things, such as clothes, which mustn't be
 * taken for digits in pictures: most of the first ones, whichever ranks have them, have to be the digits that
 * their labels say. shard: the training images from number `first` on. Collective. */
static void find_what_is_drawn(TrainJob *job, const ImageSet *shard, int64_t first) {
    enum { TRIED = 20 };
    const int64_t tried = smaller(TRIED, job->train_count);
    uint64_t right = 0;
    for (int64_t i = 0; i < shard->n && first + i < tried && gate_knows(job->spec); i++) {
        float log_odds[GATE_DIGITS];
        int best = 0;
        gate_log_odds(shard->images + i * image_spec_pixels(shard->spec), log_odds);
        for (int k = 1; k < GATE_DIGITS; k++)
            if (log_odds[k] > log_odds[best]) best = k;
        right += best == shard->labels[i];
    }
    comm_sum_u64(job->comm, &right, 1);
    if (gate_knows(job->spec) && 4 * (int64_t)right < 3 * tried) job->spec.from = IMAGE_FROM_FIGURES;
}

StatusCode train_job_read(TrainJob *job, const Dataset *dataset, Status *status) {
    const RunOptions options = run_options(job->config);
    const int64_t valid_count = options.valid, limit = options.train, train = dataset->train;
    ImageSet shard = {0}, valid = {0};
    job->spec = dataset->spec;
    job->source = dataset->train_source;
    job->class_names = class_names_copy(&dataset->class_names);
    if (train_job_check_data(job, dataset, &job->source, status) || keep_description(job, status))
        return status->code;
    if (valid_count >= train)
        return status_set(status, STATUS_USAGE,
                          "run.valid = %lld leaves nothing to train on: %s holds %lld training images.",
                          (long long)valid_count, dataset->path, (long long)train);
    job->train_count = limit && limit < train - valid_count ? limit : train - valid_count;
    if (job->train_count > UINT32_MAX)
        return status_set(status, STATUS_USAGE,
                          "%s holds %lld images to train on, but the index of one has 32 bits: use fewer of "
                          "them (run.train).",
                          dataset->path, (long long)job->train_count);
    const Range mine = partition_range(job->train_count, comm_size(job->comm), comm_rank(job->comm)),
                held_out = {train - valid_count, train};
    if (dataset_read(dataset, "train", mine, job->comm, &shard, status)) return status->code;
    if (dataset_read(dataset, "train", held_out, job->comm, &valid, status)) {
        image_set_free(&shard);
        return status->code;
    }
    if (!job->resume) find_what_is_drawn(job, &shard, mine.begin);
    job->brightest = (int)comm_max(
        job->comm, survey_brightest(shard.images, shard.n * image_spec_pixels(shard.spec)), NULL);
    train_job_take(job, shard, valid);
    return status->code;
}

void train_job_count_classes(const TrainJob *job, uint64_t counts[CLASSES_MAX]) {
    memset(counts, 0, CLASSES_MAX * sizeof *counts);
    for (int64_t i = 0; i < job->shard.n; i++)
        counts[job->shard.labels[i]]++;
    comm_sum_u64(job->comm, counts, job->spec.classes);
}

void train_job_free_images(TrainJob *job) {
    image_set_free(&job->shard);
    image_set_free(&job->valid);
    class_names_free(&job->class_names);
}

StatusCode train_job_begin(TrainJob *job, Status *status) {
    Status ignored = {0};
    if (job->begin) job->begin(job, job->begin_context, status);
    h5_close(&job->resume, &ignored);
    return status->code;
}
