/* Whether an image shows a digit at all: a small network of its own, as a model of ten classes gives one of
 * them to a letter, too, and is often sure of it. It has an eleventh class for what isn't a digit. Trained by
 * tests/pictures/gate.sh on digits of MNIST's training images and of fonts, drawn in many ways, against
 * letters, strokes, noise and pieces. Not collective; thread-safe. */
#ifndef PARDIGITS_DATA_GATE_H
#define PARDIGITS_DATA_GATE_H

#include "store/image_set.h"

#include <stdbool.h>
#include <stdint.h>

enum { GATE_DIGITS = 10 };

/* Whether the network knows images of this kind: digits in MNIST's shape. */
bool gate_knows(ImageSpec spec);

/* The logarithms of the odds, by the network, that image [28][28] is each digit and not something else than a
 * digit. log_odds [GATE_DIGITS] */
void gate_log_odds(const uint8_t *image, float *log_odds);

#endif
