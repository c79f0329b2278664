/* The dataset file: /train/images u8 [n,height,width], /train/labels u8 [n], /test/... likewise, which may be
 * absent; attributes of the file: classes, and class_names (class_names.h), which may be absent. */
#ifndef PARDIGITS_STORE_DATASET_H
#define PARDIGITS_STORE_DATASET_H

#include "core/partition.h"
#include "core/status.h"
#include "parallel/comm.h"
#include "store/class_names.h"
#include "store/image_set.h"

#include <stdint.h>

/* Where images and labels came from: the checksums of their files, or those of what a dataset file holds
 * where another program has written or changed it ("": unknown, as of 4 GiB and more without checksums). */
typedef struct {
    char images_sha256[65], labels_sha256[65];
} ImageSource;

/* Everything that a dataset file holds. */
typedef struct {
    ImageSet train, test; /* of one spec; test.n = 0: no test part */
    ImageSource train_source, test_source;
    ClassNames class_names;
    char **train_paths,
        **test_paths; /* of the pictures that images come from, owned; NULL after the last; or NULL */
} DatasetParts;
void dataset_parts_free(DatasetParts *parts);

/* The names of the arrays of a part, "train" or "test". */
enum { DATASET_NAME = 64 };
void dataset_part_names(const char *part, char images[DATASET_NAME], char labels[DATASET_NAME]);

/* The attributes format and version of the file. */
#define DATASET_FORMAT "pardigits dataset"
enum { DATASET_VERSION = 1 };

/* Writes the parts to path (temporary name, then renamed). Serial: one rank calls it. */
StatusCode dataset_write(const char *path, const DatasetParts *parts, Status *status);

/* A dataset file under way, whose training images come in blocks. */
typedef struct DatasetWriter DatasetWriter;

/* Begins a file with `train` training images; everything else is that of the parts, which outlive the writer.
 * Serial. Ended by dataset_end, also after a failure. */
DatasetWriter *dataset_begin(const char *path, const DatasetParts *parts, int64_t train, Status *status);

/* Writes the next training images. */
StatusCode dataset_append(DatasetWriter *writer, const ImageSet *images, Status *status);

/* Says where the training images came from, and how they were made, in a sentence (NULL: not said); puts the
 * file in place and frees the writer. After a failure nothing is left. */
StatusCode dataset_end(DatasetWriter **writer, const ImageSource *source, const char *made, Status *status);

/* A dataset file without its images. */
typedef struct {
    char *path;
    ImageSpec spec;
    int64_t train, test; /* images; test is 0 without a test part */
    ImageSource train_source, test_source;
    ClassNames class_names;
    bool says_classes; /* otherwise they are 10 */
    bool lacks_sum;    /* it has no checksum */
    char unread[160];  /* what it holds beside the two parts, such as "/valid"; "": nothing */
} Dataset;

/* Verifies the file's format and tells what it holds. Collective: all ranks agree. Freed by dataset_close,
 * after a failure too. */
StatusCode dataset_open(const char *path, const Comm *comm, Dataset *dataset, Status *status);
void dataset_close(Dataset *dataset);

/* Tells the user, on standard error, of a missing checksum and of what isn't read. Rank 0 calls it. */
void dataset_print_notes(const Dataset *dataset);

/* Whether the training part is what a source says. */
typedef enum { SOURCE_UNKNOWN, SOURCE_SAME, SOURCE_OTHER_LABELS, SOURCE_OTHER_IMAGES } SourceMatch;

/* numbers [256]: what the source calls each class of the dataset; NULL: the same. Reads the file where hashes
 * differ. Collective: all ranks agree. */
StatusCode dataset_compare(const Dataset *dataset, const Comm *comm, const ImageSource *source,
                           const uint8_t *numbers, SourceMatch *match, Status *status);

/* STATUS_FAILED if one of n labels, which are those of a part from row `first` on, is beyond the classes. Not
 * collective. */
StatusCode dataset_check_labels(const Dataset *dataset, const char *part, int64_t first, int64_t n,
                                const uint8_t *labels, Status *status);

/* Reads rows of "train" or "test". Collective: each rank passes its own range (empty is legal); in parallel
 * over MPI-IO where that serves (several ranks on a file system that isn't NFS), otherwise each rank by
 * itself. All ranks agree on the status. *set is freed by the caller. */
StatusCode dataset_read(const Dataset *dataset, const char *part, Range rows, const Comm *comm, ImageSet *set,
                        Status *status);

#endif
