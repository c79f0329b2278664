/* Where images came from, as attributes of a group of an HDF5 file: images_sha256 and labels_sha256. */
#ifndef PARDIGITS_STORE_IMAGE_SOURCE_H
#define PARDIGITS_STORE_IMAGE_SOURCE_H

#include "store/dataset.h"
#include "store/h5io.h"

StatusCode image_source_write(H5File *file, const char *group, const ImageSource *source, Status *status);

/* "" for what the group doesn't say. */
StatusCode image_source_read(const H5File *file, const char *group, ImageSource *source, Status *status);

/* How pictures become such images (spec.from and spec.inverted), as the attribute `pictures`; without it:
 * from digits. */
StatusCode image_from_write(H5File *file, const char *group, ImageSpec spec, Status *status);
StatusCode image_from_read(const H5File *file, const char *group, ImageSpec *spec, Status *status);

#endif
