#include "core/output_plain.h"

#include "core/mem.h"
#include "core/utf8.h"

#include <stdbool.h>

typedef struct Table Table;

/* A value, or a nested table. */
typedef struct {
    char *title, *text; /* NULL: not for people */
    Table *table;
    bool number;
} Field;

typedef struct {
    int count;
    Field *fields; /* [count] */
    char *note;    /* or NULL */
} Record;

struct Table {
    OutputLayout layout;
    int count;
    Record *records; /* [count] */
};

struct PlainWriter {
    Table root;
    int depth;
    Table *open[OUTPUT_MOST_DEPTH]; /* [depth + 1] the root and the tables that are open in it */
};

PlainWriter *plain_writer_create(OutputLayout layout) {
    PlainWriter *writer = mem_new(1, sizeof *writer);
    writer->root.layout = layout;
    writer->open[0] = &writer->root;
    return writer;
}

static void table_free(Table *table) {
    for (int r = 0; r < table->count; r++) {
        Record *record = &table->records[r];
        for (int f = 0; f < record->count; f++) {
            Field *field = &record->fields[f];
            mem_free(field->title);
            mem_free(field->text);
            if (field->table) table_free(field->table);
            mem_free(field->table);
        }
        mem_free(record->fields);
        mem_free(record->note);
    }
    mem_free(table->records);
}

void plain_writer_destroy(PlainWriter **writer) {
    if (!*writer) return;
    table_free(&(*writer)->root);
    mem_free(*writer);
    *writer = NULL;
}

void plain_writer_record(PlainWriter *writer) {
    Table *table = writer->open[writer->depth];
    table->records = mem_grow(table->records, (size_t)table->count, sizeof *table->records);
    table->records[table->count++] = (Record){0};
}

static Record *current(PlainWriter *writer) {
    const Table *table = writer->open[writer->depth];
    return &table->records[table->count - 1];
}

static Field *add(PlainWriter *writer, const char *title) {
    Record *record = current(writer);
    record->fields = mem_grow(record->fields, (size_t)record->count, sizeof *record->fields);
    Field *field = &record->fields[record->count++];
    *field = (Field){.title = title ? mem_text(title) : NULL};
    return field;
}

void plain_writer_value(PlainWriter *writer, const OutputValue *value) {
    Field *field = add(writer, value->title);
    field->text = mem_text(value->text);
    field->number = value->is_number;
}

void plain_writer_note(PlainWriter *writer, const char *text) {
    Record *record = current(writer);
    mem_free(record->note);
    record->note = mem_text(text);
}

void plain_writer_begin(PlainWriter *writer, const char *title, OutputLayout layout) {
    Field *field = add(writer, title);
    field->table = mem_new(1, sizeof *field->table);
    field->table->layout = layout;
    writer->open[++writer->depth] = field->table;
}

void plain_writer_end(PlainWriter *writer) {
    writer->depth--;
}

static bool is_shown(const Field *field) {
    return field->title && !field->table;
}

/* The widest cell of field f, its title included; a few long texts shouldn't part all the others. */
static int column_width(const Table *table, int f) {
    const int most = 40;
    int width = utf8_width(table->records[0].fields[f].title);
    for (int r = 0; r < table->count; r++) {
        const Record *record = &table->records[r];
        const int own = f < record->count && record->fields[f].text ? utf8_width(record->fields[f].text) : 0;
        width = own > width && own <= most ? own : width;
    }
    return width;
}

/* Numbers to the right, under a title where any column has one; the last text without blanks behind it. */
static void print_cell(FILE *file, const char *text, int width, bool right, bool last) {
    const int missing = width - utf8_width(text), blanks = missing > 0 ? missing : 0;
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
        if (is_shown(field) && utf8_width(field->title) > width) width = utf8_width(field->title);
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
            const Table *inner = record->fields[f].table;
            if (!inner || !inner->count || !record->fields[f].title) continue;
            fprintf(file, "\n%s\n", record->fields[f].title);
            print_text(file, inner);
        }
        if (record->note) fprintf(file, "%s\n", record->note);
    }
}

void plain_writer_print(const PlainWriter *writer, FILE *file) {
    print_text(file, &writer->root);
}
