#include "knn/refine.h"

#include "core/mem.h"
#include "knn/merge.h"
#include "knn/top_k.h"

#include <omp.h>

Gradients *refine_gradients(const Distortion *distortion, const uint8_t *images, int64_t n, int threads) {
    const int64_t bytes = distortion_gradient_bytes(distortion), pixels = image_spec_pixels(distortion->spec);
    Gradients *gradients = mem_new((size_t)n, sizeof *gradients + (size_t)bytes);
    int8_t *along = (int8_t *)(gradients + n);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < n; i++) {
        gradients[i].along = along + i * bytes;
        distortion_gradients(distortion, images + i * pixels, &gradients[i]);
    }
    return gradients;
}

/* One query. Candidates come nearest first, so the limit falls fast, and most costs are given up early. */
static void refine_query(const KnnReference *reference, DistortionQuery *query, const Neighbour *candidates,
                         int64_t listed, Neighbour furthest, int64_t kept, uint64_t *keys, Neighbour *out) {
    TopK nearest;
    top_k_begin(&nearest, keys);
    for (int64_t c = 0; c < listed && neighbour_key(candidates[c]) <= neighbour_key(furthest); c++) {
        const Gradients *gradients = &reference->gradients[candidates[c].index - reference->first];
        const uint32_t cost = distortion_cost(query, gradients, nearest.limit);
        if (cost > nearest.limit) continue; /* of equal cost, one of smaller index may come later */
        top_k_push(&nearest, kept, (Neighbour){cost, candidates[c].index});
        top_k_shrink(&nearest, kept);
    }
    for (int64_t found = top_k_end(&nearest, kept, out); found < kept; found++)
        out[found] = NOBODY;
}

void refine_nearest(const KnnReference *reference, const KnnMethod *method, const uint8_t *images, int64_t n,
                    const Neighbour *candidates, int64_t listed, const Neighbour *furthest, int64_t kept,
                    int threads, CommExchange *under_way, Neighbour *out) {
#pragma omp parallel num_threads(threads)
    {
        DistortionQuery *query = distortion_query_create(&method->distortion);
        uint64_t *keys = mem_new((size_t)(kept + top_k_slack(kept)), sizeof *keys);
        Gradients gradients = {.along = mem_new((size_t)distortion_gradient_bytes(&method->distortion), 1)};
#pragma omp for schedule(dynamic)
        for (int64_t q = 0; q < n; q++) {
            distortion_gradients(&method->distortion, images + q * image_spec_pixels(method->distortion.spec),
                                 &gradients);
            distortion_query_set(query, &gradients);
            refine_query(reference, query, candidates + q * listed, listed, furthest[q], kept, keys,
                         out + q * kept);
            if (under_way && omp_get_thread_num() == 0) comm_exchange_test(under_way);
        }
        mem_free(gradients.along);
        mem_free(keys);
        distortion_query_destroy(&query);
    }
}
