#include "conv/tile_pass.h"

int64_t taps_next_window(const Taps *taps, Walk *walk) {
    for (; walk->tap < taps->count; walk->tap++) {
        const int64_t begin = (int64_t)taps->at[walk->tap].pixel * taps->channels;
        const int64_t start = begin > walk->covered ? begin : walk->covered;
        if (start >= begin + taps->channels) continue;
        walk->covered = start + TILE_DEPTH;
        return start;
    }
    return -1;
}

int64_t taps_count_windows(const Taps *taps) {
    int64_t count = 0;
    for (Walk walk = {0}; taps_next_window(taps, &walk) >= 0;)
        count++;
    return count;
}

TilePass *tile_pass_forward(const ConvShape *s, TilePass *pass) {
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

TilePass *tile_pass_backward(const ConvShape *s, int phase_y, int phase_x, TilePass *pass) {
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
