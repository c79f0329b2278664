/* The nearest by the image distortion model among candidates. Private to src/knn. */
#ifndef PARDIGITS_KNN_REFINE_H
#define PARDIGITS_KNN_REFINE_H

#include "knn/knn.h"

/* Gradients of images [n][height][width]: one block of memory, freed by mem_free. OpenMP. */
Gradients *refine_gradients(const Distortion *distortion, const uint8_t *images, int64_t n, int threads);

/* Of each query's candidates among this rank's images [n][listed], nearest first, those up to furthest[query]
 * are compared: out [n][kept] gets the nearest by their distortions, by (cost, index), NOBODY where there are
 * fewer. kept <= listed. OpenMP over queries; under_way as in knn_search. */
void refine_nearest(const KnnReference *reference, const KnnMethod *method, const uint8_t *images, int64_t n,
                    const Neighbour *candidates, int64_t listed, const Neighbour *furthest, int64_t kept,
                    int threads, CommExchange *under_way, Neighbour *out);

#endif
