/* What a command prints, for people or for programs. A command fills records once; text, JSON and CSV are
 * made of the same values. Not collective: rank 0 prints. */
#ifndef PARDIGITS_CORE_OUTPUT_H
#define PARDIGITS_CORE_OUTPUT_H

#include <stdint.h>
#include <stdio.h>

typedef enum { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_CSV } OutputFormat;

/* How people see the records: a table, or one value a line. */
typedef enum { OUTPUT_TABLE, OUTPUT_LINES } OutputLayout;

typedef struct Output Output;

/* Without records; destroyed by output_destroy. */
Output *output_create(OutputFormat format, OutputLayout layout);
void output_destroy(Output **output);

OutputFormat output_format(const Output *output);

/* Begins a record, in a nested table a row. The values that follow belong to it. */
void output_record(Output *output);

/* A value of the record: name for programs; title for people, or NULL for what only programs see. format is
 * printf's, for people. Numbers that aren't finite are "-", in JSON null and in CSV empty. */
void output_text(Output *output, const char *name, const char *title, const char *value);
void output_integer(Output *output, const char *name, const char *title, int64_t value);
void output_real(Output *output, const char *name, const char *title, double value, const char *format);
void output_bool(Output *output, const char *name, const char *title, int value);

/* Text for people alone, a line after the record's values. */
void output_note(Output *output, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Arrays of the record, for programs alone: [n], [rows][columns]. CSV leaves them out. */
void output_integers(Output *output, const char *name, const int64_t *values, int n);
void output_reals(Output *output, const char *name, const double *values, int n);
void output_texts(Output *output, const char *name, char *const *values, int n);
void output_matrix(Output *output, const char *name, const int64_t *values, int rows, int columns);

/* A table within the record, whose rows are records; after output_end the values belong to the record again.
 * CSV prints the tables of a record where there are any, and otherwise the records. */
void output_begin(Output *output, const char *name, const char *title, OutputLayout layout);
void output_end(Output *output);

/* Writes everything to a file: JSON is one object a record, each in a line. */
void output_write(const Output *output, FILE *file);

/* The same on standard output. */
void output_print(const Output *output);

/* Prints the records so far, now, and forgets them; more of the same kind may follow. CSV names its columns
 * once; the columns of a table are as wide as what is printed together needs. */
void output_flush(Output *output);

#endif
