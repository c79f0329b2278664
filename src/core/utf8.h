/* Text in UTF-8. */
#ifndef PARDIGITS_CORE_UTF8_H
#define PARDIGITS_CORE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

bool utf8_is_valid(const char *text);

/* A copy in which each byte that isn't part of valid UTF-8 is taken as Latin-1; freed by mem_free. */
char *utf8_from_latin1(const char *text);

/* A copy in which U+FFFD stands for each byte that isn't part of valid UTF-8, such as those of some file
 * names; freed by mem_free. */
char *utf8_copy(const char *text);

/* Characters of a text; a byte that isn't valid counts as one. */
int utf8_length(const char *text);

/* The characters of a valid text: points[utf8_length(text)], and how many there are. */
int utf8_points(const char *text, uint32_t *points);

/* The columns that a text takes on a terminal: Chinese and Japanese characters take two, combining accents
 * none; a byte that isn't valid counts as one. */
int utf8_width(const char *text);

/* The bytes of a line's longest beginning that takes at most so many columns. */
int utf8_line_within(const char *line, int columns);

#endif
