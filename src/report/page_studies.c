#include "report/page_studies.h"

#include "core/mem.h"

#include <string.h>

static void use_studies(const ScalingRun *runs, int count, PageStudyUse *use, void *context) {
    ScalingStudies studies = {0};
    Status none = {0};
    scaling_studies_find(runs, count, &studies, &none);
    for (int s = 0; !none.code && s < studies.count; s++)
        use(&studies, s, context);
    scaling_studies_free(&studies);
}

/* Other families have other configurations. */
void page_studies_use(const ReportFiles *files, PageStudyUse *use, void *context) {
    const int count = files->size_count;
    ScalingRun *same = mem_new((size_t)count, sizeof *same);
    bool *done = mem_new((size_t)count, sizeof *done);
    for (int first = 0; first < count; first++) {
        int found = 0;
        for (int r = first; r < count; r++)
            if (!done[r] && !strcmp(config_text(files->sizes[r].config, "run.model"),
                                    config_text(files->sizes[first].config, "run.model"))) {
                same[found++] = files->sizes[r];
                done[r] = true;
            }
        if (found > 1) use_studies(same, found, use, context);
    }
    mem_free(done);
    mem_free(same);
}
