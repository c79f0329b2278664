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

/* Starts with rank 0's initial values, or with the weights of another model. Collective: all ranks agree. */
static StatusCode load_fresh(Trainer *trainer, Status *status) {
    const TrainJob *job = trainer->job;
    char renewed[LAYER_TEXT] = "", unused[512] = "";
    if (job->init) {
        train_state_read_init(&trainer->state, job->init, renewed, status);
        train_state_find_unused(&trainer->net, job->init, unused, sizeof unused, status);
        if (!status->code && !*renewed) hint_at_other_classes(job, status);
        if (comm_agree(job->comm, status)) return status->code;
        log_line(job->log, "it begins with the weights of %s%s%s%s%s", h5_path(job->init),
                 *renewed ? "; new is " : "", renewed, *unused ? "; not used are its layers " : "", unused);
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
    if (length > trainer->epochs && fewest <= length && state->step >= 0 && state->step <= trainer->steps)
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
    if (!train_state_read(state, job->resume, status) &&
        (state->epoch < 0 || state->step < 0 || is_beyond(state, trainer)))
        refuse_beyond(trainer, status);
    return comm_agree(job->comm, status);
}
