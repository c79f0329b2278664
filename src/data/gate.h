/* Whether an image shows a digit at all: a small network of its own, as a model of ten classes gives one of
 * them to a letter, too, and is often sure of it. Trained by tests/pictures/gate.sh on MNIST's training
 * images against letters of fonts, strokes, noise and pieces. Not collective; thread-safe. */
#ifndef PARDIGITS_DATA_GATE_H
#define PARDIGITS_DATA_GATE_H

#include "store/image_set.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether the network knows images of this kind: MNIST's shape, and ten classes. */
bool gate_knows(ImageSpec spec);

/* The logarithm of the odds, by the network, that image [28][28] is a digit. */
float gate_log_odds(const uint8_t *image);

#endif
