#include "cli/model_data.h"

#include "cli/cli.h"
#include "model/run_options.h"
#include "store/checkpoint.h"
#include "store/h5io.h"

#include <string.h>
#include <unistd.h>

/* Not the default dataset, either: its images may be others, and all figures wrong. */
static StatusCode refuse_guess(const Model *model, Status *status) {
    return status_set(status, STATUS_FAILED,
                      "%s, which %s was trained on, isn't there any more: name the dataset with --data.",
                      run_options(model->config).data, h5_path(model->file));
}

/* The first class of the dataset that the model doesn't know by its name, or -1. */
static int find_numbers(const Model *model, ModelData *data) {
    const ClassNames *own = &data->dataset.class_names, *names = &model->class_names;
    int unknown = -1;
    for (int c = 0; c < CLASSES_MAX; c++)
        data->numbers[c] = (uint8_t)c;
    for (int c = 0; own->names && names->names && c < own->count; c++) {
        const int number = class_names_find(names, own->names[c]);
        if (number < 0 && unknown < 0) unknown = c;
        data->numbers[c] = number < 0 ? CLASSES_MAX - 1 : (uint8_t)number;
        data->is_renumbered = data->is_renumbered || number != c;
    }
    return unknown;
}

static StatusCode check_images(const Model *model, const Dataset *dataset, int unknown, Status *status) {
    const ImageSpec given = dataset->spec, wanted = model->spec;
    if (given.height != wanted.height || given.width != wanted.width)
        return status_set(
            status, STATUS_USAGE,
            "%s holds images of %dx%d pixels, but %s takes %dx%d: name a dataset of such images "
            "with --data.",
            dataset->path, given.height, given.width, h5_path(model->file), wanted.height, wanted.width);
    if (unknown >= 0)
        return status_set(
            status, STATUS_FAILED,
            "%s has a class %s, which %s doesn't know: name a dataset of its classes, or of some "
            "of them, with --data.",
            dataset->path, dataset->class_names.names[unknown], h5_path(model->file));
    return status->code;
}

/* Numbers may mean other things where not both have names, or where there are more classes in the one. */
static void warn_of_numbers(const Context *context, const Model *model, const Dataset *dataset) {
    const ClassNames *own = &dataset->class_names, *names = &model->class_names;
    char theirs[12], ours[12];
    if (own->names && names->names) return;
    for (int c = 0; c < dataset->spec.classes && c < model->spec.classes; c++) {
        const char *is = class_name(own, c, theirs), *was = class_name(names, c, ours);
        if (!strcmp(is, was)) continue;
        log_line(
            context->log,
            "warning: class %d is called %s in %s and %s in %s, and %s has no names: classes are taken by "
            "their numbers",
            c, is, dataset->path, was, h5_path(model->file), own->names ? "the model" : "the dataset");
        return;
    }
    if (dataset->spec.classes != model->spec.classes)
        log_line(context->log, "warning: %s has %d classes, but %s has %d: they are taken by their numbers",
                 dataset->path, dataset->spec.classes, h5_path(model->file), model->spec.classes);
}

/* The training images, compared with those that the model was trained on. Collective. */
static StatusCode compare(const Context *context, const Model *model, ModelData *data, Status *status) {
    ImageSource trained = {0};
    checkpoint_source(model->file, &trained, status);
    if (comm_agree(context->comm, status)) return status->code;
    return dataset_compare(&data->dataset, context->comm, &trained,
                           data->is_renumbered ? data->numbers : NULL, &data->match, status);
}

const char *model_data_difference(SourceMatch match) {
    if (match == SOURCE_OTHER_IMAGES) return "others";
    return match == SOURCE_OTHER_LABELS ? "the same, but not their labels" : NULL;
}

/* Of an open dataset. Where nobody named it, its images must be the model's. Collective. */
static StatusCode check_data(const Context *context, const Model *model, bool is_guessed, ModelData *data,
                             Status *status) {
    const Dataset *dataset = &data->dataset;
    const int unknown = find_numbers(model, data);
    if (comm_rank(context->comm) == 0) dataset_print_notes(dataset);
    if (compare(context, model, data, status)) return status->code;
    if (is_guessed && data->match != SOURCE_SAME) return refuse_guess(model, status);
    if (check_images(model, dataset, unknown, status)) return status->code;
    if (model_data_difference(data->match))
        log_line(context->log,
                 "warning: %s isn't the dataset that %s was trained on: its training images are %s",
                 dataset->path, h5_path(model->file), model_data_difference(data->match));
    if (data->match != SOURCE_SAME) warn_of_numbers(context, model, dataset);
    return status->code;
}

StatusCode model_data_open(const Context *context, const Model *model, const char *given, ModelData *data,
                           Status *status) {
    const char *trained_on = run_options(model->config).data;
    *data = (ModelData){0};
    int there = *trained_on && access(trained_on, F_OK) == 0;
    comm_broadcast(context->comm, &there, sizeof there, 0);
    const bool is_guessed = !given && *trained_on && !there;
    int guess = is_guessed && access(DEFAULT_DATA, F_OK) == 0;
    comm_broadcast(context->comm, &guess, sizeof guess, 0);
    if (is_guessed && !guess) return refuse_guess(model, status);
    const char *path = given ? given : there ? trained_on : DEFAULT_DATA;
    if (!dataset_open(path, context->comm, &data->dataset, status))
        check_data(context, model, is_guessed, data, status);
    if (!given && !*trained_on && !status->code)
        log_line(context->log, "note: %s doesn't say on which dataset it was trained: using %s",
                 h5_path(model->file), path);
    if (is_guessed && !status->code)
        log_line(context->log,
                 "%s, which the model was trained on, isn't there any more: using %s, which has "
                 "the same images",
                 trained_on, path);
    return comm_agree(context->comm, status);
}

StatusCode model_data_number(const ModelData *data, const Model *model, const char *part, int64_t first,
                             ImageSet *set, Status *status) {
    const int classes = model->spec.classes;
    for (int64_t i = 0; i < set->n; i++) {
        set->labels[i] = data->numbers[set->labels[i]];
        if (set->labels[i] >= classes)
            return status_set(
                status, STATUS_FAILED,
                "%s: /%s/labels[%lld] is %d, but %s knows %d classes, 0 to %d: name a dataset of "
                "its classes with --data.",
                data->dataset.path, part, (long long)(first + i), set->labels[i], h5_path(model->file),
                classes, classes - 1);
    }
    set->spec.classes = classes;
    return status->code;
}

void note_unfinished_model(const Model *model, Log *log) {
    Status ignored = {0};
    bool complete = true;
    char about[128] = "";
    if (checkpoint_is_complete(model->file, &complete, &ignored) || complete) return;
    model->family->describe(model, about, sizeof about);
    log_line(log, "note: the training of %s isn't finished: %s", h5_path(model->file), about);
}
