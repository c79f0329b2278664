/* The register tiles under pixdot.c, one for each instruction set; the build's baseline chooses.
 *
 * A tile is TILE_ROWS rows of a times TILE_PANELS panels of b, each panel LANES rows. One step takes GROUP
 * columns: each lane of an accumulator adds GROUP products. b's panel is [groups][LANES][GROUP] bytes; a's
 * tile is [groups][TILE_ROWS][GROUP] values, made of bytes by tile_value. */
#ifndef PARDIGITS_PIXDOT_TILE_H
#define PARDIGITS_PIXDOT_TILE_H

#include <stdint.h>
#include <string.h>

#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
#include <immintrin.h>

#define TILE_NAME "avx512-vnni"

/* vpdpbusd multiplies unsigned by signed bytes. With a' = a - 128: a.b = a'.b + 128 * (sum of b), so sums
 * start from 128 * (sum of b). It doesn't saturate; sums wrap modulo 2^32, and the final one is below 2^31,
 * so exact. */
enum { LANES = 16, GROUP = 4, TILE_ROWS = 12, TILE_PANELS = 2, TILE_BIAS = 128 };
typedef int8_t TileValue;

static inline TileValue tile_value(uint8_t pixel) {
    return (TileValue)(pixel - TILE_BIAS);
}

static inline void tile_multiply(int64_t groups, const TileValue *a, const uint8_t *b, int64_t panel_bytes,
                                 const int32_t *initial, int64_t initial_stride, int32_t *out,
                                 int64_t out_stride) {
    __m512i sums[TILE_ROWS][TILE_PANELS];
#pragma GCC unroll 12
    for (int r = 0; r < TILE_ROWS; r++) {
        sums[r][0] = _mm512_loadu_si512(initial + r * initial_stride);
        sums[r][1] = _mm512_loadu_si512(initial + r * initial_stride + LANES);
    }
    for (int64_t g = 0; g < groups; g++, a += TILE_ROWS * GROUP, b += LANES * GROUP) {
        __m512i b0 = _mm512_load_si512(b), b1 = _mm512_load_si512(b + panel_bytes);
#pragma GCC unroll 12
        for (int r = 0; r < TILE_ROWS; r++) {
            int32_t four;
            memcpy(&four, a + r * GROUP, sizeof four);
            __m512i value = _mm512_set1_epi32(four);
            sums[r][0] = _mm512_dpbusd_epi32(sums[r][0], b0, value);
            sums[r][1] = _mm512_dpbusd_epi32(sums[r][1], b1, value);
        }
    }
#pragma GCC unroll 12
    for (int r = 0; r < TILE_ROWS; r++) {
        _mm512_storeu_si512(out + r * out_stride, sums[r][0]);
        _mm512_storeu_si512(out + r * out_stride + LANES, sums[r][1]);
    }
}

#elif defined(__AVX2__)
#include <immintrin.h>

#define TILE_NAME "avx2"

/* vpmaddwd adds two products of 16-bit values: at most 2 * 255 * 255, exact. */
enum { LANES = 8, GROUP = 2, TILE_ROWS = 6, TILE_PANELS = 2, TILE_BIAS = 0 };
typedef int16_t TileValue;

static inline TileValue tile_value(uint8_t pixel) {
    return pixel;
}

static inline void tile_multiply(int64_t groups, const TileValue *a, const uint8_t *b, int64_t panel_bytes,
                                 const int32_t *initial, int64_t initial_stride, int32_t *out,
                                 int64_t out_stride) {
    __m256i sums[TILE_ROWS][TILE_PANELS];
#pragma GCC unroll 6
    for (int r = 0; r < TILE_ROWS; r++) {
        sums[r][0] = _mm256_loadu_si256((const __m256i *)(initial + r * initial_stride));
        sums[r][1] = _mm256_loadu_si256((const __m256i *)(initial + r * initial_stride + LANES));
    }
    for (int64_t g = 0; g < groups; g++, a += TILE_ROWS * GROUP, b += LANES * GROUP) {
        __m256i b0 = _mm256_cvtepu8_epi16(_mm_load_si128((const __m128i *)b));
        __m256i b1 = _mm256_cvtepu8_epi16(_mm_load_si128((const __m128i *)(b + panel_bytes)));
#pragma GCC unroll 6
        for (int r = 0; r < TILE_ROWS; r++) {
            int32_t two;
            memcpy(&two, a + r * GROUP, sizeof two);
            __m256i value = _mm256_set1_epi32(two);
            sums[r][0] = _mm256_add_epi32(sums[r][0], _mm256_madd_epi16(b0, value));
            sums[r][1] = _mm256_add_epi32(sums[r][1], _mm256_madd_epi16(b1, value));
        }
    }
#pragma GCC unroll 6
    for (int r = 0; r < TILE_ROWS; r++) {
        _mm256_storeu_si256((__m256i *)(out + r * out_stride), sums[r][0]);
        _mm256_storeu_si256((__m256i *)(out + r * out_stride + LANES), sums[r][1]);
    }
}

#else

#define TILE_NAME "generic"

/* Plain loops over 16-bit values, which compilers turn into what the processor has (such as pmaddwd). */
enum { LANES = 1, GROUP = 16, TILE_ROWS = 4, TILE_PANELS = 1, TILE_BIAS = 0 };
typedef int16_t TileValue;

static inline TileValue tile_value(uint8_t pixel) {
    return pixel;
}

static inline void tile_multiply(int64_t groups, const TileValue *a, const uint8_t *b, int64_t panel_bytes,
                                 const int32_t *initial, int64_t initial_stride, int32_t *out,
                                 int64_t out_stride) {
    (void)panel_bytes;
    int32_t sums[TILE_ROWS];
    for (int r = 0; r < TILE_ROWS; r++)
        sums[r] = initial[r * initial_stride];
    for (int64_t g = 0; g < groups; g++, a += TILE_ROWS * GROUP, b += GROUP)
        for (int r = 0; r < TILE_ROWS; r++)
            for (int c = 0; c < GROUP; c++)
                sums[r] += a[r * GROUP + c] * (int16_t)b[c];
    for (int r = 0; r < TILE_ROWS; r++)
        out[r * out_stride] = sums[r];
}

#endif
#endif
