#include "model.h"

#include "pardigits/mem.h"

#include <stdio.h>
#include <string.h>

int svm_pair_number(int a, int b) {
    return a * (2 * CLASSES - a - 1) / 2 + b - a - 1;
}

void svm_pair_classes(int number, int *a, int *b) {
    for (*a = 0; number >= CLASSES - 1 - *a; ++*a)
        number -= CLASSES - 1 - *a;
    *b = *a + 1 + number;
}

bool svm_pair_exists(const bool present[CLASSES], int number) {
    int a, b;
    svm_pair_classes(number, &a, &b);
    return present[a] && present[b];
}

int svm_pairs_solved(const SvmPair pairs[SVM_PAIRS]) {
    int solved = 0;
    for (int p = 0; p < SVM_PAIRS; p++)
        solved += pairs[p].solved;
    return solved;
}

void svm_pairs_free(SvmPair pairs[SVM_PAIRS]) {
    for (int p = 0; p < SVM_PAIRS; p++) {
        mem_free(pairs[p].support);
        mem_free(pairs[p].coefficient);
        pairs[p] = (SvmPair){0};
    }
}

SvmKernel svm_config_kernel(const Config *config) {
    const char *name = config_text(config, "svm.kernel");
    SvmKernelType type = !strcmp(name, "rbf") ? SVM_RBF : !strcmp(name, "poly") ? SVM_POLY : SVM_LINEAR;
    return (SvmKernel){type, config_real(config, "svm.gamma"), config_real(config, "svm.coef0"),
                       (int)config_int(config, "svm.degree")};
}

/* row[i] = place of training image i among the support vectors, in order, or -1. Freed by the caller. */
static int32_t *number_support(const SvmPair pairs[SVM_PAIRS], int64_t images, int64_t *count) {
    int32_t *row = mem_new((size_t)images, sizeof *row);
    for (int p = 0; p < SVM_PAIRS; p++)
        for (int64_t s = 0; s < pairs[p].support_count; s++)
            row[pairs[p].support[s]] = 1;
    *count = 0;
    for (int64_t i = 0; i < images; i++)
        row[i] = row[i] ? (int32_t)(*count)++ : -1;
    return row;
}

static void allocate_support(SvmModel *model, int64_t n) {
    model->n = n;
    model->index = mem_new((size_t)n, sizeof *model->index);
    model->labels = mem_new((size_t)n, sizeof *model->labels);
    model->images = mem_new((size_t)n, IMAGE_PIXELS);
}

SvmModel *svm_model_create(const SvmKernel *kernel, const bool present[CLASSES],
                           const SvmPair pairs[SVM_PAIRS], const ImageSet *train) {
    SvmModel *model = mem_new(1, sizeof *model);
    int64_t n;
    int32_t *row = number_support(pairs, train->n, &n);
    model->kernel = *kernel;
    memcpy(model->present, present, sizeof model->present);
    allocate_support(model, n);
    for (int64_t i = 0; i < train->n; i++) {
        if (row[i] < 0) continue;
        model->index[row[i]] = (int32_t)i;
        model->labels[row[i]] = train->labels[i];
        memcpy(model->images + row[i] * (int64_t)IMAGE_PIXELS, train->images + i * IMAGE_PIXELS,
               IMAGE_PIXELS);
    }
    for (int p = 0; p < SVM_PAIRS; p++) {
        SvmPair *pair = &model->pairs[p];
        *pair = pairs[p];
        pair->support = mem_new((size_t)pair->support_count, sizeof *pair->support);
        pair->coefficient = mem_new((size_t)pair->support_count, sizeof *pair->coefficient);
        for (int64_t s = 0; s < pair->support_count; s++) {
            pair->support[s] = row[pairs[p].support[s]];
            pair->coefficient[s] = pairs[p].coefficient[s];
        }
    }
    mem_free(row);
    model->packed = pix_rows_new(model->images, n, IMAGE_PIXELS);
    return model;
}

void svm_model_destroy(SvmModel **pointer) {
    SvmModel *model = *pointer;
    if (!model) return;
    svm_pairs_free(model->pairs);
    mem_free(model->index);
    mem_free(model->labels);
    mem_free(model->images);
    pix_rows_free(&model->packed);
    mem_free(model);
    *pointer = NULL;
}
