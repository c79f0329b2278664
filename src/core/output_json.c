#include "core/output_json.h"

#include "core/mem.h"
#include "core/text_buffer.h"
#include "core/utf8.h"

#include <cjson/cJSON.h>

/* Of the records, or of a table within one. */
typedef struct {
    int records;
    int values; /* of the last record */
} Level;

struct JsonWriter {
    TextBuffer text; /* without the end of the last record */
    int depth;
    Level levels[OUTPUT_MOST_DEPTH]; /* [depth + 1] */
};

JsonWriter *json_writer_create(void) {
    JsonWriter *writer = mem_new(1, sizeof *writer);
    text_buffer_init(&writer->text);
    return writer;
}

void json_writer_destroy(JsonWriter **writer) {
    if (!*writer) return;
    text_buffer_free(&(*writer)->text);
    mem_free(*writer);
    *writer = NULL;
}

void json_writer_record(JsonWriter *writer) {
    Level *level = &writer->levels[writer->depth];
    if (level->records++) fputs(writer->depth ? "}," : "}\n", writer->text.file);
    fputc('{', writer->text.file);
    level->values = 0;
}

void json_print_text(FILE *file, const char *text) {
    char *valid = utf8_copy(text);
    cJSON *json = cJSON_CreateString(valid);
    char *printed = cJSON_PrintUnformatted(json);
    fputs(printed, file);
    cJSON_free(printed);
    cJSON_Delete(json);
    mem_free(valid);
}

static FILE *begin_value(JsonWriter *writer, const char *name) {
    FILE *file = writer->text.file;
    if (writer->levels[writer->depth].values++) fputc(',', file);
    json_print_text(file, name);
    fputc(':', file);
    return file;
}

void json_writer_value(JsonWriter *writer, const OutputValue *value) {
    FILE *file = begin_value(writer, value->name);
    if (value->literal)
        fputs(value->literal, file);
    else
        json_print_text(file, value->text);
}

FILE *json_writer_array(JsonWriter *writer, const char *name) {
    return begin_value(writer, name);
}

void json_writer_begin(JsonWriter *writer, const char *name) {
    fputc('[', begin_value(writer, name));
    writer->levels[++writer->depth] = (Level){0};
}

void json_writer_end(JsonWriter *writer) {
    fputs(writer->levels[writer->depth--].records ? "}]" : "]", writer->text.file);
}

void json_writer_print(const JsonWriter *writer, FILE *file) {
    text_buffer_print(&writer->text, file);
    if (writer->levels[0].records) fputs("}\n", file);
}
