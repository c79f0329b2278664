/* A trained network as part of an ONNX graph. */
#ifndef PARDIGITS_CNN_NETWORK_ONNX_H
#define PARDIGITS_CNN_NETWORK_ONNX_H

#include "cnn/network.h"

#include "model/onnx.h"

enum { NETWORK_ONNX_OPSET = 11 };

/* Adds the nodes from the tensor `in`, images x 1 x height x width in [0,1], to the tensor `out` of class
 * probabilities, images x classes. The names of all tensors between begin with prefix. params [param_floats],
 * statistics [statistic_floats]. */
void network_to_onnx(const Network *net, const float *params, const float *statistics, const char *prefix,
                     const char *in, const char *out, OnnxModel *model);

#endif
