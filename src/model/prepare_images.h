/* The one place where images become what a model sees, in training and in use. Private to src/model. */
#ifndef PARDIGITS_MODEL_PREPARE_IMAGES_H
#define PARDIGITS_MODEL_PREPARE_IMAGES_H

#include "core/config.h"
#include "store/image_set.h"

/* Applies run.preprocess to the images in place. OpenMP. */
void prepare_images(const Config *config, ImageSet *set);

#endif
