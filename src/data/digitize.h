/* Pictures of one's own, made into images as a model expects them. Not collective; thread-safe but for
 * digitize_picture and digitize_silence. */
#ifndef PARDIGITS_DATA_DIGITIZE_H
#define PARDIGITS_DATA_DIGITIZE_H

#include "core/status.h"
#include "data/found_digits.h"
#include "store/image_set.h"

#include <stdbool.h>
#include <stdint.h>

/* Reads a picture (its first page; any format of data/picture.h, any size and colour; dark on light or light
 * on dark) that holds one digit, and makes of it an image [height][width] as MNIST's makers did: scaled to
 * fit 20/28 of either side with its proportions kept, centred by mass; or stretches it, if spec.from says so.
 * STATUS_FAILED if it can't be read or is empty. */
StatusCode digitize_picture(const char *path, ImageSpec spec, uint8_t *image, Status *status);

/* Why a page can't be read, or why of one that can nothing was; page -1 is the whole picture. */
typedef struct {
    int picture, page;
    bool is_read;
    char text[sizeof((Status *)0)->text];
} UnreadPage;

typedef struct {
    int64_t count;
    UnreadPage *pages; /* [count]; freed by mem_free */
} UnreadPages;

/* Adds the digits of a picture, of all its pages, and gives their number; where single is set each page is
 * taken as one digit, as it is where found->spec.from says that images were made of whole pictures. A page
 * that can't be read is added to `unread`, and the others are read; 0 if the whole picture can't be.
 * found->spec is set. */
int digitize_pages(const char *path, int picture, bool single, FoundDigits *found, UnreadPages *unread);

/* Decoders print lines of their own: this stops them for the whole process, and lets it print again. Not
 * thread-safe. */
int digitize_silence(void);
void digitize_unsilence(int kept);

#endif
