#include "ref/knn_ref.h"

#include "core/mem.h"
#include "core/rng.h"
#include "ref/distortion_ref.h"
#include "ref/pixdot_ref.h"

#include <stdlib.h>
#include <string.h>

static int compare_neighbours(const void *left, const void *right) {
    const Neighbour *a = left, *b = right;
    if (a->distance != b->distance) return a->distance < b->distance ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

void ref_nearest(const uint8_t *rows, int64_t count, int columns, const uint8_t *query, int64_t k,
                 Neighbour *out) {
    Neighbour *all = mem_new((size_t)count, sizeof *all);
    for (int64_t i = 0; i < count; i++)
        all[i] = (Neighbour){(uint32_t)ref_square_distance(rows + i * columns, query, columns), (uint32_t)i};
    qsort(all, (size_t)count, sizeof *all, compare_neighbours);
    memcpy(out, all, (size_t)(k < count ? k : count) * sizeof *out);
    mem_free(all);
}

void ref_nearest_distorted(const uint8_t *images, int64_t count, const uint8_t *query,
                           const KnnMethod *method, Neighbour *out) {
    const int64_t found = method->candidates < count ? method->candidates : count;
    const int64_t pixels = image_spec_pixels(method->distortion.spec);
    Neighbour *candidates = mem_new((size_t)found, sizeof *candidates);
    ref_nearest(images, count, (int)pixels, query, found, candidates);
    for (int64_t i = 0; i < found; i++)
        candidates[i].distance =
            ref_distortion_cost(&method->distortion, query, images + candidates[i].index * pixels);
    qsort(candidates, (size_t)found, sizeof *candidates, compare_neighbours);
    memcpy(out, candidates, (size_t)(method->k < found ? method->k : found) * sizeof *out);
    mem_free(candidates);
}

uint8_t *ref_tied_images(int64_t rows, int columns, uint32_t seed) {
    static const uint8_t values[] = {0, 0, 1, 255};
    uint8_t *images = mem_new((size_t)(rows * columns), 1);
    for (int64_t i = 0; i < rows; i++) {
        uint32_t bits[4];
        rng_u32x4((RngKey){seed, RNG_TEST}, 0, (uint64_t)i, 0, bits);
        uint8_t *image = images + i * columns;
        if (i > 0 && bits[0] % 3 == 0)
            memcpy(image, images + bits[1] % i * columns, (size_t)columns);
        else
            for (int c = 0; c < columns; c++)
                image[c] = values[bits[2 + c % 2] >> (2 * (c % 16)) & 3];
    }
    return images;
}
