#include "cli/dataset_output.h"

#include "report/describe.h"

#include <stdio.h>

static void add_hashes(Output *output, const char *part, const ImageSource *source) {
    char name[64], title[64];
    snprintf(name, sizeof name, "%s_images_sha256", part);
    snprintf(title, sizeof title, "%s images sha256", part);
    output_text(output, name, title, source->images_sha256);
    snprintf(name, sizeof name, "%s_labels_sha256", part);
    snprintf(title, sizeof title, "%s labels sha256", part);
    output_text(output, name, title, source->labels_sha256);
}

void output_dataset(Output *output, const Dataset *dataset, const int64_t *train, const int64_t *test) {
    output_record(output);
    output_text(output, "file", "file", dataset->path);
    output_text(output, "kind", "kind", "dataset");
    describe_shape(output, dataset->spec);
    output_integer(output, "train", "training images", dataset->train);
    output_integer(output, "test", "test images", dataset->test);
    add_hashes(output, "train", &dataset->train_source);
    if (dataset->test) add_hashes(output, "test", &dataset->test_source);
    output_begin(output, "by_class", "images of each class", OUTPUT_TABLE);
    for (int c = 0; c < dataset->spec.classes; c++) {
        char number[12];
        output_record(output);
        output_text(output, "class", "class", class_name(&dataset->class_names, c, number));
        output_integer(output, "label", NULL, c);
        output_integer(output, "train", "train", train[c]);
        output_integer(output, "test", "test", test[c]);
    }
    output_end(output);
}
