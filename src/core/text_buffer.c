#include "core/text_buffer.h"

#include "core/mem.h"
#include "core/status.h"

#include <stdlib.h>

void text_buffer_init(TextBuffer *buffer) {
    *buffer = (TextBuffer){0};
    buffer->file = open_memstream(&buffer->bytes, &buffer->count);
    if (!buffer->file) fatal("out of memory: a text couldn't be begun");
}

void text_buffer_free(TextBuffer *buffer) {
    if (buffer->file) fclose(buffer->file);
    free(buffer->bytes);
    *buffer = (TextBuffer){0};
}

const char *text_buffer_text(const TextBuffer *buffer) {
    if (fflush(buffer->file) || ferror(buffer->file))
        fatal("out of memory: a text of %zu bytes couldn't grow", buffer->count);
    return buffer->bytes;
}

char *text_buffer_take(TextBuffer *buffer) {
    char *text = mem_text(text_buffer_text(buffer));
    text_buffer_free(buffer);
    return text;
}

void text_buffer_print(const TextBuffer *buffer, FILE *file) {
    const char *text = text_buffer_text(buffer);
    fwrite(text, 1, buffer->count, file);
}
