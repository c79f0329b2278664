/* Metrics that a run can't use don't fail it: they are kept under another name. */
#include "store/metrics_aside.h"

#include "core/mem.h"
#include "store/kept_file.h"

#include <stdio.h>

static void set_aside(const char *path, const char *as, const char *why, const char *what_follows) {
    char *kept = kept_file_set_aside(path, as);
    fprintf(stderr, "pardigits: %s %s; %s%s.\n", why, what_follows,
            kept ? "the file is kept as " : "the file couldn't be kept", kept ? kept : "");
    mem_free(kept);
}

void metrics_set_damaged_aside(const char *path, const char *why, const char *what_follows) {
    set_aside(path, "damaged", why, what_follows);
}

void metrics_set_other_aside(const char *path, const char *has, const char *what_follows) {
    char why[1024];
    snprintf(why, sizeof why, "%s is of another run, with %s.", path, has);
    set_aside(path, "other", why, what_follows);
}
