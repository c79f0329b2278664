#include "svm/row_cache.h"

#include "core/integers.h"
#include "core/mem.h"

#include <string.h>

enum { SLAB_FLOATS = 1 << 20, FLOATS_A_LINE = MEM_ALIGNMENT / 4 };

static void set_columns(RowCache *cache, int64_t columns) {
    cache->columns = columns;
    cache->stride = larger(round_up(columns, FLOATS_A_LINE), FLOATS_A_LINE);
    cache->slots_a_slab = cache->slab_floats / cache->stride;
    cache->slots_max = cache->slots_a_slab * cache->slabs_max;
    if (cache->slots_max > cache->samples) cache->slots_max = cache->samples;
}

RowCache row_cache_new(int64_t samples, int64_t columns, int64_t bytes, int rows_min) {
    RowCache cache = {.samples = samples};
    const int64_t row_floats = larger(round_up(columns, FLOATS_A_LINE), FLOATS_A_LINE),
                  least_floats = row_floats * rows_min;
    /* no more than all rows take, as slabs are cleared */
    const int64_t budget_floats = larger(smaller(bytes / 4, row_floats * samples), least_floats);
    cache.slab_floats = larger(SLAB_FLOATS < budget_floats ? SLAB_FLOATS : budget_floats, row_floats);
    cache.slabs_max = larger(budget_floats / cache.slab_floats, 1);
    while (cache.slab_floats / row_floats * cache.slabs_max < rows_min)
        cache.slabs_max++;
    cache.slabs = mem_new((size_t)cache.slabs_max, sizeof *cache.slabs);
    cache.slot_of = mem_new((size_t)samples, sizeof *cache.slot_of);
    cache.row_in = mem_new((size_t)samples, sizeof *cache.row_in);
    cache.used_at = mem_new((size_t)samples, sizeof *cache.used_at);
    row_cache_clear(&cache, columns);
    return cache;
}

void row_cache_free(RowCache *cache) {
    for (int64_t s = 0; s < cache->slabs_max; s++)
        mem_free(cache->slabs[s]);
    mem_free(cache->slabs);
    mem_free(cache->slot_of);
    mem_free(cache->row_in);
    mem_free(cache->used_at);
    *cache = (RowCache){0};
}

static float *slot_address(const RowCache *cache, int64_t slot) {
    return cache->slabs[slot / cache->slots_a_slab] + slot % cache->slots_a_slab * cache->stride;
}

float *row_cache_get(RowCache *cache, int64_t row) {
    cache->used_at[cache->slot_of[row]] = ++cache->clock;
    return slot_address(cache, cache->slot_of[row]);
}

static int64_t least_recently_used(const RowCache *cache) {
    int64_t oldest = 0;
    for (int64_t s = 1; s < cache->slots_used; s++)
        if (cache->used_at[s] < cache->used_at[oldest]) oldest = s;
    return oldest;
}

float *row_cache_make(RowCache *cache, int64_t row) {
    int64_t slot;
    if (cache->slots_used < cache->slots_max) {
        slot = cache->slots_used++;
        float **slab = &cache->slabs[slot / cache->slots_a_slab];
        if (!*slab) *slab = mem_new((size_t)cache->slab_floats, sizeof **slab);
    } else {
        slot = least_recently_used(cache);
        cache->slot_of[cache->row_in[slot]] = -1;
    }
    cache->row_in[slot] = (int32_t)row;
    cache->slot_of[row] = (int32_t)slot;
    return row_cache_get(cache, row);
}

void row_cache_clear(RowCache *cache, int64_t columns) {
    memset(cache->slot_of, 0xff, (size_t)cache->samples * sizeof *cache->slot_of);
    cache->slots_used = 0;
    set_columns(cache, columns);
}

/* Rows keep their slots. As rows get shorter, a slot moves towards the front of the memory or stays, and so
 * does every value in it: one pass in ascending order never overwrites what is still to be read. */
void row_cache_compact(RowCache *cache, const int32_t *keep, int64_t count, int64_t columns) {
    RowCache before = *cache;
    set_columns(cache, columns);
    for (int64_t s = 0; s < cache->slots_used; s++) {
        const float *from = slot_address(&before, s);
        float *to = slot_address(cache, s);
        for (int64_t k = 0; k < count; k++)
            to[k] = from[keep[k]];
    }
}
