/* LIBSVM's text files (https://www.csie.ntu.edu.tw/~cjlin/libsvm): models that svm-predict reads, models that
 * svm-train wrote, and images for both. Feature p + 1 is byte p of what the kernel sees (a pixel, or with
 * svm.features = gradient a feature) divided by 255, or with svm.normalize by the length of all of them.
 * Files appear whole or not at all. Nothing here communicates. */
#ifndef PARDIGITS_SVM_SVM_LIBSVM_H
#define PARDIGITS_SVM_SVM_LIBSVM_H

#include "core/config.h"
#include "core/status.h"
#include "store/dataset.h"
#include "store/h5io.h"

/* Writes a model that svm_family loaded. */
StatusCode svm_libsvm_write_model(const void *model, const char *path, Status *status);

/* Writes images, preprocessed already, as this model sees them, each with its label in front. */
StatusCode svm_libsvm_write_images(const void *model, const ImageSet *images, const char *path,
                                   Status *status);

/* Reads a C-SVC with a linear, polynomial or RBF kernel whose labels are 0 to 255 and whose features are
 * pixels divided by 255. spec, first_feature: as in ModelImporter, where a file
 * with a feature 0 counts from 0, others from 1, with a note; an unknown shape is taken as MNIST's if the
 * file's features fit it, with a note, an unknown class count as 10 or what the labels need. *model, to be
 * written by svm_libsvm_save and freed by svm_libsvm_free, is NULL after a failure; kernel and C (the largest
 * coefficient: LIBSVM doesn't write C) go into the configuration. */
StatusCode svm_libsvm_read_model(void **model, ImageSpec *spec, Config *config, const char *path,
                                 int first_feature, Status *status);

/* NULL is allowed; clears *model. */
void svm_libsvm_free(void **model);

/* CheckpointWriter of what svm_libsvm_read_model read. */
StatusCode svm_libsvm_save(H5File *file, const void *model, Status *status);

#endif
