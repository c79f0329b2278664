#include "report/page_studies.h"

#include "core/mem.h"

#include <stdio.h>
#include <string.h>

static bool use_studies(const char *name, const ScalingRun *runs, int count, PageStudyUse *use,
                        void *context) {
    ScalingStudies studies = {0};
    Status none = {0};
    const bool found = !scaling_studies_find(runs, count, &studies, &none);
    for (int s = 0; found && s < studies.count; s++)
        use(name, &studies, s, context);
    scaling_studies_free(&studies);
    return found;
}

static const char *family_of(const ScalingRun *run) {
    return config_text(run->config, "run.model");
}

/* Of one more configuration of a family that has studies of `before` others. */
static void print_name(char *name, size_t size, const char *family, int before) {
    if (before)
        snprintf(name, size, "%.16s-%d", family, before + 1);
    else
        snprintf(name, size, "%.16s", family);
}

/* Runs of each configuration make studies of their own. */
void page_studies_use(const ReportFiles *files, PageStudyUse *use, void *context) {
    const int count = files->size_count;
    ScalingRun *same = mem_new((size_t)count, sizeof *same);
    bool *done = mem_new((size_t)count, sizeof *done), *has_studies = mem_new((size_t)count, sizeof *done);
    for (int first = 0; first < count; first++) {
        char name[32];
        int found = 0, before = 0;
        for (int r = 0; r < first; r++)
            before += has_studies[r] && !strcmp(family_of(&files->sizes[r]), family_of(&files->sizes[first]));
        print_name(name, sizeof name, family_of(&files->sizes[first]), before);
        for (int r = first; r < count; r++)
            if (!done[r] && (r == first || scaling_runs_comparable(&files->sizes[first], &files->sizes[r]))) {
                same[found++] = files->sizes[r];
                done[r] = true;
            }
        has_studies[first] = found > 1 && use_studies(name, same, found, use, context);
    }
    mem_free(has_studies);
    mem_free(done);
    mem_free(same);
}
