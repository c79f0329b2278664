/* Metrics that a run can't use don't fail it: they are kept under another name. */
#include "store/metrics_aside.h"

#include "core/mem.h"
#include "store/h5io.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void set_aside(const char *path, const char *as, const char *why, const char *what_follows) {
    const int stem = (int)strlen(path) - (int)strlen(".h5");
    const size_t size = strlen(path) + strlen(as) + 2;
    char *kept = mem_new(size, 1);
    snprintf(kept, size, "%.*s.%s.h5", stem, path, as);
    const bool renamed = rename(path, kept) == 0;
    fprintf(stderr, "pardigits: %s %s%s%s.\n", why, what_follows, renamed ? "; the file is kept as " : "",
            renamed ? kept : "");
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
