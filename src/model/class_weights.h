/* How much an error in an image of each class counts: the keys svm.class_weights and cnn.class_weights. */
#ifndef PARDIGITS_MODEL_CLASS_WEIGHTS_H
#define PARDIGITS_MODEL_CLASS_WEIGHTS_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Reads the text of such a key: "" (all 1), "balanced" or a positive number for each class. balanced: the
 * weight of a class is n / (k counts[c]), for n images of k classes, as in scikit-learn; counts [classes], or
 * NULL to check the text alone. weights [classes]. STATUS_USAGE for another text; name: of the key. Not
 * collective. */
StatusCode class_weights_read(const char *name, const char *text, int classes, const int64_t *counts,
                              double *weights, Status *status);

/* Whether a text asks for weights at all. */
bool class_weights_given(const char *text);

#endif
