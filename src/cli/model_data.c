#include "cli/cli.h"

#include "core/mem.h"
#include "model/run_options.h"
#include "store/checkpoint.h"
#include "store/dataset.h"
#include "store/h5io.h"

#include <string.h>
#include <unistd.h>

/* Not the default dataset, either: its images may be others, and all figures wrong. */
static StatusCode refuse_guess(const Model *model, Status *status) {
    return status_set(status, STATUS_FAILED,
                      "%s, which %s was trained on, isn't there any more: name the dataset with --data.",
                      run_options(model->config).data, h5_path(model->file));
}

/* Rank 0 says so if the training images of data aren't those that the model was trained on. Where nobody
 * named this dataset, they must be. */
static StatusCode warn_of_others(const Context *context, const Model *model, const Dataset *dataset,
                                 bool is_guessed, Status *status) {
    ImageSource trained = {0};
    const char *here = dataset->train_source.images_sha256;
    if (checkpoint_source(model->file, &trained, status)) return status->code;
    const bool known = *trained.images_sha256 && *here, same = !strcmp(trained.images_sha256, here);
    if (is_guessed && !(known && same)) return refuse_guess(model, status);
    if (known && !same)
        log_line(context->log,
                 "warning: %s isn't the dataset that %s was trained on: its training images are others",
                 dataset->path, h5_path(model->file));
    return status->code;
}

StatusCode model_dataset(const Context *context, const Model *model, const char *given, const char **data,
                         Status *status) {
    const char *trained_on = run_options(model->config).data;
    int there = *trained_on && access(trained_on, F_OK) == 0;
    comm_broadcast(context->comm, &there, sizeof there, 0);
    *data = given ? given : there ? trained_on : DEFAULT_DATA;
    const bool is_guessed = !given && *trained_on && !there;
    int guess = is_guessed && access(DEFAULT_DATA, F_OK) == 0;
    comm_broadcast(context->comm, &guess, sizeof guess, 0);
    if (is_guessed && !guess) return refuse_guess(model, status);
    Dataset dataset;
    if (!dataset_open(*data, context->comm, &dataset, status)) {
        if (dataset.lacks_sum && comm_rank(context->comm) == 0) h5_note_missing_sum(dataset.path);
        warn_of_others(context, model, &dataset, is_guessed, status);
    }
    dataset_close(&dataset);
    if (is_guessed && !status->code)
        log_line(context->log,
                 "%s, which the model was trained on, isn't there any more: using %s, which has "
                 "the same images",
                 trained_on, DEFAULT_DATA);
    return comm_agree(context->comm, status);
}
