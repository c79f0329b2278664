/* Products of floats on AMX's matrix tiles, which multiply 16-bit bfloat16 and add up floats.
 *
 * A float x is split into two bfloat16, high = x rounded and low = (x - high) rounded: together they differ
 * from x by at most 2^-17 |x|. A product a * b is then high * low + high * high + low * high, which differs
 * from it by at most 2^-15 |a b|, where a float's own rounding is 2^-24 (Henry, Tang & Heinecke, "Leveraging
 * the bfloat16 artificial intelligence datatype for higher-precision computations", ARITH 2019).
 * Sums are of floats. What is computed depends on the operands alone: the tiles ignore rounding modes. */
#ifndef PARDIGITS_KERNELS_TILES_H
#define PARDIGITS_KERNELS_TILES_H

#include <stdbool.h>
#include <stdint.h>

enum {
    TILE_SIDE = 16,    /* rows and columns of a tile of sums */
    TILE_DEPTH = 32,   /* summands that one instruction takes */
    TILE_BYTES = 1024, /* of each tile */
};

/* Asks Linux for the use of the tiles, for all threads of the process; false: not in this build, or refused.
 */
bool tiles_allowed(void);

/* Before and after products on tiles of any numbers: all eight tiles are 16 rows of 64 bytes. A thread's
 * tiles stay configured until they are released. */
void tiles_configure(void);
void tiles_release(void);

#if defined(__AMX_BF16__) && defined(__AVX512BF16__)

#include <immintrin.h>

/* out = or += a * b for up to 2 x 2 tiles of sums. For each step, a's rows hold TILE_DEPTH summands side by
 * side, b's rows the summands 2i and 2i + 1 of 16 columns in turn. */
typedef struct {
    const uint16_t *a_high, *a_low;
    int64_t a_row;            /* bytes between a's rows; the second 16 rows follow the first */
    const int64_t *a_offsets; /* [steps] bytes, or NULL: steps lie one behind the other */
    const uint16_t *b_high, *b_low;
    int64_t b_row, b_next, b_step; /* bytes between b's rows, to the next 16 columns, to the next step */
    int64_t steps;
    bool add;
    float *out;
    int64_t out_row; /* floats */
} TileProduct;

/* row_tiles and column_tiles are 1 or 2. */
void tile_product(const TileProduct *product, int row_tiles, int column_tiles);

typedef struct {
    __m256i high, low;
} SplitFloats;

static inline __m512 from_bfloat16(__m256i x) {
    return (__m512)_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16);
}

static inline SplitFloats split_floats(__m512 x) {
    const __m256i high = (__m256i)_mm512_cvtneps_pbh(x);
    return (SplitFloats){high, (__m256i)_mm512_cvtneps_pbh(_mm512_sub_ps(x, from_bfloat16(high)))};
}

/* Two times 16 values in turn: the summands 2i and 2i + 1 of 16 columns. */
static inline __m512i interleave(__m256i even, __m256i odd) {
    return _mm512_or_si512(_mm512_cvtepu16_epi32(even), _mm512_slli_epi32(_mm512_cvtepu16_epi32(odd), 16));
}

/* The first `lanes` floats, 0 <= lanes; the others are 0. */
static inline __mmask16 lane_mask(int64_t lanes) {
    return lanes >= 16 ? 0xffff : lanes <= 0 ? 0 : (__mmask16)((1u << lanes) - 1);
}

/* TILE_DEPTH floats. */
static inline void split_vectors(__m512 a, __m512 b, uint16_t *high, uint16_t *low) {
    /* values 2i and 2i + 1 of the result are 0 and value i, or 16 + i, of both: as floats what was rounded */
    const __m512i lower = _mm512_set_epi16(15, 0, 14, 0, 13, 0, 12, 0, 11, 0, 10, 0, 9, 0, 8, 0, 7, 0, 6, 0,
                                           5, 0, 4, 0, 3, 0, 2, 0, 1, 0, 0, 0);
    const __m512i upper = _mm512_add_epi16(lower, _mm512_set1_epi32(16 << 16));
    const __m512i both = (__m512i)_mm512_cvtne2ps_pbh(b, a);
    const __m512 a_rest = _mm512_sub_ps(a, (__m512)_mm512_maskz_permutexvar_epi16(0xaaaaaaaa, lower, both));
    const __m512 b_rest = _mm512_sub_ps(b, (__m512)_mm512_maskz_permutexvar_epi16(0xaaaaaaaa, upper, both));
    _mm512_storeu_si512(high, both);
    _mm512_storeu_si512(low, (__m512i)_mm512_cvtne2ps_pbh(b_rest, a_rest));
}

/* count floats, or TILE_DEPTH if that is less, and zeros behind them: written are TILE_DEPTH values. */
static inline void split_window(const float *from, int64_t count, uint16_t *high, uint16_t *low) {
    if (count >= TILE_DEPTH)
        split_vectors(_mm512_loadu_ps(from), _mm512_loadu_ps(from + TILE_SIDE), high, low);
    else
        split_vectors(_mm512_maskz_loadu_ps(lane_mask(count), from),
                      _mm512_maskz_loadu_ps(lane_mask(count - TILE_SIDE), from + TILE_SIDE), high, low);
}

/* Two pixels' values in turn, or zeros where they are NULL: whole tiles are written. */
static inline void pair_pixels(const float *even, const float *odd, int count, uint16_t *high,
                               uint16_t *low) {
    const __m512i turns = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23,
                                           7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    const __m512i upper = _mm512_set1_epi32((int)0xffff0000);
    for (int c = 0; c < count; c += TILE_SIDE) {
        const __mmask16 lanes = lane_mask(count - c);
        const __m512 a = even ? _mm512_maskz_loadu_ps(lanes, even + c) : _mm512_setzero_ps();
        const __m512 b = odd ? _mm512_maskz_loadu_ps(lanes, odd + c) : _mm512_setzero_ps();
        const __m512i pairs = _mm512_permutexvar_epi16(turns, (__m512i)_mm512_cvtne2ps_pbh(b, a));
        const __m512 a_rest = _mm512_sub_ps(a, (__m512)_mm512_slli_epi32(pairs, 16));
        const __m512 b_rest = _mm512_sub_ps(b, (__m512)_mm512_and_si512(pairs, upper));
        _mm512_storeu_si512(high + 2 * c, pairs);
        _mm512_storeu_si512(low + 2 * c,
                            _mm512_permutexvar_epi16(turns, (__m512i)_mm512_cvtne2ps_pbh(b_rest, a_rest)));
    }
}

#endif
#endif
