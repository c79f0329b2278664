#include "pardigits/conv.h"

#include <string.h>

#include "product.h"

/* Floats of images that one pass over the weights works on: they and what is computed from them fit the
 * second-level cache. */
enum { GROUP_FLOATS = 1 << 16 };

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

/* An image with zeros around it, or out_grad with what the data gradient reads beside it. */
typedef struct {
    int height, width, channels; /* without the zeros */
    int top, left, padded_height, padded_width;
} Frame;

static int64_t frame_size(const Frame *frame) {
    return (int64_t)frame->padded_height * frame->padded_width * frame->channels;
}

static int frame_is_bare(const Frame *frame) {
    return frame->padded_height == frame->height && frame->padded_width == frame->width;
}

static Frame input_frame(const ConvShape *s) {
    return (Frame){
        s->height, s->width, s->channels, s->pad, s->pad, s->height + 2 * s->pad, s->width + 2 * s->pad};
}

/* Kernel rows that meet one input row: those of its phase (row + pad) % stride. */
static int taps(const ConvShape *s, int phase) {
    return phase < s->kernel ? (s->kernel - phase + s->stride - 1) / s->stride : 0;
}

static Frame gradient_frame(const ConvShape *s) {
    const int before = taps(s, 0) - 1;
    const int rows = (s->height - 1 + s->pad) / s->stride + 1,
              columns = (s->width - 1 + s->pad) / s->stride + 1;
    return (Frame){s->out_height,
                   s->out_width,
                   s->filters,
                   before,
                   before,
                   before + (int)max64(s->out_height, rows),
                   before + (int)max64(s->out_width, columns)};
}

/* The images as the product reads them: themselves, or padded copies. */
static const float *frame_fill(const Frame *frame, int n, const float *images, float *padded) {
    if (frame_is_bare(frame)) return images;
    const int64_t row = (int64_t)frame->width * frame->channels;
    const int64_t padded_row = (int64_t)frame->padded_width * frame->channels;
    const int64_t left = (int64_t)frame->left * frame->channels;
    memset(padded, 0, (size_t)(n * frame_size(frame)) * sizeof *padded);
    for (int i = 0; i < n; i++) {
        float *to = padded + i * frame_size(frame) + frame->top * padded_row + left;
        for (int y = 0; y < frame->height; y++, images += row, to += padded_row)
            memcpy(to, images, (size_t)row * sizeof *to);
    }
    return padded;
}

static int is_dense(const ConvShape *s) {
    return s->out_height == 1 && s->out_width == 1;
}

/* Images that are worked on together. */
static int group_size(const ConvShape *s, int n) {
    if (is_dense(s)) return n;
    const Frame in = input_frame(s), gradient = gradient_frame(s);
    const int64_t size = frame_size(&in) + frame_size(&gradient);
    return (int)(size * n <= GROUP_FLOATS ? n : max64(1, GROUP_FLOATS / size));
}

int64_t conv_work_size(const ConvShape *s, int n) {
    const Frame in = input_frame(s), gradient = gradient_frame(s);
    const int64_t filled = (int64_t)s->out_height * s->out_width * product_round_up(s->filters);
    const int64_t start = round_up(max64(product_round_up(s->channels), product_round_up(s->filters)));
    const int64_t images = group_size(s, n) * max64(frame_size(&in), frame_size(&gradient));
    return start + round_up(images) + group_size(s, n) * filled;
}

int64_t conv_packed_size(const ConvShape *s) {
    const int64_t area = (int64_t)s->kernel * s->kernel;
    return area * max64((int64_t)s->channels * product_round_up(s->filters),
                        (int64_t)s->filters * product_round_up(s->channels));
}

void conv_pack_forward(const ConvShape *s, const float *weights, float *packed) {
    const int64_t length = (int64_t)s->kernel * s->kernel * s->channels;
    product_pack(length, s->filters, 0, length, weights, s->filters, 1, packed);
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
                product_pack(length, s->channels, (int64_t)tap * s->filters, s->filters, from, 1, s->filters,
                             packed);
            }
            packed += length * product_round_up(s->channels);
        }
    }
}

/* The product's loops over output pixels: rows of the forward pass, summands of the weights' gradient. */
static Loops pixel_loops(const ConvShape *s, int n) {
    const Frame frame = input_frame(s);
    const int64_t row = (int64_t)frame.padded_width * s->channels;
    if (is_dense(s)) return (Loops){{1, 1, n}, {0, 0, frame_size(&frame)}};
    return (Loops){{n, s->out_height, s->out_width},
                   {frame_size(&frame), s->stride * row, s->stride * s->channels}};
}

/* The product's loops over the weights of one filter: summands of the forward pass, rows of the weights'
 * gradient. */
static Loops weight_loops(const ConvShape *s) {
    const Frame frame = input_frame(s);
    return (Loops){{1, s->kernel, (int64_t)s->kernel * s->channels},
                   {0, (int64_t)frame.padded_width * s->channels, 1}};
}

void conv_forward(const ConvShape *s, int n, const float *in, const float *packed_forward, const float *bias,
                  float *out, float *work) {
    const Frame frame = input_frame(s);
    const int64_t image = (int64_t)s->height * s->width * s->channels;
    const int64_t out_row = (int64_t)s->out_width * s->filters, out_image = s->out_height * out_row;
    float *const padded = work + round_up(product_round_up(s->filters));
    memset(work, 0, (size_t)product_round_up(s->filters) * sizeof *work);
    if (bias) memcpy(work, bias, (size_t)s->filters * sizeof *work);
    Product product = {
        .sum = weight_loops(s),
        .out_stride = {out_image, out_row, s->filters},
        .columns = s->filters,
        .factors = packed_forward,
        .start = work,
    };
    const int group = group_size(s, n);
    for (int first = 0; first < n; first += group) {
        const int images = n - first < group ? n - first : group;
        product.rows = pixel_loops(s, images);
        product.in = frame_fill(&frame, images, in + first * image, padded);
        product.out = out + first * out_image;
        product_compute(&product);
    }
}

/* Rows (or columns) of the input that share a phase: the first, how many, and the padded row of out_grad
 * where the first one's sum begins. */
typedef struct {
    int first, count, begin;
} PhaseRange;

static PhaseRange phase_range(const ConvShape *s, int phase, int size) {
    const int skipped = phase < s->pad ? (s->pad - phase + s->stride - 1) / s->stride : 0;
    const int first = skipped * s->stride + phase - s->pad;
    return (PhaseRange){first, first < size ? (size - 1 - first) / s->stride + 1 : 0,
                        skipped + taps(s, 0) - taps(s, phase)};
}

/* product has what all phases share. */
static void backward_phase(const ConvShape *s, const Frame *frame, int phase_y, int phase_x,
                           const float *gradient, float *in_grad, Product product) {
    const PhaseRange y = phase_range(s, phase_y, s->height), x = phase_range(s, phase_x, s->width);
    const int64_t frame_row = (int64_t)frame->padded_width * s->filters;
    const int64_t row = (int64_t)s->width * s->channels;
    product.rows.count[1] = y.count;
    product.rows.count[2] = x.count;
    product.sum = (Loops){{1, taps(s, phase_y), (int64_t)taps(s, phase_x) * s->filters}, {0, frame_row, 1}};
    product.in = gradient + y.begin * frame_row + x.begin * s->filters;
    product.out = in_grad + y.first * row + x.first * s->channels;
    product_compute(&product);
}

void conv_backward_data(const ConvShape *s, int n, const float *out_grad, const float *packed_backward,
                        float *in_grad, float *work) {
    const Frame frame = gradient_frame(s);
    const int64_t row = (int64_t)s->width * s->channels, image = s->height * row;
    const int64_t out_image = (int64_t)s->out_height * s->out_width * s->filters;
    const int64_t packed_tap = (int64_t)s->filters * product_round_up(s->channels);
    float *const padded = work + round_up(product_round_up(s->channels));
    memset(work, 0, (size_t)product_round_up(s->channels) * sizeof *work);
    const int group = group_size(s, n);
    for (int first = 0; first < n; first += group) {
        const int images = n - first < group ? n - first : group;
        const float *gradient = frame_fill(&frame, images, out_grad + first * out_image, padded);
        const Product product = {
            .rows = {{images, 0, 0},
                     {frame_size(&frame), (int64_t)frame.padded_width * s->filters, s->filters}},
            .out_stride = {image, s->stride * row, s->stride * s->channels},
            .columns = s->channels,
            .factors = packed_backward,
            .start = work,
        };
        const float *packed = packed_backward;
        for (int phase = 0; phase < s->stride * s->stride; phase++) {
            const int phase_y = phase / s->stride, phase_x = phase % s->stride;
            Product of_phase = product;
            of_phase.factors = packed;
            backward_phase(s, &frame, phase_y, phase_x, gradient, in_grad + first * image, of_phase);
            packed += taps(s, phase_y) * taps(s, phase_x) * packed_tap;
        }
    }
}

/* bias_grad [filters] += sum of out_grad [rows][filters] */
static void add_rows(int64_t rows, int filters, const float *out_grad, float *bias_grad) {
    for (int64_t r = 0; r < rows; r++, out_grad += filters)
        for (int f = 0; f < filters; f++)
            bias_grad[f] += out_grad[f];
}

/* Rows of out_grad as the product reads factors: of whole vectors. */
static const float *fill_columns(int64_t rows, int columns, const float *from, float *filled) {
    const int width = product_round_up(columns);
    if (width == columns) return from;
    memset(filled, 0, (size_t)(rows * width) * sizeof *filled);
    for (int64_t r = 0; r < rows; r++)
        memcpy(filled + r * width, from + r * columns, (size_t)columns * sizeof *filled);
    return filled;
}

void conv_backward_weights(const ConvShape *s, int n, const float *in, const float *out_grad,
                           float *weight_grad, float *bias_grad, float *work) {
    const Frame frame = input_frame(s);
    const int64_t image = (int64_t)s->height * s->width * s->channels;
    const int64_t pixels = (int64_t)s->out_height * s->out_width, out_image = pixels * s->filters;
    const int group = group_size(s, n), width = product_round_up(s->filters);
    float *const padded = work + round_up(width);
    float *const filled = padded + round_up(group * frame_size(&frame));
    memset(work, 0, (size_t)width * sizeof *work);
    if (bias_grad) memset(bias_grad, 0, (size_t)s->filters * sizeof *bias_grad);
    Product product = {
        .rows = weight_loops(s),
        .out_stride = {0, (int64_t)s->kernel * s->channels * s->filters, s->filters},
        .columns = s->filters,
        .factor_stride = width,
        .start = work,
        .out = weight_grad,
    };
    for (int first = 0; first < n; first += group) {
        const int images = n - first < group ? n - first : group;
        const float *gradient = out_grad + first * out_image;
        product.sum = pixel_loops(s, images);
        product.in = frame_fill(&frame, images, in + first * image, padded);
        product.factors = fill_columns(images * pixels, s->filters, gradient, filled);
        product_compute(&product);
        if (bias_grad) add_rows(images * pixels, s->filters, gradient, bias_grad);
        product.start = NULL;
    }
}
