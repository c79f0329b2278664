/* Where an SVM's configuration can't work well with its images. */
#ifndef PARDIGITS_SVM_HINTS_H
#define PARDIGITS_SVM_HINTS_H

#include "core/log.h"
#include "store/image_set.h"
#include "svm/svm_options.h"

/* Logs a hint where gamma of a radial kernel is so large that it tells all images apart. set: images as the
 * kernel sees them; a sample of them is enough. */
void svm_log_hints(const SvmOptions *options, const ImageSet *set, Log *log);

#endif
