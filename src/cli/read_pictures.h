/* The pictures that a command line names, and the digits on them. */
#ifndef PARDIGITS_CLI_READ_PICTURES_H
#define PARDIGITS_CLI_READ_PICTURES_H

#include "core/status.h"
#include "data/digitize.h"
#include "parallel/context.h"

/* Files by name. */
typedef struct {
    int count;
    char **paths; /* [count], each freed by mem_free */
} PictureList;

/* Files as they are, "-" for standard input, and of folders the pictures in them and in their folders, by
 * name; which of their other files are passed over is told. Collective: rank 0 looks, and every rank gets the
 * list; ranks agree. Freed by picture_list_free. */
StatusCode picture_list_make(const Context *context, int count, char *const *operands, PictureList *list,
                             Status *status);
void picture_list_free(PictureList *list);

/* The digits of all pictures, by picture, the same on every rank; ranks and threads share the work. Rank 0
 * prints what can't be read but for the first, which is *unreadable. single: each page is one digit.
 * pages [list->count] is set to the pages of each picture, 0 for one that can't be read; *unread to what
 * can't be read, and to notes on pages that were. Collective. *found is freed by found_digits_free. */
void read_pictures(const Context *context, const PictureList *list, bool single, FoundDigits *found,
                   int *pages, UnreadPages *unread, Status *unreadable);

#endif
