#include "kernels/pixdot.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/status.h"
#include "kernels/pixdot_amx.h"
#include "kernels/pixdot_tile.h"

#include <stdalign.h>

enum {
    COLUMNS_AT_A_TIME = 2048, /* a tile of a so long stays in the first-level cache */
    TILE_COLUMNS = LANES * TILE_PANELS,
};

/* Where a row's group of columns begins in the packed rows. */
static const uint8_t *group_of(const PixRows *packed, int64_t row, int64_t group) {
    return packed->data + row / LANES * packed->panel_bytes + (group * LANES + row % LANES) * GROUP;
}

static void pack_row(PixRows *packed, int64_t row, const uint8_t *pixels) {
    uint8_t *at = packed->data + row / LANES * packed->panel_bytes + row % LANES * GROUP;
    int32_t norm = 0, sum = 0;
    int column = 0;
    for (; column + GROUP <= packed->columns; column += GROUP, at += LANES * GROUP)
        memcpy(at, pixels + column, GROUP);
    memcpy(at, pixels + column, (size_t)(packed->columns - column));
    if (packed->lines) memcpy(packed->lines + row * packed->line_bytes, pixels, (size_t)packed->columns);
    for (int c = 0; c < packed->columns; c++) {
        norm += pixels[c] * pixels[c];
        sum += pixels[c];
    }
    packed->norms[row] = norm;
    packed->starts[row] = TILE_BIAS * sum;
}

PixRows pix_rows_new(const uint8_t *pixels, int64_t rows, int columns) {
    if (columns < 0 || columns > PIXDOT_MAX_COLUMNS)
        fatal("rows of %d pixels can't be multiplied exactly; %d is the most", columns, PIXDOT_MAX_COLUMNS);
    PixRows packed = {.rows = rows, .columns = columns};
    /* the panel after the last one is read, and its products dropped, when a tile begins at the last panel */
    size_t panels = (size_t)(round_up(rows, LANES) / LANES + TILE_PANELS);
    packed.line_bytes = round_up(columns, AMX_COLUMNS);
    packed.panel_bytes = packed.line_bytes * LANES;
    if (pixdot_amx_allowed()) packed.lines = mem_new((size_t)rows, (size_t)packed.line_bytes);
    packed.data = mem_new(panels, (size_t)packed.panel_bytes);
    packed.norms = mem_new((size_t)rows, sizeof *packed.norms);
    packed.starts = mem_new(panels * LANES, sizeof *packed.starts);
    for (int64_t row = 0; row < rows; row++)
        pack_row(&packed, row, pixels + row * columns);
    return packed;
}

void pix_rows_free(PixRows *packed) {
    mem_free(packed->data);
    mem_free(packed->lines);
    mem_free(packed->norms);
    mem_free(packed->starts);
    *packed = (PixRows){0};
}

/* Some groups of columns of some rows of a, as tile_multiply wants them. */
typedef struct {
    alignas(MEM_ALIGNMENT) TileValue values[COLUMNS_AT_A_TIME / GROUP * TILE_ROWS * GROUP];
    int64_t first_group, groups;
    int rows; /* up to TILE_ROWS; what stands in the other rows gives products that nobody keeps */
} RowTile;

static void gather_tile(RowTile *tile, const PixRows *a, const int64_t *rows) {
    for (int r = 0; r < tile->rows; r++) {
        const uint8_t *from = group_of(a, rows[r], tile->first_group);
        TileValue *to = tile->values + r * GROUP;
        for (int64_t g = 0; g < tile->groups; g++, from += LANES * GROUP, to += TILE_ROWS * GROUP)
            for (int c = 0; c < GROUP; c++)
                to[c] = tile_value(from[c]);
    }
}

/* The part of a tile's products that was asked for: columns [begin, end) of its TILE_COLUMNS. */
static void multiply_part(const RowTile *tile, const PixRows *b, int64_t b_row, int begin, int end,
                          int32_t *out, int64_t out_stride) {
    alignas(MEM_ALIGNMENT) int32_t products[TILE_ROWS][TILE_COLUMNS];
    size_t bytes = (size_t)(end - begin) * sizeof(int32_t);
    for (int r = 0; r < TILE_ROWS; r++)
        if (tile->first_group == 0)
            memcpy(products[r], b->starts + b_row, sizeof products[r]);
        else if (r < tile->rows)
            memcpy(products[r] + begin, out + r * out_stride, bytes);
    tile_multiply(tile->groups, tile->values, group_of(b, b_row, tile->first_group), b->panel_bytes,
                  products[0], TILE_COLUMNS, products[0], TILE_COLUMNS);
    for (int r = 0; r < tile->rows; r++)
        memcpy(out + r * out_stride, products[r] + begin, bytes);
}

/* One tile of a against rows [first, first + count) of b. */
static void multiply_tile(const RowTile *tile, const PixRows *b, int64_t first, int64_t count, int32_t *out,
                          int64_t out_stride) {
    int64_t end = first + count;
    for (int64_t row = first / LANES * LANES; row < end; row += TILE_COLUMNS) {
        int part_begin = row < first ? (int)(first - row) : 0;
        int part_end = row + TILE_COLUMNS > end ? (int)(end - row) : TILE_COLUMNS;
        int32_t *to = out + (row + part_begin - first);
        if (part_end - part_begin < TILE_COLUMNS || tile->rows < TILE_ROWS)
            multiply_part(tile, b, row, part_begin, part_end, to, out_stride);
        else if (tile->first_group == 0)
            tile_multiply(tile->groups, tile->values, group_of(b, row, 0), b->panel_bytes, b->starts + row, 0,
                          to, out_stride);
        else
            tile_multiply(tile->groups, tile->values, group_of(b, row, tile->first_group), b->panel_bytes, to,
                          out_stride, to, out_stride);
    }
}

/* Up to TILE_ROWS rows of a against rows of b. */
static void multiply_rows(const PixRows *a, const int64_t *rows, int count, const PixRows *b, int64_t b_first,
                          int64_t b_count, int32_t *out, int64_t out_stride) {
    RowTile tile;
    tile.rows = count;
    if (count < TILE_ROWS) memset(tile.values, 0, sizeof tile.values);
    int64_t groups = round_up(a->columns, GROUP) / GROUP, most = COLUMNS_AT_A_TIME / GROUP;
    tile.first_group = 0;
    do {
        int64_t left = groups - tile.first_group;
        tile.groups = left < most ? left : most;
        gather_tile(&tile, a, rows);
        multiply_tile(&tile, b, b_first, b_count, out, out_stride);
        tile.first_group += tile.groups;
    } while (tile.first_group < groups);
}

void pixdot_rows(const PixRows *a, const int64_t *a_rows, int64_t a_count, const PixRows *b, int64_t b_first,
                 int64_t b_count, int32_t *out, int64_t out_stride) {
    if (a->lines) {
        pixdot_amx_rows(a, a_rows, a_count, b, b_first, b_count, out, out_stride);
        return;
    }
    for (int64_t i = 0; i < a_count; i += TILE_ROWS) {
        int count = a_count - i < TILE_ROWS ? (int)(a_count - i) : TILE_ROWS;
        multiply_rows(a, a_rows + i, count, b, b_first, b_count, out + i * out_stride, out_stride);
    }
}

void pixdot_block(const PixRows *a, int64_t a_first, int64_t a_count, const PixRows *b, int64_t b_first,
                  int64_t b_count, int32_t *out, int64_t out_stride) {
    enum { ROWS_AT_A_TIME = 96 }; /* a multiple of every kernel's tile */
    int64_t rows[ROWS_AT_A_TIME];
    for (int64_t i = 0; i < a_count; i += ROWS_AT_A_TIME) {
        int64_t count = a_count - i < ROWS_AT_A_TIME ? a_count - i : ROWS_AT_A_TIME;
        for (int64_t r = 0; r < count; r++)
            rows[r] = a_first + i + r;
        pixdot_rows(a, rows, count, b, b_first, b_count, out + i * out_stride, out_stride);
    }
}

const char *pixdot_kernel_name(void) {
    return pixdot_amx_allowed() ? "amx-int8" : TILE_NAME;
}
