/* The names of the files in a run's folder, beside its lock (RUN_LOCK in store/run_lock.h). */
#ifndef PARDIGITS_MODEL_RUN_NAMES_H
#define PARDIGITS_MODEL_RUN_NAMES_H

#define RUN_MODEL    "model.h5"
#define RUN_PREVIOUS "model.prev.h5" /* atomic_file_previous of it */
#define RUN_METRICS  "metrics.h5"
#define RUN_CONFIG   "config.ini"

/* What the files of an ensemble's members begin with (ensemble/member_files.h). */
#define RUN_MEMBER "model.member-"

#endif
