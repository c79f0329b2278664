#include "conv/conv_direct_weights.h"

#include "core/integers.h"
#include "core/partition.h"

#include <string.h>

#include "conv/conv_axis.h"
#include "conv/conv_backend.h"
#include "conv/product.h"
#include "kernels/vec.h"

enum { PART_INPUTS = 32 }; /* of a dense layer's part, at least */

/* bias_grad [filters], these of them += sum of out_grad [rows][width], whose rows end in zeros. */
static void add_rows(int64_t rows, Range filters, int width, const float *out_grad, float *bias_grad) {
    for (int64_t f = filters.begin; f < filters.end; f += LANES) {
        const int lanes = lanes_from((int)filters.end, (int)f);
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

/* The weight gradient of n images' lines [line, line + lines) of the output, and these filters, which begin
 * at a whole vector. */
typedef struct {
    const ConvShape *shape;
    Range filters;
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
        .columns = (int)range_size(part->filters),
        .in = part->in + in_row * row + in_column * s->channels,
        .factors = part->factors + ((int64_t)first * s->out_width + x.first) * width + part->filters.begin,
        .factor_stride = width,
        .factor_line_skip = (int64_t)(s->out_width - x.count) * width,
        .factor_image_skip = (int64_t)(s->out_height - (end - first)) * s->out_width * width,
        .out = part->weight_grad + (y.tap * tap_row + (int64_t)x.tap * s->channels) * s->filters +
               part->filters.begin,
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
static void sum_parts(const ConvShape *s, Range filters, int n, const float *in, const float *factors,
                      const ConvWeightSum *sum) {
    const int width = product_round_up(s->filters);
    const int64_t pixels = (int64_t)s->out_height * s->out_width;
    const int64_t most = larger(1, PART_FLOATS / width);
    const int images = (int)larger(1, most / pixels);
    const int lines = images > 1 ? s->out_height : (int)larger(1, most / s->out_width);
    Part part = {.shape = s, .filters = filters, .weight_grad = sum->weight_grad};
    for (int i = 0; i < n; i += images) {
        part.in = in + i * in_size(s);
        part.factors = factors + i * pixels * width;
        part.n = n - i < images ? n - i : images;
        for (part.line = 0; part.line < s->out_height; part.line += lines) {
            part.lines = s->out_height - part.line < lines ? s->out_height - part.line : lines;
            add_part(&part);
            if (sum->bias_grad)
                add_rows(part.lines == s->out_height ? part.n * pixels : part.lines * s->out_width, filters,
                         width, part.factors + part.line * s->out_width * width, sum->bias_grad);
        }
    }
}

/* A dense layer's: the images are the sum, and their inputs, which lie far apart, are copied together. */
static void sum_images(const ConvShape *s, Range channels, const ConvWeightSum *sum, const float *factors,
                       const float *start, float *copy) {
    for (int64_t first = channels.begin; first < channels.end; first += DENSE_INPUTS) {
        const int64_t inputs = smaller(channels.end - first, DENSE_INPUTS);
        for (int i = 0; i < sum->n; i++)
            memcpy(copy + i * COPY_STRIDE, sum->in + (int64_t)i * s->channels + first,
                   (size_t)inputs * sizeof *copy);
        const Product product = {
            .rows = {{1, 1, inputs}, {0, 0, 1}},
            .sum = {{1, 1, sum->n}, {0, 0, COPY_STRIDE}},
            .out_stride = {0, 0, s->filters},
            .columns = s->filters,
            .in = copy,
            .factors = factors,
            .factor_stride = product_round_up(s->filters),
            .start = start,
            .out = sum->weight_grad + first * s->filters,
        };
        product_compute(&product);
    }
}

static void zero_bias(Range filters, float *bias_grad) {
    memset(bias_grad + filters.begin, 0, (size_t)range_size(filters) * sizeof *bias_grad);
}

/* Part 0 also sums the bias. */
static void sum_dense(const ConvShape *s, const ConvWeightSum *sum) {
    const int width = product_round_up(s->filters);
    const Range filters = {0, s->filters};
    float *const zeros = sum->work, *const filled = zeros + whole_lines(width);
    const float *factors = fill_columns(sum->n, s->filters, sum->out_grad, filled);
    memset(zeros, 0, (size_t)width * sizeof *zeros);
    for (int part = sum->first_part; part < sum->end_part; part++) {
        conv_begin_part(sum, part);
        sum_images(s, partition_range(s->channels, sum->parts, part), sum, factors, sum->add ? NULL : zeros,
                   filled + (int64_t)sum->n * width);
        if (part == 0 && sum->bias_grad) {
            if (!sum->add) zero_bias(filters, sum->bias_grad);
            add_rows(sum->n, filters, width, factors, sum->bias_grad);
        }
        conv_end_part(sum, part);
    }
}

static int vectors_of(const ConvShape *s) {
    return (s->filters + LANES - 1) / LANES;
}

static Range filters_of(const ConvShape *s, int parts, int part) {
    const Range vectors = partition_range(vectors_of(s), parts, part);
    return (Range){vectors.begin * LANES, smaller(vectors.end * LANES, s->filters)};
}

static void zero_weights(const ConvShape *s, Range filters, float *weight_grad) {
    const int64_t rows = (int64_t)s->kernel * s->kernel * s->channels;
    for (int64_t r = 0; r < rows; r++)
        memset(weight_grad + r * s->filters + filters.begin, 0,
               (size_t)range_size(filters) * sizeof *weight_grad);
}

static void sum_filters(const ConvShape *s, Range filters, const ConvWeightSum *sum) {
    const int64_t pixels = (int64_t)s->out_height * s->out_width;
    if (!sum->add) {
        zero_weights(s, filters, sum->weight_grad);
        if (sum->bias_grad) zero_bias(filters, sum->bias_grad);
    }
    const int group = group_size(s, sum->n);
    for (int first = 0; first < sum->n; first += group) {
        const int images = sum->n - first < group ? sum->n - first : group;
        const float *gradient = sum->out_grad + first * out_size(s);
        const float *factors = fill_columns(images * pixels, s->filters, gradient, sum->work);
        sum_parts(s, filters, images, sum->in + first * in_size(s), factors, sum);
    }
}

int conv_direct_weight_parts(const ConvShape *s) {
    return is_dense(s) ? (int)larger(1, s->channels / PART_INPUTS) : vectors_of(s);
}

void conv_direct_sum_weights(const ConvShape *s, const ConvWeightSum *sum) {
    if (is_dense(s)) {
        sum_dense(s, sum);
        return;
    }
    for (int part = sum->first_part; part < sum->end_part; part++) {
        conv_begin_part(sum, part);
        sum_filters(s, filters_of(s, sum->parts, part), sum);
        conv_end_part(sum, part);
    }
}
