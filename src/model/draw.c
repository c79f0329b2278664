#include "model/draw.h"

#include "core/mem.h"
#include "data/sheet.h"

#include <math.h>
#include <stdio.h>

enum { SHEET_PER_CLASS = 20, CAPTION_BYTES = 24 };

/* Which images are shown: the first SHEET_PER_CLASS of each class, class by class; freed by the caller. */
static int64_t *choose(const uint8_t *labels, int64_t n, int64_t *count) {
    int64_t *chosen = mem_new((size_t)CLASSES_MAX * SHEET_PER_CLASS, sizeof *chosen);
    *count = 0;
    for (int label = 0; label < CLASSES_MAX; label++)
        for (int64_t i = 0, taken = 0; i < n && taken < SHEET_PER_CLASS; i++)
            if (labels[i] == label) {
                chosen[(*count)++] = i;
                taken++;
            }
    return chosen;
}

StatusCode draw_labelled_images(const H5File *file, const char *images_path, const char *labels_path,
                                const ClassNames *names, const char *out, Status *status) {
    H5Shape shape = {0};
    if (h5_shape(file, labels_path, &shape, status)) return status->code;
    int64_t n = shape.rank == 1 ? shape.dims[0] : 0, count;
    uint8_t *labels = mem_new((size_t)n, 1);
    h5_read(file, labels_path, H5_U8, (H5Shape){1, {n}}, labels, status);
    int64_t *chosen = choose(labels, status->code ? 0 : n, &count);
    uint8_t *sheet = mem_new((size_t)count, IMAGE_PIXELS);
    char(*text)[CAPTION_BYTES] = mem_new((size_t)count, CAPTION_BYTES),
    **captions = mem_new((size_t)count, sizeof *captions);
    for (int64_t k = 0; k < count && !status->code; k++) {
        char number[12];
        h5_read_rows(file, images_path, H5_U8, IMAGE_PIXELS, chosen[k], 1, sheet + k * IMAGE_PIXELS, status);
        captions[k] = text[k];
        snprintf(text[k], CAPTION_BYTES, "%s", class_name(names, labels[chosen[k]], number));
    }
    if (!status->code) sheet_write(out, sheet, count, SHEET_PER_CLASS, captions, status);
    mem_free(captions);
    mem_free(text);
    mem_free(sheet);
    mem_free(chosen);
    mem_free(labels);
    return status->code;
}

StatusCode draw_filters(const H5File *file, const char *path, const char *out, Status *status) {
    H5Shape shape = {0};
    if (h5_shape(file, path, &shape, status)) return status->code;
    if (shape.rank != 4)
        return status_set(status, STATUS_FAILED, "%s: %s isn't a convolution's: the file is damaged.",
                          h5_path(file), path);
    int kernel = (int)shape.dims[0], channels = (int)shape.dims[2], filters = (int)shape.dims[3];
    int64_t size = (int64_t)kernel * kernel * channels * filters;
    float *weights = mem_new((size_t)size, sizeof *weights), largest = 1e-30f;
    uint8_t *sheet = mem_new((size_t)filters, IMAGE_PIXELS);
    h5_read(file, path, H5_F32, shape, weights, status);
    for (int64_t i = 0; i < size; i++)
        largest = fmaxf(largest, fabsf(weights[i]));
    for (int f = 0; f < filters; f++)
        for (int y = 0; y < IMAGE_SIDE; y++)
            for (int x = 0; x < IMAGE_SIDE; x++) {
                int tap = y * kernel / IMAGE_SIDE * kernel + x * kernel / IMAGE_SIDE;
                float weight = weights[(int64_t)tap * channels * filters + f];
                sheet[f * IMAGE_PIXELS + y * IMAGE_SIDE + x] =
                    (uint8_t)lrintf(127.5f + 127.5f * weight / largest);
            }
    if (!status->code) sheet_write(out, sheet, filters, 8, NULL, status);
    mem_free(sheet);
    mem_free(weights);
    return status->code;
}
