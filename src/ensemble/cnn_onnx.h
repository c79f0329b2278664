/* A network or an ensemble as an ONNX file. */
#ifndef PARDIGITS_ENSEMBLE_CNN_ONNX_H
#define PARDIGITS_ENSEMBLE_CNN_ONNX_H

#include "model/model.h"

/* The ModelExporter's write. Input `image`, f32 [N][1][height][width] of 0 to 255; output `probabilities`,
 * f32 [N][classes], the mean over the members and
 * the shifts of cnn.test_shifts. A member whose images are preprocessed in a way of its own
 * takes them from an input image_WAY. */
StatusCode cnn_onnx_write(const Model *model, const Context *context, const char *path, Status *status);

#endif
