#include "store/dataset.h"

#include "core/mem.h"
#include "store/atomic_file.h"
#include "store/h5io.h"
#include "store/image_source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { FORMAT_VERSION = 1, NFS_MAGIC = 0x6969 };

static const char format_name[] = "pardigits dataset";

static void write_part(H5File *file, const char *part, const ImageSet *set, const ImageSource *source,
                       Status *status) {
    char group[32], images[64], labels[64];
    snprintf(group, sizeof group, "/%s", part);
    snprintf(images, sizeof images, "/%s/images", part);
    snprintf(labels, sizeof labels, "/%s/labels", part);
    h5_write(file, images, H5_U8, (H5Shape){3, {set->n, IMAGE_SIDE, IMAGE_SIDE}}, set->images, status);
    h5_write(file, labels, H5_U8, (H5Shape){1, {set->n}}, set->labels, status);
    h5_set_text(file, images, "shape", "image, row from the top, column from the left", status);
    h5_set_text(file, images, "units", "0 background to 255 ink", status);
    image_source_write(file, group, source, status);
}

StatusCode dataset_write(const char *path, const ImageSet *train, const ImageSource *train_source,
                         const ImageSet *test, const ImageSource *test_source, Status *status) {
    char *temporary = atomic_file_temporary(path);
    H5File *file;
    h5_create(&file, temporary, status);
    if (file) {
        h5_set_text(file, "/", "format", format_name, status);
        h5_set_i64(file, "/", "version", FORMAT_VERSION, status);
        write_part(file, "train", train, train_source, status);
        write_part(file, "test", test, test_source, status);
    }
    h5_close(&file, status);
    atomic_file_commit(temporary, path, false, status);
    if (status->code) atomic_file_discard(temporary);
    mem_free(temporary);
    return status->code;
}

static int64_t count_part(const H5File *file, const char *part, Status *status) {
    char images_name[64], labels_name[64];
    H5Shape images = {0}, labels = {0};
    snprintf(images_name, sizeof images_name, "/%s/images", part);
    snprintf(labels_name, sizeof labels_name, "/%s/labels", part);
    h5_shape(file, images_name, &images, status);
    h5_shape(file, labels_name, &labels, status);
    if (status->code) return 0;
    bool good = images.rank == 3 && images.dims[1] == IMAGE_SIDE && images.dims[2] == IMAGE_SIDE &&
                labels.rank == 1 && labels.dims[0] == images.dims[0];
    if (!good)
        status_set(
            status, STATUS_FAILED,
            "%s: /%s doesn't hold n images of 28x28 and n labels: make it again with `pardigits prepare`.",
            h5_path(file), part);
    return images.dims[0];
}

StatusCode dataset_counts(const char *path, const Comm *comm, int64_t *train, int64_t *test, Status *status) {
    H5File *file;
    char *format = NULL;
    int64_t version = 0;
    if (access(path, F_OK) < 0 && errno == ENOENT) /* what who has only built the program meets first */
        status_set(status, STATUS_FAILED, "There is no dataset %s: %sname one with --data.", path,
                   strcmp(path, "data/mnist.h5") ? "" : "run `make data`, which makes it, or ");
    h5_open(&file, path, NULL, status);
    if (file && h5_has_attribute(file, "/", "format")) h5_get_text(file, "/", "format", &format, status);
    if (file && (!format || strcmp(format, format_name)))
        status_set(status, STATUS_FAILED, "%s is %s%s, expected a dataset made by `pardigits prepare`.", path,
                   format ? "a " : "no file of pardigits", format ? format : "");
    if (file) h5_get_i64(file, "/", "version", &version, status);
    if (!status->code && version != FORMAT_VERSION)
        status_set(status, STATUS_FAILED, "%s has the format version %lld, this program reads version %d.",
                   path, (long long)version, FORMAT_VERSION);
    *train = status->code ? 0 : count_part(file, "train", status);
    *test = status->code ? 0 : count_part(file, "test", status);
    mem_free(format);
    h5_close(&file, status);
    return comm_agree(comm, status);
}

StatusCode dataset_source(const char *path, const char *part, const Comm *comm, ImageSource *source,
                          Status *status) {
    char group[32];
    H5File *file;
    snprintf(group, sizeof group, "/%s", part);
    if (!h5_open(&file, path, NULL, status)) image_source_read(file, group, source, status);
    h5_close(&file, status);
    return comm_agree(comm, status);
}

/* Parallel HDF5 serves several ranks on a local or parallel file system. On NFS MPI-IO needs locks that are
 * often refused or slow, and one rank gains nothing by it. */
static bool reads_in_parallel(const char *path, const Comm *comm) {
    struct statfs facts;
    int parallel = comm_size(comm) > 1 && statfs(path, &facts) == 0 && facts.f_type != NFS_MAGIC;
    comm_broadcast(comm, &parallel, sizeof parallel, 0);
    return parallel;
}

static StatusCode check_labels(const char *path, const char *part, Range rows, const ImageSet *set,
                               Status *status) {
    for (int64_t i = 0; i < set->n; i++)
        if (set->labels[i] >= CLASSES)
            return status_set(status, STATUS_FAILED,
                              "%s: label %lld of /%s is %d, expected 0 to 9: the file is damaged.", path,
                              (long long)(rows.begin + i), part, set->labels[i]);
    return status->code;
}

StatusCode dataset_read(const char *path, const char *part, Range rows, const Comm *comm, ImageSet *set,
                        Status *status) {
    char images[64], labels[64];
    snprintf(images, sizeof images, "/%s/images", part);
    snprintf(labels, sizeof labels, "/%s/labels", part);
    *set = image_set_new(range_size(rows), image_spec_mnist());
    H5File *file;
    h5_open(&file, path, reads_in_parallel(path, comm) ? comm : NULL, status);
    if (file) {
        h5_read_rows(file, images, H5_U8, IMAGE_PIXELS, rows.begin, set->n, set->images, status);
        h5_read_rows(file, labels, H5_U8, 1, rows.begin, set->n, set->labels, status);
        h5_close(&file, status);
    }
    if (!status->code) check_labels(path, part, rows, set, status);
    if (comm_agree(comm, status)) image_set_free(set);
    return status->code;
}
