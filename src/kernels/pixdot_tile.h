/* The register tiles under pixdot.c, one for each instruction set; the build's baseline chooses.
 *
 * A tile is TILE_ROWS rows of a times TILE_PANELS panels of b, each panel LANES rows. One step takes GROUP
 * columns: each lane of an accumulator adds GROUP products. b's panel is [groups][LANES][GROUP] bytes; a's
 * tile is [groups][TILE_ROWS][GROUP] values, made of bytes by tile_value. */
#ifndef PARDIGITS_KERNELS_PIXDOT_TILE_H
#define PARDIGITS_KERNELS_PIXDOT_TILE_H

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

#elif defined(__SSE4_1__)
#include <immintrin.h>

/* vpmaddwd adds two products of 16-bit values: at most 2 * 255 * 255, exact. */
enum { GROUP = 2, TILE_ROWS = 6, TILE_PANELS = 2, TILE_BIAS = 0 };
typedef int16_t TileValue;

static inline TileValue tile_value(uint8_t pixel) {
    return pixel;
}

#ifdef __AVX2__
#define TILE_NAME "avx2"
enum { LANES = 8 };
typedef __m256i Sums;

static inline Sums load_sums(const int32_t *from) {
    return _mm256_loadu_si256((const __m256i *)from);
}

static inline void store_sums(int32_t *to, Sums sums) {
    _mm256_storeu_si256((__m256i *)to, sums);
}

/* A group of each lane, widened. */
static inline __m256i load_group(const uint8_t *from) {
    return _mm256_cvtepu8_epi16(_mm_load_si128((const __m128i *)from));
}

static inline Sums add_products(Sums sums, __m256i group, int32_t two_values) {
    return _mm256_add_epi32(sums, _mm256_madd_epi16(group, _mm256_set1_epi32(two_values)));
}
#else
#define TILE_NAME "sse4"
enum { LANES = 4 };
typedef __m128i Sums;

static inline Sums load_sums(const int32_t *from) {
    return _mm_loadu_si128((const __m128i *)from);
}

static inline void store_sums(int32_t *to, Sums sums) {
    _mm_storeu_si128((__m128i *)to, sums);
}

static inline __m128i load_group(const uint8_t *from) {
    return _mm_cvtepu8_epi16(_mm_loadl_epi64((const __m128i *)from));
}

static inline Sums add_products(Sums sums, __m128i group, int32_t two_values) {
    return _mm_add_epi32(sums, _mm_madd_epi16(group, _mm_set1_epi32(two_values)));
}
#endif

static inline void tile_multiply(int64_t groups, const TileValue *a, const uint8_t *b, int64_t panel_bytes,
                                 const int32_t *initial, int64_t initial_stride, int32_t *out,
                                 int64_t out_stride) {
    Sums sums[TILE_ROWS][TILE_PANELS];
#pragma GCC unroll 6
    for (int r = 0; r < TILE_ROWS; r++) {
        sums[r][0] = load_sums(initial + r * initial_stride);
        sums[r][1] = load_sums(initial + r * initial_stride + LANES);
    }
    for (int64_t g = 0; g < groups; g++, a += TILE_ROWS * GROUP, b += LANES * GROUP) {
        Sums b0 = load_group(b), b1 = load_group(b + panel_bytes);
#pragma GCC unroll 6
        for (int r = 0; r < TILE_ROWS; r++) {
            int32_t two;
            memcpy(&two, a + r * GROUP, sizeof two);
            sums[r][0] = add_products(sums[r][0], b0, two);
            sums[r][1] = add_products(sums[r][1], b1, two);
        }
    }
#pragma GCC unroll 6
    for (int r = 0; r < TILE_ROWS; r++) {
        store_sums(out + r * out_stride, sums[r][0]);
        store_sums(out + r * out_stride + LANES, sums[r][1]);
    }
}

#else

#define TILE_NAME "generic"

/* One row by one row, in the form that compilers turn into whatever the processor has for it. */
enum { LANES = 1, GROUP = 16, TILE_ROWS = 1, TILE_PANELS = 1, TILE_BIAS = 0 };
typedef int16_t TileValue;

static inline TileValue tile_value(uint8_t pixel) {
    return pixel;
}

static inline void tile_multiply(int64_t groups, const TileValue *a, const uint8_t *b, int64_t panel_bytes,
                                 const int32_t *initial, int64_t initial_stride, int32_t *out,
                                 int64_t out_stride) {
    (void)panel_bytes, (void)initial_stride, (void)out_stride;
    int32_t sum = *initial;
    for (int64_t c = 0; c < groups * GROUP; c++)
        sum += a[c] * (int16_t)b[c];
    *out = sum;
}

#endif
#endif
