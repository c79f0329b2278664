#include "simulate/profile.h"

#include "core/status.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The column that is replayed: an undisturbed core's times, or shares of the median step on a busy machine.
 */
static bool takes_median(void) {
    const char *text = getenv("SIMULATE_MEDIAN");
    return text && *text;
}

static void add_phase(Profile *profile, const ProfilePhase *phase) {
    if (!strcmp(phase->kind, "update")) {
        profile->update_s = phase->seconds;
        return;
    }
    profile->phases[profile->count++] = *phase;
    profile->micro_batch_s += phase->seconds;
}

void profile_read(Profile *profile) {
    const char *path = getenv("SIMULATE_PROFILE");
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[256];
    *profile = (Profile){0};
    while (file && fgets(line, sizeof line, file) && profile->count < PROFILE_PHASES) {
        ProfilePhase phase;
        double least_us, us;
        if (sscanf(line, "%15[a-z],%*d,%*d,%d,%lf,%lf", phase.kind, &phase.groups, &least_us, &us) != 4)
            continue;
        phase.seconds = 1e-6 * (takes_median() ? us : least_us);
        add_phase(profile, &phase);
    }
    if (file) fclose(file);
    if (profile->count == 0 || profile->update_s == 0)
        fatal(
            "%s is no profile of a step: SIMULATE_PROFILE must name what `pardigits bench step --csv` prints",
            path ? path : "(nothing)");
}

void simulate_work(double seconds) {
    const struct timespec rest = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&rest, NULL); /* SimGrid's */
}
