#include "store/dataset.h"

#include "core/mem.h"
#include "store/atomic_file.h"
#include "store/h5io.h"
#include "store/image_source.h"

#include <stdio.h>

static const char train_images[] = "/train/images", train_labels[] = "/train/labels";

struct DatasetWriter {
    const DatasetParts *parts;
    AtomicFile whole;
    H5File *file;
    int64_t written; /* training images so far */
};

static void free_paths(char **paths) {
    for (char **path = paths; path && *path; path++)
        mem_free(*path);
    mem_free(paths);
}

void dataset_parts_free(DatasetParts *parts) {
    free_paths(parts->train_paths);
    free_paths(parts->test_paths);
    image_set_free(&parts->train);
    image_set_free(&parts->test);
    class_names_free(&parts->class_names);
}

static void write_source(H5File *file, const char *group, const ImageSource *source, Status *status) {
    if (*source->images_sha256) image_source_write(file, group, source, status);
}

/* The arrays of a part of n images, still without rows. */
static void create_part(H5File *file, const char *part, int64_t n, ImageSpec spec, Status *status) {
    char images[DATASET_NAME], labels[DATASET_NAME];
    dataset_part_names(part, images, labels);
    h5_create_rows(file, images, H5_U8, (H5Shape){3, {n, spec.height, spec.width}}, status);
    h5_create_rows(file, labels, H5_U8, (H5Shape){1, {n}}, status);
    h5_set_text(file, images, "shape", "image, row from the top, column from the left", status);
    h5_set_text(file, images, "units", "0 background to 255 ink", status);
}

static void write_test_part(H5File *file, const DatasetParts *parts, Status *status) {
    const ImageSet *set = &parts->test;
    create_part(file, "test", set->n, set->spec, status);
    h5_write_rows(file, "/test/images", H5_U8, 0, set->n, set->images, status);
    h5_write_rows(file, "/test/labels", H5_U8, 0, set->n, set->labels, status);
    write_source(file, "/test", &parts->test_source, status);
}

static int64_t bytes_of(int64_t n, ImageSpec spec) {
    return n * (image_spec_pixels(spec) + 1);
}

DatasetWriter *dataset_begin(const char *path, const DatasetParts *parts, int64_t train, Status *status) {
    const ImageSpec spec = parts->train.spec;
    DatasetWriter *writer = mem_new(1, sizeof *writer);
    writer->parts = parts;
    if (atomic_file_begin(&writer->whole, path, status) ||
        h5_create_streamed(&writer->file, writer->whole.temporary,
                           bytes_of(train, spec) + bytes_of(parts->test.n, spec), status))
        return writer;
    h5_set_text(writer->file, "/", "format", DATASET_FORMAT, status);
    h5_set_i64(writer->file, "/", "version", DATASET_VERSION, status);
    h5_set_i64(writer->file, "/", "classes", spec.classes, status);
    class_names_write(writer->file, "/", &parts->class_names, status);
    image_from_write(writer->file, "/", spec, status);
    create_part(writer->file, "train", train, spec, status);
    if (parts->test.n) write_test_part(writer->file, parts, status);
    return writer;
}

StatusCode dataset_append(DatasetWriter *writer, const ImageSet *images, Status *status) {
    h5_write_rows(writer->file, train_images, H5_U8, writer->written, images->n, images->images, status);
    h5_write_rows(writer->file, train_labels, H5_U8, writer->written, images->n, images->labels, status);
    writer->written += images->n;
    return status->code;
}

StatusCode dataset_end(DatasetWriter **pointer, const ImageSource *source, const char *made, Status *status) {
    DatasetWriter *writer = *pointer;
    if (writer->file) {
        write_source(writer->file, "/train", source, status);
        if (made) h5_set_text(writer->file, "/train", "made", made, status);
    }
    h5_close(&writer->file, status);
    atomic_file_end(&writer->whole, status);
    mem_free(writer);
    *pointer = NULL;
    return status->code;
}

StatusCode dataset_write(const char *path, const DatasetParts *parts, Status *status) {
    DatasetWriter *writer = dataset_begin(path, parts, parts->train.n, status);
    dataset_append(writer, &parts->train, status);
    return dataset_end(&writer, &parts->train_source, NULL, status);
}
