/* Contact sheets: many images in one picture. */
#ifndef PARDIGITS_DATA_SHEET_H
#define PARDIGITS_DATA_SHEET_H

#include "core/status.h"
#include "store/class_names.h"
#include "store/image_set.h"

/* A caption such as "3 at 1501": where its column is too narrow for both, the name is cut. */
typedef struct {
    char name[CLASS_NAME_BYTES + 8], end[16];
} SheetCaption;

/* Writes a PNG of the set's images in `columns` columns (dark ink on white), each with its caption below
 * (captions[set->n], e.g. its label; NULL for none). The file appears whole or not at all. */
StatusCode sheet_write(const char *path, const ImageSet *set, int columns, const SheetCaption *captions,
                       Status *status);

struct Pix;

/* Writes any picture (leptonica's PIX) as a PNG, whole or not at all; NULL is one that couldn't be made. */
StatusCode sheet_write_picture(const char *path, struct Pix *picture, Status *status);

#endif
