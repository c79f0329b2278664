#include "data/grow.h"

#include "core/integers.h"
#include "core/mem.h"
#include "core/sha256.h"

#include <stdio.h>
#include <string.h>

/* Of the random numbers; training counts its epochs from 0, so it draws others. */
#define GROWTH_EPOCH UINT32_MAX

enum { BLOCK = 1 << 16 }; /* images that all ranks make together before rank 0 writes them: 49 MiB of 28x28 */

static void distort(const Growth *growth, ImageSpec spec, int64_t i, const uint8_t *from, uint8_t *image) {
    float distorted[PIXELS_MAX];
    const AugmentKey key = {growth->seed, GROWTH_EPOCH, (uint64_t)i};
    augment_image(&growth->distortion, spec, key, from, distorted);
    for (int p = 0; p < image_spec_pixels(spec); p++)
        image[p] = (uint8_t)(distorted[p] * 255 + 0.5f);
}

void grow_images(const Growth *growth, const ImageSet *source, Range range, int threads, ImageSet *out) {
    const int64_t pixels = image_spec_pixels(source->spec);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = range.begin; i < range.end; i++) {
        const uint8_t *from = source->images + i % source->n * pixels;
        uint8_t *image = out->images + (i - range.begin) * pixels;
        out->labels[i - range.begin] = source->labels[i % source->n];
        if (i < source->n)
            memcpy(image, from, (size_t)pixels);
        else
            distort(growth, source->spec, i, from, image);
    }
}

/* Rank 0's images, on every rank; freed by the caller. */
static ImageSet share_source(const Comm *comm, const ImageSet *source) {
    const bool root = comm_rank(comm) == 0;
    ImageSet facts = root ? *source : (ImageSet){0};
    comm_broadcast(comm, &facts, sizeof facts, 0);
    ImageSet set = image_set_new(facts.n, facts.spec);
    const int64_t pixels = image_spec_pixels(set.spec);
    if (root) {
        memcpy(set.images, source->images, (size_t)(set.n * pixels));
        memcpy(set.labels, source->labels, (size_t)set.n);
    }
    comm_broadcast(comm, set.images, set.n * pixels, 0);
    comm_broadcast(comm, set.labels, set.n, 0);
    return set;
}

/* All ranks' images to rank 0, in the order of the ranks. */
static void gather_block(const Comm *comm, const ImageSet *mine, Range block, ImageSet *all) {
    const int ranks = comm_size(comm);
    int64_t *sent = mem_new((size_t)ranks * 2, sizeof *sent), *got = sent + ranks;
    sent[0] = mine->n;
    for (int r = 0; r < ranks && comm_rank(comm) == 0; r++)
        got[r] = range_size(partition_range(range_size(block), ranks, r));
    comm_exchange_rows(comm, mine->images, sent, all->images, got, image_spec_pixels(mine->spec));
    comm_exchange_rows(comm, mine->labels, sent, all->labels, got, 1);
    all->n = range_size(block);
    mem_free(sent);
}

/* What rank 0 writes to. */
typedef struct {
    DatasetWriter *writer;
    Sha256 images, labels;
} Target;

static void write_block(Target *target, const ImageSet *block, Status *status) {
    if (dataset_append(target->writer, block, status)) return;
    sha256_add(&target->images, block->images, (size_t)(block->n * image_spec_pixels(block->spec)));
    sha256_add(&target->labels, block->labels, (size_t)block->n);
}

/* Makes and writes all images. A failure of rank 0 ends it on all ranks with the block after. Collective. */
static StatusCode write_images(const Context *context, const Growth *growth, const ImageSet *source,
                               int64_t n, Target *target, Status *status) {
    const Comm *comm = context->comm;
    const int ranks = comm_size(comm), rank = comm_rank(comm);
    ImageSet mine = image_set_new(range_size(partition_range(BLOCK, ranks, 0)), source->spec);
    ImageSet all = image_set_new(rank == 0 ? BLOCK : 0, source->spec);
    for (int64_t first = 0; first < n && !comm_agree(comm, status); first += BLOCK) {
        const Range block = {first, smaller(first + BLOCK, n)};
        const Range part = partition_range(range_size(block), ranks, rank);
        mine.n = range_size(part);
        grow_images(growth, source, (Range){first + part.begin, first + part.end}, context->threads, &mine);
        gather_block(comm, &mine, block, &all);
        if (rank == 0) write_block(target, &all, status);
        log_progress(context->log, "grown: %lld/%lld images", (long long)block.end, (long long)n);
    }
    image_set_free(&all);
    image_set_free(&mine);
    return comm_agree(comm, status);
}

static void describe(const Growth *growth, int64_t originals, char *text, size_t size) {
    const Augmentation *by = &growth->distortion;
    snprintf(text, size,
             "image i is image i mod %lld, distorted from %lld on: seed %u, shift %g, rotate %g, zoom %g, "
             "shear %g, "
             "stretch %g, thickness %g, elastic %g, elastic_sigma %g",
             (long long)originals, (long long)originals, growth->seed, (double)by->shift_pixels,
             (double)by->rotate_deg, (double)by->zoom, (double)by->shear_deg, (double)by->stretch,
             (double)by->thickness, (double)by->elastic_pixels, (double)by->elastic_sigma);
}

StatusCode grow_dataset(const Context *context, const Growth *growth, const DatasetParts *parts, int64_t n,
                        const char *path, ImageSource *source, Status *status) {
    const bool root = comm_rank(context->comm) == 0;
    Target target = {0};
    char made[320];
    if (root) target.writer = dataset_begin(path, parts, n, status);
    sha256_begin(&target.images);
    sha256_begin(&target.labels);
    ImageSet originals = share_source(context->comm, &parts->train);
    write_images(context, growth, &originals, n, &target, status);
    sha256_end(&target.images, source->images_sha256);
    sha256_end(&target.labels, source->labels_sha256);
    describe(growth, originals.n, made, sizeof made);
    image_set_free(&originals);
    if (root) dataset_end(&target.writer, source, made, status);
    return comm_agree(context->comm, status);
}
