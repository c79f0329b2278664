/* The metrics file of a run: tables that one `pd.DataFrame(h5py.File(...)["epochs"][:])` reads. Only rank 0
 * has one; with NULL every call does nothing. The file on disk is whole after each metrics_flush, also if the
 * writer is killed later: it is rewritten under a temporary name and renamed. */
#ifndef PARDIGITS_STORE_METRICS_H
#define PARDIGITS_STORE_METRICS_H

#include "core/config.h"
#include "core/status.h"
#include "store/h5io.h"

#include <stdbool.h>
#include <stdint.h>

enum { METRICS_MAX_COLUMNS = 16 };

typedef struct Metrics Metrics;

/* A column of a table, all doubles or all integers. */
typedef struct {
    const char *name;
    bool integer;
    const char *unit; /* "" where there is none */
} MetricsColumn;

/* An empty metrics file to be written at path; with resume the tables of the file that is there. */
StatusCode metrics_open(Metrics **metrics, const char *path, const Config *config, bool resume,
                        Status *status);
void metrics_destroy(Metrics **metrics);

/* Declares a table, such as "epochs". On resume its rows are kept if the columns are the same. */
void metrics_table(Metrics *metrics, const char *table, const MetricsColumn *columns, int count);

/* Appends a row of `count` values, in the order of the columns. */
void metrics_append(Metrics *metrics, const char *table, const double *row);

/* Drops the rows whose first column is >= limit (the checkpoint's step or epoch). */
void metrics_cut(Metrics *metrics, const char *table, double limit);

/* Facts about the run, kept as attributes of /run: a KNN's k, an SVM's valid_accuracy. */
void metrics_set(Metrics *metrics, const char *name, double value);
void metrics_set_count(Metrics *metrics, const char *name, int64_t value);

/* The facts of every run: ranks, threads of each, and from now on at each flush `seconds`, what it has taken:
 * since started_s (timer_now_s), and what the run that is resumed had taken before. */
void metrics_run(Metrics *metrics, int ranks, int threads, double started_s);

/* Writes everything to disk. */
StatusCode metrics_flush(Metrics *metrics, Status *status);

/* A table as it was read back; freed by metrics_free_table. */
typedef struct {
    int columns;
    char names[METRICS_MAX_COLUMNS][32];
    int64_t rows;
    double *values; /* [rows][columns] */
} MetricsTable;

/* Reads the table at path (such as "/epochs") of a metrics file. */
StatusCode metrics_read_table(const H5File *file, const char *path, MetricsTable *table, Status *status);
void metrics_free_table(MetricsTable *table);

#endif
