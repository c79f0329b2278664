/* A pair of IDX files: two bytes with the length of the labels' file, that file, and the images' file. */
#include "fuzz/fuzz.h"

#include "core/mem.h"
#include "data/idx_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    Status status = {0};
    DatasetParts parts;
    const IdxOptions options = {.labels_from = data[0] % 2 ? -1 : data[0] % 4 / 2,
                                .transpose = data[0] % 8 / 4};
    const size_t rest = size - 2, labels = data[1] * 4u < rest ? data[1] * 4u : rest;
    char *label_path = fuzz_write("train-labels-idx1-ubyte", data + 2, labels);
    char *image_path = fuzz_write("train-images-idx3-ubyte", data + 2 + labels, rest - labels);
    char *base = fuzz_path("");
    idx_parts_read(base, &options, &parts, &status);
    fuzz_check_status(&status);
    dataset_parts_free(&parts);
    mem_free(base);
    mem_free(label_path);
    mem_free(image_path);
    return 0;
}
