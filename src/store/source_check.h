/* Another program may have changed a dataset of ours and left the hashes of where its images came from. */
#ifndef PARDIGITS_STORE_SOURCE_CHECK_H
#define PARDIGITS_STORE_SOURCE_CHECK_H

#include "store/dataset.h"
#include "store/h5io.h"

/* Reads all n images and labels of a part. A hash in source that isn't theirs is replaced by that of their
 * bytes, so that a run isn't continued with them; none ("") stays none. STATUS_FAILED if they can't be read.
 * Not collective. */
StatusCode source_check(const H5File *file, const char *images, const char *labels, int64_t n, ImageSpec spec,
                        ImageSource *source, Status *status);

#endif
