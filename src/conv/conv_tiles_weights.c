#include "conv/conv_tiles.h"

#if defined(__AMX_BF16__) && defined(__AVX512BF16__)

#include "conv/conv_backend.h"
#include "conv/conv_planes.h"
#include "core/integers.h"
#include "kernels/vec.h"

/* The gradient of a tap's weights [channels][filters] is a product of the input, transposed and shifted by
 * the tap, with the output's gradient. Both run over the pixels of the input's planes, from an image's first
 * output pixel to its last; between the lines of output pixels the gradient has zeros. */
enum {
    STRIP = 2 * TILE_SIDE,
    MOST_STEPS = 6,       /* of a product at a time: what it needs stays in the first-level cache */
    BLOCK_STEPS = 24,     /* images are taken together up to about so many steps */
    DENSE_CHANNELS = 128, /* of a dense layer, that are transposed at a time */
};

typedef struct {
    Planes planes;
    int channels, filters, kernel, stride;
    int images;      /* taken together */
    int image_steps; /* of TILE_DEPTH pixels */
    int64_t x_row;   /* values from one transposed row to the next */
    bool direct;     /* tiles fit the weights: sums go there */
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
    const int64_t used = (int64_t)(s->out_height - 1) * w.planes.width + s->out_width;
    w.image_steps = (int)((used + TILE_DEPTH - 1) / TILE_DEPTH);
    const int most = w.image_steps < BLOCK_STEPS ? BLOCK_STEPS / w.image_steps : 1;
    w.images = n < most ? n : most;
    /* the last tap reads up to whole steps behind the last pixel */
    w.x_row = odd_lines(w.images * plane_pixels(&w.planes) + 2 * TILE_DEPTH);
    w.direct = s->channels % TILE_SIDE == 0 && s->filters % TILE_SIDE == 0;
    return w;
}

static int64_t phases_of(const Weights *w) {
    return (int64_t)w->planes.phases * w->planes.phases;
}

typedef struct {
    uint16_t *x_high, *x_low; /* [phases][phases][channels, padded][x_row] */
    uint16_t *g_high, *g_low; /* [images][image_steps][TILE_DEPTH / 2][filters, padded][2] */
    float *sums;              /* [kernel][kernel][channels, padded][filters, padded], unless direct */
} WeightWork;

static int64_t layout(int64_t x, int64_t g, int64_t sums, WeightWork *work, float *memory) {
    if (work) {
        uint16_t *values = (uint16_t *)(void *)memory;
        *work = (WeightWork){values, values + x, values + 2 * x, values + 2 * x + g, memory + x + g};
    }
    return x + g + sums;
}

static int64_t conv_layout(const Weights *w, WeightWork *work, float *memory) {
    const int64_t x = phases_of(w) * padded(w->channels) * w->x_row;
    const int64_t g = (int64_t)w->images * w->image_steps * TILE_DEPTH * padded(w->filters);
    const int64_t sums = (int64_t)w->kernel * w->kernel * padded(w->channels) * padded(w->filters);
    return layout(x, g, w->direct ? 0 : sums, work, memory);
}

static int64_t dense_positions(int n) {
    return round_up(n, TILE_DEPTH);
}

static int64_t dense_layout(int n, int filters, WeightWork *work, float *memory) {
    return layout(DENSE_CHANNELS * odd_lines(dense_positions(n)), dense_positions(n) * padded(filters),
                  DENSE_CHANNELS * padded(filters), work, memory);
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

/* 16 pixels' values of all channels, or zeros where a pixel is NULL, as 16 values of each channel's row. */
static void transpose_pixels(const float *const pixels[TILE_SIDE], int channels, int64_t row, uint16_t *high,
                             uint16_t *low) {
    for (int first = 0; first < channels; first += TILE_SIDE) {
        const __mmask16 lanes = lane_mask(channels - first);
        __m512 r[TILE_SIDE];
        for (int i = 0; i < TILE_SIDE; i++)
            r[i] = pixels[i] ? _mm512_maskz_loadu_ps(lanes, pixels[i] + first) : _mm512_setzero_ps();
        transpose(r);
        for (int c = 0; c < TILE_SIDE; c++) {
            const SplitFloats values = split_floats(r[c]);
            _mm256_storeu_si256((__m256i *)(void *)(high + (first + c) * row), values.high);
            _mm256_storeu_si256((__m256i *)(void *)(low + (first + c) * row), values.low);
        }
    }
}

/* Goes over the pixels of n images' planes (a, b), one behind the other. */
typedef struct {
    const Planes *planes;
    int phase_y, phase_x, n, image, y, x;
} PixelWalk;

/* The pixel in the images, or NULL for zeros. */
static inline const float *next_pixel(PixelWalk *walk, const float *images) {
    const Planes *p = walk->planes;
    const int row = walk->y * p->stride + walk->phase_y - p->pad;
    const int column = walk->x * p->stride + walk->phase_x - p->pad;
    const bool inside = walk->image < walk->n && (unsigned)row < (unsigned)p->image_height &&
                        (unsigned)column < (unsigned)p->image_width;
    const int64_t at = ((int64_t)walk->image * p->image_height + row) * p->image_width + column;
    if (++walk->x == p->width) {
        walk->x = 0;
        if (++walk->y == p->height) {
            walk->y = 0;
            walk->image++;
        }
    }
    return inside ? images + at * p->channels : NULL;
}

static void transpose_images(const Weights *w, int n, const float *in, const WeightWork *work) {
    for (int phase = 0; phase < phases_of(w); phase++) {
        const int64_t first = phase * padded(w->channels) * w->x_row;
        PixelWalk walk = {.planes = &w->planes,
                          .phase_y = phase / w->planes.phases,
                          .phase_x = phase % w->planes.phases,
                          .n = n};
        for (int64_t at = 0; at < w->x_row; at += TILE_SIDE) {
            const float *pixels[TILE_SIDE];
            for (int i = 0; i < TILE_SIDE; i++)
                pixels[i] = next_pixel(&walk, in);
            transpose_pixels(pixels, w->channels, w->x_row, work->x_high + first + at,
                             work->x_low + first + at);
        }
    }
}

/* The gradients of n images' output pixels at the planes' pixels. */
static void pair_images(const Weights *w, const ConvShape *s, int n, const float *out_grad,
                        const WeightWork *work) {
    const int64_t row = 2 * padded(w->filters), pairs = (int64_t)w->image_steps * TILE_DEPTH / 2;
    for (int i = 0; i < n; i++) {
        const float *image = out_grad + i * out_size(s);
        int y = 0, x = 0;
        for (int64_t p = i * pairs; p < (i + 1) * pairs; p++) {
            const float *pair[2];
            for (int k = 0; k < 2; k++) {
                const bool inside = y < s->out_height && x < s->out_width;
                pair[k] = inside ? image + ((int64_t)y * s->out_width + x) * w->filters : NULL;
                if (++x < w->planes.width) continue;
                x = 0;
                y++;
            }
            pair_pixels(pair[0], pair[1], w->filters, work->g_high + p * row, work->g_low + p * row);
        }
    }
}

/* Products over some steps: sums of rows x filters. */
typedef struct {
    const WeightWork *work;
    int64_t rows, x_row; /* of the transposed input */
    int filters;
    int64_t first_step, steps;
    const int64_t *x_offsets; /* [steps] bytes, or NULL */
    bool add;
    int64_t out_row; /* floats between rows of sums */
} Sums;

/* The tiles from row m and filter f on of one tap, whose input begins at value x_at. */
static void sum_tiles(const Sums *s, int64_t m, int64_t f, int64_t x_at, float *out) {
    const int64_t x = x_at + m * s->x_row, g_row = 2 * padded(s->filters);
    const int64_t g = s->first_step * TILE_SIDE * g_row + 2 * f;
    const TileProduct product = {.a_high = s->work->x_high + x,
                                 .a_low = s->work->x_low + x,
                                 .a_row = s->x_row * 2,
                                 .a_offsets = s->x_offsets,
                                 .b_high = s->work->g_high + g,
                                 .b_low = s->work->g_low + g,
                                 .b_row = g_row * 2,
                                 .b_next = 64,
                                 .b_step = TILE_SIDE * g_row * 2,
                                 .steps = s->steps,
                                 .add = s->add,
                                 .out = out + m * s->out_row + f,
                                 .out_row = s->out_row};
    tile_product(&product, s->rows - m > TILE_SIDE ? 2 : 1, s->filters - f > TILE_SIDE ? 2 : 1);
}

/* All taps of one phase, which read the same plane. */
static void sum_phase(const Weights *w, const Sums *s, int phase_y, int phase_x, int64_t m, int64_t f,
                      float *out) {
    const int64_t out_tap = (w->direct ? w->channels : padded(w->channels)) * s->out_row;
    const int64_t phase = (int64_t)phase_y * w->planes.phases + phase_x;
    for (int y = phase_y; y < w->kernel; y += w->stride)
        for (int x = phase_x; x < w->kernel; x += w->stride) {
            const int64_t at = (int64_t)(y / w->stride) * w->planes.width + x / w->stride;
            sum_tiles(s, m, f, phase * padded(w->channels) * w->x_row + at,
                      out + (y * w->kernel + x) * out_tap);
        }
}

static void sum_taps(const Weights *w, const Sums *s, float *out) {
    for (int phase = 0; phase < phases_of(w); phase++)
        for (int64_t m = 0; m < w->channels; m += STRIP)
            for (int64_t f = 0; f < w->filters; f += STRIP)
                sum_phase(w, s, phase / w->planes.phases, phase % w->planes.phases, m, f, out);
}

/* Some images, transposed and paired: in parts of as many steps. */
static void sum_images(const Weights *w, int n, const WeightWork *work, bool add, int64_t out_row,
                       float *out) {
    const int64_t steps = (int64_t)n * w->image_steps, parts = (steps + MOST_STEPS - 1) / MOST_STEPS;
    int64_t offsets[MOST_STEPS];
    for (int64_t part = 0; part < parts; part++) {
        const int64_t first = steps * part / parts, end = steps * (part + 1) / parts;
        for (int64_t i = first; i < end; i++) {
            const int64_t image = i / w->image_steps, step = i % w->image_steps;
            offsets[i - first] =
                (image * plane_pixels(&w->planes) + step * TILE_DEPTH) * (int64_t)sizeof(uint16_t);
        }
        const Sums sums = {.work = work,
                           .rows = w->channels,
                           .x_row = w->x_row,
                           .filters = w->filters,
                           .first_step = first,
                           .steps = end - first,
                           .x_offsets = offsets,
                           .add = add || part > 0,
                           .out_row = out_row};
        sum_taps(w, &sums, out);
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
        sum_images(&w, images, &work, i > 0 || (add && w.direct), out_row, sums);
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

/* `rows` values of n vectors that are `stride` floats apart. */
static void transpose_vectors(int n, const float *in, int64_t stride, int rows, int64_t x_row,
                              const WeightWork *work) {
    for (int at = 0; at < dense_positions(n); at += TILE_SIDE) {
        const float *pixels[TILE_SIDE];
        for (int i = 0; i < TILE_SIDE; i++)
            pixels[i] = at + i < n ? in + (at + i) * stride : NULL;
        transpose_pixels(pixels, rows, x_row, work->x_high + at, work->x_low + at);
    }
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
                            .steps = dense_positions(n) / TILE_DEPTH,
                            .add = add && direct,
                            .out_row = padded(s->filters)};
        transpose_vectors(n, in + first, s->channels, rows, block.x_row, &work);
        for (int64_t m = 0; m < rows; m += STRIP)
            for (int64_t f = 0; f < s->filters; f += STRIP)
                sum_tiles(&block, m, f, 0, sums);
        if (!direct) copy_rows(rows, s->filters, sums, block.out_row, add, to);
    }
}

/* Sums go straight to the weights, so all of it is one part. */
void conv_tiles_sum_weights(const ConvShape *shape, const ConvWeightSum *sum) {
    const ConvShape s = flattened(shape);
    conv_begin_part(sum, 0);
    tiles_configure();
    (is_dense(&s) ? dense_weights : conv_weights)(&s, sum->n, sum->in, sum->out_grad, sum->add,
                                                  sum->weight_grad, sum->work);
    tiles_release();
    conv_sum_bias(shape, sum);
    conv_end_part(sum, 0);
}

#endif
