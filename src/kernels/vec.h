/* The widest vector of floats that the build's instruction set has, and what it lacks in GCC's vector
 * extension. */
#ifndef PARDIGITS_KERNELS_VEC_H
#define PARDIGITS_KERNELS_VEC_H

#include <stdint.h>
#include <string.h>

#ifdef __AVX__
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
enum { LANES = 16 };
#elif defined(__AVX__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif

typedef float vec __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t int_vec __attribute__((vector_size(LANES * sizeof(int32_t))));

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Columns in the vector that begins at `column`. */
static inline int lanes_from(int columns, int column) {
    return columns - column < LANES ? columns - column : LANES;
}

static inline vec vec_load(const float *from) {
    vec value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline void vec_store(float *to, vec value) {
    memcpy(to, &value, sizeof value);
}

/* The first `lanes` floats only (0 < lanes < LANES); the others read as 0 and are not written. */
static inline vec vec_load_part(const float *from, int lanes) {
#if defined(__AVX512F__)
    return (vec)_mm512_maskz_loadu_ps((__mmask16)((1u << lanes) - 1), from);
#elif defined(__AVX2__)
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return (vec)_mm256_maskload_ps(from, _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes), lane));
#else
    vec value = {0};
    memcpy(&value, from, (size_t)lanes * sizeof *from);
    return value;
#endif
}

static inline void vec_store_part(float *to, vec value, int lanes) {
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << lanes) - 1), (__m512)value);
#elif defined(__AVX2__)
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_maskstore_ps(to, _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes), lane), (__m256)value);
#else
    memcpy(to, &value, (size_t)lanes * sizeof *to);
#endif
}

/* As above for 0 < lanes <= LANES. */
static inline vec vec_load_lanes(const float *from, int lanes) {
    return lanes == LANES ? vec_load(from) : vec_load_part(from, lanes);
}

static inline void vec_store_lanes(float *to, vec value, int lanes) {
    if (lanes == LANES)
        vec_store(to, value);
    else
        vec_store_part(to, value, lanes);
}

/* max(x, 0), NaN for NaN. */
static inline vec vec_relu(vec x) {
    return (vec)(~(x < (vec){0}) & (int_vec)x);
}

/* x where relu_mask is above 0, else 0. */
static inline vec vec_relu_mask(vec relu_mask, vec x) {
    return (vec)((relu_mask > (vec){0}) & (int_vec)x);
}

/* Sum of the lanes: of the halves, of the quarters, and so on. */
static inline float vec_sum(vec x) {
#ifdef __AVX512F__
    const __m256 half =
        _mm512_castps512_ps256((__m512)x) + _mm256_castpd_ps(_mm512_extractf64x4_pd((__m512d)x, 1));
#elif defined(__AVX__)
    const __m256 half = (__m256)x;
#endif
#ifdef __AVX__
    __m128 sum = _mm256_castps256_ps128(half) + _mm256_extractf128_ps(half, 1);
    sum += _mm_movehl_ps(sum, sum);
    return sum[0] + sum[1];
#else
    return (x[0] + x[2]) + (x[1] + x[3]);
#endif
}

/* Long sums are added up in a few interleaved parts, so that as many additions run at once. */
enum { VEC_PARTS = 4 };

static inline vec vec_sum_parts(const vec part[VEC_PARTS]) {
    return (part[0] + part[1]) + (part[2] + part[3]);
}

/* Sum of the vectors at from, from + stride, ... */
static inline vec vec_sum_rows(int64_t rows, int64_t stride, const float *from, int lanes) {
    vec part[VEC_PARTS] = {{0}};
    int64_t r = 0;
    for (; r + VEC_PARTS <= rows; r += VEC_PARTS)
        for (int p = 0; p < VEC_PARTS; p++)
            part[p] += vec_load_lanes(from + (r + p) * stride, lanes);
    for (; r < rows; r++)
        part[0] += vec_load_lanes(from + r * stride, lanes);
    return vec_sum_parts(part);
}

#endif
