#include "kernels/pixdot_amx.h"

#if defined(__AMX_INT8__) && defined(__AVX512VNNI__)

#include "core/cpu.h"
#include "core/mem.h"

#include <immintrin.h>
#include <stdalign.h>
#include <string.h>

#include "kernels/tiles.h"

/* tdpbuud adds to 16 x 16 sums the products of 16 rows x 64 columns of a and 64 columns x 16 rows of b, all
 * unsigned. b's panel [groups of 4 columns][16 rows][4] is what it wants. Two by two of them share their
 * loads. */
enum {
    SIDE = 16,
    TILE_ROWS = 2 * SIDE,
    COLUMNS_AT_A_TIME = 2048,
    LINE_BYTES = COLUMNS_AT_A_TIME + 64, /* rows a power of two apart would share a few sets of the cache */
};

bool pixdot_amx_allowed(void) {
    return cpu_tiles_granted();
}

/* Some columns of up to TILE_ROWS rows of a. What stands in the other rows gives products that nobody keeps.
 */
typedef struct {
    alignas(MEM_ALIGNMENT) uint8_t values[TILE_ROWS][LINE_BYTES];
    int64_t first_column, columns; /* multiples of AMX_COLUMNS */
    int rows;
} RowTile;

/* out (32 x 32) = or += tile * two panels of b. */
static void multiply_whole(const RowTile *tile, const uint8_t *b, int64_t panel_bytes, int32_t *out,
                           int64_t out_stride) {
    int64_t stride = out_stride * (int64_t)sizeof *out;
    int32_t *lower = out + SIDE * out_stride;
    if (tile->first_column == 0) {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    } else {
        _tile_loadd(0, out, stride);
        _tile_loadd(1, out + SIDE, stride);
        _tile_loadd(2, lower, stride);
        _tile_loadd(3, lower + SIDE, stride);
    }
    for (int64_t c = 0; c < tile->columns; c += AMX_COLUMNS, b += AMX_COLUMNS * SIDE) {
        _tile_loadd(6, b, 64);
        _tile_loadd(4, tile->values[0] + c, LINE_BYTES);
        _tile_dpbuud(0, 4, 6);
        _tile_loadd(7, b + panel_bytes, 64);
        _tile_dpbuud(1, 4, 7);
        _tile_loadd(5, tile->values[SIDE] + c, LINE_BYTES);
        _tile_dpbuud(2, 5, 6);
        _tile_dpbuud(3, 5, 7);
    }
    _tile_stored(0, out, stride);
    _tile_stored(1, out + SIDE, stride);
    _tile_stored(2, lower, stride);
    _tile_stored(3, lower + SIDE, stride);
}

/* The same where only the columns [begin, end) of the product, or fewer rows, were asked for. */
static void multiply_part(const RowTile *tile, const uint8_t *b, int64_t panel_bytes, int begin, int end,
                          int32_t *out, int64_t out_stride) {
    alignas(MEM_ALIGNMENT) int32_t products[TILE_ROWS][2 * SIDE];
    size_t bytes = (size_t)(end - begin) * sizeof(int32_t);
    if (tile->first_column > 0)
        for (int r = 0; r < tile->rows; r++)
            memcpy(products[r] + begin, out + r * out_stride, bytes);
    __asm__ volatile("" ::: "memory");
    multiply_whole(tile, b, panel_bytes, products[0], 2 * SIDE);
    for (int r = 0; r < tile->rows; r++)
        memcpy(out + r * out_stride, products[r] + begin, bytes);
}

/* One tile of a against rows [first, first + count) of b. */
static void multiply_tile(const RowTile *tile, const PixRows *b, int64_t first, int64_t count, int32_t *out,
                          int64_t out_stride) {
    int64_t end = first + count;
    for (int64_t row = first / SIDE * SIDE; row < end; row += 2 * SIDE) {
        int part_begin = row < first ? (int)(first - row) : 0;
        int part_end = row + 2 * SIDE > end ? (int)(end - row) : 2 * SIDE;
        const uint8_t *panel = b->data + row / SIDE * b->panel_bytes + tile->first_column * SIDE;
        int32_t *to = out + (row + part_begin - first);
        if (part_end - part_begin < 2 * SIDE || tile->rows < TILE_ROWS)
            multiply_part(tile, panel, b->panel_bytes, part_begin, part_end, to, out_stride);
        else
            multiply_whole(tile, panel, b->panel_bytes, to, out_stride);
    }
}

void pixdot_amx_rows(const PixRows *a, const int64_t *a_rows, int64_t a_count, const PixRows *b,
                     int64_t b_first, int64_t b_count, int32_t *out, int64_t out_stride) {
    RowTile tile;
    tiles_configure();
    for (int64_t i = 0; i < a_count; i += TILE_ROWS) {
        tile.rows = a_count - i < TILE_ROWS ? (int)(a_count - i) : TILE_ROWS;
        tile.first_column = 0;
        do {
            int64_t left = a->line_bytes - tile.first_column;
            tile.columns = left < COLUMNS_AT_A_TIME ? left : COLUMNS_AT_A_TIME;
            for (int r = 0; r < tile.rows; r++)
                memcpy(tile.values[r], a->lines + a_rows[i + r] * a->line_bytes + tile.first_column,
                       (size_t)tile.columns);
            /* the intrinsics that load tiles don't tell the compiler that they read memory */
            __asm__ volatile("" ::: "memory");
            multiply_tile(&tile, b, b_first, b_count, out + i * out_stride, out_stride);
            tile.first_column += tile.columns;
        } while (tile.first_column < a->line_bytes);
    }
    tiles_release();
}

#endif
