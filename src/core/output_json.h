/* Writes records as JSON (RFC 8259), one object a line, as they come: it keeps no more than their text. */
#ifndef PARDIGITS_CORE_OUTPUT_JSON_H
#define PARDIGITS_CORE_OUTPUT_JSON_H

#include "core/output_value.h"

#include <stdio.h>

typedef struct JsonWriter JsonWriter;

/* Destroyed by json_writer_destroy. */
JsonWriter *json_writer_create(void);
void json_writer_destroy(JsonWriter **writer);

void json_writer_record(JsonWriter *writer);
void json_writer_value(JsonWriter *writer, const OutputValue *value);

/* An array, which the caller writes to the stream that is returned. */
FILE *json_writer_array(JsonWriter *writer, const char *name);

/* A table within the record. */
void json_writer_begin(JsonWriter *writer, const char *name);
void json_writer_end(JsonWriter *writer);

/* A string with its quotes; bytes that aren't UTF-8 are replaced (utf8_copy). */
void json_print_text(FILE *file, const char *text);

/* What was written so far, as a whole. */
void json_writer_print(const JsonWriter *writer, FILE *file);

#endif
