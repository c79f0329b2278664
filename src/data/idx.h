/* IDX files (http://yann.lecun.com/exdb/mnist), plain or compressed. */
#ifndef PARDIGITS_DATA_IDX_H
#define PARDIGITS_DATA_IDX_H

#include "core/status.h"
#include "store/dataset.h"

#include <stdint.h>

/* Reads the "train" or "t10k" pair of IDX files (http://yann.lecun.com/exdb/mnist, IDX format) from folder:
 * canonical names NAME-images-idx3-ubyte and NAME-labels-idx1-ubyte, plain or with .gz. Every header field,
 * the exact length and the labels' range are checked. source gets the SHA-256 of the plain contents. *set is
 * freed by the caller. */
StatusCode idx_read(const char *folder, const char *name, ImageSet *set, ImageSource *source, Status *status);

#endif
