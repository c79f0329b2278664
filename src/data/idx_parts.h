/* A dataset of IDX files: its parts read, checked and made what a model expects. */
#ifndef PARDIGITS_DATA_IDX_PARTS_H
#define PARDIGITS_DATA_IDX_PARTS_H

#include "core/status.h"
#include "store/dataset.h"

#include <stdbool.h>

typedef struct {
    int labels_from;       /* the first class's label, 0 or 1; -1: 0, but refused if no image has it */
    bool transpose;        /* rows become columns, as EMNIST's images want */
    const char *name_file; /* names of the classes, one a line (UTF-8); NULL: none */
} IdxOptions;

/* Reads the training part "train" and, if it is there, the test part "t10k" or "test" (idx_read). There are
 * as many classes as names, or else as the labels need; labels that leave most of their classes without an
 * image are refused where there are no names. Freed by dataset_parts_free, also after a failure. */
StatusCode idx_parts_read(const char *base, const IdxOptions *options, DatasetParts *parts, Status *status);

#endif
