/* The transforms of Winograd's minimal filtering: from 6x6 inputs 4x4 outputs of a 3x3 kernel, F(4x4, 3x3),
 * with 36 multiplications instead of 144, or 2x2 outputs of a 5x5 kernel, F(2x2, 5x5), instead of 100 (Lavin
 * & Gray, "Fast algorithms for convolutional neural networks", CVPR 2016, section 4.3). With matrices of
 * small constants, which evaluate polynomials at 0, 1, -1, 2, -2 and infinity,
 *
 *     output             A' [(G g G') * (B' d B)] A    of kernel g and input d, * element by element
 *     kernel's gradient  G' [(A y A') * (B' d B)] G    of the output's gradient y
 *     input's gradient   B  [(G g G') * (A y A')] B'
 *
 * A vector holds one value of LANES channels. `out` is 4 or 2: the outputs along one dimension. */
#ifndef PARDIGITS_CONV_WINOGRAD_H
#define PARDIGITS_CONV_WINOGRAD_H

#include "kernels/vec.h"

enum { WINOGRAD_IN = 6, WINOGRAD_POINTS = WINOGRAD_IN * WINOGRAD_IN };

/* A kernel's taps along one dimension. */
static inline int winograd_taps(int out) {
    return WINOGRAD_IN + 1 - out;
}

/* One dimension: values at from[0], from[step], ... to to[0], to[step], ... */

/* B' d */
ALWAYS_INLINE void winograd_input_line(const vec *from, vec *to, int step, const int out) {
    const vec d0 = from[0], d1 = from[step], d2 = from[2 * step], d3 = from[3 * step], d4 = from[4 * step],
              d5 = from[5 * step];
    const vec even = d4 - 4 * d2, odd = d3 - 4 * d1, outer_even = d4 - d2, outer_odd = 2 * (d3 - d1);
    (void)out;
    to[0] = 4 * d0 - 5 * d2 + d4;
    to[step] = even + odd;
    to[2 * step] = even - odd;
    to[3 * step] = outer_even + outer_odd;
    to[4 * step] = outer_even - outer_odd;
    to[5 * step] = 4 * d1 - 5 * d3 + d5;
}

/* B m */
ALWAYS_INLINE void winograd_input_gradient_line(const vec *from, vec *to, int step, const int out) {
    const vec m0 = from[0], m1 = from[step], m2 = from[2 * step], m3 = from[3 * step], m4 = from[4 * step],
              m5 = from[5 * step];
    const vec sum = m1 + m2, difference = m1 - m2, outer_sum = m3 + m4, outer_difference = m3 - m4;
    (void)out;
    to[0] = 4 * m0;
    to[step] = 4 * (m5 - difference) - 2 * outer_difference;
    to[2 * step] = -(5 * m0 + 4 * sum + outer_sum);
    to[3 * step] = difference + 2 * outer_difference - 5 * m5;
    to[4 * step] = m0 + sum + outer_sum;
    to[5 * step] = m5;
}

/* A' m */
ALWAYS_INLINE void winograd_output_line(const vec *from, vec *to, int step, const int out) {
    const vec m0 = from[0], m1 = from[step], m2 = from[2 * step], m3 = from[3 * step], m4 = from[4 * step],
              m5 = from[5 * step];
    const vec sum = m1 + m2, difference = m1 - m2, outer_sum = m3 + m4, outer_difference = m3 - m4;
    to[0] = m0 + sum + outer_sum;
    if (out == 2) {
        to[step] = difference + 2 * outer_difference + m5;
        return;
    }
    to[step] = difference + 2 * outer_difference;
    to[2 * step] = sum + 4 * outer_sum;
    to[3 * step] = difference + 8 * outer_difference + m5;
}

/* A y */
ALWAYS_INLINE void winograd_gradient_line(const vec *from, vec *to, int step, const int out) {
    const vec zero = {0}, y0 = from[0], y1 = from[step], y2 = out == 2 ? zero : from[2 * step],
              y3 = out == 2 ? zero : from[3 * step];
    const vec even = y0 + y2, odd = y1 + y3, outer_even = y0 + 4 * y2, outer_odd = 2 * y1 + 8 * y3;
    to[0] = y0;
    to[step] = even + odd;
    to[2 * step] = even - odd;
    to[3 * step] = outer_even + outer_odd;
    to[4 * step] = outer_even - outer_odd;
    to[5 * step] = out == 2 ? y1 : y3;
}

/* G g */
ALWAYS_INLINE void winograd_kernel_line(const vec *from, vec *to, int step, const int out) {
    const vec zero = {0}, g0 = from[0], g1 = from[step], g2 = from[2 * step],
              g3 = out == 2 ? from[3 * step] : zero, g4 = out == 2 ? from[4 * step] : zero;
    const vec even = (g0 + g2 + g4) * (1 / 6.0f), odd = (g1 + g3) * (1 / 6.0f);
    const vec outer_even = g0 * (1 / 24.0f) + g2 * (1 / 6.0f) + g4 * (2 / 3.0f),
              outer_odd = g1 * (1 / 12.0f) + g3 * (1 / 3.0f);
    to[0] = g0 * 0.25f;
    to[step] = -(even + odd);
    to[2 * step] = odd - even;
    to[3 * step] = outer_even + outer_odd;
    to[4 * step] = outer_even - outer_odd;
    to[5 * step] = out == 2 ? g4 : g2;
}

/* G' w */
ALWAYS_INLINE void winograd_kernel_gradient_line(const vec *from, vec *to, int step, const int out) {
    const vec w0 = from[0], w1 = from[step], w2 = from[2 * step], w3 = from[3 * step], w4 = from[4 * step],
              w5 = from[5 * step];
    const vec sum = (w1 + w2) * (1 / 6.0f), difference = (w1 - w2) * (1 / 6.0f), outer_sum = w3 + w4,
              outer_difference = w3 - w4;
    to[0] = w0 * 0.25f - sum + outer_sum * (1 / 24.0f);
    to[step] = outer_difference * (1 / 12.0f) - difference;
    if (out == 4) {
        to[2 * step] = outer_sum * (1 / 6.0f) - sum + w5;
        return;
    }
    to[2 * step] = outer_sum * (1 / 6.0f) - sum;
    to[3 * step] = outer_difference * (1 / 3.0f) - difference;
    to[4 * step] = outer_sum * (2 / 3.0f) - sum + w5;
}

/* Both dimensions of values at y * WINOGRAD_IN + x, in place: down each of `columns` columns, then along
 * `rows` rows. */
#define WINOGRAD_SQUARE(name, line, columns, rows)                                                           \
    ALWAYS_INLINE void name(vec values[WINOGRAD_POINTS], const int out) {                                    \
        _Pragma("GCC unroll 6") for (int x = 0; x < (columns); x++)                                          \
            line(values + x, values + x, WINOGRAD_IN, out);                                                  \
        _Pragma("GCC unroll 6") for (int y = 0; y < (rows); y++)                                             \
            line(values + y * WINOGRAD_IN, values + y * WINOGRAD_IN, 1, out);                                \
    }
WINOGRAD_SQUARE(winograd_input, winograd_input_line, WINOGRAD_IN, WINOGRAD_IN)
WINOGRAD_SQUARE(winograd_input_gradient, winograd_input_gradient_line, WINOGRAD_IN, WINOGRAD_IN)
WINOGRAD_SQUARE(winograd_output, winograd_output_line, WINOGRAD_IN, out)
WINOGRAD_SQUARE(winograd_gradient, winograd_gradient_line, out, WINOGRAD_IN)
WINOGRAD_SQUARE(winograd_kernel, winograd_kernel_line, winograd_taps(out), WINOGRAD_IN)
WINOGRAD_SQUARE(winograd_kernel_gradient, winograd_kernel_gradient_line, WINOGRAD_IN, winograd_taps(out))

#endif
