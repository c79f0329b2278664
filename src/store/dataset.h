/* The dataset file: /train/images u8 [n,28,28], /train/labels u8 [n], /test/... likewise. */
#ifndef PARDIGITS_STORE_DATASET_H
#define PARDIGITS_STORE_DATASET_H

#include "core/partition.h"
#include "core/status.h"
#include "parallel/comm.h"
#include "store/image_set.h"

#include <stdint.h>

/* Where images and labels came from: the checksums of their IDX files ("": unknown). */
typedef struct {
    char images_sha256[65], labels_sha256[65];
} ImageSource;

/* Writes both parts to path (temporary name, then renamed). Serial: one rank calls it. */
StatusCode dataset_write(const char *path, const ImageSet *train, const ImageSource *train_source,
                         const ImageSet *test, const ImageSource *test_source, Status *status);

/* How many training and test images the file holds; verifies its format. Collective: all ranks agree. */
StatusCode dataset_counts(const char *path, const Comm *comm, int64_t *train, int64_t *test, Status *status);

/* Where a part, "train" or "test", came from. Collective: all ranks agree. */
StatusCode dataset_source(const char *path, const char *part, const Comm *comm, ImageSource *source,
                          Status *status);

/* Reads rows of "train" or "test". Collective: each rank passes its own range (empty is legal); in parallel
 * over MPI-IO where that serves (several ranks on a file system that isn't NFS), otherwise each rank by
 * itself. All ranks agree on the status. *set is freed by the caller. */
StatusCode dataset_read(const char *path, const char *part, Range rows, const Comm *comm, ImageSet *set,
                        Status *status);

#endif
