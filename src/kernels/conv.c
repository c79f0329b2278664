#include "pardigits/conv.h"

#include <stdbool.h>
#include <string.h>

#include "product.h"
#include "vec.h"

enum {
    /* Floats of images that one pass over the weights works on: they and what is computed from them fit the
     * second-level cache. */
    GROUP_FLOATS = 1 << 17,
    PART_FLOATS = 1 << 13, /* of out_grad that a part of the weight gradient sums: in the first level */
    DENSE_SUM = 256,       /* summands of a part of a dense layer's product */
    DENSE_INPUTS = 128,    /* inputs of a dense layer whose weight gradients are summed together */
    COPY_STRIDE = DENSE_INPUTS + 16, /* floats between images in their copy: images in different cache sets */
};

ConvShape conv_shape(int height, int width, int channels, int filters, int kernel, int stride, int pad) {
    ConvShape shape = {height, width, channels, filters, kernel, stride, pad, 0, 0};
    if (kernel <= height + 2 * pad && kernel <= width + 2 * pad) {
        shape.out_height = (height + 2 * pad - kernel) / stride + 1;
        shape.out_width = (width + 2 * pad - kernel) / stride + 1;
    }
    return shape;
}

static int64_t max64(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static int64_t round_up(int64_t n) {
    return (n + 15) / 16 * 16;
}

/* Kernel rows (or columns) that meet an input row of this phase: (row + pad) % stride. */
static int taps(const ConvShape *s, int phase) {
    return phase < s->kernel ? (s->kernel - phase + s->stride - 1) / s->stride : 0;
}

static int64_t in_size(const ConvShape *s) {
    return (int64_t)s->height * s->width * s->channels;
}

static int64_t out_size(const ConvShape *s) {
    return (int64_t)s->out_height * s->out_width * s->filters;
}

static bool is_dense(const ConvShape *s) {
    return s->height == 1 && s->width == 1 && s->kernel == 1;
}

/* Images that are worked on together. */
static int group_size(const ConvShape *s, int n) {
    const int64_t size = in_size(s) + out_size(s);
    return is_dense(s) || size * n <= GROUP_FLOATS ? n : (int)max64(1, GROUP_FLOATS / size);
}

int64_t conv_work_size(const ConvShape *s, int n) {
    const int64_t filled = (int64_t)s->out_height * s->out_width * product_round_up(s->filters);
    const int64_t start = round_up(max64(product_round_up(s->channels), product_round_up(s->filters)));
    const int64_t copy = is_dense(s) ? COPY_STRIDE : 0;
    return start + group_size(s, n) * (filled + copy);
}

int64_t conv_packed_size(const ConvShape *s) {
    const int64_t area = (int64_t)s->kernel * s->kernel;
    return area * max64((int64_t)s->channels * product_round_up(s->filters),
                        (int64_t)s->filters * product_round_up(s->channels));
}

void conv_pack_forward(const ConvShape *s, const float *weights, float *packed) {
    const int64_t length = (int64_t)s->kernel * s->kernel * s->channels;
    const int64_t run = (int64_t)s->kernel * s->channels;
    product_pack(length, run, s->filters, 0, length, weights, s->filters, 1, packed);
}

/* One input row or column of pixels in `stride` meets the same taps: those with `tap * stride + phase`. The
 * pixels of a phase are a convolution of their own, of out_grad with the phase's taps from last to first. */
void conv_pack_backward(const ConvShape *s, const float *weights, float *packed) {
    const int64_t tap_size = (int64_t)s->channels * s->filters;
    for (int phase_y = 0; phase_y < s->stride; phase_y++) {
        for (int phase_x = 0; phase_x < s->stride; phase_x++) {
            const int taps_y = taps(s, phase_y), taps_x = taps(s, phase_x);
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

/* One dimension of a convolution: output o sums the inputs o * step + offset + t for the taps t, where there
 * are such inputs. */
typedef struct {
    int outputs, inputs, taps, step, offset;
} Axis;

/* Outputs [first, first + count) that have the same taps [tap, tap + taps). */
typedef struct {
    int first, count, tap, taps;
} Span;

static Span span_of(const Axis *axis, int output) {
    const int begin = output * axis->step + axis->offset;
    const int tap = begin < 0 ? -begin : 0;
    const int end = axis->inputs - begin < axis->taps ? axis->inputs - begin : axis->taps;
    return tap < end ? (Span){output, 1, tap, end - tap} : (Span){output, 1, 0, 0};
}

static Span next_span(const Axis *axis, int first) {
    Span span = span_of(axis, first);
    for (int o = first + 1; o < axis->outputs; o++, span.count++) {
        const Span other = span_of(axis, o);
        if (other.tap != span.tap || other.taps != span.taps) break;
    }
    return span;
}

static int64_t all_taps(const Axis *axis) {
    int64_t sum = 0;
    for (int o = 0; o < axis->outputs; o++)
        sum += span_of(axis, o).taps;
    return sum;
}

static Axis forward_axis(const ConvShape *s, int inputs, int outputs) {
    return (Axis){outputs, inputs, s->kernel, s->stride, -s->pad};
}

int64_t conv_multiply_adds(const ConvShape *s) {
    const Axis y = forward_axis(s, s->height, s->out_height), x = forward_axis(s, s->width, s->out_width);
    return all_taps(&y) * all_taps(&x) * s->channels * s->filters;
}

/* A convolution of n images: forward, or one phase of the data gradient. Pixels at the border have taps of
 * their own, so that nothing is multiplied by the zeros beyond. */
typedef struct {
    Axis y, x;
    int64_t in_stride[3], out_stride[3]; /* images, rows, columns */
    int channels;                        /* of the input */
    int columns;                         /* of the output */
    bool is_dense;
    const float *packed, *start;
} Pass;

static void compute_spans(const Pass *pass, int n, Span y, Span x, const float *in, float *out) {
    const int64_t in_row = y.first * pass->y.step + pass->y.offset + y.tap;
    const int64_t in_column = x.first * pass->x.step + pass->x.offset + x.tap;
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
        .out = out + y.first * pass->out_stride[1] + x.first * pass->out_stride[2],
    };
    product_compute(&product);
}

/* A dense layer's product, or that of its data gradient: in parts of the sum, so that the weights of a part
 * stay in the cache for all images. */
static void compute_dense(const Pass *pass, int n, const float *in, float *out) {
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
            .out = out,
        };
        product_compute(&product);
    }
}

static void compute_pass(const Pass *pass, int n, const float *in, float *out) {
    Span y, x;
    if (pass->is_dense) {
        compute_dense(pass, n, in, out);
        return;
    }
    for (int row = 0; row < pass->y.outputs; row += y.count) {
        y = next_span(&pass->y, row);
        for (int column = 0; column < pass->x.outputs; column += x.count) {
            x = next_span(&pass->x, column);
            compute_spans(pass, n, y, x, in, out);
        }
    }
}

void conv_forward(const ConvShape *s, int n, const float *in, const float *packed_forward, const float *bias,
                  float *out, float *work) {
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
        .packed = packed_forward,
        .start = work,
    };
    const int group = group_size(s, n);
    for (int first = 0; first < n; first += group)
        compute_pass(&pass, n - first < group ? n - first : group, in + first * in_size(s),
                     out + first * out_size(s));
}

/* The rows (or columns) of the input in one phase, `first` the first of them: row first + o * stride takes
 * row o + offset + t of out_grad with the phase's tap taps - 1 - t. */
static Axis phase_axis(const ConvShape *s, int phase, int inputs, int outputs, int *first) {
    const int skipped = phase < s->pad ? (s->pad - phase + s->stride - 1) / s->stride : 0;
    *first = skipped * s->stride + phase - s->pad;
    return (Axis){
        .outputs = *first < inputs ? (inputs - 1 - *first) / s->stride + 1 : 0,
        .inputs = outputs,
        .taps = taps(s, phase),
        .step = 1,
        .offset = skipped - (taps(s, phase) - 1),
    };
}

static void backward_images(const ConvShape *s, int n, const float *out_grad, Pass *pass, float *in_grad) {
    const float *const packed = pass->packed;
    for (int phase = 0; phase < s->stride * s->stride; phase++) {
        int y, x;
        pass->y = phase_axis(s, phase / s->stride, s->height, s->out_height, &y);
        pass->x = phase_axis(s, phase % s->stride, s->width, s->out_width, &x);
        compute_pass(pass, n, out_grad, in_grad + ((int64_t)y * s->width + x) * s->channels);
        pass->packed += (int64_t)pass->y.taps * pass->x.taps * s->filters * product_round_up(s->channels);
    }
    pass->packed = packed;
}

void conv_backward_data(const ConvShape *s, int n, const float *out_grad, const float *packed_backward,
                        float *in_grad, float *work) {
    memset(work, 0, (size_t)product_round_up(s->channels) * sizeof *work);
    const int64_t row = (int64_t)s->width * s->channels;
    Pass pass = {
        .in_stride = {out_size(s), (int64_t)s->out_width * s->filters, s->filters},
        .out_stride = {in_size(s), s->stride * row, (int64_t)s->stride * s->channels},
        .channels = s->filters,
        .columns = s->channels,
        .is_dense = is_dense(s),
        .packed = packed_backward,
        .start = work,
    };
    const int group = group_size(s, n);
    for (int first = 0; first < n; first += group)
        backward_images(s, n - first < group ? n - first : group, out_grad + first * out_size(s), &pass,
                        in_grad + first * in_size(s));
}

static int lanes_from(int columns, int column) {
    return columns - column < LANES ? columns - column : LANES;
}

/* bias_grad [filters] += sum of out_grad [rows][width], whose rows end in zeros. */
static void add_rows(int64_t rows, int filters, int width, const float *out_grad, float *bias_grad) {
    for (int f = 0; f < filters; f += LANES) {
        const int lanes = lanes_from(filters, f);
        const vec sum = vec_sum_rows(rows, width, out_grad + f, LANES);
        vec_store_lanes(bias_grad + f, vec_load_lanes(bias_grad + f, lanes) + sum, lanes);
    }
}

/* Rows of out_grad as the product reads factors: of whole vectors. */
static const float *fill_columns(int64_t rows, int columns, const float *from, float *filled) {
    const int width = product_round_up(columns);
    if (width == columns) return from;
    for (int64_t r = 0; r < rows; r++)
        for (int c = 0; c < columns; c += LANES)
            vec_store(filled + r * width + c, vec_load_lanes(from + r * columns + c, lanes_from(columns, c)));
    return filled;
}

/* Taps [tap, tap + taps) of one dimension that meet the image at the same outputs [first, first + count). */
static Span tap_span_of(const Axis *axis, int tap) {
    const int before = -axis->offset - tap, last = axis->inputs - 1 - axis->offset - tap;
    const int first = before > 0 ? (before + axis->step - 1) / axis->step : 0;
    const int end = last < 0 ? 0 : last / axis->step + 1;
    const int count = (end < axis->outputs ? end : axis->outputs) - first;
    return (Span){first, count > 0 ? count : 0, tap, 1};
}

static Span next_tap_span(const Axis *axis, int tap) {
    Span span = tap_span_of(axis, tap);
    for (int t = tap + 1; t < axis->taps; t++, span.taps++) {
        const Span other = tap_span_of(axis, t);
        if (other.first != span.first || other.count != span.count) break;
    }
    return span;
}

/* The weight gradient of n images' lines [line, line + lines) of the output. */
typedef struct {
    const ConvShape *shape;
    int n, line, lines;
    const float *in;      /* of the first image */
    const float *factors; /* [n][out_height][out_width][width], of the first image */
    float *weight_grad;   /* added to */
} Part;

/* Adds the gradient of the taps y x x. */
static void add_taps(const Part *part, const Axis *y_axis, const Axis *x_axis, Span y, Span x) {
    const ConvShape *s = part->shape;
    const int width = product_round_up(s->filters);
    const int first = y.first > part->line ? y.first : part->line;
    const int end =
        y.first + y.count < part->line + part->lines ? y.first + y.count : part->line + part->lines;
    if (first >= end || x.count == 0) return;
    const int64_t row = (int64_t)s->width * s->channels, tap_row = (int64_t)s->kernel * s->channels;
    const int64_t in_row = first * s->stride + y_axis->offset + y.tap;
    const int64_t in_column = x.first * s->stride + x_axis->offset + x.tap;
    const Product product = {
        .rows = {{1, y.taps, (int64_t)x.taps * s->channels}, {0, row, 1}},
        .sum = {{part->n, end - first, x.count},
                {in_size(s), s->stride * row, (int64_t)s->stride * s->channels}},
        .out_stride = {0, tap_row * s->filters, s->filters},
        .columns = s->filters,
        .in = part->in + in_row * row + in_column * s->channels,
        .factors = part->factors + ((int64_t)first * s->out_width + x.first) * width,
        .factor_stride = width,
        .factor_line_skip = (int64_t)(s->out_width - x.count) * width,
        .factor_image_skip = (int64_t)(s->out_height - (end - first)) * s->out_width * width,
        .out = part->weight_grad + (y.tap * tap_row + (int64_t)x.tap * s->channels) * s->filters,
    };
    product_compute(&product);
}

static void add_part(const Part *part) {
    const ConvShape *s = part->shape;
    const Axis y_axis = forward_axis(s, s->height, s->out_height);
    const Axis x_axis = forward_axis(s, s->width, s->out_width);
    Span y, x;
    for (int ky = 0; ky < s->kernel; ky += y.taps) {
        y = next_tap_span(&y_axis, ky);
        for (int kx = 0; kx < s->kernel; kx += x.taps) {
            x = next_tap_span(&x_axis, kx);
            add_taps(part, &y_axis, &x_axis, y, x);
        }
    }
}

/* The sum over the pixels of n images, in parts that the first-level cache holds. */
static void sum_parts(const ConvShape *s, int n, const float *in, const float *factors, float *weight_grad,
                      float *bias_grad) {
    const int width = product_round_up(s->filters);
    const int64_t pixels = (int64_t)s->out_height * s->out_width;
    const int64_t most = max64(1, PART_FLOATS / width);
    const int images = (int)max64(1, most / pixels);
    const int lines = images > 1 ? s->out_height : (int)max64(1, most / s->out_width);
    Part part = {.shape = s, .weight_grad = weight_grad};
    for (int i = 0; i < n; i += images) {
        part.in = in + i * in_size(s);
        part.factors = factors + i * pixels * width;
        part.n = n - i < images ? n - i : images;
        for (part.line = 0; part.line < s->out_height; part.line += lines) {
            part.lines = s->out_height - part.line < lines ? s->out_height - part.line : lines;
            add_part(&part);
            if (bias_grad)
                add_rows(part.lines == s->out_height ? part.n * pixels : part.lines * s->out_width,
                         s->filters, width, part.factors + part.line * s->out_width * width, bias_grad);
        }
    }
}

/* A dense layer's: the images are the sum, and their inputs, which lie far apart, are copied together. */
static void sum_images(const ConvShape *s, int n, const float *in, const float *factors, float *weight_grad,
                       const float *start, float *copy) {
    for (int first = 0; first < s->channels; first += DENSE_INPUTS) {
        const int inputs = s->channels - first < DENSE_INPUTS ? s->channels - first : DENSE_INPUTS;
        for (int i = 0; i < n; i++)
            memcpy(copy + i * COPY_STRIDE, in + (int64_t)i * s->channels + first,
                   (size_t)inputs * sizeof *copy);
        const Product product = {
            .rows = {{1, 1, inputs}, {0, 0, 1}},
            .sum = {{1, 1, n}, {0, 0, COPY_STRIDE}},
            .out_stride = {0, 0, s->filters},
            .columns = s->filters,
            .in = copy,
            .factors = factors,
            .factor_stride = product_round_up(s->filters),
            .start = start,
            .out = weight_grad + (int64_t)first * s->filters,
        };
        product_compute(&product);
    }
}

static void dense_weights(const ConvShape *s, int n, const float *in, const float *out_grad, bool add,
                          float *weight_grad, float *bias_grad, float *work) {
    const int width = product_round_up(s->filters);
    float *const filled = work + round_up(width);
    const float *factors = fill_columns(n, s->filters, out_grad, filled);
    memset(work, 0, (size_t)width * sizeof *work);
    sum_images(s, n, in, factors, weight_grad, add ? NULL : work, filled + (int64_t)n * width);
    if (bias_grad) add_rows(n, s->filters, width, factors, bias_grad);
}

static void backward_weights(const ConvShape *s, int n, const float *in, const float *out_grad, bool add,
                             float *weight_grad, float *bias_grad, float *work) {
    const int64_t pixels = (int64_t)s->out_height * s->out_width;
    const size_t weights = (size_t)s->kernel * (size_t)s->kernel * (size_t)s->channels * (size_t)s->filters;
    if (bias_grad && !add) memset(bias_grad, 0, (size_t)s->filters * sizeof *bias_grad);
    if (is_dense(s)) {
        dense_weights(s, n, in, out_grad, add, weight_grad, bias_grad, work);
        return;
    }
    if (!add) memset(weight_grad, 0, weights * sizeof *weight_grad);
    const int group = group_size(s, n);
    for (int first = 0; first < n; first += group) {
        const int images = n - first < group ? n - first : group;
        const float *gradient = out_grad + first * out_size(s);
        const float *factors = fill_columns(images * pixels, s->filters, gradient, work);
        sum_parts(s, images, in + first * in_size(s), factors, weight_grad, bias_grad);
    }
}

void conv_backward_weights(const ConvShape *s, int n, const float *in, const float *out_grad,
                           float *weight_grad, float *bias_grad, float *work) {
    backward_weights(s, n, in, out_grad, false, weight_grad, bias_grad, work);
}

void conv_add_backward_weights(const ConvShape *s, int n, const float *in, const float *out_grad,
                               float *weight_grad, float *bias_grad, float *work) {
    backward_weights(s, n, in, out_grad, true, weight_grad, bias_grad, work);
}
