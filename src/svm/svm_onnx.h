/* An SVM as an ONNX file: SVMClassifier of ai.onnx.ml. */
#ifndef PARDIGITS_SVM_SVM_ONNX_H
#define PARDIGITS_SVM_SVM_ONNX_H

#include "model/model.h"

/* The ModelExporter's write. Input `image`, f32 [N][1][height][width] of 0 to 255; outputs `label`, i64 [N],
 * and `scores`: class probabilities of a model that has them, otherwise the decision values of all pairs of
 * classes. STATUS_USAGE where the kernel sees features. */
StatusCode svm_onnx_write(const Model *opened, const Context *context, const char *path, Status *status);

#endif
