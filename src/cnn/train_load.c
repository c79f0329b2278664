/* What a training of a network begins with. */
#include "cnn/train_load.h"

#include "core/log.h"
#include "store/checkpoint.h"
#include "store/class_names.h"

#include <string.h>

/* Says so where the classes of the model that training begins with have other names. */
static StatusCode hint_at_other_classes(const TrainJob *job, Status *status) {
    ImageSpec spec;
    ClassNames names;
    char theirs[12], ours[12];
    if (checkpoint_images(job->init, &spec, &names, status)) return status->code;
    for (int k = 0; k < job->spec.classes; k++) {
        const char *was = class_name(&names, k, theirs), *is = class_name(&job->class_names, k, ours);
        if (!strcmp(was, is)) continue;
        log_line(job->log,
                 "hint: class %d is %s in %s and %s in the dataset; the last layer's weights are taken by "
                 "number.",
                 k, was, h5_path(job->init), is);
        break;
    }
    class_names_free(&names);
    return STATUS_OK;
}

/* Weights that know images of another preprocessing. */
static StatusCode hint_at_other_preprocessing(const TrainJob *job, Status *status) {
    static const char key[] = "run.preprocess";
    Config *theirs = NULL;
    if (checkpoint_config(job->init, config_tables(job->config), &theirs, status)) return status->code;
    const char *was = config_value(theirs, key), *is = config_value(job->config, key);
    if (strcmp(was, is))
        log_line(job->log, "hint: %s was trained with %s = %s, and this training has %s.", h5_path(job->init),
                 key, was, is);
    config_destroy(&theirs);
    return STATUS_OK;
}

/* Why the last layer is new. */
static void explain_renewed(const Trainer *trainer, const char *name, char *why, size_t size) {
    const TrainJob *job = trainer->job;
    ImageSpec was;
    ClassNames names = {0};
    Status ignored = {0};
    *why = 0;
    if (!*name || checkpoint_images(job->init, &was, &names, &ignored)) return;
    class_names_free(&names);
    if (was.height != job->spec.height || was.width != job->spec.width)
        snprintf(why, size, " (its images are %dx%d, these %dx%d)", was.height, was.width, job->spec.height,
                 job->spec.width);
    else if (was.classes != job->spec.classes)
        snprintf(why, size, " (it has %d classes, the dataset %d)", was.classes, job->spec.classes);
    else
        snprintf(why, size, " (it has none of this shape)");
}

/* Starts with rank 0's initial values, or with the weights of another model. Collective: all ranks agree. */
static StatusCode load_fresh(Trainer *trainer, Status *status) {
    const TrainJob *job = trainer->job;
    char renewed[LAYER_TEXT] = "", unused[512] = "", why[80] = "";
    if (job->init) {
        train_state_read_init(&trainer->state, job->init, renewed, status);
        train_state_find_unused(&trainer->net, job->init, unused, sizeof unused, status);
        if (!status->code) hint_at_other_preprocessing(job, status);
        if (!status->code && !*renewed) hint_at_other_classes(job, status);
        if (comm_agree(job->comm, status)) return status->code;
        explain_renewed(trainer, renewed, why, sizeof why);
        log_line(job->log, "it begins with the weights of %s%s%s%s%s%s", h5_path(job->init),
                 *renewed ? "; new is " : "", renewed, why, *unused ? "; not used are its layers " : "",
                 unused);
    }
    comm_broadcast(job->comm, trainer->state.params, trainer->net.param_floats * (int64_t)sizeof(float), 0);
    return STATUS_OK;
}

/* Whether there is nothing to go on with: the training is farther than the configuration says. */
static bool is_beyond(const TrainState *state, const Trainer *trainer) {
    return state->epoch > trainer->epochs || state->step > trainer->steps ||
           (state->epoch == trainer->epochs && state->step > 0);
}

static StatusCode refuse_beyond(const Trainer *trainer, Status *status) {
    const TrainState *state = &trainer->state;
    const H5File *file = trainer->job->resume;
    Config *stored = NULL;
    if (checkpoint_config(file, config_tables(trainer->job->config), &stored, status)) return status->code;
    const int64_t length = config_int(stored, "cnn.epochs"), fewest = state->epoch + (state->step > 0);
    config_destroy(&stored);
    if (length > trainer->epochs && state->epoch == length && state->step == 0)
        return status_set(status, STATUS_USAGE,
                          "%s has finished its %lld epochs: cnn.epochs = %lld is too few to go on with, use "
                          "more than %lld to train it longer.",
                          h5_path(file), (long long)length, (long long)trainer->epochs, (long long)length);
    if (length > trainer->epochs && fewest <= length && state->step <= trainer->steps)
        return status_set(status, STATUS_USAGE,
                          "%s was saved at step %lld of epoch %lld of a run that is to have %lld epochs: "
                          "cnn.epochs = %lld is too few to go on with, %lld or more will do.",
                          h5_path(file), (long long)state->step, (long long)state->epoch + 1,
                          (long long)length, (long long)trainer->epochs, (long long)fewest);
    return status_set(
        status, STATUS_FAILED,
        "%s was saved at step %lld of epoch %lld, but the configuration has %lld steps in each of "
        "%lld epochs: use the configuration and data that it was begun with.",
        h5_path(file), (long long)state->step, (long long)state->epoch + 1, (long long)trainer->steps,
        (long long)trainer->epochs);
}

StatusCode train_load(Trainer *trainer, Status *status) {
    const TrainJob *job = trainer->job;
    TrainState *state = &trainer->state;
    if (!job->resume) return load_fresh(trainer, status);
    if (!train_state_read(state, job->resume, status) && is_beyond(state, trainer))
        refuse_beyond(trainer, status);
    return comm_agree(job->comm, status);
}
