#include "knn/top_k.h"

enum { SHORT = 16 }; /* as many keys are sorted by insertion */

static void swap_keys(uint64_t *a, uint64_t *b) {
    uint64_t key = *a;
    *a = *b;
    *b = key;
}

static void sort_short(uint64_t *keys, int64_t count) {
    for (int64_t i = 1; i < count; i++) {
        uint64_t key = keys[i];
        int64_t at = i;
        for (; at > 0 && keys[at - 1] > key; at--)
            keys[at] = keys[at - 1];
        keys[at] = key;
    }
}

/* Cuts count > 2 keys, all different, at the median of three of them: returns its place, with smaller keys
 * before and larger ones behind. */
static int64_t cut_keys(uint64_t *keys, int64_t count) {
    uint64_t *middle = &keys[count / 2], *last = &keys[count - 1];
    if (*middle < keys[0]) swap_keys(middle, &keys[0]);
    if (*last < keys[0]) swap_keys(last, &keys[0]);
    if (*last < *middle) swap_keys(last, middle);
    swap_keys(middle, last - 1);
    const uint64_t pivot = last[-1];
    int64_t low = 0, high = count - 2;
    for (;;) {
        while (keys[++low] < pivot) {
        }
        while (low < high && keys[--high] > pivot) {
        }
        if (low >= high) break;
        swap_keys(&keys[low], &keys[high]);
    }
    swap_keys(&keys[low], last - 1);
    return low;
}

/* The k smallest to the front, in no order. */
static void select_smallest(uint64_t *keys, int64_t count, int64_t k) {
    while (count > SHORT) {
        int64_t cut = cut_keys(keys, count);
        if (cut == k) return;
        if (cut > k) {
            count = cut;
        } else {
            keys += cut + 1;
            count -= cut + 1;
            k -= cut + 1;
        }
    }
    sort_short(keys, count);
}

static void sort_keys(uint64_t *keys, int64_t count) {
    while (count > SHORT) {
        int64_t cut = cut_keys(keys, count), behind = count - cut - 1;
        if (cut < behind) { /* the shorter part by recursion, the longer one by going on */
            sort_keys(keys, cut);
            keys += cut + 1;
            count = behind;
        } else {
            sort_keys(keys + cut + 1, behind);
            count = cut;
        }
    }
    sort_short(keys, count);
}

void top_k_shrink(TopK *nearest, int64_t k) {
    if (nearest->count < k) return;
    select_smallest(nearest->keys, nearest->count, k);
    nearest->count = k;
    uint64_t furthest = 0;
    for (int64_t i = 0; i < k; i++)
        furthest = nearest->keys[i] > furthest ? nearest->keys[i] : furthest;
    nearest->limit = (uint32_t)(furthest >> 32);
}

int64_t top_k_end(TopK *nearest, int64_t k, Neighbour *out) {
    top_k_shrink(nearest, k);
    sort_keys(nearest->keys, nearest->count);
    for (int64_t i = 0; i < nearest->count; i++)
        out[i] = (Neighbour){(uint32_t)(nearest->keys[i] >> 32), (uint32_t)nearest->keys[i]};
    return nearest->count;
}
