#include "cli/split.h"

#include "cli/model_data.h"

#include "core/mem.h"
#include "model/run_options.h"
#include "store/dataset.h"

#include <string.h>

/* Of images that the model wasn't trained on, its run used none: all are of the split train, and the last
 * run.valid of them are of the split valid too. */
static StatusCode split_rows(const ModelData *data, const char *split, const Config *config, Range *rows,
                             Status *status) {
    const Dataset *dataset = &data->dataset;
    const RunOptions options = run_options(config);
    const int64_t valid = options.valid, limit = options.train;
    const int64_t held_out_from = dataset->train - valid < 0 ? 0 : dataset->train - valid;
    if (!strcmp(split, "test"))
        *rows = (Range){0, dataset->test};
    else if (!strcmp(split, "valid"))
        *rows = (Range){held_out_from, dataset->train};
    else if (data->match == SOURCE_OTHER_IMAGES)
        *rows = (Range){0, dataset->train};
    else
        *rows = (Range){0, limit && limit < held_out_from ? limit : held_out_from};
    if (range_size(*rows) > 0) return STATUS_OK;
    if (!strcmp(split, "test"))
        return status_set(status, STATUS_USAGE, "%s has no test part; use --split %s.", dataset->path,
                          valid > 0 ? "valid (held out by run.valid in training) or train"
                                    : "train (the run held out no images: run.valid = 0)");
    return status_set(status, STATUS_USAGE, "The split %s of this model holds no images (run.valid = %lld).",
                      split, (long long)valid);
}

StatusCode split_check(const char *name, Status *status) {
    if (strcmp(name, "train") && strcmp(name, "valid") && strcmp(name, "test"))
        status_set(status, STATUS_USAGE, "--split %s isn't one of train, valid, test.", name);
    return status->code;
}

StatusCode split_read(const Split *split, const Context *context, SplitImages *images, Status *status) {
    const char *part = strcmp(split->name, "test") ? "train" : "test";
    const Model *model = split->model;
    Range rows = {0};
    ModelData data;
    *images = (SplitImages){0};
    if (split_check(split->name, status)) return status->code;
    if (!model_data_open(context, model, split->data, &data, status) &&
        !split_rows(&data, split->name, model->config, &rows, status) &&
        !dataset_read(&data.dataset, part, rows, context->comm, &images->set, status))
        model_data_number(&data, model, part, rows.begin, &images->set, status);
    images->first = rows.begin;
    images->difference = model_data_difference(data.match);
    images->data = data.dataset.path;
    data.dataset.path = NULL;
    dataset_close(&data.dataset);
    if (status->code) split_images_free(images);
    return status->code;
}

void split_images_free(SplitImages *images) {
    image_set_free(&images->set);
    mem_free(images->data);
    *images = (SplitImages){0};
}
