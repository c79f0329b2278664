/* The most recently used kernel rows of one problem, over its selected columns, within a limit of memory. */
#ifndef PARDIGITS_SVM_ROW_CACHE_H
#define PARDIGITS_SVM_ROW_CACHE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t samples;     /* of the problem, each of which may have a row */
    int64_t columns;     /* room in a row */
    int64_t stride;      /* floats from one row to the next */
    int64_t slab_floats; /* memory comes in slabs of so many, when first needed */
    int64_t slabs_max;
    float **slabs; /* [slabs_max] */
    int64_t slots_a_slab;
    int64_t slots_max;  /* rows that may be kept */
    int64_t slots_used; /* slots 0..slots_used have held a row */
    int32_t *slot_of;   /* [samples], -1 for rows that aren't here */
    int32_t *row_in;    /* [slots_max at any number of columns] */
    int64_t *used_at;   /* likewise: when a row was last used */
    int64_t clock;
} RowCache;

/* An empty cache of rows with room for `columns` values, within bytes but never fewer than rows_min rows. */
RowCache row_cache_new(int64_t samples, int64_t columns, int64_t bytes, int rows_min);
void row_cache_free(RowCache *cache);

static inline bool row_cache_has(const RowCache *cache, int64_t row) {
    return cache->slot_of[row] >= 0;
}

/* A row that is here; it counts as used. Valid until rows_min - 1 others have been made. */
float *row_cache_get(RowCache *cache, int64_t row);

/* Room for a row that isn't here, in the place of the least recently used one if need be; it counts as used.
 */
float *row_cache_make(RowCache *cache, int64_t row);

/* Forgets all rows, and gives them room for `columns` values, at most as many as at first. */
void row_cache_clear(RowCache *cache, int64_t columns);

/* Keeps the columns keep[count] (ascending) of every row, which then has room for `columns` values: at least
 * count, at most as many as before. */
void row_cache_compact(RowCache *cache, const int32_t *keep, int64_t count, int64_t columns);

#endif
