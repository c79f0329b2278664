#include "core/mem.h"
#include "store/atomic_file.h"
#include "svm/svm_libsvm.h"

#include "svm/model.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

/* " 1:0.5 ..." of an image's pixels that aren't 0. */
static void write_pixels(FILE *file, const SvmModel *model, const uint8_t *image) {
    const int pixels = image_spec_pixels(model->spec);
    double length = 255;
    if (model->kernel.normalize) {
        int64_t norm = 0;
        for (int p = 0; p < pixels; p++)
            norm += image[p] * image[p];
        length = sqrt((double)norm);
    }
    for (int p = 0; p < pixels; p++)
        if (image[p]) fprintf(file, " %d:%.17g", p + 1, image[p] / length);
    putc('\n', file);
}

static void write_kernel(FILE *file, const SvmKernel *kernel) {
    static const char *const names[] = {
        [SVM_RBF] = "rbf", [SVM_POLY] = "polynomial", [SVM_LINEAR] = "linear"};
    fprintf(file, "svm_type c_svc\nkernel_type %s\n", names[kernel->type]);
    if (kernel->type == SVM_POLY) fprintf(file, "degree %d\n", kernel->degree);
    if (kernel->type != SVM_LINEAR) fprintf(file, "gamma %.17g\n", kernel->gamma);
    if (kernel->type == SVM_POLY) fprintf(file, "coef0 %.17g\n", kernel->coef0);
}

typedef enum { RHO, PROB_A, PROB_B } PairValue;

/* A line with one value of each pair. LIBSVM's decision is that of the first class against the second, and
 * its probability 1 / (1 + exp(A decision + B)) that of the first. */
static void write_pairs(FILE *file, const char *name, const SvmModel *model, PairValue value) {
    fputs(name, file);
    for (int i = 0; i < model->class_count; i++)
        for (int j = i + 1; j < model->class_count; j++) {
            int sign;
            const SvmPair *pair = svm_pair_of(model, i, j, &sign);
            double values[] = {
                [RHO] = sign * pair->rho, [PROB_A] = pair->slope, [PROB_B] = sign * pair->offset};
            fprintf(file, " %.17g", values[value]);
        }
    putc('\n', file);
}

static void write_header(FILE *file, const SvmModel *model) {
    int64_t counts[CLASSES_MAX] = {0};
    for (int64_t k = 0; k < model->n; k++)
        counts[model->labels[k]]++;
    write_kernel(file, &model->kernel);
    fprintf(file, "nr_class %d\ntotal_sv %lld\n", model->class_count, (long long)model->n);
    write_pairs(file, "rho", model, RHO);
    fputs("label", file);
    for (int c = 0; c < model->class_count; c++)
        fprintf(file, " %d", model->classes[c]);
    if (model->calibrated) {
        write_pairs(file, "\nprobA", model, PROB_A);
        write_pairs(file, "probB", model, PROB_B);
    } else {
        putc('\n', file);
    }
    fputs("nr_sv", file);
    for (int c = 0; c < model->class_count; c++)
        fprintf(file, " %lld", (long long)counts[model->classes[c]]);
    fputs("\nSV\n", file);
}

/* The support vectors of class number i, each with its coefficients against the other classes in their order.
 */
static void write_class(FILE *file, const SvmModel *model, int i) {
    double *coefficients[CLASSES_MAX] = {0};
    for (int j = 0; j < model->class_count; j++) {
        int sign;
        if (j == i) continue;
        const SvmPair *pair = i < j ? svm_pair_of(model, i, j, &sign) : svm_pair_of(model, j, i, &sign);
        coefficients[j] = mem_new((size_t)model->n, sizeof *coefficients[j]);
        for (int64_t s = 0; s < pair->support_count; s++)
            coefficients[j][pair->support[s]] = sign * pair->coefficient[s];
    }
    for (int64_t k = 0; k < model->n; k++) {
        if (model->labels[k] != model->classes[i]) continue;
        for (int j = 0; j < model->class_count; j++)
            if (j != i)
                fprintf(file, "%s%.17g", j == (i == 0) ? "" : " ",
                        coefficients[j][k] == 0 ? 0 : coefficients[j][k]);
        write_pixels(file, model, model->images + k * image_spec_pixels(model->spec));
    }
    for (int j = 0; j < model->class_count; j++)
        mem_free(coefficients[j]);
}

static void write_model(FILE *file, const void *context) {
    const SvmModel *model = context;
    write_header(file, model);
    for (int i = 0; i < model->class_count; i++)
        write_class(file, model, i);
}

typedef struct {
    const SvmModel *model;
    const ImageSet *images;
} Images;

static void write_images(FILE *file, const void *context) {
    const Images *given = context;
    uint8_t *seen =
        svm_model_features(given->model, given->images->images, given->images->n, omp_get_max_threads());
    for (int64_t k = 0; k < given->images->n; k++) {
        fprintf(file, "%d", given->images->labels[k]);
        write_pixels(file, given->model, seen + k * image_spec_pixels(given->model->spec));
    }
    mem_free(seen);
}

StatusCode svm_libsvm_write_model(const void *model, const char *path, Status *status) {
    return atomic_file_write(path, write_model, model, status);
}

StatusCode svm_libsvm_write_images(const void *model, const ImageSet *images, const char *path,
                                   Status *status) {
    Images given = {model, images};
    return atomic_file_write(path, write_images, &given, status);
}
