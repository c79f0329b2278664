#include "knn/model.h"

#include "core/mem.h"

#include <string.h>

/* The neighbours that this rank was given; zeros for other queries. */
typedef struct {
    int64_t count;  /* neighbours of a query */
    Neighbour *all; /* [queries][count] */
} Kept;

static void keep(void *context, int64_t query, const Neighbour *neighbours) {
    const Kept *kept = context;
    memcpy(kept->all + query * kept->count, neighbours, (size_t)kept->count * sizeof *neighbours);
}

/* Rank 0: the first `each` neighbours of each query, with their images. */
static StatusCode read_images(const Model *opened, const Kept *kept, int64_t n, int64_t each,
                              NearestImages *nearest, Status *status) {
    const KnnModel *model = opened->state;
    const int64_t total = n * each, pixels = image_spec_pixels(opened->spec);
    nearest->each = each;
    nearest->set = image_set_new(total, opened->spec);
    nearest->indices = mem_new((size_t)total, sizeof *nearest->indices);
    nearest->distances = mem_new((size_t)total, sizeof *nearest->distances);
    for (int64_t i = 0; i < total && !status->code; i++) {
        const Neighbour neighbour = kept->all[i / each * kept->count + i % each];
        nearest->indices[i] = neighbour.index;
        nearest->distances[i] = neighbour.distance;
        nearest->set.labels[i] = model->labels[neighbour.index];
        knn_model_read_image(opened, neighbour.index, nearest->set.images + i * pixels, status);
    }
    return status->code;
}

StatusCode knn_model_nearest(const Model *opened, const Context *context, const ModelImages *images,
                             int64_t most, NearestImages *nearest, Status *status) {
    const KnnModel *model = opened->state;
    const Comm *comm = context->comm;
    const int64_t n = images->set.n;
    Kept kept = {.count = knn_neighbour_count(&model->method, model->reference.total)};
    kept.all = mem_new((size_t)(n * kept.count), sizeof *kept.all);
    knn_nearest(comm, &model->reference, &model->method, images->set.images, n, context->threads, keep,
                &kept);
    _Static_assert(sizeof(Neighbour) == sizeof(uint64_t), "neighbours are added as integers");
    comm_sum_u64(comm, (uint64_t *)kept.all, n * kept.count);
    *nearest = (NearestImages){0};
    if (comm_rank(comm) == 0)
        read_images(opened, &kept, n, most < kept.count ? most : kept.count, nearest, status);
    mem_free(kept.all);
    return comm_agree(comm, status);
}
