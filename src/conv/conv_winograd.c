#include "conv/conv_winograd.h"

#include <string.h>

#include "conv/conv_backend.h"
#include "conv/conv_winograd_tiling.h"
#include "core/integers.h"

enum {
    BLOCK_FLOATS = 1 << 17, /* of a block of tiles at all points, inputs and outputs */
    /* The same for the weight gradient, which goes through its sums for each block. */
    WEIGHTS_BLOCK_FLOATS = 1 << 18,
    BLOCK_TILES = 12,  /* a block has a multiple of so many: of 4 and 6, rows that a product takes at once */
    TILES_WANTED = 64, /* of a weight gradient: its sums at all points are made into weights at the end */
    LEAST_CHANNELS = 16, /* with fewer the transforms cost more than they save */
};

/* It pays where products take so many times as many multiplications. The weight gradient's matrices at all
 * points are larger than the weights, and each block of tiles goes through them. */
#define LEAST_SAVING        1.7
#define LEAST_WEIGHT_SAVING 2.1

/* Floats between the points of `tiles` tiles. */
static int64_t point_step(const Lattice *l, int64_t tiles) {
    return odd_lines(tiles * columns_of(l));
}

static int64_t tile_count(const Tiling *t, int n) {
    return (int64_t)n * t->tiles_y * t->tiles_x;
}

/* The most tiles of a block; all blocks get nearly as many. */
static int tiles_of_block(const Tiling *t, int block_floats) {
    const int fitting = block_floats / (WINOGRAD_POINTS * (columns_of(&t->in) + columns_of(&t->out)));
    return fitting < BLOCK_TILES ? BLOCK_TILES : fitting / BLOCK_TILES * BLOCK_TILES;
}

static int next_block(const Tiling *t, int block_floats, int64_t left) {
    const int64_t most = tiles_of_block(t, block_floats), blocks = (left + most - 1) / most;
    const int64_t even = ((left + blocks - 1) / blocks + BLOCK_TILES - 1) / BLOCK_TILES * BLOCK_TILES;
    return (int)(even < left ? even : left);
}

/* Where `count` rows (or columns) begin that are `stride` apart, from `first` on; far below 0 outside. */
static void find_lines(int first, int stride, int count, int size, int64_t floats, int64_t *places) {
    for (int i = 0; i < count; i++, first += stride)
        places[i] = first >= 0 && first < size ? first * floats : INT64_MIN / 4;
}

/* One tile in one phase: side x side pixels and their points. */
typedef struct {
    int side, channels;
    bool inside;                /* all its pixels lie in the image */
    int64_t first, row, column; /* then: where they begin, floats to the next ones */
    /* else: a pixel begins at rows[i] + columns[j]; below 0: outside */
    int64_t rows[WINOGRAD_IN], columns[WINOGRAD_IN];
    float *points; /* [WINOGRAD_POINTS][step] */
    int64_t step;
} Tile;

/* The image begins at `image`. */
static void find_pixels(const Lattice *l, int64_t image, int tile_y, int tile_x, int phase, Tile *tile) {
    const int y = l->stride * l->side * tile_y + phase / l->stride - l->pad;
    const int x = l->stride * l->side * tile_x + phase % l->stride - l->pad;
    const int reach = l->stride * (tile->side - 1);
    const int64_t row = (int64_t)l->width * l->channels;
    tile->inside = y >= 0 && x >= 0 && y + reach < l->height && x + reach < l->width;
    if (tile->inside) {
        tile->first = image + y * row + (int64_t)x * l->channels;
        tile->row = l->stride * row;
        tile->column = (int64_t)l->stride * l->channels;
        return;
    }
    find_lines(y, l->stride, tile->side, l->height, row, tile->rows);
    find_lines(x, l->stride, tile->side, l->width, l->channels, tile->columns);
    for (int i = 0; i < tile->side; i++)
        tile->rows[i] += image;
}

/* Where pixel (i, j) begins; below 0: outside. */
ALWAYS_INLINE int64_t pixel_place(const Tile *tile, const bool inside, int i, int j) {
    return inside ? tile->first + i * tile->row + j * tile->column : tile->rows[i] + tile->columns[j];
}

/* What one of the transforms below reads or writes beside the points. */
typedef struct {
    const float *in;   /* images */
    const float *bias; /* [channels in whole vectors] */
    bool relu;
    float *out; /* images */
} Images;

/* The transforms are compiled for each kind of tile, and for whole vectors and the last channels. */
#define FOR_CHANNELS(function, tile, images, side, inside)                                                   \
    do {                                                                                                     \
        int c = 0;                                                                                           \
        for (; c + LANES <= (tile)->channels; c += LANES)                                                    \
            function(tile, images, side, inside, c, LANES);                                                  \
        if (c < (tile)->channels) function(tile, images, side, inside, c, (tile)->channels - c);             \
    } while (0)
#define FOR_TILE(function, tile, images, side)                                                               \
    do {                                                                                                     \
        if ((tile)->inside)                                                                                  \
            FOR_CHANNELS(function, tile, images, side, true);                                                \
        else                                                                                                 \
            FOR_CHANNELS(function, tile, images, side, false);                                               \
    } while (0)

/* A tile's points: of its 6x6 inputs, or of the gradient of its outputs, 4x4 or 2x2. */
ALWAYS_INLINE void transform_pixels(const Tile *tile, const Images *images, const int side, const bool inside,
                                    int c, int lanes) {
    vec values[WINOGRAD_POINTS];
#pragma GCC unroll 6
    for (int x = 0; x < side; x++) {
#pragma GCC unroll 6
        for (int y = 0; y < side; y++) {
            const int64_t place = pixel_place(tile, inside, y, x);
            values[y * WINOGRAD_IN + x] =
                inside || place >= 0 ? vec_load_lanes(images->in + place + c, lanes) : (vec){0};
        }
    }
    if (side == WINOGRAD_IN)
        winograd_input(values, 0);
    else
        winograd_gradient(values, side);
#pragma GCC unroll 36
    for (int u = 0; u < WINOGRAD_POINTS; u++)
        vec_store(tile->points + u * tile->step + c, values[u]);
}

static void input_to_points(const Tile *tile, const Images *images) {
    FOR_TILE(transform_pixels, tile, images, WINOGRAD_IN);
}

static void gradient_to_points(const Tile *tile, const Images *images) {
    if (tile->side == 4)
        FOR_TILE(transform_pixels, tile, images, 4);
    else
        FOR_TILE(transform_pixels, tile, images, 2);
}

ALWAYS_INLINE void load_points(const Tile *tile, int c, vec values[WINOGRAD_POINTS]) {
#pragma GCC unroll 36
    for (int u = 0; u < WINOGRAD_POINTS; u++)
        values[u] = vec_load(tile->points + u * tile->step + c);
}

ALWAYS_INLINE void write_output(const Tile *tile, const Images *images, const int side, const bool inside,
                                int c, int lanes) {
    const vec bias = vec_load(images->bias + c);
    vec values[WINOGRAD_POINTS];
    load_points(tile, c, values);
    winograd_output(values, side);
#pragma GCC unroll 4
    for (int i = 0; i < side; i++)
#pragma GCC unroll 4
        for (int j = 0; j < side; j++) {
            const int64_t place = pixel_place(tile, inside, i, j);
            if (!inside && place < 0) continue;
            const vec value = values[i * WINOGRAD_IN + j] + bias;
            vec_store_lanes(images->out + place + c, images->relu ? vec_relu(value) : value, lanes);
        }
}

static void points_to_output(const Tile *tile, const Images *images) {
    if (tile->side == 4)
        FOR_TILE(write_output, tile, images, 4);
    else
        FOR_TILE(write_output, tile, images, 2);
}

/* Adds the gradient of the 6x6 inputs, of which neighbouring tiles share some. */
ALWAYS_INLINE void add_input_gradient(const Tile *tile, const Images *images, const int side,
                                      const bool inside, int c, int lanes) {
    vec values[WINOGRAD_POINTS];
    load_points(tile, c, values);
    winograd_input_gradient(values, 0);
#pragma GCC unroll 6
    for (int i = 0; i < side; i++)
#pragma GCC unroll 6
        for (int j = 0; j < side; j++) {
            const int64_t place = pixel_place(tile, inside, i, j);
            if (!inside && place < 0) continue;
            float *to = images->out + place + c;
            vec_store_lanes(to, vec_load_lanes(to, lanes) + values[i * WINOGRAD_IN + j], lanes);
        }
}

static void points_to_input_gradient(const Tile *tile, const Images *images) {
    FOR_TILE(add_input_gradient, tile, images, WINOGRAD_IN);
}

/* Some of the tiles of all images, image by image. */
typedef struct {
    const Tiling *tiling;
    int64_t first;
    int count;
} Block;

/* Transforms a block's tiles, which have side x side pixels of l, in all phases. */
static void for_each_tile(const Block *block, const Lattice *l, int side, const Images *images, float *points,
                          void (*transform)(const Tile *tile, const Images *images)) {
    const Tiling *t = block->tiling;
    const int64_t image_floats = (int64_t)l->height * l->width * l->channels;
    const int per_image = t->tiles_y * t->tiles_x;
    Tile tile = {
        .side = side, .channels = l->channels, .points = points, .step = point_step(l, block->count)};
    for (int p = 0; p < block->count; p++) {
        const int place = (int)((block->first + p) % per_image);
        const int64_t image = (block->first + p) / per_image * image_floats;
        for (int phase = 0; phase < phases(l); phase++) {
            find_pixels(l, image, place / t->tiles_x, place % t->tiles_x, phase, &tile);
            transform(&tile, images);
            tile.points += product_round_up(l->channels);
        }
    }
}

/* to [point][tile][to's columns] = from [point][tile][from's columns] * packed [point][these][those] */
static void multiply(const Block *block, const Lattice *from, const Lattice *to, const float *from_points,
                     const float *packed, const float *zeros, float *to_points) {
    const int depth = columns_of(from), columns = columns_of(to);
    for (int u = 0; u < WINOGRAD_POINTS; u++) {
        const Product product = {
            .rows = {{1, 1, block->count}, {0, 0, depth}},
            .sum = {{1, 1, depth}, {0, 0, 1}},
            .out_stride = {0, 0, columns},
            .columns = columns,
            .in = from_points + u * point_step(from, block->count),
            .factors = packed + u * weight_step(block->tiling),
            .packed_length = depth,
            .packed_run = depth,
            .start = zeros,
            .out = to_points + u * point_step(to, block->count),
        };
        product_compute(&product);
    }
}

/* sums [point][channel][filter] of in_points [point][tile][channel] * grad_points [point][tile][filter]: from
 * start [filter], or, where that is NULL, added. */
static void sum_products(const Block *block, const float *in_points, const float *grad_points,
                         const float *start, float *sums) {
    const Lattice *in = &block->tiling->in, *out = &block->tiling->out;
    const int depth = columns_of(in), columns = columns_of(out);
    for (int u = 0; u < WINOGRAD_POINTS; u++) {
        const Product product = {
            .rows = {{1, 1, depth}, {0, 0, 1}},
            .sum = {{1, 1, block->count}, {0, 0, depth}},
            .out_stride = {0, 0, columns},
            .columns = columns,
            .in = in_points + u * point_step(in, block->count),
            .factors = grad_points + u * point_step(out, block->count),
            .factor_stride = columns,
            .start = start,
            .out = sums + u * weight_step(block->tiling),
        };
        product_compute(&product);
    }
}

/* The work memory: zeros and bias [most columns each], points of a block, sums of the weight gradient. */
typedef struct {
    float *zeros, *bias, *in_points, *out_points, *sums;
} Work;

static int64_t most_columns(const Tiling *t) {
    return whole_lines(larger(columns_of(&t->in), columns_of(&t->out)));
}

static Work cut_work(const Tiling *t, float *work) {
    const int64_t columns = most_columns(t);
    const int block = tiles_of_block(t, WEIGHTS_BLOCK_FLOATS);
    Work cut = {.zeros = work, .bias = work + columns, .in_points = work + 2 * columns};
    cut.out_points = cut.in_points + WINOGRAD_POINTS * point_step(&t->in, block);
    cut.sums = cut.out_points + WINOGRAD_POINTS * point_step(&t->out, block);
    memset(work, 0, (size_t)(2 * columns) * sizeof *work);
    return cut;
}

static int images_wanted(const ConvShape *s) {
    const Tiling t = tiling_of(s);
    return (TILES_WANTED + t.tiles_y * t.tiles_x - 1) / (t.tiles_y * t.tiles_x);
}

static int64_t work_size(const ConvShape *s, int n) {
    const Tiling t = tiling_of(s);
    const int block = tiles_of_block(&t, WEIGHTS_BLOCK_FLOATS);
    const int64_t sums = s->backend[CONV_WEIGHTS] == &conv_winograd ? weight_step(&t) : 0;
    (void)n;
    return 2 * most_columns(&t) +
           WINOGRAD_POINTS * (point_step(&t.in, block) + point_step(&t.out, block) + sums);
}

static void forward(const ConvShape *s, int n, const float *in, const float *packed, const float *bias,
                    bool relu, float *out, float *work) {
    const Tiling t = tiling_of(s);
    const Work cut = cut_work(&t, work);
    const int64_t all = tile_count(&t, n);
    const Images images = {in, cut.bias, relu, out};
    if (bias) memcpy(cut.bias, bias, (size_t)s->filters * sizeof *bias);
    Block block = {&t, 0, 0};
    for (; block.first < all; block.first += block.count) {
        block.count = next_block(&t, BLOCK_FLOATS, all - block.first);
        for_each_tile(&block, &t.in, WINOGRAD_IN, &images, cut.in_points, input_to_points);
        multiply(&block, &t.in, &t.out, cut.in_points, packed, cut.zeros, cut.out_points);
        for_each_tile(&block, &t.out, t.out.side, &images, cut.out_points, points_to_output);
    }
}

/* values become 0 where relu_mask isn't above 0. */
static void apply_relu_mask(int64_t count, const float *relu_mask, float *values) {
    for (int64_t i = 0; i < count; i += LANES) {
        const int lanes = count - i < LANES ? (int)(count - i) : LANES;
        vec_store_lanes(
            values + i,
            vec_relu_mask(vec_load_lanes(relu_mask + i, lanes), vec_load_lanes(values + i, lanes)), lanes);
    }
}

static void backward_data(const ConvShape *s, int n, const float *out_grad, const float *packed,
                          const float *relu_out, float *in_grad, float *work) {
    const Tiling t = tiling_of(s);
    const Work cut = cut_work(&t, work);
    const int64_t all = tile_count(&t, n);
    const Images images = {.in = out_grad, .out = in_grad};
    memset(in_grad, 0, (size_t)(n * in_size(s)) * sizeof *in_grad);
    Block block = {&t, 0, 0};
    for (; block.first < all; block.first += block.count) {
        block.count = next_block(&t, BLOCK_FLOATS, all - block.first);
        for_each_tile(&block, &t.out, t.out.side, &images, cut.out_points, gradient_to_points);
        multiply(&block, &t.out, &t.in, cut.out_points, packed, cut.zeros, cut.in_points);
        for_each_tile(&block, &t.in, WINOGRAD_IN, &images, cut.in_points, points_to_input_gradient);
    }
    if (relu_out) apply_relu_mask(n * in_size(s), relu_out, in_grad);
}

/* Only the weights that the sums make are added in turn. */
static void sum_weights(const ConvShape *s, const ConvWeightSum *sum) {
    const Tiling t = tiling_of(s);
    const Work cut = cut_work(&t, sum->work);
    const int64_t all = tile_count(&t, sum->n);
    const Images ins = {.in = sum->in}, gradients = {.in = sum->out_grad};
    Block block = {&t, 0, 0};
    for (; block.first < all; block.first += block.count) {
        block.count = next_block(&t, WEIGHTS_BLOCK_FLOATS, all - block.first);
        for_each_tile(&block, &t.in, WINOGRAD_IN, &ins, cut.in_points, input_to_points);
        for_each_tile(&block, &t.out, t.out.side, &gradients, cut.out_points, gradient_to_points);
        sum_products(&block, cut.in_points, cut.out_points, block.first ? NULL : cut.zeros, cut.sums);
    }
    conv_begin_part(sum, 0);
    conv_winograd_finish_weights(s, cut.sums, sum->add, sum->weight_grad);
    conv_sum_bias(s, sum);
    conv_end_part(sum, 0);
}

bool conv_winograd_fits(const ConvShape *s) {
    return s->stride <= 2 && s->kernel <= winograd_taps(2) * s->stride;
}

/* Multiplications that products take, divided by its own; 0: it isn't for this shape. */
static double saving(const ConvShape *s) {
    if (!conv_winograd_fits(s) || s->channels < LEAST_CHANNELS || s->filters < LEAST_CHANNELS) return 0;
    const Tiling t = tiling_of(s);
    const double plain = (double)conv_multiply_adds(s) / s->channels / s->filters;
    return plain / (WINOGRAD_POINTS * phases(&t.in) * (double)tile_count(&t, 1));
}

static bool takes(const ConvShape *s, ConvPass pass) {
    return s->out_height && saving(s) >= (pass == CONV_WEIGHTS ? LEAST_WEIGHT_SAVING : LEAST_SAVING);
}

const ConvBackend conv_winograd = {
    .name = "winograd",
    .takes = takes,
    .packed_size = conv_winograd_packed_size,
    .work_size = work_size,
    .images_wanted = images_wanted,
    .pack_forward = conv_winograd_pack_forward,
    .pack_backward = conv_winograd_pack_backward,
    .forward = forward,
    .backward_data = backward_data,
    .sum_weights = sum_weights,
};
