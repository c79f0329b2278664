#include "svm/model.h"

#include "core/mem.h"
#include "data/gradient.h"

#include <string.h>

int svm_pair_count(int classes) {
    return classes * (classes - 1) / 2;
}

int svm_pair_number(int classes, int a, int b) {
    return a * (2 * classes - a - 1) / 2 + b - a - 1;
}

void svm_pair_classes(int classes, int number, int *a, int *b) {
    for (*a = 0; number >= classes - 1 - *a; ++*a)
        number -= classes - 1 - *a;
    *b = *a + 1 + number;
}

int svm_pair_between(int classes, int a, int b, int *sign) {
    *sign = a < b ? 1 : -1;
    return a < b ? svm_pair_number(classes, a, b) : svm_pair_number(classes, b, a);
}

int svm_pairs_existing(int classes, const bool *present) {
    int found = 0;
    for (int c = 0; c < classes; c++)
        found += present[c];
    return svm_pair_count(found);
}

const SvmPair *svm_pair_of(const SvmModel *model, int i, int j, int *sign) {
    return &model->pairs
                .items[svm_pair_between(model->spec.classes, model->classes[i], model->classes[j], sign)];
}

SvmPairs svm_pairs_new(int classes) {
    SvmPairs pairs = {.classes = classes, .count = svm_pair_count(classes)};
    pairs.items = mem_new((size_t)pairs.count, sizeof *pairs.items);
    return pairs;
}

int svm_pairs_solved(const SvmPairs *pairs) {
    int solved = 0;
    for (int p = 0; p < pairs->count; p++)
        solved += pairs->items[p].solved;
    return solved;
}

void svm_pairs_clear(SvmPairs *pairs) {
    for (int p = 0; p < pairs->count; p++) {
        mem_free(pairs->items[p].support);
        mem_free(pairs->items[p].coefficient);
        pairs->items[p] = (SvmPair){0};
    }
}

void svm_pairs_free(SvmPairs *pairs) {
    svm_pairs_clear(pairs);
    mem_free(pairs->items);
    *pairs = (SvmPairs){0};
}

SvmKernel svm_options_kernel(const SvmOptions *options) {
    return (SvmKernel){(SvmKernelType)options->kernel, options->gamma, options->coef0, (int)options->degree,
                       options->normalize};
}

uint8_t *svm_model_features(const SvmModel *model, const uint8_t *images, int64_t n, int threads) {
    uint8_t *seen = mem_copy(images, (size_t)(n * image_spec_pixels(model->spec)));
    if (model->gradient) gradient_features(model->spec, seen, n, threads);
    return seen;
}

int32_t *svm_pairs_support(const SvmPairs *pairs, int64_t n, int64_t *count) {
    uint8_t *used = mem_new((size_t)n, 1);
    int32_t *support = mem_new((size_t)n, sizeof *support);
    for (int p = 0; p < pairs->count; p++)
        for (int64_t s = 0; s < pairs->items[p].support_count; s++)
            used[pairs->items[p].support[s]] = 1;
    *count = 0;
    for (int64_t i = 0; i < n; i++)
        if (used[i]) support[(*count)++] = (int32_t)i;
    mem_free(used);
    return support;
}

/* The support vectors themselves. */
static void copy_support(SvmModel *model, const SvmSamples *samples, const int32_t *support) {
    model->origin = mem_new((size_t)model->n, sizeof *model->origin);
    model->labels = mem_new((size_t)model->n, sizeof *model->labels);
    const int64_t pixels = image_spec_pixels(samples->set.spec);
    model->images = mem_new((size_t)model->n, (size_t)pixels);
    for (int64_t k = 0; k < model->n; k++) {
        model->origin[k] = svm_sample_at(samples, support[k]);
        model->labels[k] = samples->set.labels[support[k]];
        memcpy(model->images + k * pixels, samples->set.images + support[k] * pixels, (size_t)pixels);
    }
}

SvmModel *svm_model_create(const SvmKernel *kernel, const bool *present, const SvmPairs *pairs,
                           const SvmSamples *samples) {
    const ImageSpec spec = samples->set.spec;
    SvmModel *model = mem_new(1, sizeof *model);
    int32_t *support = svm_pairs_support(pairs, samples->set.n, &model->n);
    int32_t *row = mem_new((size_t)samples->set.n, sizeof *row); /* of a sample, among the support vectors */
    model->kernel = *kernel;
    model->gradient = samples->gradient;
    model->spec = spec;
    memcpy(model->present, present, (size_t)spec.classes * sizeof *present);
    for (int c = 0; c < spec.classes; c++)
        if (present[c]) model->classes[model->class_count++] = (uint8_t)c;
    copy_support(model, samples, support);
    for (int64_t k = 0; k < model->n; k++)
        row[support[k]] = (int32_t)k;
    model->pairs = svm_pairs_new(spec.classes);
    for (int p = 0; p < pairs->count; p++) {
        const SvmPair *from = &pairs->items[p];
        SvmPair *pair = &model->pairs.items[p];
        *pair = *from;
        pair->support = mem_new((size_t)pair->support_count, sizeof *pair->support);
        pair->coefficient = mem_copy(from->coefficient, (size_t)pair->support_count * sizeof(double));
        for (int64_t s = 0; s < pair->support_count; s++)
            pair->support[s] = row[from->support[s]];
    }
    mem_free(row);
    mem_free(support);
    model->shift_pixels = samples->shift_pixels;
    model->from_count = samples->from_count;
    model->from = mem_copy(samples->from, (size_t)model->from_count * sizeof *model->from);
    svm_model_pack(model);
    return model;
}

void svm_model_pack(SvmModel *model) {
    model->packed = pix_rows_new(model->images, model->n, image_spec_pixels(model->spec));
    model->inverses = svm_kernel_inverses(&model->kernel, model->packed.norms, model->n);
}

void svm_model_destroy(SvmModel **pointer) {
    SvmModel *model = *pointer;
    if (!model) return;
    svm_pairs_free(&model->pairs);
    mem_free(model->origin);
    mem_free(model->from);
    mem_free(model->inverses);
    mem_free(model->labels);
    mem_free(model->images);
    pix_rows_free(&model->packed);
    mem_free(model);
    *pointer = NULL;
}
