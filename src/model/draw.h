/* Sheets of what a file holds, as PNG. */
#ifndef PARDIGITS_MODEL_DRAW_H
#define PARDIGITS_MODEL_DRAW_H

#include "core/log.h"
#include "core/status.h"
#include "store/class_names.h"
#include "store/h5io.h"
#include "store/image_set.h"

/* The first images of each class, a row a class. images_path u8 [n][height][width], labels_path u8 [n].
 * means: the images of each class, [classes][height][width], that begin the rows; NULL: none. Logs that
 * classes are called by their numbers where their names can't be drawn. */
StatusCode draw_labelled_images(const H5File *file, const char *images_path, const char *labels_path,
                                const ClassNames *names, const uint8_t *means, const char *out, Log *log,
                                Status *status);

/* The filters of a convolution, each stretched to the size of an image; mid grey is 0. path f32
 * [kernel][kernel][in][out]. */
StatusCode draw_filters(const H5File *file, const char *path, ImageSpec spec, const char *out,
                        Status *status);

#endif
