#include "conv/conv_tiles.h"

#if defined(__AMX_BF16__) && defined(__AVX512BF16__)

#include "conv/conv_planes.h"
#include "conv/tile_pass.h"
#include "core/integers.h"

/* What a window multiplies with: for each summand the weights of column 0, or NULL where nothing is to be
 * added. Those of the other columns lie column_stride apart. */
static void find_weights(const Taps *taps, const Walk *walk, int64_t start, const float *weights,
                         int64_t tap_stride, int64_t channel_stride, const float *from[TILE_DEPTH]) {
    int t = walk->tap;
    for (int64_t k = 0; k < TILE_DEPTH; k++) {
        while (t < taps->count && start + k >= (int64_t)(taps->at[t].pixel + 1) * taps->channels)
            t++;
        const int64_t channel =
            t < taps->count ? start + k - (int64_t)taps->at[t].pixel * taps->channels : -1;
        from[k] = channel >= 0 ? weights + taps->at[t].tap * tap_stride + channel * channel_stride : NULL;
    }
}

/* Columns lie side by side. */
static void pack_tile_rows(const float *const from[TILE_DEPTH], int64_t column, int columns, uint16_t *tile) {
    const __mmask16 lanes = lane_mask(columns - column);
    for (int i = 0; i < TILE_SIDE; i++) {
        SplitFloats pair[2];
        for (int k = 0; k < 2; k++) {
            const float *values = from[2 * i + k];
            pair[k] =
                split_floats(values ? _mm512_maskz_loadu_ps(lanes, values + column) : _mm512_setzero_ps());
        }
        _mm512_storeu_si512(tile + i * TILE_DEPTH, interleave(pair[0].high, pair[1].high));
        _mm512_storeu_si512(tile + TILE_VALUES + i * TILE_DEPTH, interleave(pair[0].low, pair[1].low));
    }
}

static void pack_column(const float values[TILE_DEPTH], int column, uint16_t *tile) {
    const SplitFloats half[2] = {split_floats(_mm512_loadu_ps(values)),
                                 split_floats(_mm512_loadu_ps(values + TILE_SIDE))};
    uint32_t high[TILE_SIDE], low[TILE_SIDE];
    memcpy(high, &half[0].high, 32);
    memcpy(high + 8, &half[1].high, 32);
    memcpy(low, &half[0].low, 32);
    memcpy(low + 8, &half[1].low, 32);
    uint32_t *pairs = (uint32_t *)tile + column;
    for (int i = 0; i < TILE_SIDE; i++) {
        pairs[i * TILE_SIDE] = high[i];
        pairs[TILE_VALUES / 2 + i * TILE_SIDE] = low[i];
    }
}

/* The summands of a column lie side by side, mostly. */
static void pack_tile_columns(const float *const from[TILE_DEPTH], int64_t column_stride, int64_t column,
                              int columns, uint16_t *tile) {
    bool one_run = from[0];
    for (int k = 1; k < TILE_DEPTH; k++)
        one_run &= from[k] == from[0] + k;
    for (int c = 0; c < TILE_SIDE; c++) {
        const int64_t at = (column + c) * column_stride;
        float values[TILE_DEPTH];
        if (one_run && column + c < columns) {
            pack_column(from[0] + at, c, tile);
            continue;
        }
        for (int k = 0; k < TILE_DEPTH; k++)
            values[k] = column + c < columns && from[k] ? from[k][at] : 0;
        pack_column(values, c, tile);
    }
}

static float *pack_pass(const TilePass *pass, const float *weights, int64_t tap_stride,
                        int64_t channel_stride, int64_t column_stride, float *packed) {
    const int64_t windows = taps_count_windows(&pass->taps);
    Walk walk = {0};
    for (int64_t w = 0; w < windows; w++) {
        const float *from[TILE_DEPTH];
        const int64_t start = taps_next_window(&pass->taps, &walk);
        find_weights(&pass->taps, &walk, start, weights, tap_stride, channel_stride, from);
        for (int64_t tile = 0; tile < tiles_of(pass->columns); tile++) {
            uint16_t *to = packed_tile(packed, windows, pass->columns, w, tile);
            if (column_stride == 1)
                pack_tile_rows(from, tile * TILE_SIDE, pass->columns, to);
            else
                pack_tile_columns(from, column_stride, tile * TILE_SIDE, pass->columns, to);
        }
    }
    return packed + packed_values(windows, pass->columns) / 2;
}

int64_t conv_tiles_packed_size(const ConvShape *shape) {
    const ConvShape s = flattened(shape);
    TilePass pass;
    int64_t forward = packed_values(taps_count_windows(&tile_pass_forward(&s, &pass)->taps), s.filters),
            backward = 0;
    for (int phase = 0; phase < s.stride * s.stride; phase++) {
        tile_pass_backward(&s, phase / s.stride, phase % s.stride, &pass);
        backward += packed_values(taps_count_windows(&pass.taps), s.channels);
    }
    return larger(forward, backward) / 2;
}

void conv_tiles_pack_forward(const ConvShape *shape, const float *weights, float *packed) {
    const ConvShape s = flattened(shape);
    TilePass pass;
    pack_pass(tile_pass_forward(&s, &pass), weights, (int64_t)s.channels * s.filters, s.filters, 1, packed);
}

void conv_tiles_pack_backward(const ConvShape *shape, const float *weights, float *packed) {
    const ConvShape s = flattened(shape);
    TilePass pass;
    for (int phase = 0; phase < s.stride * s.stride; phase++) {
        tile_pass_backward(&s, phase / s.stride, phase % s.stride, &pass);
        packed = pack_pass(&pass, weights, (int64_t)s.channels * s.filters, 1, s.filters, packed);
    }
}

#endif
