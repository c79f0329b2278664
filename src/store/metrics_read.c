#include "store/metrics.h"

#include "core/mem.h"
#include "store/h5internal.h"
#include "store/metrics_words.h"

#include <string.h>

int metrics_words_place(MetricsWords *words, const char *word) {
    int w = 0;
    while (w < words->count && strncmp(words->of[w], word, METRICS_WORD_BYTES))
        w++;
    if (w == METRICS_MAX_WORDS) return -1;
    if (w == words->count) memcpy(words->of[words->count++], word, strnlen(word, METRICS_WORD_BYTES));
    return w;
}

hid_t metrics_words_type(void) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, METRICS_WORD_BYTES);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    return type;
}

/* Reads one column, as elements of a type of so many bytes. Freed by the caller; NULL: it can't be read. */
static void *read_elements(hid_t array, const MetricsTable *table, int c, hid_t type, size_t bytes) {
    void *elements = mem_new((size_t)table->rows, bytes);
    hid_t row = H5Tcreate(H5T_COMPOUND, bytes);
    H5Tinsert(row, table->names[c], 0, type);
    if (H5Dread(array, row, H5S_ALL, H5S_ALL, H5P_DEFAULT, elements) < 0) {
        mem_free(elements);
        elements = NULL;
    }
    H5Tclose(row);
    return elements;
}

/* Reads one column of a table into values [rows][columns], whatever its number type. */
static bool read_numbers(hid_t array, MetricsTable *table, int c) {
    double *numbers = read_elements(array, table, c, H5T_NATIVE_DOUBLE, sizeof *numbers);
    for (int64_t i = 0; numbers && i < table->rows; i++)
        table->values[i * table->columns + c] = numbers[i];
    mem_free(numbers);
    return numbers != NULL;
}

/* Likewise of words; false also if there are too many different ones. */
static bool read_words(hid_t array, MetricsTable *table, int c) {
    hid_t type = metrics_words_type();
    char(*read)[METRICS_WORD_BYTES] = read_elements(array, table, c, type, sizeof *read);
    bool good = read != NULL;
    for (int64_t i = 0; good && i < table->rows; i++) {
        const int place = metrics_words_place(&table->words, read[i]);
        table->values[i * table->columns + c] = place;
        good = place >= 0;
    }
    H5Tclose(type);
    mem_free(read);
    return good;
}

/* Reads column c of a table of this type. */
static bool read_column(hid_t array, hid_t row, MetricsTable *table, int c) {
    char *name = H5Tget_member_name(row, (unsigned)c);
    snprintf(table->names[c], sizeof table->names[c], "%s", name);
    H5free_memory(name);
    table->is_word[c] = H5Tget_member_class(row, (unsigned)c) == H5T_STRING;
    return table->is_word[c] ? read_words(array, table, c) : read_numbers(array, table, c);
}

StatusCode metrics_read_table(const H5File *file, const char *path, MetricsTable *table, Status *status) {
    H5Shape shape;
    *table = (MetricsTable){0};
    if (h5_shape(file, path, &shape, status)) return status->code;
    hid_t array = H5Dopen2(file->id, path, H5P_DEFAULT), stored = H5Dget_type(array);
    int columns = H5Tget_class(stored) == H5T_COMPOUND ? H5Tget_nmembers(stored) : 0;
    bool good = shape.rank == 1 && columns > 0 && columns <= METRICS_MAX_COLUMNS;
    if (good) {
        *table = (MetricsTable){.columns = columns, .rows = shape.dims[0]};
        table->values = mem_new((size_t)(table->rows * columns), sizeof *table->values);
        for (int c = 0; c < columns; c++)
            good = good && read_column(array, stored, table, c);
    }
    H5Tclose(stored);
    H5Dclose(array);
    if (good) return STATUS_OK;
    metrics_free_table(table);
    return status_set(status, STATUS_FAILED, "%s: %s is no table of metrics: the file is damaged.",
                      file->path, path);
}

StatusCode metrics_check_kind(const H5File *file, Status *status) {
    char *format = NULL;
    if (h5_has_attribute(file, "/", "format")) h5_get_text(file, "/", "format", &format, status);
    if (!status->code && (!format || strcmp(format, METRICS_FORMAT)))
        status_set(status, STATUS_FAILED,
                   "%s isn't a file of metrics: expected the folder of a run, or its metrics.h5.",
                   h5_path(file));
    mem_free(format);
    return status->code;
}

StatusCode metrics_read_table_if_there(const H5File *file, const char *path, MetricsTable *table,
                                       Status *status) {
    if (!status->code && h5_exists(file, path)) metrics_read_table(file, path, table, status);
    return status->code;
}

int metrics_column(const MetricsTable *table, const char *name) {
    int c = table->columns - 1;
    while (c >= 0 && strcmp(table->names[c], name))
        c--;
    return c;
}

void metrics_free_table(MetricsTable *table) {
    mem_free(table->values);
    *table = (MetricsTable){0};
}

const char *metrics_table_word(const MetricsTable *table, int64_t row, int column) {
    return table->is_word[column] ? table->words.of[(int)table->values[row * table->columns + column]] : NULL;
}
