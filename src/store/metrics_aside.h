/* Metrics that a run can't use don't fail it: they are kept under another name, and a sentence says so. */
#ifndef PARDIGITS_STORE_METRICS_ASIDE_H
#define PARDIGITS_STORE_METRICS_ASIDE_H

/* As metrics.damaged.h5 (kept_file.h); why: a sentence. what_follows: such as "Metrics begin anew". */
void metrics_set_damaged_aside(const char *path, const char *why, const char *what_follows);

/* As metrics.other.h5: they are of another run, which has such as "run.seed = 2". */
void metrics_set_other_aside(const char *path, const char *has, const char *what_follows);

#endif
