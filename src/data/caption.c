#include "data/caption.h"

#include <stdbool.h>
#include <stdio.h>

static bool in_font(char character) {
    return character >= ' ' && character <= '~';
}

static bool can_be_drawn(const char *text) {
    while (in_font(*text))
        text++;
    return !*text;
}

const char *caption_class(const ClassNames *names, int label, char number[12]) {
    const char *name = class_name(names, label, number);
    return can_be_drawn(name) ? name : class_name(&(ClassNames){0}, label, number);
}

void caption_hint_at_numbers(const ClassNames *names, Log *log) {
    for (int c = 0; c < names->count; c++)
        if (!can_be_drawn(names->names[c])) {
            log_line(log,
                     "captions call classes such as %d (%s) by their numbers: names with characters beyond "
                     "ASCII can't be drawn",
                     c, names->names[c]);
            return;
        }
}

void caption_safe(const char *text, char *safe, size_t size) {
    size_t length = 0;
    for (; text[length] && length + 1 < size; length++)
        safe[length] = in_font(text[length]) ? text[length] : '?';
    safe[length] = 0;
}
