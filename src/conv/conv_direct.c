/* Direct convolution: register-blocked products of floats over the pixels where they lie. Takes every shape.
 */
#include "conv/conv_axis.h"

#include <string.h>

#include "conv/conv_backend.h"
#include "conv/conv_direct_weights.h"
#include "conv/product.h"
#include "core/integers.h"

static bool takes(const ConvShape *s, ConvPass pass) {
    (void)s;
    (void)pass;
    return true;
}

static int images_wanted(const ConvShape *s) {
    return (int)larger(1, PIXELS_WANTED / ((int64_t)s->out_height * s->out_width));
}

static int64_t work_size(const ConvShape *s, int n) {
    const int64_t filled = (int64_t)s->out_height * s->out_width * product_round_up(s->filters);
    const int64_t start = whole_lines(larger(product_round_up(s->channels), product_round_up(s->filters)));
    const int64_t copy = is_dense(s) ? COPY_STRIDE : 0;
    return start + group_size(s, n) * (filled + copy);
}

static int64_t packed_size(const ConvShape *s) {
    const int64_t area = (int64_t)s->kernel * s->kernel;
    return area * larger((int64_t)s->channels * product_round_up(s->filters),
                         (int64_t)s->filters * product_round_up(s->channels));
}

static void pack_forward(const ConvShape *s, const float *weights, float *packed) {
    const int64_t length = (int64_t)s->kernel * s->kernel * s->channels;
    const int64_t run = (int64_t)s->kernel * s->channels;
    product_pack(length, run, s->filters, 0, length, weights, s->filters, 1, packed);
}

/* One input row or column of pixels in `stride` meets the same taps: those with `tap * stride + phase`. The
 * pixels of a phase are a convolution of their own, of out_grad with the phase's taps from last to first. */
static void pack_backward(const ConvShape *s, const float *weights, float *packed) {
    const int64_t tap_size = (int64_t)s->channels * s->filters;
    for (int phase_y = 0; phase_y < s->stride; phase_y++) {
        for (int phase_x = 0; phase_x < s->stride; phase_x++) {
            const int taps_y = taps_of_phase(s, phase_y), taps_x = taps_of_phase(s, phase_x);
            const int64_t length = (int64_t)taps_y * taps_x * s->filters;
            for (int tap = 0; tap < taps_y * taps_x; tap++) {
                const int row = phase_y + s->stride * (taps_y - 1 - tap / taps_x);
                const int column = phase_x + s->stride * (taps_x - 1 - tap % taps_x);
                const float *from = weights + ((int64_t)row * s->kernel + column) * tap_size;
                product_pack(length, (int64_t)taps_x * s->filters, s->channels, (int64_t)tap * s->filters,
                             s->filters, from, 1, s->filters, packed);
            }
            packed += length * product_round_up(s->channels);
        }
    }
}

static Span next_span(const Axis *axis, int first) {
    Span span = span_of(axis, first);
    for (int o = first + 1; o < axis->outputs; o++, span.count++) {
        const Span other = span_of(axis, o);
        if (other.tap != span.tap || other.taps != span.taps) break;
    }
    return span;
}

/* A convolution of n images: forward, or one phase of the data gradient. Pixels at the border have taps of
 * their own, so that nothing is multiplied by the zeros beyond. */
typedef struct {
    Axis y, x;
    int64_t in_stride[3], out_stride[3]; /* images, rows, columns */
    int channels;                        /* of the input */
    int columns;                         /* of the output */
    bool is_dense, relu;
    const float *packed, *start;
} Pass;

static void compute_spans(const Pass *pass, int n, Span y, Span x, const float *in, const float *relu_mask,
                          float *out) {
    const int64_t in_row = y.first * pass->y.step + pass->y.offset + y.tap;
    const int64_t in_column = x.first * pass->x.step + pass->x.offset + x.tap;
    const int64_t out_at = y.first * pass->out_stride[1] + x.first * pass->out_stride[2];
    const int has_taps = y.taps && x.taps;
    const Product product = {
        .rows = {{n, y.count, x.count},
                 {pass->in_stride[0], pass->y.step * pass->in_stride[1], pass->x.step * pass->in_stride[2]}},
        .sum = {{1, y.taps, (int64_t)x.taps * pass->channels}, {0, pass->in_stride[1], 1}},
        .out_stride = {pass->out_stride[0], pass->out_stride[1], pass->out_stride[2]},
        .columns = pass->columns,
        .in = in + (has_taps ? in_row * pass->in_stride[1] + in_column * pass->in_stride[2] : 0),
        .factors = pass->packed,
        .packed_length = (int64_t)pass->y.taps * pass->x.taps * pass->channels,
        .packed_run = (int64_t)pass->x.taps * pass->channels,
        .first_factor = ((int64_t)y.tap * pass->x.taps + x.tap) * pass->channels,
        .skipped_factors = (int64_t)(pass->x.taps - x.taps) * pass->channels,
        .start = pass->start,
        .relu = pass->relu,
        .relu_mask = relu_mask ? relu_mask + out_at : NULL,
        .out = out + out_at,
    };
    product_compute(&product);
}

/* A dense layer's product, or that of its data gradient: in parts of the sum, so that the weights of a part
 * stay in the cache for all images. */
static void compute_dense(const Pass *pass, int n, const float *in, const float *relu_mask, float *out) {
    for (int first = 0; first < pass->channels; first += DENSE_SUM) {
        const int count = pass->channels - first < DENSE_SUM ? pass->channels - first : DENSE_SUM;
        const Product product = {
            .rows = {{1, 1, n}, {0, 0, pass->in_stride[0]}},
            .sum = {{1, 1, count}, {0, 0, 1}},
            .out_stride = {0, 0, pass->out_stride[0]},
            .columns = pass->columns,
            .in = in + first,
            .factors = pass->packed,
            .packed_length = pass->channels,
            .packed_run = pass->channels,
            .first_factor = first,
            .start = first ? NULL : pass->start,
            .relu = pass->relu && first + count == pass->channels,
            .relu_mask = first + count == pass->channels ? relu_mask : NULL,
            .out = out,
        };
        product_compute(&product);
    }
}

static void compute_pass(const Pass *pass, int n, const float *in, const float *relu_mask, float *out) {
    Span y, x;
    if (pass->is_dense) {
        compute_dense(pass, n, in, relu_mask, out);
        return;
    }
    for (int row = 0; row < pass->y.outputs; row += y.count) {
        y = next_span(&pass->y, row);
        for (int column = 0; column < pass->x.outputs; column += x.count) {
            x = next_span(&pass->x, column);
            compute_spans(pass, n, y, x, in, relu_mask, out);
        }
    }
}

static void forward(const ConvShape *s, int n, const float *in, const float *packed, const float *bias,
                    bool relu, float *out, float *work) {
    memset(work, 0, (size_t)product_round_up(s->filters) * sizeof *work);
    if (bias) memcpy(work, bias, (size_t)s->filters * sizeof *work);
    const Pass pass = {
        .y = forward_axis(s, s->height, s->out_height),
        .x = forward_axis(s, s->width, s->out_width),
        .in_stride = {in_size(s), (int64_t)s->width * s->channels, s->channels},
        .out_stride = {out_size(s), (int64_t)s->out_width * s->filters, s->filters},
        .channels = s->channels,
        .columns = s->filters,
        .is_dense = is_dense(s),
        .relu = relu,
        .packed = packed,
        .start = work,
    };
    const int group = group_size(s, n);
    for (int first = 0; first < n; first += group)
        compute_pass(&pass, n - first < group ? n - first : group, in + first * in_size(s), NULL,
                     out + first * out_size(s));
}

static Axis phase_axis(Phase phase, int outputs) {
    return (Axis){phase.rows, outputs, phase.taps, 1, phase.skipped - (phase.taps - 1)};
}

static void backward_images(const ConvShape *s, int n, const float *out_grad, Pass *pass,
                            const float *relu_mask, float *in_grad) {
    const float *const packed = pass->packed;
    for (int phase = 0; phase < s->stride * s->stride; phase++) {
        const Phase y = phase_of(s, phase / s->stride, s->height),
                    x = phase_of(s, phase % s->stride, s->width);
        pass->y = phase_axis(y, s->out_height);
        pass->x = phase_axis(x, s->out_width);
        const int64_t at = ((int64_t)y.first * s->width + x.first) * s->channels;
        compute_pass(pass, n, out_grad, relu_mask ? relu_mask + at : NULL, in_grad + at);
        pass->packed += (int64_t)pass->y.taps * pass->x.taps * s->filters * product_round_up(s->channels);
    }
    pass->packed = packed;
}

static void backward_data(const ConvShape *s, int n, const float *out_grad, const float *packed,
                          const float *relu_out, float *in_grad, float *work) {
    memset(work, 0, (size_t)product_round_up(s->channels) * sizeof *work);
    const int64_t row = (int64_t)s->width * s->channels;
    Pass pass = {
        .in_stride = {out_size(s), (int64_t)s->out_width * s->filters, s->filters},
        .out_stride = {in_size(s), s->stride * row, (int64_t)s->stride * s->channels},
        .channels = s->filters,
        .columns = s->channels,
        .is_dense = is_dense(s),
        .packed = packed,
        .start = work,
    };
    const int group = group_size(s, n);
    for (int first = 0; first < n; first += group)
        backward_images(s, n - first < group ? n - first : group, out_grad + first * out_size(s), &pass,
                        relu_out ? relu_out + first * in_size(s) : NULL, in_grad + first * in_size(s));
}

const ConvBackend conv_direct = {
    .name = "direct",
    .takes = takes,
    .packed_size = packed_size,
    .work_size = work_size,
    .images_wanted = images_wanted,
    .pack_forward = pack_forward,
    .pack_backward = pack_backward,
    .forward = forward,
    .backward_data = backward_data,
    .weight_parts = conv_direct_weight_parts,
    .sum_weights = conv_direct_sum_weights,
};
