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

/* Captions of the chosen images; [count][CAPTION_BYTES]. */
static void write_captions(const ImageSet *sheet, const ClassNames *names, char (*text)[CAPTION_BYTES],
                           char **captions) {
    for (int64_t k = 0; k < sheet->n; k++) {
        char number[12];
        captions[k] = text[k];
        snprintf(text[k], CAPTION_BYTES, "%s", class_name(names, sheet->labels[k], number));
    }
}

/* The images of a file that are to be drawn; freed by image_set_free. */
static ImageSet read_chosen(const H5File *file, const char *images_path, const char *labels_path,
                            Status *status) {
    H5Shape images = {0}, shape = {0};
    ImageSet sheet = {0};
    if (h5_shape(file, labels_path, &shape, status) || h5_shape(file, images_path, &images, status))
        return sheet;
    int64_t n = shape.rank == 1 ? shape.dims[0] : 0, count;
    const ImageSpec spec = {(int)images.dims[1], (int)images.dims[2], CLASSES_MAX};
    uint8_t *labels = mem_new((size_t)n, 1);
    h5_read(file, labels_path, H5_U8, (H5Shape){1, {n}}, labels, status);
    int64_t *chosen = choose(labels, status->code ? 0 : n, &count);
    const int64_t pixels = image_spec_pixels(spec);
    sheet = image_set_new(count, spec);
    for (int64_t k = 0; k < count && !status->code; k++) {
        h5_read_rows(file, images_path, H5_U8, pixels, chosen[k], 1, sheet.images + k * pixels, status);
        sheet.labels[k] = labels[chosen[k]];
    }
    mem_free(chosen);
    mem_free(labels);
    return sheet;
}

StatusCode draw_labelled_images(const H5File *file, const char *images_path, const char *labels_path,
                                const ClassNames *names, const char *out, Status *status) {
    ImageSet sheet = read_chosen(file, images_path, labels_path, status);
    char(*text)[CAPTION_BYTES] = mem_new((size_t)sheet.n, CAPTION_BYTES),
    **captions = mem_new((size_t)sheet.n, sizeof *captions);
    if (!status->code) {
        write_captions(&sheet, names, text, captions);
        sheet_write(out, &sheet, SHEET_PER_CLASS, captions, status);
    }
    mem_free(captions);
    mem_free(text);
    image_set_free(&sheet);
    return status->code;
}

/* A filter's weights of its first input channel, [height][width]. */
static void draw_filter(const float *weights, H5Shape shape, int filter, float largest, ImageSpec spec,
                        uint8_t *image) {
    const int kernel = (int)shape.dims[0];
    const int64_t step = shape.dims[2] * shape.dims[3];
    for (int y = 0; y < spec.height; y++)
        for (int x = 0; x < spec.width; x++) {
            const int tap = y * kernel / spec.height * kernel + x * kernel / spec.width;
            image[y * spec.width + x] =
                (uint8_t)lrintf(127.5f + 127.5f * weights[tap * step + filter] / largest);
        }
}

StatusCode draw_filters(const H5File *file, const char *path, ImageSpec spec, const char *out,
                        Status *status) {
    H5Shape shape = {0};
    if (h5_shape(file, path, &shape, status)) return status->code;
    if (shape.rank != 4)
        return status_set(status, STATUS_FAILED, "%s: %s isn't a convolution's: the file is damaged.",
                          h5_path(file), path);
    const int64_t size = shape.dims[0] * shape.dims[1] * shape.dims[2] * shape.dims[3];
    float *weights = mem_new((size_t)size, sizeof *weights), largest = 1e-30f;
    ImageSet sheet = image_set_new(shape.dims[3], spec);
    h5_read(file, path, H5_F32, shape, weights, status);
    for (int64_t i = 0; i < size; i++)
        largest = fmaxf(largest, fabsf(weights[i]));
    for (int f = 0; f < (int)sheet.n; f++)
        draw_filter(weights, shape, f, largest, spec, sheet.images + (int64_t)f * image_spec_pixels(spec));
    if (!status->code) sheet_write(out, &sheet, 8, NULL, status);
    image_set_free(&sheet);
    mem_free(weights);
    return status->code;
}
