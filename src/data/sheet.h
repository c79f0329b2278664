/* Contact sheets: many images in one picture. */
#ifndef PARDIGITS_DATA_SHEET_H
#define PARDIGITS_DATA_SHEET_H

#include "core/status.h"
#include "store/dataset.h"

#include <stdint.h>

/* Writes a PNG of n images [n][28][28] in `columns` columns (dark ink on white), each with its caption below
 * (captions[n], e.g. its label; NULL for none). The file appears whole or not at all. */
StatusCode sheet_write(const char *path, const uint8_t *images, int64_t n, int columns, char *const *captions,
                       Status *status);

#endif
