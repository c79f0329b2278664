#include "kernels/layers.h"

#include <math.h>
#include <string.h>

#include "kernels/vec.h"

/* Rows that are summed at a time: few enough to stay in the first-level cache and to keep sums of floats
 * exact enough. */
enum { BLOCK_ROWS = 64 };

static int64_t block_rows(int64_t rows, int64_t first) {
    return rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
}

/* The loops over rows of one vector of channels are compiled twice: for whole vectors, and for the last
 * channels. */
#define FOR_VECTORS(function, channels, ...)                                                                 \
    do {                                                                                                     \
        int c = 0;                                                                                           \
        for (; c + LANES <= (channels); c += LANES)                                                          \
            function(c, LANES, __VA_ARGS__);                                                                 \
        if (c < (channels)) function(c, (channels)-c, __VA_ARGS__);                                          \
    } while (0)

ALWAYS_INLINE vec sum_squares(int64_t rows, int channels, const float *in, vec mean, int lanes) {
    vec part[VEC_PARTS] = {{0}};
    int64_t r = 0;
    for (; r + VEC_PARTS <= rows; r += VEC_PARTS) {
        for (int p = 0; p < VEC_PARTS; p++) {
            const vec x = vec_load_lanes(in + (r + p) * channels, lanes) - mean;
            part[p] += x * x;
        }
    }
    for (; r < rows; r++) {
        const vec x = vec_load_lanes(in + r * channels, lanes) - mean;
        part[0] += x * x;
    }
    return vec_sum_parts(part);
}

/* sums [2][channels] of a block: mean and sum of squared deviations. */
ALWAYS_INLINE void find_moments(int c, int lanes, int channels, int64_t rows, const float *in, float *sums) {
    const vec mean = vec_sum_rows(rows, channels, in + c, lanes) / (float)rows;
    vec_store_lanes(sums + c, mean, lanes);
    vec_store_lanes(sums + channels + c, sum_squares(rows, channels, in + c, mean, lanes), lanes);
}

int64_t norm_block_floats(int channels, int64_t rows) {
    return (rows + BLOCK_ROWS - 1) / BLOCK_ROWS * 2 * channels;
}

void norm_find_moments(const Norm *norm, int64_t rows, const float *in, float *block_sums) {
    for (int64_t first = 0; first < rows; first += BLOCK_ROWS, block_sums += 2 * norm->channels)
        FOR_VECTORS(find_moments, norm->channels, norm->channels, block_rows(rows, first),
                    in + first * norm->channels, block_sums);
}

/* Takes one block of rows into the moments of the rows before (Chan, Golub & LeVeque 1983). */
ALWAYS_INLINE void add_moments(int c, int lanes, const Norm *norm, int64_t before, int64_t rows,
                               const float *sums) {
    float *const mean = norm->mean, *const squares = norm->variance;
    const float total = (float)(before + rows), share = (float)rows / total;
    const vec block_mean = vec_load_lanes(sums + c, lanes);
    const vec block_squares = vec_load_lanes(sums + norm->channels + c, lanes);
    const vec old_mean = vec_load_lanes(mean + c, lanes), old_squares = vec_load_lanes(squares + c, lanes);
    const vec step = block_mean - old_mean;
    vec_store_lanes(mean + c, old_mean + step * share, lanes);
    vec_store_lanes(squares + c, old_squares + block_squares + step * step * (share * (float)before), lanes);
}

void norm_add_moments(const Norm *norm, int64_t before, int64_t rows, const float *block_sums) {
    if (before == 0) {
        memset(norm->mean, 0, (size_t)norm->channels * sizeof *norm->mean);
        memset(norm->variance, 0, (size_t)norm->channels * sizeof *norm->variance);
    }
    for (int64_t first = 0; first < rows; first += BLOCK_ROWS, block_sums += 2 * norm->channels)
        FOR_VECTORS(add_moments, norm->channels, norm, before + first, block_rows(rows, first), block_sums);
}

void norm_finish_moments(const Norm *norm, int64_t rows, float epsilon) {
    for (int c = 0; c < norm->channels; c++) {
        norm->variance[c] /= (float)rows;
        norm->inv_std[c] = 1 / sqrtf(norm->variance[c] + epsilon);
    }
}

/* NaN stays NaN. */
static inline vec keep_positive(vec x, vec value) {
    return (vec)(~(int_vec)(x <= 0) & (int_vec)value);
}

ALWAYS_INLINE void normalise(int c, int lanes, const Norm *norm, int64_t rows, const float *in, bool relu,
                             float *out) {
    const int channels = norm->channels;
    const vec m = vec_load_lanes(norm->mean + c, lanes), offset = vec_load_lanes(norm->shift + c, lanes);
    const vec factor = vec_load_lanes(norm->scale + c, lanes) * vec_load_lanes(norm->inv_std + c, lanes);
    for (int64_t at = c; at < rows * channels; at += channels) {
        const vec x = (vec_load_lanes(in + at, lanes) - m) * factor + offset;
        vec_store_lanes(out + at, relu ? keep_positive(x, x) : x, lanes);
    }
}

void norm_forward(const Norm *norm, int64_t rows, const float *in, bool relu, float *out) {
    for (int64_t first = 0; first < rows; first += BLOCK_ROWS)
        FOR_VECTORS(normalise, norm->channels, norm, block_rows(rows, first), in + first * norm->channels,
                    relu, out + first * norm->channels);
}

ALWAYS_INLINE void add_gradient(int64_t at, int lanes, const float *in, const float *relu_out, vec mean,
                                float *gradient, vec *scale_sum, vec *shift_sum) {
    vec g = vec_load_lanes(gradient + at, lanes);
    if (relu_out) {
        g = keep_positive(vec_load_lanes(relu_out + at, lanes), g);
        vec_store_lanes(gradient + at, g, lanes);
    }
    *scale_sum += (vec_load_lanes(in + at, lanes) - mean) * g;
    *shift_sum += g;
}

/* sums [2][channels] of a block: for scale_grad and shift_grad. */
ALWAYS_INLINE void find_gradients(int c, int lanes, const Norm *norm, int64_t rows, const float *in,
                                  const float *relu_out, float *gradient, float *sums) {
    const int channels = norm->channels;
    const vec m = vec_load_lanes(norm->mean + c, lanes);
    vec scale_part[VEC_PARTS] = {{0}}, shift_part[VEC_PARTS] = {{0}};
    int64_t r = 0;
    for (; r + VEC_PARTS <= rows; r += VEC_PARTS)
#pragma GCC unroll 4
        for (int p = 0; p < VEC_PARTS; p++)
            add_gradient((r + p) * channels + c, lanes, in, relu_out, m, gradient, &scale_part[p],
                         &shift_part[p]);
    for (; r < rows; r++)
        add_gradient(r * channels + c, lanes, in, relu_out, m, gradient, &scale_part[0], &shift_part[0]);
    vec_store_lanes(sums + c, vec_sum_parts(scale_part), lanes);
    vec_store_lanes(sums + channels + c, vec_sum_parts(shift_part), lanes);
}

void norm_find_gradients(const Norm *norm, int64_t rows, const float *in, const float *relu_out,
                         float *gradient, float *block_sums) {
    const int channels = norm->channels;
    for (int64_t first = 0; first < rows; first += BLOCK_ROWS, block_sums += 2 * channels)
        FOR_VECTORS(find_gradients, channels, norm, block_rows(rows, first), in + first * channels,
                    relu_out ? relu_out + first * channels : NULL, gradient + first * channels, block_sums);
}

ALWAYS_INLINE void add_sums(int c, int lanes, const float *sums, float *total) {
    vec_store_lanes(total + c, vec_load_lanes(total + c, lanes) + vec_load_lanes(sums + c, lanes), lanes);
}

void norm_add_gradients(const Norm *norm, int64_t before, int64_t rows, const float *block_sums) {
    const int channels = norm->channels;
    if (before == 0) {
        memset(norm->scale_grad, 0, (size_t)channels * sizeof *norm->scale_grad);
        memset(norm->shift_grad, 0, (size_t)channels * sizeof *norm->shift_grad);
    }
    for (int64_t first = 0; first < rows; first += BLOCK_ROWS, block_sums += 2 * channels) {
        FOR_VECTORS(add_sums, channels, block_sums, norm->scale_grad);
        FOR_VECTORS(add_sums, channels, block_sums + channels, norm->shift_grad);
    }
}

void norm_finish_gradients(const Norm *norm) {
    for (int c = 0; c < norm->channels; c++)
        norm->scale_grad[c] *= norm->inv_std[c];
}

/* With x = (in - mean) / deviation:
 * in_grad = scale / deviation * (out_grad - sum(out_grad) / rows - x * sum(out_grad * x) / rows) */
ALWAYS_INLINE void backward(int c, int lanes, const Norm *norm, int64_t all_rows, int64_t rows,
                            const float *in, float *gradient) {
    const int channels = norm->channels;
    const vec m = vec_load_lanes(norm->mean + c, lanes), inv = vec_load_lanes(norm->inv_std + c, lanes);
    const vec factor = vec_load_lanes(norm->scale + c, lanes) * inv;
    const vec shift_mean = vec_load_lanes(norm->shift_grad + c, lanes) / (float)all_rows;
    const vec slope = vec_load_lanes(norm->scale_grad + c, lanes) / (float)all_rows * inv;
    for (int64_t at = c; at < rows * channels; at += channels) {
        const vec centred = vec_load_lanes(in + at, lanes) - m, g = vec_load_lanes(gradient + at, lanes);
        vec_store_lanes(gradient + at, factor * (g - shift_mean - centred * slope), lanes);
    }
}

void norm_backward(const Norm *norm, int64_t all_rows, int64_t rows, const float *in, float *gradient) {
    for (int64_t first = 0; first < rows; first += BLOCK_ROWS)
        FOR_VECTORS(backward, norm->channels, norm, all_rows, block_rows(rows, first),
                    in + first * norm->channels, gradient + first * norm->channels);
}

ALWAYS_INLINE void apply(int c, int lanes, int64_t rows, int channels, const float *in, const float *factor,
                         const float *offset, float *out) {
    const vec f = vec_load_lanes(factor + c, lanes), o = vec_load_lanes(offset + c, lanes);
    for (int64_t at = c; at < rows * channels; at += channels)
        vec_store_lanes(out + at, vec_load_lanes(in + at, lanes) * f + o, lanes);
}

void norm_apply(int64_t rows, int channels, const float *in, const float *factor, const float *offset,
                float *out) {
    for (int64_t first = 0; first < rows; first += BLOCK_ROWS)
        FOR_VECTORS(apply, channels, block_rows(rows, first), channels, in + first * channels, factor, offset,
                    out + first * channels);
}
