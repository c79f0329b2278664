/* What an SVM is trained on: the training images, or virtual examples made of some of them (DeCoste &
 * Schölkopf, "Training invariant support vector machines", Machine Learning 46, 2002): each image as it is,
 * and shifted by 1, 2, ... pixels in 8 directions. */
#ifndef PARDIGITS_SVM_SAMPLES_H
#define PARDIGITS_SVM_SAMPLES_H

#include "parallel/comm.h"
#include "store/image_set.h"

#include <stdbool.h>
#include <stdint.h>

enum { SVM_DIRECTIONS = 8 };

typedef struct {
    ImageSet set;       /* as the kernel sees them: image by image, in each the shifts in their order */
    bool gradient;      /* gradient_features of the images */
    int shift_pixels;   /* largest shift; 0: the set is the training images themselves */
    int64_t from_count; /* where shifted: how many training images it was made of */
    int32_t *from;      /* [from_count] which ones, ascending */
} SvmSamples;

/* A sample as a training image and its shift to the right and down. */
typedef struct {
    int32_t image, x, y;
} SvmSample;

/* All training images, in memory that the ranks of a node share. */
typedef struct {
    Comm *node;
    ImageSet
        images; /* as they are; the same as plain.set where the kernel sees them so, or nobody wants them */
    SvmSamples plain; /* as the kernel sees them */
} SvmTrainImages;

/* From shards that hold partition_range(total, ranks, rank), which it frees. keep: images are wanted.
 * Collective; freed by svm_train_images_free, collectively. OpenMP. */
SvmTrainImages svm_train_images_gather(const Comm *comm, int64_t total, ImageSet *shard, bool gradient,
                                       bool keep, int threads);
void svm_train_images_free(SvmTrainImages *train);

/* The virtual examples of the training images from[count], which is copied. Freed by svm_samples_free. */
SvmSamples svm_samples_shifted(const ImageSet *train, const int32_t *from, int64_t count, int shift_pixels,
                               bool gradient, int threads);
void svm_samples_free(SvmSamples *samples);

/* How many training images the samples are made of. */
int64_t svm_samples_images(const SvmSamples *samples);

SvmSample svm_sample_at(const SvmSamples *samples, int64_t number);

/* The number of a sample; -1 if there is no such one. */
int64_t svm_sample_number(const SvmSamples *samples, SvmSample sample);

#endif
