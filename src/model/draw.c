#include "model/draw.h"

#include "core/mem.h"
#include "data/caption.h"
#include "data/sheet.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { SHEET_PER_CLASS = 20 };

/* Cells of a sheet that aren't images of the file. */
enum { CELL_EMPTY = -1, CELL_MEAN = -2 };

/* A cell of the sheet: the place of an image, or one of the above; and its class. */
typedef struct {
    int64_t image;
    uint8_t label;
} Cell;

/* A row of `columns` cells for each class that has images: its mean if with_means, and its first ones. Freed
 * by the caller. */
static Cell *choose(const uint8_t *labels, int64_t n, bool with_means, int columns, int64_t *count) {
    Cell *cells = mem_new((size_t)CLASSES_MAX * (size_t)columns, sizeof *cells);
    *count = 0;
    for (int label = 0; label < CLASSES_MAX; label++) {
        Cell *row = cells + *count;
        int taken = with_means;
        for (int c = 0; c < columns; c++)
            row[c] = (Cell){c < taken ? CELL_MEAN : CELL_EMPTY, (uint8_t)label};
        for (int64_t i = 0; i < n && taken < columns; i++)
            if (labels[i] == label) row[taken++].image = i;
        if (taken > with_means) *count += columns;
    }
    return cells;
}

/* [count], freed by the caller. */
static SheetCaption *write_captions(const Cell *cells, int64_t count, const ClassNames *names) {
    SheetCaption *captions = mem_new((size_t)count, sizeof *captions);
    for (int64_t k = 0; k < count; k++) {
        char number[12];
        const char *name = caption_class(names, cells[k].label, number);
        if (cells[k].image != CELL_EMPTY)
            snprintf(captions[k].name, sizeof captions[k].name, "%s%s",
                     cells[k].image == CELL_MEAN ? "mean " : "", name);
    }
    return captions;
}

/* Fills the sheet [count] with the images of its cells. */
static StatusCode read_cells(const H5File *file, const char *images_path, const Cell *cells,
                             const uint8_t *means, ImageSet *sheet, Status *status) {
    const int64_t pixels = image_spec_pixels(sheet->spec);
    for (int64_t k = 0; k < sheet->n && !status->code; k++) {
        uint8_t *image = sheet->images + k * pixels;
        if (cells[k].image >= 0)
            h5_read_rows(file, images_path, H5_U8, pixels, cells[k].image, 1, image, status);
        else if (cells[k].image == CELL_MEAN && means)
            memcpy(image, means + cells[k].label * pixels, (size_t)pixels);
    }
    return status->code;
}

StatusCode draw_labelled_images(const H5File *file, const char *images_path, const char *labels_path,
                                const ClassNames *names, const uint8_t *means, const char *out, Log *log,
                                Status *status) {
    H5Shape images = {0}, shape = {0};
    if (h5_shape(file, labels_path, &shape, status) || h5_shape(file, images_path, &images, status))
        return status->code;
    const int64_t n = shape.rank == 1 ? shape.dims[0] : 0;
    const int columns = SHEET_PER_CLASS + (means != NULL);
    int64_t count;
    uint8_t *labels = mem_new((size_t)n, 1);
    h5_read(file, labels_path, H5_U8, (H5Shape){1, {n}}, labels, status);
    Cell *cells = choose(labels, status->code ? 0 : n, means != NULL, columns, &count);
    ImageSet sheet =
        image_set_new(count, (ImageSpec){(int)images.dims[1], (int)images.dims[2], CLASSES_MAX, 0, false});
    SheetCaption *captions = write_captions(cells, count, names);
    if (!read_cells(file, images_path, cells, means, &sheet, status))
        sheet_write(out, &sheet, columns, captions, status);
    if (!status->code) caption_hint_at_numbers(names, log);
    mem_free(captions);
    image_set_free(&sheet);
    mem_free(cells);
    mem_free(labels);
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
    if (shape.rank != 4 || shape.dims[0] != shape.dims[1])
        return status_set(status, STATUS_FAILED, "%s: %s isn't a convolution's: the file is damaged.",
                          h5_path(file), path);
    const int64_t size = h5_shape_values(shape);
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
