#include "core/output.h"

#include "core/mem.h"
#include "core/output_csv.h"
#include "core/output_json.h"
#include "core/output_plain.h"
#include "core/status.h"
#include "core/text_buffer.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

enum { LITERAL = 32 }; /* bytes of a number in JSON */

/* One writer, that of the format; the others are NULL. */
struct Output {
    OutputFormat format;
    OutputLayout layout;
    PlainWriter *plain;
    JsonWriter *json;
    CsvWriter *csv;
    int depth;
    bool has_record[OUTPUT_MOST_DEPTH]; /* [depth + 1] */
};

Output *output_create(OutputFormat format, OutputLayout layout) {
    Output *output = mem_new(1, sizeof *output);
    output->format = format;
    output->layout = layout;
    if (format == OUTPUT_TEXT) output->plain = plain_writer_create(layout);
    if (format == OUTPUT_JSON) output->json = json_writer_create();
    if (format == OUTPUT_CSV) output->csv = csv_writer_create();
    return output;
}

void output_destroy(Output **output) {
    if (!*output) return;
    plain_writer_destroy(&(*output)->plain);
    json_writer_destroy(&(*output)->json);
    csv_writer_destroy(&(*output)->csv);
    mem_free(*output);
    *output = NULL;
}

OutputFormat output_format(const Output *output) {
    return output->format;
}

void output_record(Output *output) {
    output->has_record[output->depth] = true;
    if (output->plain) plain_writer_record(output->plain);
    if (output->json) json_writer_record(output->json);
    if (output->csv) csv_writer_record(output->csv);
}

static void require_record(const Output *output) {
    if (!output->has_record[output->depth]) fatal("output: a value without a record");
}

static void add(Output *output, const OutputValue *value) {
    require_record(output);
    if (output->plain) plain_writer_value(output->plain, value);
    if (output->json) json_writer_value(output->json, value);
    if (output->csv) csv_writer_value(output->csv, value);
}

void output_text(Output *output, const char *name, const char *title, const char *value) {
    add(output, &(OutputValue){name, title, value, NULL, false});
}

/* The shortest of cJSON's that is read back as the same number. */
static const char *number_literal(double value, char literal[LITERAL]) {
    cJSON *json = isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull();
    if (!cJSON_PrintPreallocated(json, literal, LITERAL, false))
        fatal("output: %.17g can't be printed", value);
    cJSON_Delete(json);
    return literal;
}

static void add_number(Output *output, const char *name, const char *title, double value, const char *text) {
    char literal[LITERAL];
    add(output, &(OutputValue){name, title, text, number_literal(value, literal), true});
}

void output_integer(Output *output, const char *name, const char *title, int64_t value) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    add(output, &(OutputValue){name, title, text, text, true});
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
    add(output, &(OutputValue){name, title, value ? "yes" : "no", value ? "true" : "false", false});
}

void output_note(Output *output, const char *format, ...) {
    TextBuffer text;
    va_list args;
    require_record(output);
    if (!output->plain) return;
    text_buffer_init(&text);
    va_start(args, format);
    vfprintf(text.file, format, args);
    va_end(args);
    plain_writer_note(output->plain, text_buffer_text(&text));
    text_buffer_free(&text);
}

/* Where to print an array for programs; NULL: the format leaves it out. */
static FILE *begin_array(Output *output, const char *name) {
    require_record(output);
    return output->json ? json_writer_array(output->json, name) : NULL;
}

static void print_integers(FILE *file, const int64_t *values, int n) {
    char literal[LITERAL];
    fputc('[', file);
    for (int i = 0; i < n; i++)
        fprintf(file, "%s%s", i ? "," : "", number_literal((double)values[i], literal));
    fputc(']', file);
}

void output_integers(Output *output, const char *name, const int64_t *values, int n) {
    FILE *file = begin_array(output, name);
    if (file) print_integers(file, values, n);
}

void output_reals(Output *output, const char *name, const double *values, int n) {
    char literal[LITERAL];
    FILE *file = begin_array(output, name);
    if (!file) return;
    fputc('[', file);
    for (int i = 0; i < n; i++)
        fprintf(file, "%s%s", i ? "," : "", number_literal(values[i], literal));
    fputc(']', file);
}

void output_texts(Output *output, const char *name, char *const *values, int n) {
    FILE *file = begin_array(output, name);
    if (!file) return;
    fputc('[', file);
    for (int i = 0; i < n; i++) {
        if (i) fputc(',', file);
        json_print_text(file, values[i]);
    }
    fputc(']', file);
}

void output_matrix(Output *output, const char *name, const int64_t *values, int rows, int columns) {
    FILE *file = begin_array(output, name);
    if (!file) return;
    fputc('[', file);
    for (int r = 0; r < rows; r++) {
        if (r) fputc(',', file);
        print_integers(file, values + (int64_t)r * columns, columns);
    }
    fputc(']', file);
}

void output_begin(Output *output, const char *name, const char *title, OutputLayout layout) {
    require_record(output);
    if (output->depth + 1 == OUTPUT_MOST_DEPTH) fatal("output: tables are nested too deeply");
    output->has_record[++output->depth] = false;
    if (output->plain) plain_writer_begin(output->plain, title, layout);
    if (output->json) json_writer_begin(output->json, name);
    if (output->csv) csv_writer_begin(output->csv);
}

void output_end(Output *output) {
    output->depth--;
    if (output->plain) plain_writer_end(output->plain);
    if (output->json) json_writer_end(output->json);
    if (output->csv) csv_writer_end(output->csv);
}

void output_write(const Output *output, FILE *file) {
    if (output->plain) plain_writer_print(output->plain, file);
    if (output->json) json_writer_print(output->json, file);
    if (output->csv) csv_writer_print(output->csv, file);
}

void output_print(const Output *output) {
    output_write(output, stdout);
}

void output_flush(Output *output) {
    output_print(output);
    fflush(stdout);
    if (output->plain) {
        plain_writer_destroy(&output->plain);
        output->plain = plain_writer_create(output->layout);
    }
    if (output->json) {
        json_writer_destroy(&output->json);
        output->json = json_writer_create();
    }
    if (output->csv) csv_writer_forget(output->csv);
    output->has_record[0] = false;
}
