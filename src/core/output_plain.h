/* Writes records for people: as tables with aligned columns, or one value a line. It keeps all values, as the
 * widest of a column decides. */
#ifndef PARDIGITS_CORE_OUTPUT_PLAIN_H
#define PARDIGITS_CORE_OUTPUT_PLAIN_H

#include "core/output.h"
#include "core/output_value.h"

typedef struct PlainWriter PlainWriter;

/* Destroyed by plain_writer_destroy. */
PlainWriter *plain_writer_create(OutputLayout layout);
void plain_writer_destroy(PlainWriter **writer);

void plain_writer_record(PlainWriter *writer);
void plain_writer_value(PlainWriter *writer, const OutputValue *value);

/* A line after the values of the record. */
void plain_writer_note(PlainWriter *writer, const char *text);

/* A table within the record; title NULL: not for people. */
void plain_writer_begin(PlainWriter *writer, const char *title, OutputLayout layout);
void plain_writer_end(PlainWriter *writer);

void plain_writer_print(const PlainWriter *writer, FILE *file);

#endif
