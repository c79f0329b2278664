#include "kernels/tiles.h"

#include "core/cpu.h"

#ifdef __AMX_TILE__
#include <immintrin.h>
#endif

bool tiles_allowed(void) {
#if defined(__AMX_BF16__) && defined(__AVX512BF16__)
    return cpu_tiles_granted();
#else
    return false;
#endif
}

#ifdef __AMX_TILE__

void tiles_configure(void) {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config = {.palette = 1};
    for (int t = 0; t < 8; t++) {
        config.row_bytes[t] = 64;
        config.rows[t] = TILE_SIDE;
    }
    __asm__ volatile("" ::"r"(&config) : "memory"); /* the intrinsic tells the compiler of 8 bytes only */
    _tile_loadconfig(&config);
}

void tiles_release(void) {
    _tile_release();
}

#endif

#if defined(__AMX_BF16__) && defined(__AVX512BF16__)

/* Tiles 0 to 3 are the sums, 4 and 5 hold rows of a, 6 and 7 columns of b. The smallest products come first.
 */
#define DEFINE(name, two_rows, two_columns)                                                                  \
    static void name(const TileProduct *p) {                                                                 \
        const int64_t out_row = p->out_row * (int64_t)sizeof(float), a_next = TILE_SIDE * p->a_row;          \
        float *const lower = p->out + TILE_SIDE * p->out_row;                                                \
        const uint8_t *b_high = (const uint8_t *)p->b_high, *b_low = (const uint8_t *)p->b_low;              \
        if (p->add) {                                                                                        \
            _tile_loadd(0, p->out, out_row);                                                                 \
            if (two_columns) _tile_loadd(1, p->out + TILE_SIDE, out_row);                                    \
            if (two_rows) _tile_loadd(2, lower, out_row);                                                    \
            if (two_rows && two_columns) _tile_loadd(3, lower + TILE_SIDE, out_row);                         \
        } else {                                                                                             \
            _tile_zero(0);                                                                                   \
            _tile_zero(1);                                                                                   \
            _tile_zero(2);                                                                                   \
            _tile_zero(3);                                                                                   \
        }                                                                                                    \
        for (int64_t s = 0; s < p->steps; s++, b_high += p->b_step, b_low += p->b_step) {                    \
            const int64_t offset = p->a_offsets ? p->a_offsets[s] : s * 64;                                  \
            const uint8_t *a_high = (const uint8_t *)p->a_high + offset;                                     \
            const uint8_t *a_low = (const uint8_t *)p->a_low + offset;                                       \
            _tile_loadd(6, b_low, p->b_row);                                                                 \
            _tile_loadd(4, a_high, p->a_row);                                                                \
            _tile_dpbf16ps(0, 4, 6);                                                                         \
            if (two_columns) {                                                                               \
                _tile_loadd(7, b_low + p->b_next, p->b_row);                                                 \
                _tile_dpbf16ps(1, 4, 7);                                                                     \
            }                                                                                                \
            if (two_rows) {                                                                                  \
                _tile_loadd(5, a_high + a_next, p->a_row);                                                   \
                _tile_dpbf16ps(2, 5, 6);                                                                     \
                if (two_columns) _tile_dpbf16ps(3, 5, 7);                                                    \
            }                                                                                                \
            _tile_loadd(6, b_high, p->b_row);                                                                \
            _tile_dpbf16ps(0, 4, 6);                                                                         \
            if (two_columns) {                                                                               \
                _tile_loadd(7, b_high + p->b_next, p->b_row);                                                \
                _tile_dpbf16ps(1, 4, 7);                                                                     \
            }                                                                                                \
            if (two_rows) {                                                                                  \
                _tile_dpbf16ps(2, 5, 6);                                                                     \
                if (two_columns) _tile_dpbf16ps(3, 5, 7);                                                    \
            }                                                                                                \
            _tile_loadd(4, a_low, p->a_row);                                                                 \
            _tile_dpbf16ps(0, 4, 6);                                                                         \
            if (two_columns) _tile_dpbf16ps(1, 4, 7);                                                        \
            if (two_rows) {                                                                                  \
                _tile_loadd(5, a_low + a_next, p->a_row);                                                    \
                _tile_dpbf16ps(2, 5, 6);                                                                     \
                if (two_columns) _tile_dpbf16ps(3, 5, 7);                                                    \
            }                                                                                                \
        }                                                                                                    \
        _tile_stored(0, p->out, out_row);                                                                    \
        if (two_columns) _tile_stored(1, p->out + TILE_SIDE, out_row);                                       \
        if (two_rows) _tile_stored(2, lower, out_row);                                                       \
        if (two_rows && two_columns) _tile_stored(3, lower + TILE_SIDE, out_row);                            \
    }
DEFINE(product_1x1, false, false)
DEFINE(product_1x2, false, true)
DEFINE(product_2x1, true, false)
DEFINE(product_2x2, true, true)

void tile_product(const TileProduct *product, int row_tiles, int column_tiles) {
    static void (*const functions[2][2])(const TileProduct *) = {{product_1x1, product_1x2},
                                                                 {product_2x1, product_2x2}};
    /* the intrinsics that load and store tiles don't tell the compiler that they touch memory */
    __asm__ volatile("" ::: "memory");
    functions[row_tiles - 1][column_tiles - 1](product);
    __asm__ volatile("" ::: "memory");
}

#endif
