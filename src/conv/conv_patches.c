/* Kernels over images of one channel on matrix tiles: 5x5, and the data gradient of 3x3, whose other passes
 * are as fast without tiles.
 *
 * A tile sums 32 values at a time, of which a kernel's row of one channel would fill 5. So the 25 values
 * under a kernel, a patch, make one row, as in a 1x1 convolution of patches (im2col). */
#if defined(__AMX_BF16__) && defined(__AVX512BF16__)

#include "conv/conv_backend.h"
#include "conv/conv_tiles.h"
#include "conv/tile_pass.h"
#include "core/integers.h"
#include "kernels/vec.h"

enum {
    BLOCK = 2 * TILE_SIDE, /* rows, or columns, of a block of tiles */
    STEPS = 3, /* of a weight gradient's sum at a time: what it needs stays in the first-level cache */
    POSITIONS = STEPS * TILE_DEPTH,
    SLACK = 2 * POSITIONS, /* values behind the image that are read in vain */
    GROUP = 4 * BLOCK, /* rows that are split before their products: tiles wait for what was just stored */
    RUN = 8,           /* values that are copied, or added, for a kernel's row of them */
};

enum {
    PATCH_SIDE = 5, /* where all passes are on tiles */
    SMALL_PATCH_SIDE = 3,
};

static bool is_patches(const ConvShape *s, int side) {
    return s->channels == 1 && s->kernel == side && s->stride == 1 && s->out_width > 1;
}

static int patch_values(const ConvShape *s) {
    return s->kernel * s->kernel;
}

/* The 1x1 convolution of the patches (their stride is 1 already): it has the same weights and output. */
static ConvShape patches_of(const ConvShape *s) {
    ConvShape patches = *s;
    patches.height = s->out_height;
    patches.width = s->out_width;
    patches.channels = patch_values(s);
    patches.kernel = 1;
    patches.pad = 0;
    return patches;
}

static int64_t pixels_of(const ConvShape *s) {
    return (int64_t)s->out_height * s->out_width;
}

/* Work memory, cut up. High and low are the halves of split floats. */
typedef struct {
    int64_t width;        /* of the image with the zeros around it */
    int64_t image_values; /* with SLACK zeros behind it */
    int64_t a_values;     /* of one half */
    uint16_t *image_high, *image_low;
    uint16_t *a_high, *a_low; /* rows of a product: patches, gradients, or the image once for each tap */
    uint16_t *b_high, *b_low; /* weight gradient: [POSITIONS / 2][filters, padded][2] */
    float *sums; /* [BLOCK][filters, padded]; data gradient: [pixels][values of a patch], padded */
    /* data gradient: [lines][kernel][width, and a run], of the image with the zeros around it */
    int64_t share_row, share_line;
    float *shares;
} Work;

static int64_t cut_work(const ConvShape *s, Work *work, float *memory) {
    Work w = {.width = s->width + 2 * (int64_t)s->pad};
    w.share_row = w.width + RUN;
    w.share_line = s->kernel * w.share_row;
    const int64_t shares = whole_lines((s->height + 2 * (int64_t)s->pad) * w.share_line);
    w.image_values = round_up((s->height + 2 * (int64_t)s->pad) * w.width + SLACK, TILE_DEPTH);
    w.a_values = larger(BLOCK * POSITIONS, GROUP * round_up(s->filters, TILE_DEPTH));
    const int64_t b_values = POSITIONS * padded(s->filters);
    const int64_t patches = (round_up(pixels_of(s), BLOCK) + RUN) * padded(patch_values(s));
    const int64_t sums = larger(BLOCK * padded(s->filters), patches);
    if (work) {
        w.image_high = (uint16_t *)(void *)memory;
        w.image_low = w.image_high + w.image_values;
        w.a_high = w.image_low + w.image_values;
        w.a_low = w.a_high + w.a_values;
        w.b_high = w.a_low + w.a_values;
        w.b_low = w.b_high + b_values;
        w.sums = memory + w.image_values + w.a_values + b_values;
        w.shares = w.sums + sums;
        *work = w;
    }
    return w.image_values + w.a_values + b_values + sums + shares;
}

static int64_t work_size(const ConvShape *s, int n) {
    (void)n;
    return cut_work(s, NULL, NULL);
}

/* What lies around and behind the image is zero already. */
static void split_image(const ConvShape *s, const float *in, const Work *work) {
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x += TILE_SIDE) {
            const __mmask16 lanes = lane_mask(s->width - x);
            const SplitFloats values = split_floats(_mm512_maskz_loadu_ps(lanes, in + y * s->width + x));
            const int64_t at = (y + s->pad) * work->width + s->pad + x;
            _mm256_mask_storeu_epi16(work->image_high + at, lanes, values.high);
            _mm256_mask_storeu_epi16(work->image_low + at, lanes, values.low);
        }
}

static void clear(const Work *work) {
    memset(work->image_high, 0, (size_t)work->image_values * 2 * sizeof(uint16_t));
    memset(work->a_high, 0, (size_t)work->a_values * 2 * sizeof(uint16_t));
}

/* What is copied behind a run of a kernel's row is overwritten by the next run, or meets weights of zero. */
static inline void copy_patch(const uint16_t *image, int64_t width, uint16_t *patch) {
#pragma GCC unroll 5
    for (int k = 0; k < PATCH_SIDE; k++)
        memcpy(patch + k * PATCH_SIDE, image + k * width, RUN * sizeof *patch);
}

/* Patches of `count` output pixels from pixel `first` on. */
static void fill_patches(const ConvShape *s, int64_t first, int64_t count, const Work *work) {
    int64_t y = first / s->out_width, x = first % s->out_width;
    for (int64_t r = 0; r < count; y++, x = 0)
        for (; x < s->out_width && r < count; x++, r++) {
            const int64_t at = y * work->width + x;
            copy_patch(work->image_high + at, work->width, work->a_high + r * TILE_DEPTH);
            copy_patch(work->image_low + at, work->width, work->a_low + r * TILE_DEPTH);
        }
}

/* Block [BLOCK][padded columns] of the sums: rows of a from `first` on, of `steps` windows each, times packed
 * weights. */
static void multiply(const Work *work, int64_t first, int64_t rows, int64_t steps, const float *packed,
                     int columns, float *sums) {
    for (int64_t tile = 0; tile < tiles_of(columns); tile += 2) {
        const int column_tiles = tiles_of(columns) - tile > 1 ? 2 : 1;
        const uint16_t *b = packed_tile((float *)packed, steps, columns, 0, tile);
        const TileProduct product = {.a_high = work->a_high + first * steps * TILE_DEPTH,
                                     .a_low = work->a_low + first * steps * TILE_DEPTH,
                                     .a_row = steps * 64,
                                     .b_high = b,
                                     .b_low = b + TILE_VALUES,
                                     .b_row = 64,
                                     .b_next = 2 * TILE_BYTES,
                                     .b_step = column_tiles * 2 * TILE_BYTES,
                                     .steps = steps,
                                     .out = sums + tile * TILE_SIDE,
                                     .out_row = padded(columns)};
        tile_product(&product, rows > TILE_SIDE ? 2 : 1, column_tiles);
    }
}

static inline __attribute__((always_inline)) void
keep_lanes(int64_t rows, int filters, const int lanes, const float *sums, vec bias, bool relu, float *out) {
    for (int64_t r = 0; r < rows; r++) {
        const vec x = vec_load(sums + r * padded(filters)) + bias;
        vec_store_lanes(out + r * filters, relu ? vec_relu(x) : x, lanes);
    }
}

static void keep_sums(int64_t rows, int filters, const float *sums, const float *bias, bool relu,
                      float *out) {
    for (int f = 0; f < filters; f += LANES) {
        const int lanes = filters - f < LANES ? filters - f : LANES;
        const vec start = bias ? vec_load_lanes(bias + f, lanes) : (vec){0};
        if (lanes == LANES)
            keep_lanes(rows, filters, LANES, sums + f, start, relu, out + f);
        else
            keep_lanes(rows, filters, lanes, sums + f, start, relu, out + f);
    }
}

static void forward(const ConvShape *s, int n, const float *in, const float *packed, const float *bias,
                    bool relu, float *out, float *memory) {
    const int64_t pixels = pixels_of(s);
    Work work;
    tiles_configure();
    cut_work(s, &work, memory);
    clear(&work);
    for (int i = 0; i < n; i++) {
        split_image(s, in + i * in_size(s), &work);
        for (int64_t p = 0; p < pixels; p += BLOCK) {
            const int64_t rows = pixels - p < BLOCK ? pixels - p : BLOCK;
            fill_patches(s, p, rows, &work);
            multiply(&work, 0, rows, 1, packed, s->filters, work.sums);
            keep_sums(rows, s->filters, work.sums, bias, relu, out + (i * pixels + p) * s->filters);
        }
    }
    tiles_release();
}

/* Rows of out_grad, split, with zeros behind them up to whole windows. */
static void split_rows(int64_t rows, int64_t filters, const float *from, const Work *work) {
    const int64_t row = round_up(filters, TILE_DEPTH);
    const bool is_run = row == filters;
    const int64_t runs = is_run ? 1 : rows, run = is_run ? rows * filters : filters;
    for (int64_t r = 0; r < runs; r++)
        for (int64_t f = 0; f < run; f += TILE_DEPTH)
            split_window(from + r * filters + f, run - f, work->a_high + r * row + f,
                         work->a_low + r * row + f);
}

static inline void transpose(__m256 r[RUN]) {
    __m256 t[RUN];
    for (int i = 0; i < RUN; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < RUN; i += 4)
        for (int k = 0; k < 2; k++) {
            r[i + 2 * k] = _mm256_shuffle_ps(t[i + k], t[i + 2 + k], 0x44);
            r[i + 2 * k + 1] = _mm256_shuffle_ps(t[i + k], t[i + 2 + k], 0xee);
        }
    for (int i = 0; i < RUN / 2; i++) {
        t[i] = _mm256_permute2f128_ps(r[i], r[i + RUN / 2], 0x20);
        t[i + RUN / 2] = _mm256_permute2f128_ps(r[i], r[i + RUN / 2], 0x31);
    }
    memcpy(r, t, sizeof t);
}

/* The shares of one line of the image with the zeros around it: patch x adds its value in column k to pixel
 * x + k. */
static inline __attribute__((always_inline)) void share_line(const ConvShape *s, const int side, int64_t line,
                                                             const Work *work) {
    const int64_t row = padded((int64_t)side * side);
    float *shares = work->shares + line * work->share_line;
    const float *runs[PATCH_SIDE];
    int count = 0;
    for (int k = 0; k < side; k++)
        if (line >= k && line - k < s->out_height)
            runs[count++] = work->sums + (line - k) * s->out_width * row + k * side;
    for (int64_t x = 0; x < s->out_width; x += RUN) {
        __m256 patches[RUN] = {0};
        for (int k = 0; k < count; k++)
            for (int i = 0; i < RUN; i++)
                patches[i] += _mm256_loadu_ps(runs[k] + (x + i) * row);
        transpose(patches);
        const __mmask8 inside = (__mmask8)lane_mask(s->out_width - x);
        for (int k = 0; k < side; k++)
            _mm256_mask_storeu_ps(shares + k * work->share_row + k + x, inside, patches[k]);
    }
}

/* An image's gradient from the shares of its lines. */
static inline __attribute__((always_inline)) void
add_shares(const ConvShape *s, const int side, const float *relu_out, float *in_grad, const Work *work) {
    for (int64_t y = 0; y < s->height; y++) {
        const float *shares = work->shares + (y + s->pad) * work->share_line + s->pad;
        for (int64_t x = 0; x < s->width; x += LANES) {
            const int lanes = s->width - x < LANES ? (int)(s->width - x) : LANES;
            vec sum = {0};
            for (int k = 0; k < side; k++)
                sum += vec_load_lanes(shares + k * work->share_row + x, lanes);
            if (relu_out) sum = vec_relu_mask(vec_load_lanes(relu_out + y * s->width + x, lanes), sum);
            vec_store_lanes(in_grad + y * s->width + x, sum, lanes);
        }
    }
}

static inline __attribute__((always_inline)) void
add_patches(const ConvShape *s, const int side, const float *relu_out, float *in_grad, const Work *work) {
    for (int64_t line = 0; line < s->height + 2 * (int64_t)s->pad; line++)
        share_line(s, side, line, work);
    add_shares(s, side, relu_out, in_grad, work);
}

/* The gradients of an image's patches, in work->sums. */
static void find_patches(const ConvShape *s, const float *out_grad, const float *packed, const Work *work) {
    const int64_t pixels = pixels_of(s), steps = (s->filters + TILE_DEPTH - 1) / TILE_DEPTH;
    const int values = patch_values(s);
    for (int64_t p = 0; p < pixels; p += GROUP) {
        const int64_t rows = pixels - p < GROUP ? pixels - p : GROUP;
        split_rows(rows, s->filters, out_grad + p * s->filters, work);
        for (int64_t r = 0; r < rows; r += BLOCK)
            multiply(work, r, rows - r, steps, packed, values, work->sums + (p + r) * padded(values));
    }
}

static void backward_data(const ConvShape *s, int n, const float *out_grad, const float *packed,
                          const float *relu_out, float *in_grad, float *memory) {
    Work work;
    tiles_configure();
    cut_work(s, &work, memory);
    /* a line's first and last pixels have no share of some columns, in any image */
    memset(work.shares, 0, (size_t)((s->height + 2 * s->pad) * work.share_line) * sizeof(float));
    for (int i = 0; i < n; i++, out_grad += out_size(s), in_grad += in_size(s)) {
        find_patches(s, out_grad, packed, &work);
        if (s->kernel == PATCH_SIDE)
            add_patches(s, PATCH_SIDE, relu_out, in_grad, &work);
        else
            add_patches(s, SMALL_PATCH_SIDE, relu_out, in_grad, &work);
        if (relu_out) relu_out += in_size(s);
    }
    tiles_release();
}

/* One row for each tap: the image, shifted by it, at `POSITIONS` pixels from `first` on. */
static void shift_image(const uint16_t *image, int64_t width, uint16_t *rows) {
    for (int y = 0; y < PATCH_SIDE; y++)
        for (int x = 0; x < PATCH_SIDE; x++, rows += POSITIONS)
            for (int p = 0; p < POSITIONS; p += TILE_DEPTH)
                _mm512_storeu_si512(rows + p, _mm512_loadu_si512(image + y * width + x + p));
}

/* The gradients at those pixels of the image, zeros where it has no patch. */
static void pair_gradients(const ConvShape *s, const float *out_grad, int64_t first, const Work *work) {
    const int64_t row = 2 * padded(s->filters);
    int64_t y = first / work->width, x = first % work->width;
    for (int64_t p = 0; p < POSITIONS / 2; p++) {
        const float *pair[2];
        for (int k = 0; k < 2; k++) {
            const bool inside = y < s->out_height && x < s->out_width;
            pair[k] = inside ? out_grad + (y * s->out_width + x) * s->filters : NULL;
            if (++x < work->width) continue;
            x = 0;
            y++;
        }
        pair_pixels(pair[0], pair[1], s->filters, work->b_high + p * row, work->b_low + p * row);
    }
}

static void sum_positions(const ConvShape *s, bool add, const Work *work) {
    const int64_t row = padded(s->filters);
    for (int64_t f = 0; f < s->filters; f += BLOCK) {
        const TileProduct product = {.a_high = work->a_high,
                                     .a_low = work->a_low,
                                     .a_row = POSITIONS * 2,
                                     .b_high = work->b_high + 2 * f,
                                     .b_low = work->b_low + 2 * f,
                                     .b_row = row * 4,
                                     .b_next = 64,
                                     .b_step = TILE_SIDE * row * 4,
                                     .steps = STEPS,
                                     .add = add,
                                     .out = work->sums + f,
                                     .out_row = row};
        tile_product(&product, 2, s->filters - f > TILE_SIDE ? 2 : 1);
    }
}

/* Only the whole sums are added in turn. */
static void sum_weights(const ConvShape *s, const ConvWeightSum *sum) {
    Work work;
    tiles_configure();
    cut_work(s, &work, sum->work);
    clear(&work);
    const int64_t end = s->out_height * work.width;
    for (int i = 0; i < sum->n; i++) {
        split_image(s, sum->in + i * in_size(s), &work);
        for (int64_t first = 0; first < end; first += POSITIONS) {
            shift_image(work.image_high + first, work.width, work.a_high);
            shift_image(work.image_low + first, work.width, work.a_low);
            pair_gradients(s, sum->out_grad + i * out_size(s), first, &work);
            sum_positions(s, i > 0 || first > 0, &work);
        }
    }
    tiles_release();
    conv_begin_part(sum, 0);
    float *weight_grad = sum->weight_grad;
    for (int64_t tap = 0; tap < patch_values(s); tap++)
        for (int64_t f = 0; f < s->filters; f++, weight_grad++)
            *weight_grad = work.sums[tap * padded(s->filters) + f] + (sum->add ? *weight_grad : 0);
    conv_sum_bias(s, sum);
    conv_end_part(sum, 0);
}

static void pack_forward(const ConvShape *s, const float *weights, float *packed) {
    const ConvShape patches = patches_of(s);
    conv_tiles_pack_forward(&patches, weights, packed);
}

static void pack_backward(const ConvShape *s, const float *weights, float *packed) {
    const ConvShape patches = patches_of(s);
    conv_tiles_pack_backward(&patches, weights, packed);
}

static int64_t packed_size(const ConvShape *s) {
    const ConvShape patches = patches_of(s);
    return conv_tiles_packed_size(&patches);
}

static int images_wanted(const ConvShape *s) {
    (void)s;
    return 1;
}

static bool takes(const ConvShape *s, ConvPass pass) {
    return is_patches(s, PATCH_SIDE) || (pass == CONV_DATA && is_patches(s, SMALL_PATCH_SIDE));
}

const ConvBackend conv_patches = {
    .name = "patches",
    .available = tiles_allowed,
    .takes = takes,
    .packed_size = packed_size,
    .work_size = work_size,
    .images_wanted = images_wanted,
    .pack_forward = pack_forward,
    .pack_backward = pack_backward,
    .forward = forward,
    .backward_data = backward_data,
    .sum_weights = sum_weights,
};

#endif
