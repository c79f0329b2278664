/* A text in memory that is written like a file, and grows. */
#ifndef PARDIGITS_CORE_TEXT_BUFFER_H
#define PARDIGITS_CORE_TEXT_BUFFER_H

#include <stdio.h>

typedef struct {
    FILE *file; /* to write to */
    char *bytes;
    size_t count;
} TextBuffer;

/* In place: it must not be moved. Without memory for it the program ends (fatal). */
void text_buffer_init(TextBuffer *buffer);
void text_buffer_free(TextBuffer *buffer);

/* The text so far, with a 0 behind it; only until more is written. */
const char *text_buffer_text(const TextBuffer *buffer);

/* Frees the buffer and returns its text, which is freed by mem_free. */
char *text_buffer_take(TextBuffer *buffer);

/* Writes the text to another file. */
void text_buffer_print(const TextBuffer *buffer, FILE *file);

#endif
