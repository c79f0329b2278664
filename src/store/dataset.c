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

/* Of a part: more isn't read for hashes that its file doesn't say, or that differ, as a training may need but
 * few of its images. */
#define SOURCE_BYTES_MOST ((int64_t)4 << 30)

enum { NFS_MAGIC = 0x6969, FIRST_CLASSES = 10 /* of files that don't say */ };

/* An attribute of the file that every dataset has. */
static StatusCode check_attribute(const H5File *file, const char *name, const char *value, Status *status) {
    if (!status->code && !h5_has_attribute(file, "/", name))
        status_set(status, STATUS_FAILED, "%s has no attribute `%s` of /, which is %s in a dataset: add it.",
                   h5_path(file), name, value);
    return status->code;
}

/* Collective. */
static StatusCode open_file(const char *path, const Comm *comm, H5File **file, Status *status) {
    char *format = NULL;
    int64_t version = 0;
    if (access(path, F_OK) < 0 && errno == ENOENT) /* the first thing that somebody who only built it sees */
        status_set(
            status, STATUS_FAILED, "There is no dataset %s: %sname one with --data.", path,
            strcmp(path, "data/mnist.h5") ? "" : "run `make data` in the source folder, which makes it, or ");
    if (h5_open_together(h5_open, file, path, comm, status)) return status->code;
    check_attribute(*file, "format", "the text \"" DATASET_FORMAT "\"", status);
    h5_get_text(*file, "/", "format", &format, status);
    if (format && strcmp(format, DATASET_FORMAT))
        status_set(status, STATUS_FAILED,
                   "%s isn't a dataset: its attribute `format` of / is \"%.60s\", expected \"%s\".", path,
                   format, DATASET_FORMAT);
    mem_free(format);
    check_attribute(*file, "version", "the whole number 1", status);
    h5_get_i64(*file, "/", "version", &version, status);
    if (!status->code && version != DATASET_VERSION)
        status_set(status, STATUS_FAILED, "%s has the format version %lld, this program reads version %d.",
                   path, (long long)version, DATASET_VERSION);
    return status->code;
}

/* A part that isn't there: many files have their images under other names, or test images alone. */
static StatusCode check_there(const H5File *file, const char *part, const char *array, Status *status) {
    const bool only_test = !strcmp(part, "train") && h5_exists(file, "/test/images");
    if (h5_refuse_links(file, array, status) || h5_exists(file, array)) return status->code;
    return status_set(
        status, STATUS_FAILED,
        "%s has no %s: a dataset needs /train/images and /train/labels, and may have /test/images "
        "and /test/labels%s.",
        h5_path(file), array,
        only_test ? "; where there are only images to evaluate a model on, write them to both "
                    "parts, /train and /test"
                  : "");
}

static StatusCode check_shapes(const H5File *file, const char *images_name, const H5Shape *images,
                               const char *labels_name, const H5Shape *labels, Status *status) {
    char images_text[H5_SHAPE_TEXT], labels_text[H5_SHAPE_TEXT];
    h5_print_shape(*images, images_text, sizeof images_text);
    h5_print_shape(*labels, labels_text, sizeof labels_text);
    if (images->rank != 3)
        return status_set(status, STATUS_FAILED, "%s: %s is %s, expected n x height x width.", h5_path(file),
                          images_name, images_text);
    for (int i = 1; i <= 2; i++)
        if (images->dims[i] < SIDE_MIN || images->dims[i] > SIDE_MAX)
            return status_set(
                status, STATUS_FAILED,
                "%s: %s is %s, n x height x width: a height and width of %d to %d are possible.",
                h5_path(file), images_name, images_text, SIDE_MIN, SIDE_MAX);
    if (labels->rank != 1)
        return status_set(status, STATUS_FAILED, "%s: %s is %s, expected n, a label for each image.",
                          h5_path(file), labels_name, labels_text);
    if (labels->dims[0] != images->dims[0])
        return status_set(status, STATUS_FAILED, "%s: %s holds %lld labels for %lld images.", h5_path(file),
                          labels_name, (long long)labels->dims[0], (long long)images->dims[0]);
    return STATUS_OK;
}

void dataset_part_names(const char *part, char images[DATASET_NAME], char labels[DATASET_NAME]) {
    snprintf(images, DATASET_NAME, "/%s/images", part);
    snprintf(labels, DATASET_NAME, "/%s/labels", part);
}

/* The images of a part, whose height and width are found: the test part's must be the training part's. */
static StatusCode read_part(const H5File *file, const char *part, Dataset *dataset, int64_t *n,
                            ImageSource *source, Status *status) {
    char group[32], images_name[DATASET_NAME], labels_name[DATASET_NAME];
    H5Shape images = {0}, labels = {0};
    ImageSpec *spec = &dataset->spec;
    snprintf(group, sizeof group, "/%s", part);
    dataset_part_names(part, images_name, labels_name);
    if (check_there(file, part, images_name, status) || check_there(file, part, labels_name, status))
        return status->code;
    if (h5_shape(file, images_name, &images, status) || h5_shape(file, labels_name, &labels, status))
        return status->code;
    if (check_shapes(file, images_name, &images, labels_name, &labels, status)) return status->code;
    if (spec->height && (images.dims[1] != spec->height || images.dims[2] != spec->width))
        return status_set(status, STATUS_FAILED,
                          "%s: the images of %s have %lld x %lld pixels, but those of /train %d x %d.",
                          h5_path(file), group, (long long)images.dims[1], (long long)images.dims[2],
                          spec->height, spec->width);
    *n = images.dims[0];
    spec->height = (int)images.dims[1];
    spec->width = (int)images.dims[2];
    return image_source_read(file, group, source, status);
}

static bool is_large(int64_t n, ImageSpec spec) {
    return n > SOURCE_BYTES_MOST / image_spec_pixels(spec);
}

/* On rank 0: hashes that the file doesn't say, or that may not be those of what it holds. */
static StatusCode find_source(const H5File *file, const char *part, int64_t n, ImageSpec spec,
                              ImageSource *source, Status *status) {
    const bool said = *source->images_sha256 && *source->labels_sha256;
    if (n == 0 || (said ? !h5_lacks_sum(file) : is_large(n, spec))) return status->code;
    return source_check(file, part, n, spec, NULL, source, status);
}

/* Collective; file: on rank 0. */
static StatusCode find_sources(const H5File *file, const Comm *comm, Dataset *dataset, Status *status) {
    if (comm_rank(comm) == 0 &&
        !find_source(file, "train", dataset->train, dataset->spec, &dataset->train_source, status))
        find_source(file, "test", dataset->test, dataset->spec, &dataset->test_source, status);
    comm_broadcast(comm, &dataset->train_source, sizeof dataset->train_source, 0);
    comm_broadcast(comm, &dataset->test_source, sizeof dataset->test_source, 0);
    return comm_agree(comm, status);
}

/* Of how many classes a file is, and why. */
enum { CLASSES_TEXT = 96 };
static const char *classes_text(const Dataset *dataset, char text[CLASSES_TEXT]) {
    snprintf(text, CLASSES_TEXT,
             dataset->says_classes ? "its attribute classes is %d"
                                   : "it has no attribute classes, which means %d of them",
             dataset->spec.classes);
    return text;
}

static StatusCode read_classes(const H5File *file, Dataset *dataset, Status *status) {
    int64_t classes = FIRST_CLASSES;
    dataset->says_classes = h5_has_attribute(file, "/", "classes");
    if (dataset->says_classes) h5_get_i64(file, "/", "classes", &classes, status);
    if (status->code) return status->code;
    if (classes < CLASSES_MIN || classes > CLASSES_MAX)
        return status_set(status, STATUS_FAILED, "%s says that it has %lld classes, expected %d to %d.",
                          h5_path(file), (long long)classes, CLASSES_MIN, CLASSES_MAX);
    dataset->spec.classes = (int)classes;
    if (image_from_read(file, "/", &dataset->spec, status)) return status->code;
    if (class_names_read(file, "/", &dataset->class_names, status)) return status->code;
    char said[CLASSES_TEXT];
    if (dataset->class_names.names && dataset->class_names.count != classes)
        return status_set(
            status, STATUS_FAILED,
            "%s: its attribute class_names has %d names, one a line, but %s: correct the one or "
            "the other.",
            h5_path(file), dataset->class_names.count, classes_text(dataset, said));
    return STATUS_OK;
}

/* Other objects, such as /valid or, by a slip, /Test: "/valid, /Test", in dataset->unread. */
static void find_unread(const H5File *file, Dataset *dataset) {
    char *name, *all = dataset->unread;
    for (int64_t i = 0; (name = h5_member(file, "/", i)); i++) {
        const size_t used = strlen(all);
        if (strcmp(name, "train") && strcmp(name, "test"))
            snprintf(all + used, sizeof dataset->unread - used, "%s/%s", used ? ", " : "", name);
        mem_free(name);
    }
}

void dataset_print_notes(const Dataset *dataset) {
    if (dataset->lacks_sum) h5_note_missing_sum(dataset->path);
    if (!dataset->says_classes)
        fprintf(stderr, "pardigits: %s has no attribute `classes` of /: it is taken for one of %d classes.\n",
                dataset->path, dataset->spec.classes);
    if (*dataset->unread)
        fprintf(stderr,
                "pardigits: %s: %s won't be read, only /train and /test (run.valid holds out images of "
                "/train).\n",
                dataset->path, dataset->unread);
}

StatusCode dataset_open(const char *path, const Comm *comm, Dataset *dataset, Status *status) {
    H5File *file = NULL;
    *dataset = (Dataset){.path = mem_text(path)};
    if (!open_file(path, comm, &file, status) && !read_classes(file, dataset, status) &&
        !read_part(file, "train", dataset, &dataset->train, &dataset->train_source, status) &&
        h5_exists(file, "/test"))
        read_part(file, "test", dataset, &dataset->test, &dataset->test_source, status);
    dataset->lacks_sum = file && h5_lacks_sum(file);
    if (!status->code) find_unread(file, dataset);
    if (!status->code && dataset->train == 0)
        status_set(status, STATUS_FAILED, "%s holds no training images.", path);
    if (!comm_agree(comm, status)) find_sources(file, comm, dataset, status);
    h5_close(&file, status);
    if (comm_agree(comm, status)) dataset_close(dataset);
    return status->code;
}

/* On rank 0. Hashes that differ may be those of the same bytes, in an IDX file and by themselves. */
static StatusCode compare_source(const Dataset *dataset, const ImageSource *source, const uint8_t *numbers,
                                 SourceMatch *match, Status *status) {
    const ImageSource *own = &dataset->train_source;
    const bool same_images = !strcmp(own->images_sha256, source->images_sha256),
               same_labels = !strcmp(own->labels_sha256, source->labels_sha256);
    ImageSource read = *source;
    H5File *file;
    if (same_images && same_labels && !numbers) {
        *match = SOURCE_SAME;
    } else if (is_large(dataset->train, dataset->spec)) {
        *match = !same_images ? SOURCE_OTHER_IMAGES : numbers ? SOURCE_UNKNOWN : SOURCE_OTHER_LABELS;
    } else {
        if (!h5_open_verified(&file, dataset->path, NULL, status))
            source_check(file, "train", dataset->train, dataset->spec, numbers, &read, status);
        *match = strcmp(read.images_sha256, source->images_sha256)   ? SOURCE_OTHER_IMAGES
                 : strcmp(read.labels_sha256, source->labels_sha256) ? SOURCE_OTHER_LABELS
                                                                     : SOURCE_SAME;
        h5_close(&file, status);
    }
    return status->code;
}

StatusCode dataset_compare(const Dataset *dataset, const Comm *comm, const ImageSource *source,
                           const uint8_t *numbers, SourceMatch *match, Status *status) {
    const ImageSource *own = &dataset->train_source;
    const bool known =
        *own->images_sha256 && *own->labels_sha256 && *source->images_sha256 && *source->labels_sha256;
    *match = SOURCE_UNKNOWN;
    if (comm_rank(comm) == 0 && known) compare_source(dataset, source, numbers, match, status);
    comm_broadcast(comm, match, sizeof *match, 0);
    return comm_agree(comm, status);
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

StatusCode dataset_check_labels(const Dataset *dataset, const char *part, int64_t first, int64_t n,
                                const uint8_t *labels, Status *status) {
    char said[CLASSES_TEXT];
    for (int64_t i = 0; i < n; i++)
        if (labels[i] >= dataset->spec.classes)
            return status_set(
                status, STATUS_FAILED,
                "%s: /%s/labels[%lld] is %d, but %s, so that labels are 0 to %d: correct the one "
                "or the other.",
                dataset->path, part, (long long)(first + i), labels[i], classes_text(dataset, said),
                dataset->spec.classes - 1);
    return status->code;
}

StatusCode dataset_read(const Dataset *dataset, const char *part, Range rows, const Comm *comm, ImageSet *set,
                        Status *status) {
    char images[DATASET_NAME], labels[DATASET_NAME];
    const char *path = dataset->path;
    dataset_part_names(part, images, labels);
    *set = image_set_new(range_size(rows), dataset->spec);
    H5File *file;
    h5_open_verified(&file, path, reads_in_parallel(path, comm) ? comm : NULL, status);
    if (file) {
        h5_read_rows(file, images, H5_U8, image_spec_pixels(set->spec), rows.begin, set->n, set->images,
                     status);
        h5_read_rows(file, labels, H5_U8, 1, rows.begin, set->n, set->labels, status);
        h5_close(&file, status);
    }
    if (!status->code) dataset_check_labels(dataset, part, rows.begin, set->n, set->labels, status);
    if (comm_agree(comm, status)) image_set_free(set);
    return status->code;
}
