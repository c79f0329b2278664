#include "ref/distortion_ref.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static int pixel_at(ImageSpec spec, const uint8_t *image, int row, int column) {
    bool inside = row >= 0 && row < spec.height && column >= 0 && column < spec.width;
    return inside ? image[row * spec.width + column] : 0;
}

static const int sobel[DISTORTION_MAX_DIRECTIONS][3][3] = {{{-1, 0, 1}, {-2, 0, 2}, {-1, 0, 1}},
                                                           {{-1, -2, -1}, {0, 0, 0}, {1, 2, 1}},
                                                           {{-2, -1, 0}, {-1, 0, 1}, {0, 1, 2}},
                                                           {{0, 1, 2}, {-1, 0, 1}, {-2, -1, 0}}};

/* Sobel's gradient of a pixel, the nearest whole number to its signed root, scaled; 0 outside. */
static int gradient_at(const Distortion *distortion, const uint8_t *image, int row, int column,
                       int direction) {
    if (row < 0 || row >= distortion->spec.height || column < 0 || column >= distortion->spec.width) return 0;
    int sum = 0;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            sum += sobel[direction][i][j] * pixel_at(distortion->spec, image, row + i - 1, column + j - 1);
    const int most[2][2] = {{32, 20}, {24, 14}};
    int root =
        (int)floor(most[distortion->directions / 4][distortion->context / 2] * sqrt(abs(sum) / 1020.0) + 0.5);
    return sum < 0 ? -root : root;
}

static uint32_t context_distance(const Distortion *distortion, const uint8_t *query, const uint8_t *reference,
                                 int row, int column, int down, int right) {
    uint32_t sum = 0;
    for (int i = row - distortion->context; i <= row + distortion->context; i++)
        for (int j = column - distortion->context; j <= column + distortion->context; j++)
            for (int direction = 0; direction < distortion->directions; direction++) {
                int difference = gradient_at(distortion, query, i, j, direction) -
                                 gradient_at(distortion, reference, i + down, j + right, direction);
                sum += (uint32_t)(difference * difference);
            }
    return sum;
}

uint32_t ref_distortion_cost(const Distortion *distortion, const uint8_t *query, const uint8_t *reference) {
    const ImageSpec spec = distortion->spec;
    uint32_t cost = 0;
    const int warp = distortion->warp;
    for (int row = 0; row < spec.height; row++)
        for (int column = 0; column < spec.width; column++) {
            uint32_t least = UINT32_MAX;
            for (int down = -warp; down <= warp; down++)
                for (int right = -warp; right <= warp; right++) {
                    uint32_t here = context_distance(distortion, query, reference, row, column, down, right);
                    least = here < least ? here : least;
                }
            cost += least;
        }
    return cost;
}
