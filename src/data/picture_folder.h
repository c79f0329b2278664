/* Folders of labelled pictures, made into sets of images. */
#ifndef PARDIGITS_DATA_PICTURE_FOLDER_H
#define PARDIGITS_DATA_PICTURE_FOLDER_H

#include "core/status.h"
#include "store/dataset.h"

#include <stdbool.h>

typedef struct {
    int height, width; /* of the images; 0: those of the first picture */
    bool invert;       /* dark becomes light: for dark ink on a light ground */
} PictureOptions;

/* Reads FOLDER/train/CLASS/... and, if it is there, FOLDER/test/CLASS/...; or FOLDER/CLASS/... as the
 * training part alone; a note on standard error says what isn't read: folders beside train and test, and the
 * pages of a picture but for its first. Every file that isn't hidden must be a picture in a format that
 * picture_open reads. Classes are the training part's folders, in the order of numbers if all are called by
 * numbers, else of their bytes; the images of a part come in a fixed random order, so that the last ones are
 * of all classes. Grey pictures of the wanted height and width are taken as they are (transparency on white);
 * others become grey by their luminance and are stretched to it, averaging areas where that shrinks them and
 * interpolating linearly where not. The set's spec says that its pictures were taken whole, unless they are
 * as they are and most are normalised as MNIST's. If pictures can't be read that is STATUS_FAILED, with a
 * sentence for the first and lines on standard error for the others. Freed by dataset_parts_free, also after
 * a failure. */
StatusCode picture_folder_read(const char *folder, const PictureOptions *options, DatasetParts *parts,
                               Status *status);

#endif
