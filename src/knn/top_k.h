/* The k nearest among neighbours that come one after the other. Private to src/knn. */
#ifndef PARDIGITS_KNN_TOP_K_H
#define PARDIGITS_KNN_TOP_K_H

#include "knn/knn.h"

#include <stdint.h>

/* Neighbours as keys (distance << 32 | index), in no order: the k nearest so far and up to `slack` more. When
 * there is no room left, the k nearest are selected, in linear time, and the others dropped. */
typedef struct {
    uint64_t *keys; /* [k + top_k_slack(k)] */
    int64_t count;
    uint32_t limit; /* what isn't nearer than this can't be among the k nearest */
} TopK;

static inline int64_t top_k_slack(int64_t k) {
    return k < 32 ? 16 : k / 2;
}

static inline uint64_t neighbour_key(Neighbour neighbour) {
    return (uint64_t)neighbour.distance << 32 | neighbour.index;
}

/* Empties it; keys is the memory that it uses from now on. */
static inline void top_k_begin(TopK *nearest, uint64_t *keys) {
    *nearest = (TopK){keys, 0, UINT32_MAX};
}

/* If there are as many: drops all but the k nearest and lowers the limit to the furthest of them. */
void top_k_shrink(TopK *nearest, int64_t k);

/* Takes a neighbour that isn't beyond the limit. Where those of equal distance come in order of index, one at
 * the limit can be left out, too. */
static inline void top_k_push(TopK *nearest, int64_t k, Neighbour neighbour) {
    nearest->keys[nearest->count++] = neighbour_key(neighbour);
    if (nearest->count == k + top_k_slack(k)) top_k_shrink(nearest, k);
}

/* Writes the k nearest to out, by (distance, index), and returns how many there are. */
int64_t top_k_end(TopK *nearest, int64_t k, Neighbour *out);

#endif
