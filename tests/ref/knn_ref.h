/* A plain reference for nearest neighbours: all distances, sorted. */
#ifndef PARDIGITS_TESTS_REF_KNN_REF_H
#define PARDIGITS_TESTS_REF_KNN_REF_H

#include "knn/knn.h"

/* The min(k, rows) nearest of rows [rows][columns] to query, by (distance, index). */
void ref_nearest(const uint8_t *rows, int64_t count, int columns, const uint8_t *query, int64_t k,
                 Neighbour *out);

/* The same by the image distortion model, among the method's candidates: min(k, candidates, rows) of rows
 * [rows][784]. */
void ref_nearest_distorted(const uint8_t *images, int64_t count, const uint8_t *query,
                           const KnnMethod *method, Neighbour *out);

/* Images of few distinct values and many duplicates, so that ties are everywhere. Freed by mem_free. */
uint8_t *ref_tied_images(int64_t rows, int columns, uint32_t seed);

#endif
