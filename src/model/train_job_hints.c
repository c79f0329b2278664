#include "model/train_job_hints.h"

#include "data/survey.h"
#include "model/run_options.h"

/* counts: training images of each class. The last images of a dataset that is sorted are of the last classes.
 */
static void log_hint_of_valid(const TrainJob *job, const uint64_t *counts) {
    static const char advice[] = "if the dataset is sorted by class, shuffle its images and labels together";
    int64_t held_out[CLASSES_MAX] = {0};
    int present = 0, all = 0, last = 0, missing = -1;
    char number[12];
    for (int64_t i = 0; i < job->valid.n; i++)
        held_out[job->valid.labels[i]]++;
    for (int c = 0; c < job->spec.classes; c++) {
        present += held_out[c] > 0;
        all += held_out[c] > 0 || counts[c] > 0;
        if (held_out[c]) last = c;
        if (!held_out[c] && counts[c] && missing < 0) missing = c;
    }
    if (job->valid.n == 0 || missing < 0) return;
    if (present == 1)
        log_line(
            job->log,
            "hint: every held-out image (%lld, run.valid) is of class %s, so their accuracy says nothing of "
            "the others; %s.",
            (long long)job->valid.n, class_name(&job->class_names, last, number), advice);
    else
        log_line(job->log,
                 "hint: %d of the %d classes have no held-out image (run.valid), class %s for one; %s.",
                 all - present, all, class_name(&job->class_names, missing, number), advice);
}

void train_job_log_hints(const TrainJob *job) {
    uint64_t counts[CLASSES_MAX];
    char number[12];
    int present = 0, last = 0, missing = 0;
    const int64_t asked = run_options(job->config).train;
    if (asked > job->train_count)
        log_line(job->log, "hint: run.train = %lld, but there are only %lld images to train on.",
                 (long long)asked, (long long)job->train_count);
    train_job_count_classes(job, counts);
    for (int c = 0; c < job->spec.classes; c++) {
        present += counts[c] > 0;
        if (counts[c])
            last = c;
        else
            missing = c;
    }
    if (present > 1 && present < job->spec.classes)
        log_line(
            job->log,
            "hint: %d of the %d classes have no training image, class %s for one, and won't be recognised.",
            job->spec.classes - present, job->spec.classes, class_name(&job->class_names, missing, number));
    if (present == 1)
        log_line(job->log,
                 "hint: every training image (%lld) is of class %s, so there is nothing to tell apart; use "
                 "more images (run.train).",
                 (long long)job->train_count, class_name(&job->class_names, last, number));
    log_hint_of_valid(job, counts);
    survey_hint_at_faint(job->log, "training", job->brightest);
}
