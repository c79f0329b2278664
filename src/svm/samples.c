#include "svm/samples.h"

#include "core/mem.h"
#include "data/gradient.h"
#include "data/shard.h"
#include "parallel/node_memory.h"

#include <stdlib.h>
#include <string.h>

/* How many samples an image becomes. */
static int64_t shifts(int shift_pixels) {
    return 1 + SVM_DIRECTIONS * shift_pixels;
}

/* Shift 0 is none; then the 8 directions at a distance of 1 pixel, of 2, and so on. */
static void shift_at(int64_t number, int32_t *x, int32_t *y) {
    static const int step[SVM_DIRECTIONS][2] = {{-1, -1}, {0, -1}, {1, -1}, {-1, 0},
                                                {1, 0},   {-1, 1}, {0, 1},  {1, 1}};
    int64_t distance = (number + SVM_DIRECTIONS - 1) / SVM_DIRECTIONS;
    const int *direction = step[(number + SVM_DIRECTIONS - 1) % SVM_DIRECTIONS];
    *x = (int32_t)(distance * direction[0]);
    *y = (int32_t)(distance * direction[1]);
}

/* What moves beyond the edge is lost, what comes in is background. */
static void shift_image(ImageSpec spec, const uint8_t *image, int32_t x, int32_t y, uint8_t *out) {
    memset(out, 0, (size_t)image_spec_pixels(spec));
    int32_t width = spec.width - abs(x), from_x = x < 0 ? -x : 0, to_x = x > 0 ? x : 0;
    for (int32_t row = 0; row < spec.height; row++)
        if (width > 0 && row - y >= 0 && row - y < spec.height)
            memcpy(out + row * spec.width + to_x, image + (row - y) * spec.width + from_x, (size_t)width);
}

static ImageSet copy_images(const ImageSet *set) {
    return (ImageSet){set->n, mem_copy(set->images, (size_t)(set->n * image_spec_pixels(set->spec))),
                      mem_copy(set->labels, (size_t)set->n), set->spec};
}

SvmTrainImages svm_train_images_gather(const Comm *comm, int64_t total, ImageSet *shard, bool gradient,
                                       bool keep, int threads) {
    SvmTrainImages train = {.node = node_ranks(comm), .plain = {.gradient = gradient}};
    if (gradient) {
        ImageSet features = keep ? copy_images(shard) : *shard;
        if (!keep) *shard = (ImageSet){0};
        gradient_features(features.spec, features.images, features.n, threads);
        train.plain.set = shard_share(comm, train.node, total, &features);
    }
    train.images = gradient && !keep ? train.plain.set : shard_share(comm, train.node, total, shard);
    if (!gradient) train.plain.set = train.images;
    return train;
}

void svm_train_images_free(SvmTrainImages *train) {
    if (train->images.images != train->plain.set.images) shard_share_free(train->node, &train->plain.set);
    shard_share_free(train->node, &train->images);
    comm_destroy(&train->node);
    *train = (SvmTrainImages){0};
}

SvmSamples svm_samples_shifted(const ImageSet *train, const int32_t *from, int64_t count, int shift_pixels,
                               bool gradient, int threads) {
    const int64_t each = shifts(shift_pixels), n = count * each, pixels = image_spec_pixels(train->spec);
    SvmSamples samples = {.gradient = gradient, .shift_pixels = shift_pixels, .from_count = count};
    samples.from = mem_copy(from, (size_t)count * sizeof *from);
    samples.set = image_set_new(n, train->spec);
    for (int64_t i = 0; i < n; i++) {
        SvmSample sample = svm_sample_at(&samples, i);
        shift_image(train->spec, train->images + sample.image * pixels, sample.x, sample.y,
                    samples.set.images + i * pixels);
        samples.set.labels[i] = train->labels[sample.image];
    }
    if (gradient) gradient_features(samples.set.spec, samples.set.images, n, threads);
    return samples;
}

void svm_samples_free(SvmSamples *samples) {
    image_set_free(&samples->set);
    mem_free(samples->from);
    *samples = (SvmSamples){0};
}

int64_t svm_samples_images(const SvmSamples *samples) {
    return samples->shift_pixels ? samples->from_count : samples->set.n;
}

SvmSample svm_sample_at(const SvmSamples *samples, int64_t number) {
    if (samples->shift_pixels == 0) return (SvmSample){.image = (int32_t)number};
    const int64_t each = shifts(samples->shift_pixels);
    SvmSample sample = {.image = samples->from[number / each]};
    if (number % each) shift_at(number % each, &sample.x, &sample.y);
    return sample;
}

static int compare_images(const void *a, const void *b) {
    const int32_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

int64_t svm_sample_number(const SvmSamples *samples, SvmSample sample) {
    if (samples->shift_pixels == 0)
        return sample.image < samples->set.n && sample.x == 0 && sample.y == 0 ? sample.image : -1;
    const int32_t *found = bsearch(&sample.image, samples->from, (size_t)samples->from_count,
                                   sizeof *samples->from, compare_images);
    const int64_t each = shifts(samples->shift_pixels);
    for (int64_t k = 0; found && k < each; k++) {
        int64_t number = (found - samples->from) * each + k;
        SvmSample candidate = svm_sample_at(samples, number);
        if (candidate.x == sample.x && candidate.y == sample.y) return number;
    }
    return -1;
}
