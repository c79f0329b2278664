/* pardigits with faults, for tests: its objects are those of the program, linked with the option --wrap for
 * the functions below, which call the real ones. The environment says what happens, to one rank:
 *     PARDIGITS_FAULT=stop:RANK:PHASE:NUMBER   SIGSTOP at the beginning of a phase of the watchdog
 *     PARDIGITS_FAULT=kill:RANK:PHASE:NUMBER   SIGKILL
 *     PARDIGITS_FAULT=hang:RANK:PHASE:NUMBER   its main thread sleeps for ever
 * NUMBER is that of the step, pair, ...; 0: the first time. */
#include "core/progress.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void __real_progress_enter(Progress *progress, ProgressPhase phase, int64_t number);
void __wrap_progress_enter(Progress *progress, ProgressPhase phase, int64_t number);

static int own_rank(void) {
    const char *text = getenv("OMPI_COMM_WORLD_RANK");
    if (!text) text = getenv("PMIX_RANK");
    return text ? atoi(text) : 0;
}

/* Whether the fault of this kind is due on this rank, once. */
static bool is_due(const char *kind, ProgressPhase phase, int64_t number) {
    static atomic_bool done;
    char name[64], wanted[64];
    int rank;
    long long at;
    const char *text = getenv("PARDIGITS_FAULT");
    if (!text || sscanf(text, "%63[^:]:%d:%63[^:]:%lld", name, &rank, wanted, &at) != 4) return false;
    if (strcmp(name, kind) || rank != own_rank() || strcmp(wanted, progress_phases[phase].name)) return false;
    return (at == 0 || at == number) && !atomic_exchange(&done, true);
}

void __wrap_progress_enter(Progress *progress, ProgressPhase phase, int64_t number) {
    __real_progress_enter(progress, phase, number);
    if (is_due("stop", phase, number)) raise(SIGSTOP);
    if (is_due("kill", phase, number)) raise(SIGKILL);
    if (is_due("hang", phase, number))
        for (;;)
            pause();
}
