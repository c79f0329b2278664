/* pardigits with faults, for tests: its objects are those of the program, linked with the option --wrap for
 * the functions below, which call the real ones. The environment says what happens, to one rank:
 *     PARDIGITS_FAULT=stop:RANK:PHASE:NUMBER   SIGSTOP at the beginning of a phase of the watchdog
 *     PARDIGITS_FAULT=kill:RANK:PHASE:NUMBER   SIGKILL
 *     PARDIGITS_FAULT=hang:RANK:PHASE:NUMBER   its main thread sleeps for ever
 *     PARDIGITS_FAULT=flip:RANK:ARRAY:NUMBER   a bit of its weights flips before a CNN's step
 *     PARDIGITS_FAULT=nan:RANK:ARRAY:NUMBER    one of its weights is NaN from then on
 *     PARDIGITS_FAULT=fail:RANK:init:0         which model its checkpoint was begun with can't be read
 * NUMBER is that of the step, pair, ...; 0: the first time. */
#include "cnn/train_step.h"
#include "core/progress.h"
#include "store/checkpoint.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void __real_progress_enter(Progress *progress, ProgressPhase phase, int64_t number);
void __wrap_progress_enter(Progress *progress, ProgressPhase phase, int64_t number);
StepResult __real_train_step_run(TrainStep *step, TrainState *state, StepPlace place, int64_t samples,
                                 const Samples *mine);
StepResult __wrap_train_step_run(TrainStep *step, TrainState *state, StepPlace place, int64_t samples,
                                 const Samples *mine);
StatusCode __real_checkpoint_init(const H5File *file, char **digest, Status *status);
StatusCode __wrap_checkpoint_init(const H5File *file, char **digest, Status *status);

static int own_rank(void) {
    const char *text = getenv("OMPI_COMM_WORLD_RANK");
    if (!text) text = getenv("PMIX_RANK");
    return text ? atoi(text) : 0;
}

/* Whether the fault of this kind is due on this rank, in a phase or array of that name; once. */
static bool is_due(const char *kind, const char *where, int64_t number) {
    static atomic_bool done;
    char name[64], wanted[64];
    int rank;
    long long at;
    const char *text = getenv("PARDIGITS_FAULT");
    if (!text || sscanf(text, "%63[^:]:%d:%63[^:]:%lld", name, &rank, wanted, &at) != 4) return false;
    if (strcmp(name, kind) || rank != own_rank() || strcmp(wanted, where)) return false;
    return (at == 0 || at == number) && !atomic_exchange(&done, true);
}

void __wrap_progress_enter(Progress *progress, ProgressPhase phase, int64_t number) {
    const char *where = progress_phases[phase].name;
    __real_progress_enter(progress, phase, number);
    if (is_due("stop", where, number)) raise(SIGSTOP);
    if (is_due("kill", where, number)) raise(SIGKILL);
    if (is_due("hang", where, number))
        for (;;)
            pause();
}

static void spoil(const TrainState *state, int64_t number) {
    for (int a = 0; a < state->net->array_count; a++) {
        const ParamArray *array = &state->net->arrays[a];
        float *weight = &state->params[array->first + array->count / 2];
        uint32_t bits;
        memcpy(&bits, weight, sizeof bits);
        if (is_due("flip", array->name, number)) bits ^= 1; /* the least that there is */
        if (is_due("nan", array->name, number)) bits = 0x7fc00000;
        memcpy(weight, &bits, sizeof bits);
    }
}

StepResult __wrap_train_step_run(TrainStep *step, TrainState *state, StepPlace place, int64_t samples,
                                 const Samples *mine) {
    spoil(state, place.number);
    return __real_train_step_run(step, state, place, samples, mine);
}

StatusCode __wrap_checkpoint_init(const H5File *file, char **digest, Status *status) {
    if (is_due("fail", "init", 0)) return status_set(status, STATUS_FAILED, "A fault of this rank.");
    return __real_checkpoint_init(file, digest, status);
}
