#include "conv_tiles.h"

#if defined(__AMX_BF16__) && defined(__AVX512BF16__)

#include "conv_planes.h"
#include "vec.h"

/* The gradient of a tap's weights [channels][filters] is a product of the input, transposed and shifted by
 * the tap, with the output's gradient, which stands at the pixels of the input's planes with zeros between,
 * so that both run over the pixels of some images without gaps. */
enum {
    STRIP = 2 * TILE_SIDE,
    PIXELS_AT_A_TIME = 256, /* what they need stays in the first-level cache */
    BLOCK_PIXELS = 512,     /* images are taken together up to about so many */
    DENSE_CHANNELS = 128,   /* of a dense layer, that are transposed at a time */
};

typedef struct {
    Planes planes;
    int channels, filters, kernel, stride;
    int images;        /* taken together */
    int64_t x_row;     /* values from one transposed row to the next */
    int64_t positions; /* pixels of the planes of all these images, in whole steps */
    bool direct;       /* tiles fit the weights: sums go there */
} Weights;

static int64_t odd_lines(int64_t values) {
    const int64_t lines = (values + TILE_DEPTH - 1) / TILE_DEPTH;
    return (lines | 1) * TILE_DEPTH; /* rows a power of two apart would share sets of the cache */
}

static Weights weights_of(const ConvShape *s, int n) {
    Weights w = {.planes = input_planes(s),
                 .channels = s->channels,
                 .filters = s->filters,
                 .kernel = s->kernel,
                 .stride = s->stride};
    const int64_t pixels = plane_pixels(&w.planes), most = max64(1, BLOCK_PIXELS / pixels);
    const int64_t reach = (int64_t)(s->kernel - 1) / s->stride * (w.planes.width + 1);
    w.images = n < most ? n : (int)most;
    w.positions = round_up_to(w.images * pixels, TILE_DEPTH);
    w.x_row = odd_lines(w.positions + reach + TILE_SIDE);
    w.direct = s->channels % TILE_SIDE == 0 && s->filters % TILE_SIDE == 0;
    return w;
}

static int64_t phases_of(const Weights *w) {
    return (int64_t)w->planes.phases * w->planes.phases;
}

static int64_t padded(int64_t n) {
    return tiles_of(n) * TILE_SIDE;
}

typedef struct {
    uint16_t *x_high, *x_low; /* [phases][phases][channels, padded][x_row] */
    uint16_t *g_high, *g_low; /* [positions / 2][filters, padded][2] */
    float *sums;              /* [kernel][kernel][channels, padded][filters, padded], unless direct */
} WeightWork;

static int64_t conv_layout(const Weights *w, WeightWork *work, float *memory) {
    const int64_t x = round_up_to(phases_of(w) * padded(w->channels) * w->x_row, TILE_DEPTH);
    const int64_t g = w->positions * padded(w->filters);
    const int64_t sums =
        w->direct ? 0 : (int64_t)w->kernel * w->kernel * padded(w->channels) * padded(w->filters);
    if (work) {
        uint16_t *values = (uint16_t *)memory;
        *work = (WeightWork){values, values + x, values + 2 * x, values + 2 * x + g, memory + x + g};
    }
    return x + g + sums;
}

static int64_t dense_positions(int n) {
    return round_up_to(n, TILE_DEPTH);
}

static int64_t dense_layout(int n, int filters, WeightWork *work, float *memory) {
    const int64_t x = DENSE_CHANNELS * odd_lines(dense_positions(n)),
                  g = dense_positions(n) * padded(filters);
    if (work) {
        uint16_t *values = (uint16_t *)memory;
        *work = (WeightWork){values, values + x, values + 2 * x, values + 2 * x + g, memory + x + g};
    }
    return x + g + DENSE_CHANNELS * padded(filters);
}

int64_t conv_tiles_weights_work_size(const ConvShape *shape, int n) {
    const ConvShape s = flattened(shape);
    if (is_dense(&s)) return dense_layout(n, s.filters, NULL, NULL);
    const Weights w = weights_of(&s, n);
    return conv_layout(&w, NULL, NULL);
}

/* Rows become columns. */
static inline void transpose(__m512 r[16]) {
    __m512 t[16];
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        const __m512d a = (__m512d)t[i], b = (__m512d)t[i + 1], c = (__m512d)t[i + 2], d = (__m512d)t[i + 3];
        r[i] = (__m512)_mm512_unpacklo_pd(a, c);
        r[i + 1] = (__m512)_mm512_unpackhi_pd(a, c);
        r[i + 2] = (__m512)_mm512_unpacklo_pd(b, d);
        r[i + 3] = (__m512)_mm512_unpackhi_pd(b, d);
    }
    for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
    }
    for (int i = 0; i < 4; i++) {
        r[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
        r[i + 4] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88);
        r[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
        r[i + 12] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xdd);
    }
}

/* Positions [0, total) of the rows of 16 channels: pixel i of `count`, pixel_stride floats apart, at `first`
 * + i, zeros elsewhere. Up to 15 positions more are overwritten. */
static void transpose_run(const float *from, int64_t pixel_stride, int channels, int64_t first, int64_t count,
                          int64_t total, int64_t row, uint16_t *high, uint16_t *low) {
    const __mmask16 lanes = lane_mask(channels);
    for (int64_t at = 0; at < total; at += TILE_SIDE) {
        __m512 r[TILE_SIDE];
        for (int i = 0; i < TILE_SIDE; i++) {
            const int64_t pixel = at + i - first;
            r[i] = pixel >= 0 && pixel < count ? _mm512_maskz_loadu_ps(lanes, from + pixel * pixel_stride)
                                               : _mm512_setzero_ps();
        }
        transpose(r);
        for (int c = 0; c < TILE_SIDE; c++) {
            const SplitFloats values = split_floats(r[c]);
            _mm256_storeu_si256((__m256i *)(void *)(high + c * row + at), values.high);
            _mm256_storeu_si256((__m256i *)(void *)(low + c * row + at), values.low);
        }
    }
}

/* The same for all channels. */
static void transpose_line(const Weights *w, const float *from, int64_t pixel_stride, Span span,
                           int64_t total, uint16_t *high, uint16_t *low) {
    for (int c = 0; c < w->channels; c += TILE_SIDE)
        transpose_run(from + c, pixel_stride, w->channels - c, span.first, span.count, total, w->x_row,
                      high + c * w->x_row, low + c * w->x_row);
}

/* One plane of one image. */
static void transpose_plane(const Weights *w, int a, int b, const float *image, uint16_t *high,
                            uint16_t *low) {
    const Planes *p = &w->planes;
    const Span y_span = line_span(p, a, p->height, p->image_height);
    const Span x_span = line_span(p, b, p->width, p->image_width);
    const int64_t first_x = (int64_t)x_span.first * p->stride + b - p->pad;
    if (p->stride == 1 && p->pad == 0) {
        const Span all = {.count = (int)plane_pixels(p)};
        transpose_line(w, image, p->channels, all, all.count, high, low);
        return;
    }
    for (int y = 0; y < p->height; y++) {
        const bool inside = y >= y_span.first && y < y_span.first + y_span.count;
        const int64_t row = (int64_t)y * p->stride + a - p->pad;
        const float *from = inside ? image + (row * p->image_width + first_x) * p->channels : image;
        transpose_line(w, from, (int64_t)p->stride * p->channels, inside ? x_span : (Span){0}, p->width,
                       high + (int64_t)y * p->width, low + (int64_t)y * p->width);
    }
}

static void zero_from(uint16_t *values, int64_t begin, int64_t end) {
    memset(values + begin, 0, (size_t)(end - begin) * sizeof *values);
}

static void transpose_images(const Weights *w, int n, const float *in, const WeightWork *work) {
    const int64_t pixels = plane_pixels(&w->planes), rows = padded(w->channels);
    const int64_t size = (int64_t)w->planes.image_height * w->planes.image_width * w->planes.channels;
    for (int phase = 0; phase < phases_of(w); phase++) {
        uint16_t *high = work->x_high + phase * rows * w->x_row, *low = work->x_low + phase * rows * w->x_row;
        for (int i = 0; i < n; i++)
            transpose_plane(w, phase / w->planes.phases, phase % w->planes.phases, in + i * size,
                            high + i * pixels, low + i * pixels);
        for (int64_t r = 0; r < rows; r++) {
            zero_from(high + r * w->x_row, n * pixels, w->x_row);
            zero_from(low + r * w->x_row, n * pixels, w->x_row);
        }
    }
}

/* Two pixels' gradients, or zeros where they are NULL. */
static inline void pair_pixels(const float *even, const float *odd, int filters, uint16_t *high,
                               uint16_t *low) {
    for (int f = 0; f < filters; f += TILE_SIDE) {
        const __mmask16 lanes = lane_mask(filters - f);
        const __m512 zero = _mm512_setzero_ps();
        const SplitFloats a = split_floats(even ? _mm512_maskz_loadu_ps(lanes, even + f) : zero);
        const SplitFloats b = split_floats(odd ? _mm512_maskz_loadu_ps(lanes, odd + f) : zero);
        _mm512_storeu_si512(high + 2 * f, interleave(a.high, b.high));
        _mm512_storeu_si512(low + 2 * f, interleave(a.low, b.low));
    }
}

/* The gradients of n images' output pixels at the planes' pixels. */
static void pair_images(const Weights *w, const ConvShape *s, int n, const float *out_grad,
                        const WeightWork *work) {
    const int64_t row = 2 * padded(w->filters);
    int image = 0, y = 0, x = 0;
    for (int64_t p = 0; p < w->positions; p += 2) {
        const float *pair[2];
        for (int k = 0; k < 2; k++) {
            const bool inside = image < n && y < s->out_height && x < s->out_width;
            pair[k] = inside
                          ? out_grad + (((int64_t)image * s->out_height + y) * s->out_width + x) * w->filters
                          : NULL;
            if (++x < w->planes.width) continue;
            x = 0;
            if (++y < w->planes.height) continue;
            y = 0;
            image++;
        }
        pair_pixels(pair[0], pair[1], w->filters, work->g_high + p / 2 * row, work->g_low + p / 2 * row);
    }
}

/* Products over positions [first, first + count): sums of rows x filters. */
typedef struct {
    const WeightWork *work;
    int64_t rows, x_row; /* of the transposed input */
    int filters;
    int64_t first, count;
    bool add;
    int64_t out_row; /* floats between rows of sums */
} Sums;

/* The tiles from row m and filter f on of one tap, whose input begins at value x_at. */
static void sum_tiles(const Sums *s, int64_t m, int64_t f, int64_t x_at, float *out) {
    const int64_t x = x_at + m * s->x_row + s->first, g_row = 2 * padded(s->filters);
    const int64_t g = s->first / 2 * g_row + 2 * f;
    const TileProduct product = {.a_high = s->work->x_high + x,
                                 .a_low = s->work->x_low + x,
                                 .a_row = s->x_row * 2,
                                 .b_high = s->work->g_high + g,
                                 .b_low = s->work->g_low + g,
                                 .b_row = g_row * 2,
                                 .b_next = 64,
                                 .b_step = TILE_SIDE * g_row * 2,
                                 .steps = s->count / TILE_DEPTH,
                                 .add = s->add,
                                 .out = out + m * s->out_row + f,
                                 .out_row = s->out_row};
    tile_product(&product, s->rows - m > TILE_SIDE ? 2 : 1, s->filters - f > TILE_SIDE ? 2 : 1);
}

static void sum_taps(const Weights *w, const Sums *s, float *out) {
    const int64_t out_tap = (w->direct ? w->channels : padded(w->channels)) * s->out_row;
    for (int64_t m = 0; m < w->channels; m += STRIP)
        for (int64_t f = 0; f < w->filters; f += STRIP)
            for (int tap = 0; tap < w->kernel * w->kernel; tap++) {
                const int y = tap / w->kernel, x = tap % w->kernel;
                const int64_t phase = (int64_t)(y % w->stride) * w->planes.phases + x % w->stride;
                const int64_t at = (int64_t)(y / w->stride) * w->planes.width + x / w->stride;
                sum_tiles(s, m, f, phase * padded(w->channels) * w->x_row + at, out + tap * out_tap);
            }
}

/* to [rows][filters] = or += from [rows][from_row] */
static void copy_rows(int64_t rows, int filters, const float *from, int64_t from_row, bool add, float *to) {
    for (int64_t r = 0; r < rows; r++)
        for (int f = 0; f < filters; f += LANES) {
            const int lanes = filters - f < LANES ? filters - f : LANES;
            const vec x = vec_load_lanes(from + r * from_row + f, lanes);
            vec_store_lanes(to + r * filters + f, add ? vec_load_lanes(to + r * filters + f, lanes) + x : x,
                            lanes);
        }
}

static void conv_weights(const ConvShape *s, int n, const float *in, const float *out_grad, bool add,
                         float *weight_grad, float *memory) {
    const Weights w = weights_of(s, n);
    WeightWork work;
    conv_layout(&w, &work, memory);
    float *sums = w.direct ? weight_grad : work.sums;
    const int64_t out_row = w.direct ? s->filters : padded(s->filters);
    for (int i = 0; i < n; i += w.images) {
        const int images = n - i < w.images ? n - i : w.images;
        transpose_images(&w, images, in + i * in_size(s), &work);
        pair_images(&w, s, images, out_grad + i * out_size(s), &work);
        for (int64_t p = 0; p < w.positions; p += PIXELS_AT_A_TIME) {
            const int64_t left = w.positions - p;
            const Sums part = {.work = &work,
                               .rows = w.channels,
                               .x_row = w.x_row,
                               .filters = w.filters,
                               .first = p,
                               .count = left < PIXELS_AT_A_TIME ? left : PIXELS_AT_A_TIME,
                               .add = i + p > 0 || (add && w.direct),
                               .out_row = out_row};
            sum_taps(&w, &part, sums);
        }
    }
    for (int64_t tap = 0; !w.direct && tap < w.kernel * w.kernel; tap++)
        copy_rows(w.channels, s->filters, sums + tap * padded(w.channels) * out_row, out_row, add,
                  weight_grad + tap * w.channels * s->filters);
}

static void pair_vectors(int64_t n, int filters, const float *out_grad, const WeightWork *work) {
    const int64_t row = 2 * padded(filters);
    for (int64_t p = 0; p < dense_positions((int)n); p += 2)
        pair_pixels(p < n ? out_grad + p * filters : NULL, p + 1 < n ? out_grad + (p + 1) * filters : NULL,
                    filters, work->g_high + p / 2 * row, work->g_low + p / 2 * row);
}

static void dense_weights(const ConvShape *s, int n, const float *in, const float *out_grad, bool add,
                          float *weight_grad, float *memory) {
    WeightWork work;
    dense_layout(n, s->filters, &work, memory);
    pair_vectors(n, s->filters, out_grad, &work);
    for (int first = 0; first < s->channels; first += DENSE_CHANNELS) {
        const int rows = s->channels - first < DENSE_CHANNELS ? s->channels - first : DENSE_CHANNELS;
        const bool direct = rows % TILE_SIDE == 0 && s->filters % TILE_SIDE == 0;
        float *const to = weight_grad + (int64_t)first * s->filters, *const sums = direct ? to : work.sums;
        const Sums block = {.work = &work,
                            .rows = rows,
                            .x_row = odd_lines(dense_positions(n)),
                            .filters = s->filters,
                            .count = dense_positions(n),
                            .add = add && direct,
                            .out_row = padded(s->filters)};
        for (int c = 0; c < rows; c += TILE_SIDE)
            transpose_run(in + first + c, s->channels, rows - c, 0, n, block.count, block.x_row,
                          work.x_high + c * block.x_row, work.x_low + c * block.x_row);
        for (int64_t m = 0; m < rows; m += STRIP)
            for (int64_t f = 0; f < s->filters; f += STRIP)
                sum_tiles(&block, m, f, 0, sums);
        if (!direct) copy_rows(rows, s->filters, sums, block.out_row, add, to);
    }
}

void conv_tiles_backward_weights(const ConvShape *shape, int n, const float *in, const float *out_grad,
                                 bool add, float *weight_grad, float *work) {
    const ConvShape s = flattened(shape);
    tiles_configure();
    (is_dense(&s) ? dense_weights : conv_weights)(&s, n, in, out_grad, add, weight_grad, work);
    tiles_release();
}

#endif
