#include "conv/conv_tiles.h"

#if defined(__AMX_BF16__) && defined(__AVX512BF16__)

#include "conv/conv_backend.h"
#include "conv/conv_planes.h"
#include "conv/tile_pass.h"
#include "core/integers.h"
#include "kernels/vec.h"

enum {
    STRIP = 2 * TILE_SIDE, /* rows, or columns, of a block of tiles */
    DENSE_STEPS = 32,      /* of a dense layer's sum, for which all images are split at a time */
    DENSE_VALUES = DENSE_STEPS * TILE_DEPTH,
    DENSE_ROW = DENSE_VALUES + TILE_DEPTH, /* rows a power of two apart would share sets of the cache */
};

/* What becomes of a pass's sums. */
typedef struct {
    int rows_y, rows_x;
    int64_t plane_width; /* rows of the product from one line of output pixels to the next */
    const float *start;  /* [columns] or NULL: added */
    bool relu;
    const float *relu_mask; /* laid out like out, or NULL */
    float *out;
    int64_t out_line, out_pixel;
} Target;

static inline void keep_pixel(const Target *t, const float *sums, int64_t at, int first, int count) {
    for (int c = 0; c < count; c += LANES) {
        const int lanes = count - c < LANES ? count - c : LANES;
        vec x = vec_load(sums + c);
        if (t->start) x += vec_load_lanes(t->start + first + c, lanes);
        if (t->relu) x = vec_relu(x);
        if (t->relu_mask) x = vec_relu_mask(vec_load_lanes(t->relu_mask + at + first + c, lanes), x);
        vec_store_lanes(t->out + at + first + c, x, lanes);
    }
}

/* Keeps the sums [rows][row] of the product's rows [first, first + rows) and columns [column, column + count)
 * that are output pixels. */
static void keep_rows(const Target *t, int64_t first, int64_t rows, int column, int count, const float *sums,
                      int64_t row) {
    int64_t y = first / t->plane_width, x = first % t->plane_width;
    for (int64_t r = 0; r < rows && y < t->rows_y; y++, x = 0) {
        for (; x < t->rows_x && r < rows; x++, r++)
            keep_pixel(t, sums + r * row, y * t->out_line + x * t->out_pixel, column, count);
        r += t->plane_width - x;
    }
}

/* count floats. */
static void split_run(const float *from, int64_t count, uint16_t *high, uint16_t *low) {
    for (int64_t i = 0; i < count; i += TILE_SIDE) {
        const __mmask16 lanes = lane_mask(count - i);
        const SplitFloats values = split_floats(_mm512_maskz_loadu_ps(lanes, from + i));
        _mm256_mask_storeu_epi16(high + i, lanes, values.high);
        _mm256_mask_storeu_epi16(low + i, lanes, values.low);
    }
}

static void zero_run(int64_t count, uint16_t *high, uint16_t *low) {
    memset(high, 0, (size_t)count * sizeof *high);
    memset(low, 0, (size_t)count * sizeof *low);
}

static void fill_line(const Planes *planes, Span span, const float *from, uint16_t *high, uint16_t *low) {
    const int64_t channels = planes->channels, begin = span.first * channels,
                  end = begin + span.count * channels;
    zero_run(begin, high, low);
    if (planes->stride == 1)
        split_run(from, end - begin, high + begin, low + begin);
    else
        for (int i = 0; i < span.count; i++)
            split_run(from + (int64_t)i * planes->stride * channels, channels, high + begin + i * channels,
                      low + begin + i * channels);
    zero_run(planes->width * channels - end, high + end, low + end);
}

/* high, low [phases][phases][height][width][channels] */
static void fill_planes(const Planes *planes, const float *image, uint16_t *high, uint16_t *low) {
    const int64_t line = (int64_t)planes->width * planes->channels;
    for (int phase = 0; phase < planes->phases * planes->phases; phase++) {
        const int a = phase / planes->phases, b = phase % planes->phases;
        const Span y_span = line_span(planes, a, planes->height, planes->image_height);
        const Span x_span = line_span(planes, b, planes->width, planes->image_width);
        const int first_x = x_span.first * planes->stride + b - planes->pad;
        for (int y = 0; y < planes->height; y++, high += line, low += line) {
            const int64_t row = (int64_t)y * planes->stride + a - planes->pad;
            if (y < y_span.first || y >= y_span.first + y_span.count || x_span.count == 0)
                zero_run(line, high, low);
            else
                fill_line(planes, x_span, image + (row * planes->image_width + first_x) * planes->channels,
                          high, low);
        }
    }
}

/* Values of one half of the split planes, with zeros behind them for what lies beyond the last pixel. */
static int64_t planes_values(const Planes *planes) {
    const int64_t count = (int64_t)planes->phases * planes->phases * plane_pixels(planes);
    return round_up((count + STRIP) * planes->channels + TILE_DEPTH, TILE_DEPTH);
}

/* Work memory of a pass over images, cut up. */
typedef struct {
    uint16_t *high, *low;
    float *sums;      /* [STRIP][columns in whole strips] */
    int64_t *offsets; /* [windows] bytes */
} PassWork;

static int64_t strip_columns(int columns) {
    return round_up(columns, STRIP);
}

static int64_t pass_work_size(const TilePass *pass, PassWork *work, float *memory) {
    const int64_t offsets = whole_lines(2 * taps_count_windows(&pass->taps));
    const int64_t sums = STRIP * strip_columns(pass->columns), values = planes_values(&pass->planes);
    if (work)
        *work = (PassWork){(uint16_t *)(void *)memory, (uint16_t *)(void *)memory + values, memory + values,
                           (int64_t *)(void *)(memory + values + sums)};
    return whole_lines(offsets + sums + values);
}

/* One image, whose planes are filled. */
static void run_pass(const TilePass *pass, const PassWork *work, int64_t windows, const Target *target) {
    const int64_t rows = (int64_t)(pass->rows_y - 1) * pass->planes.width + pass->rows_x;
    const int64_t row_values = pass->planes.channels, sums_row = strip_columns(pass->columns);
    if (pass->rows_y <= 0 || pass->rows_x <= 0) return;
    for (int64_t r = 0; r < rows; r += STRIP) {
        for (int64_t tile = 0; tile < tiles_of(pass->columns); tile += 2) {
            const int column_tiles = tiles_of(pass->columns) - tile > 1 ? 2 : 1;
            const uint16_t *b = packed_tile((float *)pass->packed, windows, pass->columns, 0, tile);
            const TileProduct product = {.a_high = work->high + r * row_values,
                                         .a_low = work->low + r * row_values,
                                         .a_row = row_values * 2,
                                         .a_offsets = work->offsets,
                                         .b_high = b,
                                         .b_low = b + TILE_VALUES,
                                         .b_row = 64,
                                         .b_next = 2 * TILE_BYTES,
                                         .b_step = column_tiles * 2 * TILE_BYTES,
                                         .steps = windows,
                                         .out = work->sums + tile * TILE_SIDE,
                                         .out_row = sums_row};
            tile_product(&product, rows - r > TILE_SIDE ? 2 : 1, column_tiles);
        }
        keep_rows(target, r, rows - r < STRIP ? rows - r : STRIP, 0, pass->columns, work->sums, sums_row);
    }
}

static int64_t find_offsets(const Taps *taps, int64_t *offsets) {
    int64_t count = 0, start;
    for (Walk walk = {0}; (start = taps_next_window(taps, &walk)) >= 0; count++)
        offsets[count] = start * (int64_t)sizeof(uint16_t);
    return count;
}

static void clear_tail(const Planes *planes, const PassWork *work) {
    const int64_t used = (int64_t)planes->phases * planes->phases * plane_pixels(planes) * planes->channels;
    zero_run(planes_values(planes) - used, work->high + used, work->low + used);
}

static Target target_of(const TilePass *pass, const float *start, bool relu, const float *relu_mask,
                        float *out) {
    return (Target){.rows_y = pass->rows_y,
                    .rows_x = pass->rows_x,
                    .plane_width = pass->planes.width,
                    .start = start,
                    .relu = relu,
                    .relu_mask = relu_mask ? relu_mask + pass->out_at : NULL,
                    .out = out + pass->out_at,
                    .out_line = pass->out_line,
                    .out_pixel = pass->out_pixel};
}

/* A dense layer: rows are images. */
typedef struct {
    int64_t steps, rows, parts; /* steps of the whole sum; images in whole strips; parts of the sum */
    uint16_t *high, *low;       /* [rows][DENSE_ROW] of a part */
    float *sums;                /* [strips of columns, if there are many parts][rows][STRIP] */
} DenseWork;

static int64_t dense_work_size(int n, int channels, int columns, DenseWork *work, float *memory) {
    DenseWork d = {.steps = divide_up(channels, TILE_DEPTH), .rows = round_up(n, STRIP)};
    d.parts = divide_up(d.steps, DENSE_STEPS);
    const int64_t strips = d.parts > 1 ? strip_columns(columns) / STRIP : 1;
    if (work) {
        d.high = (uint16_t *)(void *)memory;
        d.low = d.high + d.rows * DENSE_ROW;
        d.sums = memory + d.rows * DENSE_ROW;
        *work = d;
    }
    return d.rows * DENSE_ROW + strips * d.rows * STRIP;
}

static void split_part(const DenseWork *d, int n, int channels, int64_t part, const float *in) {
    const int64_t first = part * DENSE_VALUES, left = channels - first;
    const int64_t count = left < DENSE_VALUES ? left : DENSE_VALUES, filled = round_up(count, TILE_DEPTH);
    for (int64_t i = 0; i < n; i++) {
        uint16_t *high = d->high + i * DENSE_ROW, *low = d->low + i * DENSE_ROW;
        split_run(in + i * channels + first, count, high, low);
        zero_run(filled - count, high + count, low + count);
    }
}

/* Products of a part of the sum with the columns of one strip, all images. */
static void dense_strip(const DenseWork *d, int n, int64_t part, const uint16_t *b, int column_tiles,
                        float *sums) {
    const int64_t first = part * DENSE_STEPS, left = d->steps - first;
    TileProduct product = {.a_row = DENSE_ROW * 2,
                           .b_high = b + first * column_tiles * 2 * TILE_VALUES,
                           .b_row = 64,
                           .b_next = 2 * TILE_BYTES,
                           .b_step = column_tiles * 2 * TILE_BYTES,
                           .steps = left < DENSE_STEPS ? left : DENSE_STEPS,
                           .add = part > 0,
                           .out_row = STRIP};
    product.b_low = product.b_high + TILE_VALUES;
    for (int64_t r = 0; r < n; r += STRIP) {
        product.a_high = d->high + r * DENSE_ROW;
        product.a_low = d->low + r * DENSE_ROW;
        product.out = sums + r * STRIP;
        tile_product(&product, n - r > TILE_SIDE ? 2 : 1, column_tiles);
    }
}

static void dense_pass(int n, int channels, int columns, const float *in, const float *packed,
                       const Target *target, float *memory) {
    DenseWork d;
    dense_work_size(n, channels, columns, &d, memory);
    const int64_t tiles = tiles_of(columns);
    for (int64_t part = 0; part < d.parts; part++) {
        split_part(&d, n, channels, part, in);
        for (int64_t tile = 0; tile < tiles; tile += 2) {
            float *sums = d.sums + (d.parts > 1 ? tile / 2 * d.rows * STRIP : 0);
            const int first = (int)tile * TILE_SIDE,
                      count = columns - first < STRIP ? columns - first : STRIP;
            dense_strip(&d, n, part, packed_tile((float *)packed, d.steps, columns, 0, tile),
                        tiles - tile > 1 ? 2 : 1, sums);
            if (part + 1 == d.parts) keep_rows(target, 0, n, first, count, sums, STRIP);
        }
    }
}

static Target dense_target(int n, int columns, const float *start, bool relu, const float *relu_mask,
                           float *out) {
    return (Target){.rows_y = 1,
                    .rows_x = n,
                    .plane_width = n,
                    .start = start,
                    .relu = relu,
                    .relu_mask = relu_mask,
                    .out = out,
                    .out_pixel = columns};
}

static int64_t images_work_size(const ConvShape *shape, int n) {
    const ConvShape s = flattened(shape);
    if (is_dense(&s))
        return larger(dense_work_size(n, s.channels, s.filters, NULL, NULL),
                      dense_work_size(n, s.filters, s.channels, NULL, NULL));
    TilePass pass;
    int64_t size = pass_work_size(tile_pass_forward(&s, &pass), NULL, NULL);
    for (int phase = 0; phase < s.stride * s.stride; phase++) {
        tile_pass_backward(&s, phase / s.stride, phase % s.stride, &pass);
        size = larger(size, pass_work_size(&pass, NULL, NULL));
    }
    return size;
}

static void forward(const ConvShape *shape, int n, const float *in, const float *packed, const float *bias,
                    bool relu, float *out, float *work) {
    const ConvShape s = flattened(shape);
    tiles_configure();
    if (is_dense(&s)) {
        const Target target = dense_target(n, s.filters, bias, relu, NULL, out);
        dense_pass(n, s.channels, s.filters, in, packed, &target, work);
    } else {
        TilePass pass;
        PassWork pass_work;
        tile_pass_forward(&s, &pass)->packed = packed;
        pass_work_size(&pass, &pass_work, work);
        const int64_t windows = find_offsets(&pass.taps, pass_work.offsets);
        clear_tail(&pass.planes, &pass_work);
        for (int i = 0; i < n; i++) {
            const Target target = target_of(&pass, bias, relu, NULL, out + i * out_size(&s));
            fill_planes(&pass.planes, in + i * in_size(&s), pass_work.high, pass_work.low);
            run_pass(&pass, &pass_work, windows, &target);
        }
    }
    tiles_release();
}

/* One image, all its phases: they read the same planes. */
static void backward_image(const ConvShape *s, const float *out_grad, const float *packed,
                           const float *relu_mask, float *in_grad, float *work) {
    for (int phase = 0; phase < s->stride * s->stride; phase++) {
        TilePass pass;
        PassWork pass_work;
        tile_pass_backward(s, phase / s->stride, phase % s->stride, &pass)->packed = packed;
        pass_work_size(&pass, &pass_work, work);
        const int64_t windows = find_offsets(&pass.taps, pass_work.offsets);
        const Target target = target_of(&pass, NULL, false, relu_mask, in_grad);
        if (phase == 0) {
            clear_tail(&pass.planes, &pass_work);
            fill_planes(&pass.planes, out_grad, pass_work.high, pass_work.low);
        }
        run_pass(&pass, &pass_work, windows, &target);
        packed += packed_values(windows, s->channels) / 2;
    }
}

static void backward_data(const ConvShape *shape, int n, const float *out_grad, const float *packed,
                          const float *relu_out, float *in_grad, float *work) {
    const ConvShape s = flattened(shape);
    tiles_configure();
    if (is_dense(&s)) {
        const Target target = dense_target(n, s.channels, NULL, false, relu_out, in_grad);
        dense_pass(n, s.filters, s.channels, out_grad, packed, &target, work);
    } else {
        for (int i = 0; i < n; i++)
            backward_image(&s, out_grad + i * out_size(&s), packed,
                           relu_out ? relu_out + i * in_size(&s) : NULL, in_grad + i * in_size(&s), work);
    }
    tiles_release();
}

static int64_t work_size(const ConvShape *shape, int n) {
    return larger(images_work_size(shape, n), conv_tiles_weights_work_size(shape, n));
}

static int images_wanted(const ConvShape *shape) {
    (void)shape;
    return 1;
}

static bool takes(const ConvShape *shape, ConvPass pass) {
    (void)pass;
    return shape->channels > 1;
}

const ConvBackend conv_tiles = {
    .name = "tiles",
    .available = tiles_allowed,
    .takes = takes,
    .packed_size = conv_tiles_packed_size,
    .work_size = work_size,
    .images_wanted = images_wanted,
    .pack_forward = conv_tiles_pack_forward,
    .pack_backward = conv_tiles_pack_backward,
    .forward = forward,
    .backward_data = backward_data,
    .sum_weights = conv_tiles_sum_weights,
};

#endif
