#include "core/output.h"

#include "core/mem.h"
#include "core/status.h"
#include "core/utf8.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MOST_DEPTH = 4 };

typedef struct Table Table;

/* A value; of a nested table only the name, title and table. */
typedef struct {
    char *name, *title; /* title NULL: not for people */
    char *text;         /* as people see it */
    cJSON *json;
    Table *table;
    bool number;
} Field;

typedef struct {
    int count, room;
    Field *fields; /* [count] */
    char *note;    /* or NULL */
} Record;

struct Table {
    OutputLayout layout;
    int count, room;
    Record *records; /* [count] */
};

struct Output {
    OutputFormat format;
    Table root;
    int depth;
    Table *open[MOST_DEPTH]; /* [depth + 1] the root and the tables that are open in it */
};

/* Makes room for one more element of an array. */
static void *grow(void *array, int count, int *room, size_t size) {
    if (count < *room) return array;
    *room = 2 * count + 8;
    void *larger = mem_new((size_t)*room, size);
    if (count) memcpy(larger, array, (size_t)count * size);
    mem_free(array);
    return larger;
}

Output *output_create(OutputFormat format, OutputLayout layout) {
    Output *output = mem_new(1, sizeof *output);
    output->format = format;
    output->root.layout = layout;
    output->open[0] = &output->root;
    return output;
}

static void table_free(Table *table) {
    for (int r = 0; r < table->count; r++) {
        Record *record = &table->records[r];
        for (int f = 0; f < record->count; f++) {
            Field *field = &record->fields[f];
            mem_free(field->name);
            mem_free(field->title);
            mem_free(field->text);
            cJSON_Delete(field->json);
            if (field->table) table_free(field->table);
            mem_free(field->table);
        }
        mem_free(record->fields);
        mem_free(record->note);
    }
    mem_free(table->records);
}

void output_destroy(Output **output) {
    if (!*output) return;
    table_free(&(*output)->root);
    mem_free(*output);
    *output = NULL;
}

OutputFormat output_format(const Output *output) {
    return output->format;
}

void output_record(Output *output) {
    Table *table = output->open[output->depth];
    table->records = grow(table->records, table->count, &table->room, sizeof *table->records);
    table->records[table->count++] = (Record){0};
}

static Record *current(Output *output) {
    const Table *table = output->open[output->depth];
    if (!table->count) fatal("output: a value without a record");
    return &table->records[table->count - 1];
}

static Field *add(Output *output, const char *name, const char *title) {
    Record *record = current(output);
    record->fields = grow(record->fields, record->count, &record->room, sizeof *record->fields);
    Field *field = &record->fields[record->count++];
    *field = (Field){.name = mem_text(name), .title = title ? mem_text(title) : NULL};
    return field;
}

void output_text(Output *output, const char *name, const char *title, const char *value) {
    Field *field = add(output, name, title);
    char *valid = utf8_copy(value);
    field->json = cJSON_CreateString(valid);
    field->text = mem_text(value);
    mem_free(valid);
}

static void add_number(Output *output, const char *name, const char *title, double value, const char *text) {
    Field *field = add(output, name, title);
    field->number = true;
    field->json = isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull();
    field->text = mem_text(text);
}

void output_integer(Output *output, const char *name, const char *title, int64_t value) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    add_number(output, name, title, (double)value, text);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
void output_real(Output *output, const char *name, const char *title, double value, const char *format) {
    char text[64];
    if (isfinite(value))
        snprintf(text, sizeof text, format, value);
    else
        strcpy(text, "-");
    add_number(output, name, title, value, text);
}
#pragma GCC diagnostic pop

void output_bool(Output *output, const char *name, const char *title, int value) {
    Field *field = add(output, name, title);
    field->json = cJSON_CreateBool(value);
    field->text = mem_text(value ? "yes" : "no");
}

void output_note(Output *output, const char *format, ...) {
    Record *record = current(output);
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    mem_free(record->note);
    record->note = mem_text(text);
}

static cJSON *number_array(const int64_t *values, int n) {
    cJSON *array = cJSON_CreateArray();
    for (int i = 0; i < n; i++)
        cJSON_AddItemToArray(array, cJSON_CreateNumber((double)values[i]));
    return array;
}

void output_integers(Output *output, const char *name, const int64_t *values, int n) {
    add(output, name, NULL)->json = number_array(values, n);
}

void output_reals(Output *output, const char *name, const double *values, int n) {
    add(output, name, NULL)->json = cJSON_CreateDoubleArray(values, n);
}

void output_texts(Output *output, const char *name, char *const *values, int n) {
    cJSON *array = cJSON_CreateArray();
    for (int i = 0; i < n; i++) {
        char *valid = utf8_copy(values[i]);
        cJSON_AddItemToArray(array, cJSON_CreateString(valid));
        mem_free(valid);
    }
    add(output, name, NULL)->json = array;
}

void output_matrix(Output *output, const char *name, const int64_t *values, int rows, int columns) {
    cJSON *matrix = cJSON_CreateArray();
    for (int r = 0; r < rows; r++)
        cJSON_AddItemToArray(matrix, number_array(values + (int64_t)r * columns, columns));
    add(output, name, NULL)->json = matrix;
}

void output_begin(Output *output, const char *name, const char *title, OutputLayout layout) {
    Field *field = add(output, name, title);
    if (output->depth + 1 == MOST_DEPTH) fatal("output: tables are nested too deeply");
    field->table = mem_new(1, sizeof *field->table);
    field->table->layout = layout;
    output->open[++output->depth] = field->table;
}

void output_end(Output *output) {
    output->depth--;
}

static cJSON *record_json(const Record *record);

static cJSON *table_json(const Table *table) {
    cJSON *array = cJSON_CreateArray();
    for (int r = 0; r < table->count; r++)
        cJSON_AddItemToArray(array, record_json(&table->records[r]));
    return array;
}

static cJSON *record_json(const Record *record) {
    cJSON *object = cJSON_CreateObject();
    for (int f = 0; f < record->count; f++) {
        const Field *field = &record->fields[f];
        cJSON_AddItemToObject(object, field->name,
                              field->table ? table_json(field->table) : cJSON_Duplicate(field->json, true));
    }
    return object;
}

static void print_json(FILE *file, const Table *table) {
    for (int r = 0; r < table->count; r++) {
        cJSON *object = record_json(&table->records[r]);
        char *text = cJSON_PrintUnformatted(object);
        fprintf(file, "%s\n", text);
        cJSON_free(text);
        cJSON_Delete(object);
    }
}

/* As RFC 4180 has it. */
static void print_csv_text(FILE *file, const char *text) {
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (; *text; text++) {
        if (*text == '"') fputc('"', file);
        fputc(*text, file);
    }
    fputc('"', file);
}

static void print_csv_field(FILE *file, const Field *field) {
    if (cJSON_IsString(field->json)) {
        print_csv_text(file, field->text);
    } else if (!cJSON_IsNull(field->json)) {
        char *text = cJSON_PrintUnformatted(field->json);
        print_csv_text(file, text);
        cJSON_free(text);
    }
}

static void print_csv_records(FILE *file, const Table *table) {
    for (int r = -1; r < table->count && table->count; r++) {
        const Record *record = &table->records[r < 0 ? 0 : r];
        int printed = 0;
        for (int f = 0; f < record->count; f++) {
            const Field *field = &record->fields[f];
            if (field->table || cJSON_IsArray(field->json)) continue;
            if (printed++) fputc(',', file);
            if (r < 0)
                print_csv_text(file, field->name);
            else
                print_csv_field(file, field);
        }
        fputc('\n', file);
    }
}

/* The tables of all records, or the records. */
static void print_csv(FILE *file, const Table *table) {
    int tables = 0;
    for (int r = 0; r < table->count; r++)
        for (int f = 0; f < table->records[r].count; f++) {
            const Table *nested = table->records[r].fields[f].table;
            if (!nested) continue;
            if (tables++) fputc('\n', file);
            print_csv_records(file, nested);
        }
    if (!tables) print_csv_records(file, table);
}

static bool is_shown(const Field *field) {
    return field->title && !field->table && field->text;
}

/* The widest cell of field f, its title included; a few long texts shouldn't part all the others. */
static int column_width(const Table *table, int f) {
    const int most = 40;
    int width = utf8_length(table->records[0].fields[f].title);
    for (int r = 0; r < table->count; r++) {
        const Record *record = &table->records[r];
        const int own = f < record->count && record->fields[f].text ? utf8_length(record->fields[f].text) : 0;
        width = own > width && own <= most ? own : width;
    }
    return width;
}

/* Numbers to the right, under a title where any column has one; the last text without blanks behind it. */
static void print_cell(FILE *file, const char *text, int width, bool right, bool last) {
    const int missing = width - utf8_length(text), blanks = missing > 0 ? missing : 0;
    fprintf(file, "%*s%s%*s", right ? blanks : 0, "", text, right || last ? 0 : blanks, "");
}

static void print_aligned(FILE *file, const Table *table) {
    if (!table->count) return;
    const Record *first = &table->records[0];
    int last = -1;
    bool titles = false;
    int *widths = mem_new((size_t)first->count, sizeof *widths);
    for (int f = 0; f < first->count; f++) {
        if (!is_shown(&first->fields[f])) continue;
        widths[f] = column_width(table, f);
        titles = titles || *first->fields[f].title;
        last = f;
    }
    for (int r = titles ? -1 : 0; r < table->count; r++) {
        const Record *record = &table->records[r < 0 ? 0 : r];
        for (int f = 0; f <= last && f < record->count; f++) {
            const Field *field = &record->fields[f];
            if (!is_shown(field)) continue;
            print_cell(file, r < 0 ? field->title : field->text, widths[f], field->number, f == last);
            fputs(f == last ? "" : "  ", file);
        }
        fputc('\n', file);
    }
    mem_free(widths);
}

static void print_lines(FILE *file, const Record *record) {
    int width = 0;
    for (int f = 0; f < record->count; f++) {
        const Field *field = &record->fields[f];
        if (is_shown(field) && utf8_length(field->title) > width) width = utf8_length(field->title);
    }
    for (int f = 0; f < record->count; f++) {
        const Field *field = &record->fields[f];
        if (!is_shown(field)) continue;
        print_cell(file, field->title, width, false, false);
        fprintf(file, "%s%s\n", width ? "  " : "", field->text);
    }
}

static void print_text(FILE *file, const Table *table) {
    if (table->layout == OUTPUT_TABLE) print_aligned(file, table);
    for (int r = 0; r < table->count; r++) {
        const Record *record = &table->records[r];
        if (table->layout == OUTPUT_LINES) print_lines(file, record);
        for (int f = 0; f < record->count; f++) {
            if (!record->fields[f].table || !record->fields[f].title) continue;
            fprintf(file, "\n%s\n", record->fields[f].title);
            print_text(file, record->fields[f].table);
        }
        if (record->note) fprintf(file, "%s\n", record->note);
    }
}

void output_write(const Output *output, FILE *file) {
    void (*const print[])(FILE * file, const Table *table) = {
        [OUTPUT_TEXT] = print_text, [OUTPUT_JSON] = print_json, [OUTPUT_CSV] = print_csv};
    print[output->format](file, &output->root);
}

void output_print(const Output *output) {
    output_write(output, stdout);
}
