#include "store/dataset.h"

#include "core/mem.h"
#include "store/h5io.h"
#include "store/image_source.h"
#include "store/source_check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { NFS_MAGIC = 0x6969, FIRST_CLASSES = 10 /* of files that don't say */ };

static StatusCode open_file(const char *path, H5File **file, Status *status) {
    char *format = NULL;
    int64_t version = 0;
    if (access(path, F_OK) < 0 && errno == ENOENT) /* the first thing that somebody who only built it sees */
        status_set(status, STATUS_FAILED, "There is no dataset %s: %sname one with --data.", path,
                   strcmp(path, "data/mnist.h5") ? "" : "run `make data`, which makes it, or ");
    h5_open(file, path, status);
    if (!*file) return status->code;
    if (h5_has_attribute(*file, "/", "format")) h5_get_text(*file, "/", "format", &format, status);
    if (!format || strcmp(format, DATASET_FORMAT))
        status_set(status, STATUS_FAILED, "%s is %s%s%s, expected a dataset made by `pardigits prepare`.",
                   path, format ? "a " : "no file of pardigits", format ? format : "", format ? " file" : "");
    mem_free(format);
    h5_get_i64(*file, "/", "version", &version, status);
    if (!status->code && version != DATASET_VERSION)
        status_set(status, STATUS_FAILED, "%s has the format version %lld, this program reads version %d.",
                   path, (long long)version, DATASET_VERSION);
    return status->code;
}

/* The images of a part, whose height and width are found: the test part's must be the training part's. */
static StatusCode read_part(const H5File *file, const char *part, Dataset *dataset, int64_t *n,
                            ImageSource *source, Status *status) {
    char group[32], images_name[64], labels_name[64];
    H5Shape images = {0}, labels = {0};
    ImageSpec *spec = &dataset->spec;
    snprintf(group, sizeof group, "/%s", part);
    snprintf(images_name, sizeof images_name, "/%s/images", part);
    snprintf(labels_name, sizeof labels_name, "/%s/labels", part);
    if (h5_shape(file, images_name, &images, status) || h5_shape(file, labels_name, &labels, status))
        return status->code;
    bool good = images.rank == 3 && labels.rank == 1 && labels.dims[0] == images.dims[0];
    for (int i = 1; i <= 2 && good; i++)
        good = images.dims[i] >= SIDE_MIN && images.dims[i] <= SIDE_MAX;
    if (!good)
        return status_set(status, STATUS_FAILED,
                          "%s: %s doesn't hold n images of a height and width of %d to %d and n labels: make "
                          "the file again with `pardigits prepare`.",
                          h5_path(file), group, SIDE_MIN, SIDE_MAX);
    if (spec->height && (images.dims[1] != spec->height || images.dims[2] != spec->width))
        return status_set(status, STATUS_FAILED,
                          "%s: the images of %s have %lld x %lld pixels, but those of /train %d x %d.",
                          h5_path(file), group, (long long)images.dims[1], (long long)images.dims[2],
                          spec->height, spec->width);
    *n = images.dims[0];
    spec->height = (int)images.dims[1];
    spec->width = (int)images.dims[2];
    if (image_source_read(file, group, source, status) || !h5_lacks_sum(file)) return status->code;
    return source_check(file, images_name, labels_name, *n, *spec, source, status);
}

static StatusCode read_classes(const H5File *file, Dataset *dataset, Status *status) {
    int64_t classes = FIRST_CLASSES;
    if (h5_has_attribute(file, "/", "classes")) h5_get_i64(file, "/", "classes", &classes, status);
    if (status->code) return status->code;
    if (classes < CLASSES_MIN || classes > CLASSES_MAX)
        return status_set(status, STATUS_FAILED, "%s says that it has %lld classes, expected %d to %d.",
                          h5_path(file), (long long)classes, CLASSES_MIN, CLASSES_MAX);
    dataset->spec.classes = (int)classes;
    if (image_from_read(file, "/", &dataset->spec.from, status)) return status->code;
    if (class_names_read(file, "/", &dataset->class_names, status)) return status->code;
    if (dataset->class_names.names && dataset->class_names.count != classes)
        return status_set(status, STATUS_FAILED, "%s names %d of its %lld classes: the file is damaged.",
                          h5_path(file), dataset->class_names.count, (long long)classes);
    return STATUS_OK;
}

StatusCode dataset_open(const char *path, const Comm *comm, Dataset *dataset, Status *status) {
    H5File *file = NULL;
    *dataset = (Dataset){.path = mem_text(path)};
    if (!open_file(path, &file, status) && !read_classes(file, dataset, status) &&
        !read_part(file, "train", dataset, &dataset->train, &dataset->train_source, status) &&
        h5_exists(file, "/test"))
        read_part(file, "test", dataset, &dataset->test, &dataset->test_source, status);
    dataset->lacks_sum = file && h5_lacks_sum(file);
    if (!status->code && dataset->train == 0)
        status_set(status, STATUS_FAILED, "%s holds no training images.", path);
    h5_close(&file, status);
    if (comm_agree(comm, status)) dataset_close(dataset);
    return status->code;
}

void dataset_close(Dataset *dataset) {
    mem_free(dataset->path);
    class_names_free(&dataset->class_names);
    *dataset = (Dataset){0};
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
        if (set->labels[i] >= set->spec.classes)
            return status_set(status, STATUS_FAILED,
                              "%s: label %lld of /%s is %d, expected 0 to %d: the file is damaged.", path,
                              (long long)(rows.begin + i), part, set->labels[i], set->spec.classes - 1);
    return status->code;
}

StatusCode dataset_read(const Dataset *dataset, const char *part, Range rows, const Comm *comm, ImageSet *set,
                        Status *status) {
    char images[64], labels[64];
    const char *path = dataset->path;
    snprintf(images, sizeof images, "/%s/images", part);
    snprintf(labels, sizeof labels, "/%s/labels", part);
    *set = image_set_new(range_size(rows), dataset->spec);
    H5File *file;
    h5_open_verified(&file, path, reads_in_parallel(path, comm) ? comm : NULL, status);
    if (file) {
        h5_read_rows(file, images, H5_U8, image_spec_pixels(set->spec), rows.begin, set->n, set->images,
                     status);
        h5_read_rows(file, labels, H5_U8, 1, rows.begin, set->n, set->labels, status);
        h5_close(&file, status);
    }
    if (!status->code) check_labels(path, part, rows, set, status);
    if (comm_agree(comm, status)) image_set_free(set);
    return status->code;
}
