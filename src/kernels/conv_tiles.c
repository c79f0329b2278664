#include "conv_tiles.h"

#if defined(__AMX_BF16__) && defined(__AVX512BF16__)

#include "conv_planes.h"
#include "vec.h"

enum {
    MAX_TAPS = 64 * 64,
    TILE_VALUES = TILE_BYTES / 2,
    STRIP = 2 * TILE_SIDE, /* rows, or columns, of a block of tiles */
    DENSE_STEPS = 32,      /* of a dense layer's sum, for which all images are split at a time */
    DENSE_VALUES = DENSE_STEPS * TILE_DEPTH,
    DENSE_ROW = DENSE_VALUES + TILE_DEPTH, /* rows a power of two apart would share sets of the cache */
};

/* The taps that a pass sums over, in ascending order of their pixels. */
typedef struct {
    int count, channels; /* channels: summands of each */
    struct {
        int pixel; /* where in the planes the first output pixel reads it */
        int tap;   /* row * kernel + column of the weights */
    } at[MAX_TAPS];
} Taps;

/* One pass over an image: out[pixel][column] = sum over the taps' summands. */
typedef struct {
    Planes planes;
    Taps taps;
    int columns;
    int rows_y, rows_x;                  /* output pixels */
    int64_t out_at, out_line, out_pixel; /* floats: the first output pixel, to the next line, to the next */
    const float *packed;
} TilePass;

/* Windows of TILE_DEPTH summands that together cover those of the taps. */
typedef struct {
    int tap;
    int64_t covered; /* values of the planes, up to here */
} Walk;

/* Where the next window begins, in values from where the first output pixel reads; -1: no more. */
static int64_t next_window(const Taps *taps, Walk *walk) {
    for (; walk->tap < taps->count; walk->tap++) {
        const int64_t begin = (int64_t)taps->at[walk->tap].pixel * taps->channels;
        const int64_t start = begin > walk->covered ? begin : walk->covered;
        if (start >= begin + taps->channels) continue;
        walk->covered = start + TILE_DEPTH;
        return start;
    }
    return -1;
}

static int64_t count_windows(const Taps *taps) {
    int64_t count = 0;
    for (Walk walk = {0}; next_window(taps, &walk) >= 0;)
        count++;
    return count;
}

static int taps_of_phase(const ConvShape *s, int phase) {
    return phase < s->kernel ? (s->kernel - phase + s->stride - 1) / s->stride : 0;
}

static TilePass *forward_pass(const ConvShape *s, TilePass *pass) {
    pass->planes = input_planes(s);
    pass->columns = s->filters;
    pass->rows_y = s->out_height;
    pass->rows_x = s->out_width;
    pass->out_at = 0;
    pass->out_line = (int64_t)s->out_width * s->filters;
    pass->out_pixel = s->filters;
    Taps *taps = &pass->taps;
    taps->count = 0;
    taps->channels = s->channels;
    const Planes *planes = &pass->planes;
    for (int phase = 0; phase < planes->phases * planes->phases; phase++) {
        const int a = phase / planes->phases, b = phase % planes->phases;
        for (int y = 0; y < taps_of_phase(s, a); y++)
            for (int x = 0; x < taps_of_phase(s, b); x++, taps->count++) {
                taps->at[taps->count].pixel = (phase * planes->height + y) * planes->width + x;
                taps->at[taps->count].tap = (y * s->stride + a) * s->kernel + x * s->stride + b;
            }
    }
    return pass;
}

/* The input pixels of one phase, (row + pad) % stride, take the phase's taps from last to first: input row
 * first + o * stride takes line o + skipped - (taps - 1) + t of the output's gradient. */
typedef struct {
    int first, rows, skipped, taps;
} Phase;

static Phase phase_of(const ConvShape *s, int phase, int inputs) {
    const int skipped = phase < s->pad ? (s->pad - phase + s->stride - 1) / s->stride : 0;
    const int first = skipped * s->stride + phase - s->pad;
    return (Phase){first, first < inputs ? (inputs - 1 - first) / s->stride + 1 : 0, skipped,
                   taps_of_phase(s, phase)};
}

/* The gradient's plane has so many zeros on each side that every phase finds its taps. */
static Planes gradient_planes(const ConvShape *s) {
    const int pad = (s->kernel + s->stride - 1) / s->stride - 1;
    int height = s->out_height + pad, width = s->out_width + pad;
    for (int p = 0; p < s->stride; p++) {
        const Phase y = phase_of(s, p, s->height), x = phase_of(s, p, s->width);
        if (pad + y.rows + y.skipped > height) height = pad + y.rows + y.skipped;
        if (pad + x.rows + x.skipped > width) width = pad + x.rows + x.skipped;
    }
    return (Planes){s->out_height, s->out_width, s->filters, 1, pad, 1, height, width};
}

static TilePass *backward_pass(const ConvShape *s, int phase_y, int phase_x, TilePass *pass) {
    const Phase y = phase_of(s, phase_y, s->height), x = phase_of(s, phase_x, s->width);
    pass->planes = gradient_planes(s);
    pass->columns = s->channels;
    pass->rows_y = y.rows;
    pass->rows_x = x.rows;
    pass->out_at = ((int64_t)y.first * s->width + x.first) * s->channels;
    pass->out_line = (int64_t)s->stride * s->width * s->channels;
    pass->out_pixel = (int64_t)s->stride * s->channels;
    Taps *taps = &pass->taps;
    taps->count = 0;
    taps->channels = s->filters;
    const int line = pass->planes.pad + y.skipped - (y.taps - 1),
              column = pass->planes.pad + x.skipped - (x.taps - 1);
    for (int ty = 0; ty < y.taps; ty++)
        for (int tx = 0; tx < x.taps; tx++, taps->count++) {
            const int row = phase_y + s->stride * (y.taps - 1 - ty);
            taps->at[taps->count].pixel = (line + ty) * pass->planes.width + column + tx;
            taps->at[taps->count].tap = row * s->kernel + phase_x + s->stride * (x.taps - 1 - tx);
        }
    return pass;
}

/* Packed weights: for each pair of column tiles, for each window, one or two column tiles of high and low
 * values. */
static int64_t packed_values(int64_t windows, int columns) {
    return windows * tiles_of(columns) * 2 * TILE_VALUES;
}

static uint16_t *packed_tile(float *packed, int64_t windows, int columns, int64_t window, int64_t tile) {
    const int64_t pair = tile / 2, left = tiles_of(columns) - 2 * pair;
    return (uint16_t *)packed +
           (pair * 2 * windows + window * (left < 2 ? left : 2) + tile % 2) * 2 * TILE_VALUES;
}

/* What a window multiplies with: for each summand the weights of column 0, or NULL where nothing is to be
 * added. Those of the other columns lie column_stride apart. */
static void find_weights(const Taps *taps, const Walk *walk, int64_t start, const float *weights,
                         int64_t tap_stride, int64_t channel_stride, const float *from[TILE_DEPTH]) {
    int t = walk->tap;
    for (int64_t k = 0; k < TILE_DEPTH; k++) {
        while (t < taps->count && start + k >= (int64_t)(taps->at[t].pixel + 1) * taps->channels)
            t++;
        const int64_t channel =
            t < taps->count ? start + k - (int64_t)taps->at[t].pixel * taps->channels : -1;
        from[k] = channel >= 0 ? weights + taps->at[t].tap * tap_stride + channel * channel_stride : NULL;
    }
}

/* Columns lie side by side. */
static void pack_tile_rows(const float *const from[TILE_DEPTH], int64_t column, int columns, uint16_t *tile) {
    const __mmask16 lanes = lane_mask(columns - column);
    for (int i = 0; i < TILE_SIDE; i++) {
        SplitFloats pair[2];
        for (int k = 0; k < 2; k++) {
            const float *values = from[2 * i + k];
            pair[k] =
                split_floats(values ? _mm512_maskz_loadu_ps(lanes, values + column) : _mm512_setzero_ps());
        }
        _mm512_storeu_si512(tile + i * TILE_DEPTH, interleave(pair[0].high, pair[1].high));
        _mm512_storeu_si512(tile + TILE_VALUES + i * TILE_DEPTH, interleave(pair[0].low, pair[1].low));
    }
}

static void pack_column(const float values[TILE_DEPTH], int column, uint16_t *tile) {
    const SplitFloats half[2] = {split_floats(_mm512_loadu_ps(values)),
                                 split_floats(_mm512_loadu_ps(values + TILE_SIDE))};
    uint32_t high[TILE_SIDE], low[TILE_SIDE];
    memcpy(high, &half[0].high, 32);
    memcpy(high + 8, &half[1].high, 32);
    memcpy(low, &half[0].low, 32);
    memcpy(low + 8, &half[1].low, 32);
    uint32_t *pairs = (uint32_t *)tile + column;
    for (int i = 0; i < TILE_SIDE; i++) {
        pairs[i * TILE_SIDE] = high[i];
        pairs[TILE_VALUES / 2 + i * TILE_SIDE] = low[i];
    }
}

/* The summands of a column lie side by side, mostly. */
static void pack_tile_columns(const float *const from[TILE_DEPTH], int64_t column_stride, int64_t column,
                              int columns, uint16_t *tile) {
    bool one_run = from[0];
    for (int k = 1; k < TILE_DEPTH; k++)
        one_run &= from[k] == from[0] + k;
    for (int c = 0; c < TILE_SIDE; c++) {
        const int64_t at = (column + c) * column_stride;
        float values[TILE_DEPTH];
        if (one_run && column + c < columns) {
            pack_column(from[0] + at, c, tile);
            continue;
        }
        for (int k = 0; k < TILE_DEPTH; k++)
            values[k] = column + c < columns && from[k] ? from[k][at] : 0;
        pack_column(values, c, tile);
    }
}

static float *pack_pass(const TilePass *pass, const float *weights, int64_t tap_stride,
                        int64_t channel_stride, int64_t column_stride, float *packed) {
    const int64_t windows = count_windows(&pass->taps);
    Walk walk = {0};
    for (int64_t w = 0; w < windows; w++) {
        const float *from[TILE_DEPTH];
        const int64_t start = next_window(&pass->taps, &walk);
        find_weights(&pass->taps, &walk, start, weights, tap_stride, channel_stride, from);
        for (int64_t tile = 0; tile < tiles_of(pass->columns); tile++) {
            uint16_t *to = packed_tile(packed, windows, pass->columns, w, tile);
            if (column_stride == 1)
                pack_tile_rows(from, tile * TILE_SIDE, pass->columns, to);
            else
                pack_tile_columns(from, column_stride, tile * TILE_SIDE, pass->columns, to);
        }
    }
    return packed + packed_values(windows, pass->columns) / 2;
}

int64_t conv_tiles_packed_size(const ConvShape *shape) {
    const ConvShape s = flattened(shape);
    TilePass pass;
    int64_t forward = packed_values(count_windows(&forward_pass(&s, &pass)->taps), s.filters), backward = 0;
    for (int phase = 0; phase < s.stride * s.stride; phase++) {
        backward_pass(&s, phase / s.stride, phase % s.stride, &pass);
        backward += packed_values(count_windows(&pass.taps), s.channels);
    }
    return max64(forward, backward) / 2;
}

void conv_tiles_pack_forward(const ConvShape *shape, const float *weights, float *packed) {
    const ConvShape s = flattened(shape);
    TilePass pass;
    pack_pass(forward_pass(&s, &pass), weights, (int64_t)s.channels * s.filters, s.filters, 1, packed);
}

void conv_tiles_pack_backward(const ConvShape *shape, const float *weights, float *packed) {
    const ConvShape s = flattened(shape);
    TilePass pass;
    for (int phase = 0; phase < s.stride * s.stride; phase++) {
        backward_pass(&s, phase / s.stride, phase % s.stride, &pass);
        packed = pack_pass(&pass, weights, (int64_t)s.channels * s.filters, 1, s.filters, packed);
    }
}

/* What becomes of a pass's sums. */
typedef struct {
    int rows_y, rows_x;
    int64_t plane_width; /* rows of the product from one line of output pixels to the next */
    const float *start;  /* [columns] or NULL: added */
    bool relu;
    const float *gate; /* laid out like out, or NULL */
    float *out;
    int64_t out_line, out_pixel;
} Target;

static inline void keep_pixel(const Target *t, const float *sums, int64_t at, int first, int count) {
    for (int c = 0; c < count; c += LANES) {
        const int lanes = count - c < LANES ? count - c : LANES;
        vec x = vec_load(sums + c);
        if (t->start) x += vec_load_lanes(t->start + first + c, lanes);
        if (t->relu) x = vec_relu(x);
        if (t->gate) x = vec_gate(vec_load_lanes(t->gate + at + first + c, lanes), x);
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
    return round_up_to((count + STRIP) * planes->channels + TILE_DEPTH, TILE_DEPTH);
}

/* Work memory of a pass over images, cut up. */
typedef struct {
    uint16_t *high, *low;
    float *sums;      /* [STRIP][columns in whole strips] */
    int64_t *offsets; /* [windows] bytes */
} PassWork;

static int64_t strip_columns(int columns) {
    return round_up_to(columns, STRIP);
}

static int64_t pass_work_size(const TilePass *pass, PassWork *work, float *memory) {
    const int64_t offsets = round_up(2 * count_windows(&pass->taps));
    const int64_t sums = STRIP * strip_columns(pass->columns), values = planes_values(&pass->planes);
    if (work)
        *work = (PassWork){(uint16_t *)memory, (uint16_t *)memory + values, memory + values,
                           (int64_t *)(void *)(memory + values + sums)};
    return round_up(offsets + sums + values);
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
    for (Walk walk = {0}; (start = next_window(taps, &walk)) >= 0; count++)
        offsets[count] = start * (int64_t)sizeof(uint16_t);
    return count;
}

static void clear_tail(const Planes *planes, const PassWork *work) {
    const int64_t used = (int64_t)planes->phases * planes->phases * plane_pixels(planes) * planes->channels;
    zero_run(planes_values(planes) - used, work->high + used, work->low + used);
}

static Target target_of(const TilePass *pass, const float *start, bool relu, const float *gate, float *out) {
    return (Target){.rows_y = pass->rows_y,
                    .rows_x = pass->rows_x,
                    .plane_width = pass->planes.width,
                    .start = start,
                    .relu = relu,
                    .gate = gate ? gate + pass->out_at : NULL,
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
    DenseWork d = {.steps = (channels + TILE_DEPTH - 1) / TILE_DEPTH, .rows = round_up_to(n, STRIP)};
    d.parts = (d.steps + DENSE_STEPS - 1) / DENSE_STEPS;
    const int64_t strips = d.parts > 1 ? strip_columns(columns) / STRIP : 1;
    if (work) {
        d.high = (uint16_t *)memory;
        d.low = d.high + d.rows * DENSE_ROW;
        d.sums = memory + d.rows * DENSE_ROW;
        *work = d;
    }
    return d.rows * DENSE_ROW + strips * d.rows * STRIP;
}

static void split_part(const DenseWork *d, int n, int channels, int64_t part, const float *in) {
    const int64_t first = part * DENSE_VALUES, left = channels - first;
    const int64_t count = left < DENSE_VALUES ? left : DENSE_VALUES, filled = round_up_to(count, TILE_DEPTH);
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

static Target dense_target(int n, int columns, const float *start, bool relu, const float *gate, float *out) {
    return (Target){.rows_y = 1,
                    .rows_x = n,
                    .plane_width = n,
                    .start = start,
                    .relu = relu,
                    .gate = gate,
                    .out = out,
                    .out_pixel = columns};
}

int64_t conv_tiles_work_size(const ConvShape *shape, int n) {
    const ConvShape s = flattened(shape);
    if (is_dense(&s))
        return max64(dense_work_size(n, s.channels, s.filters, NULL, NULL),
                     dense_work_size(n, s.filters, s.channels, NULL, NULL));
    TilePass pass;
    int64_t size = pass_work_size(forward_pass(&s, &pass), NULL, NULL);
    for (int phase = 0; phase < s.stride * s.stride; phase++) {
        backward_pass(&s, phase / s.stride, phase % s.stride, &pass);
        size = max64(size, pass_work_size(&pass, NULL, NULL));
    }
    return size;
}

void conv_tiles_forward(const ConvShape *shape, int n, const float *in, const float *packed,
                        const float *bias, bool relu, float *out, float *work) {
    const ConvShape s = flattened(shape);
    tiles_configure();
    if (is_dense(&s)) {
        const Target target = dense_target(n, s.filters, bias, relu, NULL, out);
        dense_pass(n, s.channels, s.filters, in, packed, &target, work);
    } else {
        TilePass pass;
        PassWork pass_work;
        forward_pass(&s, &pass)->packed = packed;
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
static void backward_image(const ConvShape *s, const float *out_grad, const float *packed, const float *gate,
                           float *in_grad, float *work) {
    for (int phase = 0; phase < s->stride * s->stride; phase++) {
        TilePass pass;
        PassWork pass_work;
        backward_pass(s, phase / s->stride, phase % s->stride, &pass)->packed = packed;
        pass_work_size(&pass, &pass_work, work);
        const int64_t windows = find_offsets(&pass.taps, pass_work.offsets);
        const Target target = target_of(&pass, NULL, false, gate, in_grad);
        if (phase == 0) {
            clear_tail(&pass.planes, &pass_work);
            fill_planes(&pass.planes, out_grad, pass_work.high, pass_work.low);
        }
        run_pass(&pass, &pass_work, windows, &target);
        packed += packed_values(windows, s->channels) / 2;
    }
}

void conv_tiles_backward_data(const ConvShape *shape, int n, const float *out_grad, const float *packed,
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

#endif
