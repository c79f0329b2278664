#include "cli/cli.h"

#include "store/dataset.h"

#include <stdlib.h>
#include <string.h>

static StatusCode split_rows(const Dataset *dataset, const char *split, const Config *config, Range *rows,
                             Status *status) {
    const int64_t valid = config_int(config, "run.valid"), limit = config_int(config, "run.train");
    const int64_t held_out_from = dataset->train - valid < 0 ? 0 : dataset->train - valid;
    if (!strcmp(split, "test"))
        *rows = (Range){0, dataset->test};
    else if (!strcmp(split, "valid"))
        *rows = (Range){held_out_from, dataset->train};
    else
        *rows = (Range){0, limit && limit < held_out_from ? limit : held_out_from};
    if (range_size(*rows) > 0) return STATUS_OK;
    if (!strcmp(split, "test"))
        return status_set(
            status, STATUS_USAGE,
            "%s has no test part; use --split valid (held out by run.valid in training) or train.",
            dataset->path);
    return status_set(status, STATUS_USAGE, "The split %s of this model holds no images (run.valid = %lld).",
                      split, (long long)valid);
}

static StatusCode check_shape(const Dataset *dataset, const Model *model, Status *status) {
    const ImageSpec given = dataset->spec, wanted = model->spec;
    if (given.height == wanted.height && given.width == wanted.width) return status->code;
    return status_set(status, STATUS_USAGE,
                      "%s holds images of %dx%d pixels, but %s takes %dx%d: name a dataset of such images "
                      "with --data.",
                      dataset->path, given.height, given.width, h5_path(model->file), wanted.height,
                      wanted.width);
}

StatusCode config_note_data(Config *config, const char *data, Status *status) {
    char *whole = realpath(data, NULL);
    config_set_value(config, "run.data", whole ? whole : data, "--data", status);
    free(whole);
    return status->code;
}

StatusCode split_check(const char *name, Status *status) {
    if (strcmp(name, "train") && strcmp(name, "valid") && strcmp(name, "test"))
        status_set(status, STATUS_USAGE, "--split %s isn't one of train, valid, test.", name);
    return status->code;
}

StatusCode split_read(const Split *split, const Context *context, ImageSet *set, int64_t *first,
                      Status *status) {
    Dataset dataset;
    Range rows = {0};
    const char *name = split->name;
    if (split_check(name, status)) return status->code;
    if (!dataset_open(split->data, context->comm, &dataset, status) &&
        !check_shape(&dataset, split->model, status) &&
        !split_rows(&dataset, name, split->model->config, &rows, status))
        dataset_read(&dataset, strcmp(name, "test") ? "train" : "test", rows, context->comm, set, status);
    if (first) *first = rows.begin;
    dataset_close(&dataset);
    return status->code;
}
