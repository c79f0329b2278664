#include "pardigits/layers.h"

#include <math.h>

#include "vec.h"

/* Rows that are summed at a time: few enough to stay in the first-level cache and to keep sums of floats
 * exact enough. */
enum { BLOCK_ROWS = 64 };

static int lanes_from(int channels, int channel) {
    return channels - channel < LANES ? channels - channel : LANES;
}

static int64_t block_rows(int64_t rows, int64_t first) {
    return rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
}

static vec sum_squares(int64_t rows, int channels, const float *in, vec mean, int lanes) {
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

/* Takes one block of rows into the mean and the sum of squared deviations of the rows before (Chan, Golub &
 * LeVeque 1983). */
static void add_moments(int64_t before, int64_t rows, int channels, const float *in, float *mean,
                        float *squares) {
    const float total = (float)(before + rows), share = (float)rows / total;
    for (int c = 0; c < channels; c += LANES) {
        const int lanes = lanes_from(channels, c);
        const vec block_mean = vec_sum_rows(rows, channels, in + c, lanes) / (float)rows;
        const vec block_squares = sum_squares(rows, channels, in + c, block_mean, lanes);
        const vec old_mean = vec_load_lanes(mean + c, lanes),
                  old_squares = vec_load_lanes(squares + c, lanes);
        const vec step = block_mean - old_mean;
        vec_store_lanes(mean + c, old_mean + step * share, lanes);
        vec_store_lanes(squares + c, old_squares + block_squares + step * step * (share * (float)before),
                        lanes);
    }
}

void norm_forward(int64_t rows, int channels, const float *in, const float *scale, const float *shift,
                  float epsilon, float *out, float *mean, float *variance, float *inverse_deviation) {
    memset(mean, 0, (size_t)channels * sizeof *mean);
    memset(variance, 0, (size_t)channels * sizeof *variance);
    for (int64_t first = 0; first < rows; first += BLOCK_ROWS)
        add_moments(first, block_rows(rows, first), channels, in + first * channels, mean, variance);
    for (int c = 0; c < channels; c++) {
        variance[c] /= (float)rows;
        inverse_deviation[c] = 1 / sqrtf(variance[c] + epsilon);
    }
    for (int64_t first = 0; first < rows; first += BLOCK_ROWS) {
        for (int c = 0; c < channels; c += LANES) {
            const int lanes = lanes_from(channels, c);
            const vec m = vec_load_lanes(mean + c, lanes), offset = vec_load_lanes(shift + c, lanes);
            const vec factor =
                vec_load_lanes(scale + c, lanes) * vec_load_lanes(inverse_deviation + c, lanes);
            for (int64_t r = first; r < first + block_rows(rows, first); r++) {
                const vec x = vec_load_lanes(in + r * channels + c, lanes);
                vec_store_lanes(out + r * channels + c, (x - m) * factor + offset, lanes);
            }
        }
    }
}

/* shift_grad += sum of out_grad; scale_grad += sum of out_grad * (in - mean) */
static void add_gradients(int64_t rows, int channels, const float *in, const float *out_grad,
                          const float *mean, float *scale_grad, float *shift_grad) {
    for (int c = 0; c < channels; c += LANES) {
        const int lanes = lanes_from(channels, c);
        const vec m = vec_load_lanes(mean + c, lanes);
        vec part[VEC_PARTS] = {{0}};
        int64_t r = 0;
        for (; r + VEC_PARTS <= rows; r += VEC_PARTS) {
            for (int p = 0; p < VEC_PARTS; p++) {
                const int64_t at = (r + p) * channels + c;
                part[p] += (vec_load_lanes(in + at, lanes) - m) * vec_load_lanes(out_grad + at, lanes);
            }
        }
        for (; r < rows; r++) {
            const int64_t at = r * channels + c;
            part[0] += (vec_load_lanes(in + at, lanes) - m) * vec_load_lanes(out_grad + at, lanes);
        }
        const vec shift_sum = vec_sum_rows(rows, channels, out_grad + c, lanes);
        vec_store_lanes(scale_grad + c, vec_load_lanes(scale_grad + c, lanes) + vec_sum_parts(part), lanes);
        vec_store_lanes(shift_grad + c, vec_load_lanes(shift_grad + c, lanes) + shift_sum, lanes);
    }
}

/* With x = (in - mean) / deviation:
 * in_grad = scale / deviation * (out_grad - sum(out_grad) / rows - x * sum(out_grad * x) / rows) */
void norm_backward(int64_t rows, int channels, const float *in, const float *out_grad, const float *scale,
                   const float *mean, const float *inverse_deviation, float *in_grad, float *scale_grad,
                   float *shift_grad) {
    memset(scale_grad, 0, (size_t)channels * sizeof *scale_grad);
    memset(shift_grad, 0, (size_t)channels * sizeof *shift_grad);
    for (int64_t first = 0; first < rows; first += BLOCK_ROWS)
        add_gradients(block_rows(rows, first), channels, in + first * channels, out_grad + first * channels,
                      mean, scale_grad, shift_grad);
    for (int c = 0; c < channels; c++)
        scale_grad[c] *= inverse_deviation[c];
    for (int64_t first = 0; first < rows; first += BLOCK_ROWS) {
        for (int c = 0; c < channels; c += LANES) {
            const int lanes = lanes_from(channels, c);
            const vec m = vec_load_lanes(mean + c, lanes),
                      inverse = vec_load_lanes(inverse_deviation + c, lanes);
            const vec factor = vec_load_lanes(scale + c, lanes) * inverse;
            const vec shift_mean = vec_load_lanes(shift_grad + c, lanes) / (float)rows;
            const vec slope = vec_load_lanes(scale_grad + c, lanes) / (float)rows * inverse;
            for (int64_t r = first; r < first + block_rows(rows, first); r++) {
                const int64_t at = r * channels + c;
                const vec centred = vec_load_lanes(in + at, lanes) - m;
                const vec gradient = vec_load_lanes(out_grad + at, lanes);
                vec_store_lanes(in_grad + at, factor * (gradient - shift_mean - centred * slope), lanes);
            }
        }
    }
}

void norm_apply(int64_t rows, int channels, const float *in, const float *factor, const float *offset,
                float *out) {
    for (int64_t first = 0; first < rows; first += BLOCK_ROWS) {
        for (int c = 0; c < channels; c += LANES) {
            const int lanes = lanes_from(channels, c);
            const vec f = vec_load_lanes(factor + c, lanes), o = vec_load_lanes(offset + c, lanes);
            for (int64_t r = first; r < first + block_rows(rows, first); r++) {
                const vec x = vec_load_lanes(in + r * channels + c, lanes);
                vec_store_lanes(out + r * channels + c, x * f + o, lanes);
            }
        }
    }
}
