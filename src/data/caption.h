/* Text in drawn pictures. Leptonica's font holds ASCII alone, and is read outside its memory for anything
 * else. */
#ifndef PARDIGITS_DATA_CAPTION_H
#define PARDIGITS_DATA_CAPTION_H

#include "core/log.h"
#include "store/class_names.h"

#include <stddef.h>

/* What a picture calls a class: its name, or its number where the font can't draw the name. */
const char *caption_class(const ClassNames *names, int label, char number[12]);

/* Says so if some names can't be drawn. */
void caption_hint_at_numbers(const ClassNames *names, Log *log);

/* A text as the font can draw it, with ? for each other byte; as much of it as `size` bytes hold. */
void caption_safe(const char *text, char *safe, size_t size);

#endif
