#include "store/metrics.h"

#include "core/mem.h"
#include "core/path.h"
#include "core/timer.h"
#include "store/atomic_file.h"
#include "store/config_store.h"
#include "store/h5internal.h"
#include "store/metrics_aside.h"
#include "store/metrics_words.h"
#include "store/run_lock.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { MAX_TABLES = 8, MAX_FACTS = 32, CHUNK_ROWS = 1024 };

typedef struct {
    char *name;
    int columns;
    MetricsColumn column[METRICS_MAX_COLUMNS];
    int64_t rows, capacity;
    double *values; /* [rows][columns] */
} Table;

/* An attribute of /run. */
typedef struct {
    char name[32];
    enum { FACT_REAL, FACT_COUNT, FACT_TEXT } kind;
    double value;
    char *text; /* or NULL */
} Fact;

struct Metrics {
    char *path;
    const Config *config;
    H5File *earlier; /* the file of the run that is resumed, or NULL */
    bool resumed;    /* also where the earlier file is missing */
    bool has_clock;
    double started_s; /* earlier by what a resumed run had taken before */
    int tables;
    Table table[MAX_TABLES];
    MetricsWords words;
    int facts;
    Fact fact[MAX_FACTS];
};

StatusCode metrics_open(Metrics **metrics, const char *path, const Config *config, bool resume,
                        Status *status) {
    *metrics = mem_new(1, sizeof **metrics);
    (*metrics)->path = mem_text(path);
    (*metrics)->config = config;
    (*metrics)->resumed = resume;
    if (resume && access(path, F_OK) == 0) {
        Status damage = {0};
        if (access(path, R_OK)) /* it's whole, and somebody else's */
            status_set(status, STATUS_FAILED, "%s can't be read: %s. Make it readable to go on with the run.",
                       path, strerror(errno));
        else if (h5_open_copy(&(*metrics)->earlier, path, &damage))
            metrics_set_damaged_aside(path, damage.text, "Metrics begin anew");
        else if (h5_lacks_sum((*metrics)->earlier))
            h5_note_missing_sum(path);
    }
    return status->code;
}

StatusCode metrics_check(const char *path, H5File **file) {
    Status damage = {0};
    *file = NULL;
    if (access(path, R_OK)) return STATUS_FAILED; /* nobody knows whether it's whole */
    if (h5_open(file, path, &damage))
        metrics_set_damaged_aside(path, damage.text, "The model is whole, but what was measured is lost");
    return damage.code;
}

const H5File *metrics_earlier(const Metrics *metrics) {
    return metrics->earlier;
}

void metrics_begin_anew(Metrics *metrics, const char *other) {
    Status ignored = {0};
    h5_close(&metrics->earlier, &ignored);
    metrics_set_other_aside(metrics->path, other, "Metrics begin anew");
}

void metrics_destroy(Metrics **metrics) {
    if (!*metrics) return;
    Status ignored = {0};
    h5_close(&(*metrics)->earlier, &ignored);
    for (int t = 0; t < (*metrics)->tables; t++) {
        mem_free((*metrics)->table[t].name);
        mem_free((*metrics)->table[t].values);
    }
    for (int f = 0; f < (*metrics)->facts; f++)
        mem_free((*metrics)->fact[f].text);
    mem_free((*metrics)->path);
    mem_free(*metrics);
    *metrics = NULL;
}

static Table *find_table(Metrics *metrics, const char *name) {
    for (int t = 0; t < metrics->tables; t++)
        if (!strcmp(metrics->table[t].name, name)) return &metrics->table[t];
    fatal("metrics: there is no table %s", name);
}

double metrics_word(Metrics *metrics, const char *word) {
    if (!metrics) return 0;
    const int place = metrics_words_place(&metrics->words, word);
    if (place < 0) fatal("metrics: there is no room for the word %s", word);
    return place;
}

static size_t column_bytes(const MetricsColumn *column) {
    return column->type == METRICS_WORD ? METRICS_WORD_BYTES : 8;
}

static size_t row_bytes(const Table *table) {
    size_t bytes = 0;
    for (int c = 0; c < table->columns; c++)
        bytes += column_bytes(&table->column[c]);
    return bytes;
}

/* The compound type of a row, in memory and in the file. */
static hid_t row_type(const Table *table) {
    hid_t type = H5Tcreate(H5T_COMPOUND, row_bytes(table)), word = metrics_words_type();
    const hid_t types[] = {
        [METRICS_REAL] = H5T_NATIVE_DOUBLE, [METRICS_COUNT] = H5T_NATIVE_INT64, [METRICS_WORD] = word};
    size_t at = 0;
    for (int c = 0; c < table->columns; at += column_bytes(&table->column[c++]))
        H5Tinsert(type, table->column[c].name, at, types[table->column[c].type]);
    H5Tclose(word);
    return type;
}

/* The rows in the layout of row_type. Freed by the caller. */
static void *pack_rows(const Metrics *metrics, const Table *table) {
    char *packed = mem_new((size_t)table->rows, row_bytes(table)), *at = packed;
    for (int64_t i = 0; i < table->rows * table->columns; i++) {
        const MetricsColumn *column = &table->column[i % table->columns];
        const double value = table->values[i];
        const int64_t whole = column->type == METRICS_REAL ? 0 : (int64_t)value;
        const void *const bytes[] = {&value, &whole,
                                     column->type == METRICS_WORD ? metrics->words.of[whole] : NULL};
        memcpy(at, bytes[column->type], column_bytes(column));
        at += column_bytes(column);
    }
    return packed;
}

static void reserve(Table *table, int64_t rows) {
    if (rows <= table->capacity) return;
    table->capacity = rows + rows / 2 + 64;
    double *values = mem_new((size_t)(table->capacity * table->columns), sizeof *values);
    if (table->rows) memcpy(values, table->values, (size_t)(table->rows * table->columns) * sizeof *values);
    mem_free(table->values);
    table->values = values;
}

void metrics_take_row(Metrics *metrics, const MetricsTable *table, int64_t row, double *values) {
    for (int c = 0; c < table->columns; c++) {
        const char *word = metrics_table_word(table, row, c);
        values[c] = word ? metrics_word(metrics, word) : table->values[row * table->columns + c];
    }
}

/* Copies the rows of the resumed run's table if it has the same columns. */
static void read_earlier(Metrics *metrics, Table *table) {
    const H5File *file = metrics->earlier;
    char path[64];
    MetricsTable earlier;
    Status ignored = {0};
    snprintf(path, sizeof path, "/%s", table->name);
    if (!h5_exists(file, path) || metrics_read_table(file, path, &earlier, &ignored)) return;
    bool same = earlier.columns == table->columns;
    for (int c = 0; same && c < table->columns; c++)
        same = !strcmp(earlier.names[c], table->column[c].name) &&
               earlier.is_word[c] == (table->column[c].type == METRICS_WORD);
    for (int64_t i = 0; same && i < earlier.rows; i++) {
        reserve(table, i + 1);
        metrics_take_row(metrics, &earlier, i, table->values + table->rows++ * table->columns);
    }
    metrics_free_table(&earlier);
}

void metrics_table(Metrics *metrics, const char *name, const MetricsColumn *columns, int count) {
    if (!metrics) return;
    if (metrics->tables == MAX_TABLES || count > METRICS_MAX_COLUMNS)
        fatal("metrics: table %s is too large", name);
    Table *table = &metrics->table[metrics->tables++];
    *table = (Table){.name = mem_text(name), .columns = count};
    memcpy(table->column, columns, (size_t)count * sizeof *columns);
    if (metrics->earlier) read_earlier(metrics, table);
}

void metrics_append(Metrics *metrics, const char *name, const double *row) {
    if (!metrics) return;
    Table *table = find_table(metrics, name);
    reserve(table, table->rows + 1);
    memcpy(table->values + table->rows++ * table->columns, row, (size_t)table->columns * sizeof *row);
}

double metrics_last(Metrics *metrics, const char *name) {
    const Table *table = metrics ? find_table(metrics, name) : NULL;
    return table && table->rows ? table->values[(table->rows - 1) * table->columns] : 0;
}

void metrics_filter(Metrics *metrics, const char *name, MetricsKeep keep, const void *context) {
    if (!metrics) return;
    Table *table = find_table(metrics, name);
    int64_t kept = 0;
    for (int64_t i = 0; i < table->rows; i++) {
        const double *row = table->values + i * table->columns;
        if (!keep(row, context)) continue;
        memmove(table->values + kept++ * table->columns, row, (size_t)table->columns * sizeof *row);
    }
    table->rows = kept;
}

static bool is_below(const double *row, const void *limit) {
    return row[0] < *(const double *)limit;
}

void metrics_cut(Metrics *metrics, const char *name, double limit) {
    metrics_filter(metrics, name, is_below, &limit);
}

/* The fact of a name, which is added if there is none yet. */
static Fact *find_fact(Metrics *metrics, const char *name) {
    int f = 0;
    while (f < metrics->facts && strcmp(metrics->fact[f].name, name))
        f++;
    if (f == MAX_FACTS) fatal("metrics: too many facts");
    Fact *fact = &metrics->fact[f];
    if (f == metrics->facts) {
        metrics->facts++;
        snprintf(fact->name, sizeof fact->name, "%s", name);
    }
    return fact;
}

static void set_number(Metrics *metrics, const char *name, int kind, double value) {
    if (!metrics) return;
    Fact *fact = find_fact(metrics, name);
    fact->kind = kind;
    fact->value = value;
}

void metrics_set(Metrics *metrics, const char *name, double value) {
    set_number(metrics, name, FACT_REAL, value);
}

void metrics_add(Metrics *metrics, const char *name, double value) {
    if (metrics) set_number(metrics, name, FACT_REAL, find_fact(metrics, name)->value + value);
}

void metrics_set_count(Metrics *metrics, const char *name, int64_t value) {
    set_number(metrics, name, FACT_COUNT, (double)value);
}

void metrics_set_text(Metrics *metrics, const char *name, const char *text) {
    if (!metrics) return;
    Fact *fact = find_fact(metrics, name);
    fact->kind = FACT_TEXT;
    mem_free(fact->text);
    fact->text = mem_text(text);
}

void metrics_run(Metrics *metrics, int ranks, int threads, double started_s) {
    if (!metrics) return;
    metrics_set_count(metrics, "ranks", ranks);
    metrics_set_count(metrics, "threads", threads);
    double earlier_s = 0;
    int64_t starts = metrics->resumed; /* if nothing says how often */
    Status ignored = {0};
    if (metrics->earlier) {
        h5_get_f64(metrics->earlier, "/run", "seconds", &earlier_s, &ignored);
        h5_get_i64(metrics->earlier, "/run", "starts", &starts, &ignored);
    }
    metrics_set_count(metrics, "starts", starts + 1);
    metrics->has_clock = true;
    metrics->started_s = started_s - earlier_s;
}

/* Writes the unit of each column as an attribute units_COLUMN of the table. */
static void write_units(H5File *file, const char *path, const Table *table, Status *status) {
    for (int c = 0; c < table->columns; c++) {
        char attribute[64];
        snprintf(attribute, sizeof attribute, "units_%s", table->column[c].name);
        if (*table->column[c].unit) h5_set_text(file, path, attribute, table->column[c].unit, status);
    }
}

static void write_table(H5File *file, const Metrics *metrics, const Table *table, Status *status) {
    if (status->code) return;
    char path[64];
    snprintf(path, sizeof path, "/%s", table->name);
    hsize_t rows = (hsize_t)table->rows, unlimited = H5S_UNLIMITED, chunk = CHUNK_ROWS;
    hid_t type = row_type(table), space = H5Screate_simple(1, &rows, &unlimited);
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, 1, &chunk);
    H5Pset_fletcher32(creation);
    H5Pset_obj_track_times(creation, false);
    hid_t array = H5Dcreate2(file->id, path, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    void *packed = pack_rows(metrics, table);
    bool good = array >= 0 && H5Dwrite(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, packed) >= 0;
    if (array >= 0 && H5Dclose(array) < 0) good = false;
    if (!good) status_set(status, STATUS_FAILED, "%s: %s couldn't be written.", h5_path(file), path);
    mem_free(packed);
    H5Pclose(creation);
    H5Sclose(space);
    H5Tclose(type);
    write_units(file, path, table, status);
}

static void write_fact(H5File *file, const Fact *fact, Status *status) {
    if (fact->kind == FACT_TEXT)
        h5_set_text(file, "/run", fact->name, fact->text, status);
    else if (fact->kind == FACT_COUNT)
        h5_set_i64(file, "/run", fact->name, (int64_t)fact->value, status);
    else
        h5_set_f64(file, "/run", fact->name, fact->value, status);
}

StatusCode metrics_build(Metrics *metrics, H5File **file, Status *status) {
    if (metrics->has_clock) metrics_set(metrics, "seconds", timer_now_s() - metrics->started_s);
    char *temporary = atomic_file_temporary(metrics->path);
    h5_create(file, temporary, status);
    mem_free(temporary);
    if (!*file) return status->code;
    h5_set_text(*file, "/", "format", METRICS_FORMAT, status);
    h5_set_i64(*file, "/", "version", 1, status);
    h5_set_text(*file, "/", "model", config_text(metrics->config, "run.model"), status);
    config_store_write(*file, metrics->config, status);
    for (int f = 0; f < metrics->facts; f++)
        write_fact(*file, &metrics->fact[f], status);
    for (int t = 0; t < metrics->tables; t++)
        write_table(*file, metrics, &metrics->table[t], status);
    return status->code;
}

StatusCode metrics_put(const Metrics *metrics, H5File **file, Status *status) {
    char *temporary = atomic_file_temporary(metrics->path);
    run_lock_check(metrics->path, status);
    h5_close(file, status);
    if (!status->code) atomic_file_commit(temporary, metrics->path, false, status);
    if (status->code) atomic_file_discard(temporary);
    mem_free(temporary);
    return status->code;
}

StatusCode metrics_flush(Metrics *metrics, Status *status) {
    H5File *file = NULL;
    if (!metrics || status->code) return status->code;
    metrics_build(metrics, &file, status);
    return metrics_put(metrics, &file, status);
}

StatusCode metrics_flush_in(Metrics *metrics, const char *folder, Status *status) {
    if (!metrics) return status->code;
    char *own = metrics->path;
    metrics->path = path_join(folder, path_name(own));
    metrics_flush(metrics, status);
    mem_free(metrics->path);
    metrics->path = own;
    return status->code;
}
