/* What a dataset holds, by its bytes: another program may have written it without hashes of where its images
 * came from, or changed one of ours and left them. */
#ifndef PARDIGITS_STORE_SOURCE_CHECK_H
#define PARDIGITS_STORE_SOURCE_CHECK_H

#include "store/dataset.h"
#include "store/h5io.h"

/* Reads all n images and labels of a part ("train" or "test"). A hash in source that isn't theirs, or is none
 * (""), is replaced by that of their bytes. numbers [256]: each label's number in the source; NULL: the same.
 * STATUS_FAILED if they can't be read. Not collective. */
StatusCode source_check(const H5File *file, const char *part, int64_t n, ImageSpec spec,
                        const uint8_t *numbers, ImageSource *source, Status *status);

#endif
