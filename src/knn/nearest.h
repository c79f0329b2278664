/* The k nearest among neighbours that come one after the other. Private to src/knn. */
#ifndef PARDIGITS_KNN_NEAREST_H
#define PARDIGITS_KNN_NEAREST_H

#include "knn/knn.h"

#include <stdint.h>

/* Neighbours as keys (distance << 32 | index), in no order: the k nearest so far and up to `slack` more. When
 * there is no room left, the k nearest are selected, in linear time, and the others dropped. */
typedef struct {
    uint64_t *keys; /* [k + nearest_slack(k)] */
    int64_t count;
    uint32_t limit; /* what isn't nearer than this can't be among the k nearest */
} Nearest;

static inline int64_t nearest_slack(int64_t k) {
    return k < 32 ? 16 : k / 2;
}

static inline uint64_t neighbour_key(Neighbour neighbour) {
    return (uint64_t)neighbour.distance << 32 | neighbour.index;
}

/* Empties it; keys is the memory that it uses from now on. */
static inline void nearest_begin(Nearest *nearest, uint64_t *keys) {
    *nearest = (Nearest){keys, 0, UINT32_MAX};
}

/* Drops all but the k nearest and lowers the limit to the furthest of them. */
void nearest_shrink(Nearest *nearest, int64_t k);

/* Takes a neighbour that is nearer than the limit. Those of equal distance must come in order of index. */
static inline void nearest_push(Nearest *nearest, int64_t k, Neighbour neighbour) {
    nearest->keys[nearest->count++] = neighbour_key(neighbour);
    if (nearest->count == k + nearest_slack(k)) nearest_shrink(nearest, k);
}

/* Writes the k nearest to out, by (distance, index), and returns how many there are. */
int64_t nearest_end(Nearest *nearest, int64_t k, Neighbour *out);

#endif
