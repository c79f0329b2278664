/* Images between files and models: IDX files, preprocessing, augmentation, pictures of one's own, contact
 * sheets. */
#ifndef PARDIGITS_IMAGES_H
#define PARDIGITS_IMAGES_H

#include "pardigits/dataset.h"
#include "pardigits/status.h"

#include <stdint.h>

/* Reads the "train" or "t10k" pair of IDX files (http://yann.lecun.com/exdb/mnist, IDX format) from folder:
 * canonical names NAME-images-idx3-ubyte and NAME-labels-idx1-ubyte, plain or with .gz. Every header field,
 * the exact length and the labels' range are checked. source gets the SHA-256 of the plain contents. *set is
 * freed by the caller. */
StatusCode idx_read(const char *folder, const char *name, ImageSet *set, ImageSource *source, Status *status);

/* Applies run.preprocess ("none", "deskew", "deskew-blur", "deskew-centre", "width") to images [n][28][28] in
 * place. Deterministic; uses OpenMP. deskew: the shear that makes the digit upright by its second moments,
 * bilinear, rounded to 8 bits. blur: each pixel becomes the mean of 3x3, weighted 1 2 1 in both directions,
 * rounded to 8 bits. centre: the centre of mass moves to the image's middle, in the same resampling as the
 * shear. width: the digit is stretched sideways to 18 columns, whose middle moves to the image's (Ciresan,
 * Meier & Schmidhuber, "Multi-column deep neural networks for image classification", CVPR 2012). */
void preprocess_images(const char *how, uint8_t *images, int64_t n);

enum { GRADIENT_CELLS = 7, GRADIENT_DIRECTIONS = 16 };

/* Makes features [n][7][7][16] of images [n][28][28] in place: how much of the strokes' edges lies in each
 * cell and direction. Gradients by Sobel's operator, each divided between the two nearest of 16 directions by
 * the parallelogram law, are summed with Gaussian weights (deviation 1.8 pixels, in 64ths) around the cells'
 * centres; the features are the square roots, scaled so that an image's largest is 255 (Liu, Nakashima, Sako
 * & Fujisawa, "Handwritten digit recognition: benchmarking of state-of-the-art techniques", Pattern
 * Recognition 36, 2003, who took 5x5 cells and 8 directions). Exact in whole numbers up to the root; uses
 * OpenMP. */
void gradient_features(uint8_t *images, int64_t n);

/* Random changes of one training image, drawn for (seed, epoch, sample). */
typedef struct {
    float shift_pixels; /* up to so far in x and in y, uniform */
    float rotate_deg;   /* up to this angle either way, uniform */
    float zoom;         /* scale factor uniform in [1 - zoom, 1 + zoom] */
    float shear_deg;    /* slant of upright lines, up to this angle either way, uniform; below 90 */
    float elastic_pixels, elastic_sigma; /* smooth random displacement: root mean square in x and in y, and
                                            the deviation of the Gaussian that smooths it, >= 2 */
    float stretch;   /* up to 1 + stretch times as wide and as low, or as narrow and as high, as likely */
    float thickness; /* pixels go up to this share of their way to the largest or, as likely, the least of
                        their own value and their four neighbours': a dilation or erosion (Serra 1982) */
} Augmentation;

/* out [28][28] floats in [0,1] from image [28][28]: all changes of place in one bilinear resampling, zeros
 * outside; then thickness. With all of them 0 it is image / 255. */
void augment_image(const Augmentation *augmentation, uint32_t seed, uint32_t epoch, uint64_t sample,
                   const uint8_t *image, float *out);

/* Reads a picture (PNG, JPEG, PNM; any size and colour; dark on light or light on dark) that holds one digit,
 * and makes of it what MNIST's makers did: scaled to fit 20x20 with its proportions kept, centred by mass in
 * 28x28. STATUS_FAILED if it can't be read or is empty. */
StatusCode digitize_picture(const char *path, uint8_t image[IMAGE_PIXELS], Status *status);

/* Writes a PNG of n images [n][28][28] in `columns` columns (dark ink on white), each with its caption below
 * (captions[n], e.g. its label; NULL for none). The file appears whole or not at all. */
StatusCode sheet_write(const char *path, const uint8_t *images, int64_t n, int columns, char *const *captions,
                       Status *status);

#endif
