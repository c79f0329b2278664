#include "core/output_csv.h"

#include "core/mem.h"
#include "core/text_buffer.h"

#include <stdbool.h>
#include <string.h>

enum { WRITTEN_DEPTH = 2 }; /* the records, and their tables */

/* The names are those of the first record. */
typedef struct {
    TextBuffer names, rows;
    int records;
    int values;    /* of the last record */
    bool is_named; /* the names were printed with earlier rows */
} Csv;

struct CsvWriter {
    Csv open[WRITTEN_DEPTH]; /* the records; the table that is open in them */
    TextBuffer tables;       /* those that have ended */
    int table_count, depth;
};

static void csv_init(Csv *csv) {
    *csv = (Csv){0};
    text_buffer_init(&csv->names);
    text_buffer_init(&csv->rows);
}

static void csv_free(Csv *csv) {
    text_buffer_free(&csv->names);
    text_buffer_free(&csv->rows);
}

CsvWriter *csv_writer_create(void) {
    CsvWriter *writer = mem_new(1, sizeof *writer);
    for (int d = 0; d < WRITTEN_DEPTH; d++)
        csv_init(&writer->open[d]);
    text_buffer_init(&writer->tables);
    return writer;
}

void csv_writer_destroy(CsvWriter **writer) {
    if (!*writer) return;
    for (int d = 0; d < WRITTEN_DEPTH; d++)
        csv_free(&(*writer)->open[d]);
    text_buffer_free(&(*writer)->tables);
    mem_free(*writer);
    *writer = NULL;
}

void csv_writer_record(CsvWriter *writer) {
    if (writer->depth >= WRITTEN_DEPTH) return;
    Csv *csv = &writer->open[writer->depth];
    if (csv->records++) fputc('\n', csv->rows.file);
    csv->values = 0;
}

static void print_text(FILE *file, const char *text) {
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

void csv_writer_value(CsvWriter *writer, const OutputValue *value) {
    if (writer->depth >= WRITTEN_DEPTH) return;
    Csv *csv = &writer->open[writer->depth];
    const bool follows = csv->values++ > 0;
    if (csv->records == 1) {
        if (follows) fputc(',', csv->names.file);
        print_text(csv->names.file, value->name);
    }
    if (follows) fputc(',', csv->rows.file);
    if (!value->literal)
        print_text(csv->rows.file, value->text);
    else if (strcmp(value->literal, "null"))
        fputs(value->literal, csv->rows.file);
}

void csv_writer_begin(CsvWriter *writer) {
    writer->depth++;
}

static void csv_print(const Csv *csv, FILE *file) {
    if (!csv->records) return;
    if (!csv->is_named) {
        text_buffer_print(&csv->names, file);
        fputc('\n', file);
    }
    text_buffer_print(&csv->rows, file);
    fputc('\n', file);
}

void csv_writer_end(CsvWriter *writer) {
    if (writer->depth-- >= WRITTEN_DEPTH) return;
    Csv *table = &writer->open[writer->depth + 1];
    if (table->records && writer->table_count++) fputc('\n', writer->tables.file);
    csv_print(table, writer->tables.file);
    csv_free(table);
    csv_init(table);
}

void csv_writer_print(const CsvWriter *writer, FILE *file) {
    if (writer->table_count)
        text_buffer_print(&writer->tables, file);
    else
        csv_print(&writer->open[0], file);
}

void csv_writer_forget(CsvWriter *writer) {
    Csv *records = &writer->open[0];
    const bool is_named = records->is_named || records->records;
    csv_free(records);
    csv_init(records);
    records->is_named = is_named && !writer->table_count;
    text_buffer_free(&writer->tables);
    text_buffer_init(&writer->tables);
    writer->table_count = 0;
}
