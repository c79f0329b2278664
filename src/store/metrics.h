/* The metrics file of a run: tables that `pd.DataFrame(h5py.File(...)["epochs"][:])` reads. Only rank 0 has
 * one; on other ranks it is NULL and every call does nothing. Each metrics_flush writes the file under a
 * temporary name and renames it, so a killed run leaves a whole file. */
#ifndef PARDIGITS_STORE_METRICS_H
#define PARDIGITS_STORE_METRICS_H

#include "core/config.h"
#include "core/status.h"
#include "store/h5io.h"

#include <stdbool.h>
#include <stdint.h>

enum { METRICS_MAX_COLUMNS = 16, METRICS_MAX_WORDS = 16, METRICS_WORD_BYTES = 16 };

#define METRICS_FORMAT "pardigits metrics" /* the attribute `format` of the file */

typedef struct Metrics Metrics;

typedef enum { METRICS_REAL, METRICS_COUNT, METRICS_WORD } MetricsType;

/* A column of a table. Rows are doubles: a count is a whole number; a word, such as the name of a phase, is
 * what metrics_word gives for it. */
typedef struct {
    const char *name;
    MetricsType type;
    const char *unit; /* "" if it has none */
} MetricsColumn;

/* An empty metrics file, to be written at path. With resume, tables start with the rows of the file at path.
 * Destroyed by metrics_destroy. */
StatusCode metrics_open(Metrics **metrics, const char *path, const Config *config, bool resume,
                        Status *status);
void metrics_destroy(Metrics **metrics);

/* Opens the metrics of a complete run, at path: a damaged file gets another name, as in metrics_open.
 * STATUS_FAILED also if there is none; nothing is said of that. */
StatusCode metrics_check(const char *path, H5File **file);

/* The file that these metrics go on from, or NULL; and gives it another name, as it is of another run, which
 * has such as "run.seed = 2". */
const H5File *metrics_earlier(const Metrics *metrics);
void metrics_begin_anew(Metrics *metrics, const char *other);

/* STATUS_FAILED if an open file isn't one of metrics. */
StatusCode metrics_check_kind(const H5File *file, Status *status);

/* Declares a table, such as "epochs". On resume it keeps its rows if its columns are unchanged. */
void metrics_table(Metrics *metrics, const char *table, const MetricsColumn *columns, int count);

/* The number that stands for a word, of up to METRICS_WORD_BYTES, in the rows of these metrics. */
double metrics_word(Metrics *metrics, const char *word);

/* Appends row[columns], in the order of the columns. */
void metrics_append(Metrics *metrics, const char *table, const double *row);

/* The first column of the last row; 0: there is no row. */
double metrics_last(Metrics *metrics, const char *table);

/* Drops the rows whose first column is >= limit (the step or epoch of the checkpoint). */
void metrics_cut(Metrics *metrics, const char *table, double limit);

/* Drops the rows that are not to be kept. */
typedef bool (*MetricsKeep)(const double *row, const void *context);
void metrics_filter(Metrics *metrics, const char *table, MetricsKeep keep, const void *context);

/* Sets an attribute of /run: a fact about the run, such as a KNN's k or an SVM's valid_accuracy. */
void metrics_set(Metrics *metrics, const char *name, double value);
void metrics_set_count(Metrics *metrics, const char *name, int64_t value);
void metrics_set_text(Metrics *metrics, const char *name, const char *text);

/* Adds to the value of such an attribute, which is 0 at the start. */
void metrics_add(Metrics *metrics, const char *name, double value);

/* Sets the attributes of /run that every run has: ranks, threads of each, `starts` (how often the run was
 * started, as far as its metrics say: 1 if it was never resumed) and, at each flush from now on, `seconds`:
 * the time since started_s (timer_now_s) plus, on resume, the time that the run had taken before. */
void metrics_run(Metrics *metrics, int ranks, int threads, double started_s);

/* Writes everything to disk. */
StatusCode metrics_flush(Metrics *metrics, Status *status);

/* The same under the same name in another folder, where the run's own can't be written. */
StatusCode metrics_flush_in(Metrics *metrics, const char *folder, Status *status);

/* The two halves of it. The first is a copy in memory. The second, which may run
 * on another thread, writes that to disk and clears *file; no other thread may use HDF5 meanwhile. */
StatusCode metrics_build(Metrics *metrics, H5File **file, Status *status);
StatusCode metrics_put(const Metrics *metrics, H5File **file, Status *status);

/* Words, each once. */
typedef struct {
    int count;
    char of[METRICS_MAX_WORDS][METRICS_WORD_BYTES + 1];
} MetricsWords;

/* A table read from a file; freed by metrics_free_table. */
typedef struct {
    int columns;
    char names[METRICS_MAX_COLUMNS][32];
    bool is_word[METRICS_MAX_COLUMNS];
    int64_t rows;
    double *values;     /* [rows][columns]; of a column of words the places in `words` */
    MetricsWords words; /* of all columns */
} MetricsTable;

/* Reads the table at path, such as "/epochs". */
StatusCode metrics_read_table(const H5File *file, const char *path, MetricsTable *table, Status *status);

/* The same; if there is no such table, *table stays as it is. */
StatusCode metrics_read_table_if_there(const H5File *file, const char *path, MetricsTable *table,
                                       Status *status);

/* The number of a table's column; -1 if there is none of that name. */
int metrics_column(const MetricsTable *table, const char *name);

void metrics_free_table(MetricsTable *table);

/* The word at a row and column; NULL in a column of numbers. */
const char *metrics_table_word(const MetricsTable *table, int64_t row, int column);

/* row[columns] of a table that was read, as metrics_append of these metrics takes it. */
void metrics_take_row(Metrics *metrics, const MetricsTable *table, int64_t row, double *values);

#endif
