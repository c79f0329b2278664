/* More training images than there are, made by distorting those. */
#ifndef PARDIGITS_DATA_GROW_H
#define PARDIGITS_DATA_GROW_H

#include "core/partition.h"
#include "data/augment.h"
#include "parallel/context.h"
#include "store/dataset.h"

/* What grown images depend on, beside those that they are made from. */
typedef struct {
    uint32_t seed;
    Augmentation distortion;
} Growth;

/* Images [range) of the set that grows from source, which has n: image i is made from image i mod n, and is
 * that image itself for i < n; otherwise it is distorted (augment_image) by random numbers of (seed, i)
 * alone, as Loosli, Canu & Bottou made 8 million of MNIST's ("Training invariant support vector machines
 * using selective sampling", in Large Scale Kernel Machines, 2007). out [range]; OpenMP. */
void grow_images(const Growth *growth, const ImageSet *source, Range range, int threads, ImageSet *out);

/* Writes a dataset of n training images that grow from those of parts, which rank 0 has; the rest is that of
 * parts. All ranks make images, rank 0 writes them; memory holds a block of them. *source: the SHA-256 of the
 * grown images and labels, the same for any number of ranks. Collective: all ranks agree. */
StatusCode grow_dataset(const Context *context, const Growth *growth, const DatasetParts *parts, int64_t n,
                        const char *path, ImageSource *source, Status *status);

#endif
