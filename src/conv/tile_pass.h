/* What a pass over an image on matrix tiles reads, in which order, and what it writes. */
#ifndef PARDIGITS_CONV_TILE_PASS_H
#define PARDIGITS_CONV_TILE_PASS_H

#include "conv/conv_planes.h"
#include "kernels/tiles.h"

enum {
    MAX_TAPS = 64 * 64,
    TILE_VALUES = TILE_BYTES / 2,
};

/* The taps that a pass sums over, in ascending order of their pixels. */
typedef struct {
    int count, channels; /* channels: summands of each */
    struct {
        int pixel; /* where in the planes the first output pixel reads it */
        int tap;   /* row * kernel + column of the weights */
    } at[MAX_TAPS];
} Taps;

/* One pass over an image: out[pixel][column] = sum over the taps' summands. */
typedef struct {
    Planes planes;
    Taps taps;
    int columns;
    int rows_y, rows_x;                  /* output pixels */
    int64_t out_at, out_line, out_pixel; /* floats: the first output pixel, to the next line, to the next */
    const float *packed;
} TilePass;

/* Windows of TILE_DEPTH summands that together cover those of the taps. */
typedef struct {
    int tap;
    int64_t covered; /* values of the planes, up to here */
} Walk;

/* Where the next window begins, in values from where the first output pixel reads; -1: no more. */
int64_t taps_next_window(const Taps *taps, Walk *walk);

int64_t taps_count_windows(const Taps *taps);

/* The forward pass, and one phase, (row + pad) % stride and likewise the column, of the data gradient. They
 * fill *pass, but for the weights, and return it. */
TilePass *tile_pass_forward(const ConvShape *shape, TilePass *pass);
TilePass *tile_pass_backward(const ConvShape *shape, int phase_y, int phase_x, TilePass *pass);

/* Packed weights: for each pair of column tiles, for each window, one or two column tiles of high and low
 * values. */
static inline int64_t packed_values(int64_t windows, int columns) {
    return windows * tiles_of(columns) * 2 * TILE_VALUES;
}

static inline uint16_t *packed_tile(float *packed, int64_t windows, int columns, int64_t window,
                                    int64_t tile) {
    const int64_t pair = tile / 2, left = tiles_of(columns) - 2 * pair;
    return (uint16_t *)(void *)packed +
           (pair * 2 * windows + window * (left < 2 ? left : 2) + tile % 2) * 2 * TILE_VALUES;
}

#endif
