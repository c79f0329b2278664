/* IDX files (http://yann.lecun.com/exdb/mnist), plain or compressed. */
#ifndef PARDIGITS_DATA_IDX_H
#define PARDIGITS_DATA_IDX_H

#include "core/status.h"
#include "store/dataset.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    IDX_VARIANTS = 4
}; /* of a file's name: NAME-images-idx3-ubyte, or with a dot before idx3; plain or .gz */

/* Reads a pair of IDX files, NAME-images-idx3-ubyte and NAME-labels-idx1-ubyte (name is "train" or "t10k",
 * say) of a folder; a base that ends in - is what their paths begin with (DIR/emnist-letters-). Every header
 * field and the exact length are checked. The spec's class count is that which the labels need. source gets
 * the SHA-256 of the plain contents. *set is freed by the caller. */
StatusCode idx_read(const char *base, const char *name, ImageSet *set, ImageSource *source, Status *status);

/* Whether either file of the pair is there. */
bool idx_exists(const char *base, const char *name);

/* All paths that idx_read looks at; freed by the caller (mem_free). */
void idx_paths(const char *base, const char *name, char *paths[2 * IDX_VARIANTS]);

#endif
