/* Labelled grey images in memory. */
#ifndef PARDIGITS_STORE_IMAGE_SET_H
#define PARDIGITS_STORE_IMAGE_SET_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SIDE_MIN = 8, /* pixels of an image's height and width */
    SIDE_MAX = 64,
    PIXELS_MAX = SIDE_MAX * SIDE_MAX, /* a dot product of 8-bit images stays below 2^28: exact in 32 bits */
    CLASSES_MIN = 2,
    CLASSES_MAX = 256, /* a label is one byte */
};

/* How pictures become images. */
typedef enum {
    IMAGE_FROM_DIGITS,  /* what is drawn on them is found, and normalised as MNIST's makers did */
    IMAGE_FROM_FIGURES, /* the same, but it isn't digits */
    IMAGE_FROM_WHOLE    /* they are stretched to the image */
} ImageFrom;

/* What all images of a dataset are, and all images that a model of it takes. */
typedef struct {
    int height, width; /* pixels */
    int classes;       /* labels are 0 .. classes - 1 */
    ImageFrom from;
    bool inverted; /* where pictures are taken whole, dark becomes light */
} ImageSpec;

static inline int image_spec_pixels(ImageSpec spec) {
    return spec.height * spec.width;
}

/* Whether images of the one can stand for those of the other, however they were made. */
static inline bool image_spec_equal(ImageSpec a, ImageSpec b) {
    return a.height == b.height && a.width == b.width && a.classes == b.classes;
}

/* What MNIST's are. */
enum { IMAGE_SIDE = 28, IMAGE_PIXELS = IMAGE_SIDE * IMAGE_SIDE, CLASSES = 10 };

static inline ImageSpec image_spec_mnist(void) {
    return (ImageSpec){IMAGE_SIDE, IMAGE_SIDE, CLASSES, IMAGE_FROM_DIGITS, false};
}

/* Some images and their labels. */
typedef struct {
    int64_t n;
    uint8_t *images; /* [n][height][width], 0 background to 255 ink */
    uint8_t *labels; /* [n] */
    ImageSpec spec;
} ImageSet;

/* n images and labels, all zero; freed by image_set_free. */
ImageSet image_set_new(int64_t n, ImageSpec spec);

/* Frees the arrays and clears the set. */
void image_set_free(ImageSet *set);

#endif
