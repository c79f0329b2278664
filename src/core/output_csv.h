/* Writes records as CSV (RFC 4180), as they come: it keeps no more than their text. It prints the tables of
 * the records where any has rows, one after the other, and otherwise the records; tables of tables are left
 * out. */
#ifndef PARDIGITS_CORE_OUTPUT_CSV_H
#define PARDIGITS_CORE_OUTPUT_CSV_H

#include "core/output_value.h"

#include <stdio.h>

typedef struct CsvWriter CsvWriter;

/* Destroyed by csv_writer_destroy. */
CsvWriter *csv_writer_create(void);
void csv_writer_destroy(CsvWriter **writer);

void csv_writer_record(CsvWriter *writer);
void csv_writer_value(CsvWriter *writer, const OutputValue *value);

/* A table within the record. */
void csv_writer_begin(CsvWriter *writer);
void csv_writer_end(CsvWriter *writer);

/* What was written so far, as a whole. */
void csv_writer_print(const CsvWriter *writer, FILE *file);

/* Forgets what was printed; what follows goes on with it, without names. */
void csv_writer_forget(CsvWriter *writer);

#endif
